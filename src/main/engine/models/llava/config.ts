// config.json of a LLaVA checkpoint (Liu et al. 2023), with the defaults of transformers.
import { join } from 'node:path'
import { z } from 'zod'
import { badConfig, readSection, tokenId, unknownField } from '../../folder/configFields.ts'
import type { VlmConfig } from '../architecture.ts'
import { type Activation, readActivation } from '../shared/activation.ts'
import { readDecoderConfig } from '../shared/decoderConfig.ts'
import { readSpecialTokens } from '../shared/specialTokens.ts'
import { readVisionConfig } from '../shared/towerConfig.ts'

export interface LlavaConfig extends VlmConfig {
  /** Hidden states that are handed on, 0 the embeddings, -1 the last; several are joined along the width. */
  readonly featureLayers: readonly number[]
  /** `default` leaves the class token out. */
  readonly featureStrategy: 'default' | 'full'
  readonly projector: { readonly activation: Activation; readonly bias: boolean }
}

const anySection = z.record(z.string(), z.unknown())

/** A hidden state of the tower, or several. */
export const featureLayer = z.union([z.int(), z.array(z.int()).min(1).max(64)])

const llavaShape = {
  vision_config: anySection.nullish(),
  text_config: anySection.nullish(),
  image_token_index: tokenId.optional(),
  image_token_id: tokenId.optional(),
  projector_hidden_act: z.string().default('gelu'),
  vision_feature_select_strategy: z.enum(['default', 'full']).optional(),
  vision_feature_layer: featureLayer.optional(),
  multimodal_projector_bias: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(false),
}

/** What the kinds of LLaVA take for fields that are left out. */
export interface LlavaDefaults {
  /** Where there is no vision_config at all; one without a model_type takes that alone. */
  readonly vision: Readonly<Record<string, unknown>>
  /** `model_type` of its text_config. */
  readonly decoder: string
  readonly featureLayers: readonly number[]
  readonly featureStrategy: LlavaConfig['featureStrategy']
  readonly imageToken: number
}

/** Those of `LlavaConfig`: CLIP-L at 336 pixels, and LLaMA. */
export const llavaDefaults: LlavaDefaults = {
  vision: {
    model_type: 'clip_vision_model',
    ...{ hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16 },
    ...{ image_size: 336, patch_size: 14 },
  },
  decoder: 'llama',
  featureLayers: [-2],
  featureStrategy: 'default',
  imageToken: 32_000,
}

/**
 * The config of a `LlavaForConditionalGeneration` checkpoint, or of another kind with the same fields.
 * @param raw config.json
 * @throws StudioError `model.bad-config`, `model.unknown-config-field`
 */
export async function readLlavaConfig(
  folder: string,
  raw: Readonly<Record<string, unknown>>,
  defaults: LlavaDefaults = llavaDefaults,
): Promise<LlavaConfig> {
  const path = join(folder, 'config.json')
  const section = readSection(path, '', raw, llavaShape, ['pad_token_id', 'eos_token_id', 'bos_token_id', 'vocab_size'])
  const { model_type } = defaults.vision
  const vision = readVisionConfig(
    path,
    section.vision_config ? { model_type, ...section.vision_config } : { ...defaults.vision },
  )
  const text = { model_type: defaults.decoder, ...section.text_config }
  const decoder = readDecoderConfig(path, text, section.tie_word_embeddings)
  const featureLayers = [section.vision_feature_layer ?? defaults.featureLayers].flat()
  const outside = featureLayers.find((layer) => layer > vision.layers || layer < -vision.layers - 1)
  if (outside !== undefined) throw badConfig(path, `vision_feature_layer ${outside} is not a layer of its image tower.`)
  const featureStrategy = section.vision_feature_select_strategy ?? defaults.featureStrategy
  if (vision.kind === 'siglip' && featureStrategy === 'default') {
    throw unknownField(path, 'vision_feature_select_strategy', 'default', 'full: a SigLIP tower has no class token')
  }
  const imageTokenId = section.image_token_index ?? section.image_token_id ?? defaults.imageToken
  if (imageTokenId >= decoder.vocabSize) throw badConfig(path, `image_token_index is outside of the vocabulary.`)
  return {
    vision,
    featureLayers,
    featureStrategy,
    projector: {
      activation: readActivation(path, 'projector_hidden_act', section.projector_hidden_act),
      bias: section.multimodal_projector_bias,
    },
    decoder,
    imageTokenId,
    ...(await readSpecialTokens(folder, raw, text)),
  }
}
