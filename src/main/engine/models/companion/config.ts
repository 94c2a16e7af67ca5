// The config of a companion encoder: both towers of a CLIP or SigLIP checkpoint, with the defaults of transformers. The
// graphs of encoder.ts are built from it.
import { join } from 'node:path'
import { z } from 'zod'
import {
  badConfig,
  epsilon,
  readJsonObject,
  readSection,
  size,
  tokenId,
  unknownField,
} from '../../folder/configFields.ts'
import type { ModelParameters, ModuleNames } from '../shared/parameters.ts'
import { type EncoderLayers, readEncoderLayers, readVisionConfig, type VisionConfig } from '../shared/towerConfig.ts'

export interface TextEncoderConfig extends EncoderLayers {
  readonly kind: 'clip' | 'siglip'
  readonly vocabSize: number
  readonly maxPositions: number
  readonly endTokenId: number
  readonly padTokenId: number
}

/** A CLIP or SigLIP model: both towers into one space of `projectionSize` numbers. */
export interface DualEncoderConfig {
  readonly kind: 'clip' | 'siglip'
  readonly vision: VisionConfig
  readonly text: TextEncoderConfig
  readonly projectionSize: number
}

/** What the modules are called in CLIP and SigLIP checkpoints. */
export const dualEncoderNames = {
  tower: ['vision_model.'],
  text: ['text_model.'],
  imageProjection: ['visual_projection.'],
  textProjection: ['text_projection.'],
} as const satisfies ModuleNames

export type DualEncoderParameters = ModelParameters<keyof typeof dualEncoderNames>

const anySection = z.record(z.string(), z.unknown())

const dualShape = {
  vision_config: anySection.nullish(),
  text_config: anySection.nullish(),
  vision_config_dict: anySection.nullish(),
  text_config_dict: anySection.nullish(),
  projection_dim: size.default(512),
}

const clipText = {
  hidden_size: size.default(512),
  intermediate_size: size.default(2048),
  num_hidden_layers: size.max(1000).default(12),
  num_attention_heads: size.default(8),
  vocab_size: size.default(49_408),
  max_position_embeddings: size.default(77),
  hidden_act: z.string().default('quick_gelu'),
  layer_norm_eps: epsilon.default(1e-5),
  eos_token_id: tokenId.default(49_407),
  pad_token_id: z.int().default(1),
  projection_size: size.nullish(),
}
const siglipText = {
  ...clipText,
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_attention_heads: size.default(12),
  vocab_size: size.default(32_000),
  max_position_embeddings: size.default(64),
  hidden_act: z.string().default('gelu_pytorch_tanh'),
  layer_norm_eps: epsilon.default(1e-6),
}
const unusedText = ['projection_dim', 'bos_token_id']

/**
 * The config of a CLIP or SigLIP checkpoint.
 * @throws StudioError as `readVlmConfig` does
 */
export async function readDualEncoderConfig(folder: string): Promise<DualEncoderConfig> {
  const path = join(folder, 'config.json')
  const raw = await readJsonObject(path)
  const kind = raw['model_type']
  if (kind !== 'clip' && kind !== 'siglip') throw unknownField(path, 'model_type', kind, 'clip or siglip')
  const section = readSection(path, '', raw, dualShape, ['tie_word_embeddings'])
  // transformers lets the older *_config_dict sections win.
  const visionRaw = { ...section.vision_config, ...section.vision_config_dict, model_type: `${kind}_vision_model` }
  const textRaw = { ...section.text_config, ...section.text_config_dict, model_type: `${kind}_text_model` }
  const vision = readVisionConfig(path, visionRaw)
  const text = readSection(path, 'text_config', textRaw, kind === 'clip' ? clipText : siglipText, unusedText)
  const layers = readEncoderLayers(path, 'text_config', text)
  const isToken = (id: number): boolean => id >= 0 && id < text.vocab_size
  if (kind === 'clip' && !isToken(text.eos_token_id)) {
    throw badConfig(
      path,
      `text_config.eos_token_id ${text.eos_token_id} is outside of the vocabulary of ${text.vocab_size}.`,
    )
  }
  if (kind === 'siglip' && !isToken(text.pad_token_id)) {
    throw badConfig(
      path,
      `text_config.pad_token_id ${text.pad_token_id} is outside of the vocabulary of ${text.vocab_size}.`,
    )
  }
  const projectionSize = kind === 'clip' ? section.projection_dim : (text.projection_size ?? text.hidden_size)
  if (kind === 'siglip' && projectionSize !== vision.hiddenSize) {
    throw badConfig(path, 'Its two towers do not end in the same width.')
  }
  return {
    kind,
    vision,
    text: {
      kind,
      ...layers,
      vocabSize: text.vocab_size,
      maxPositions: text.max_position_embeddings,
      endTokenId: text.eos_token_id,
      // CLIP sees nothing of what follows the end of a text, so any token may.
      padTokenId: isToken(text.pad_token_id) ? text.pad_token_id : text.eos_token_id,
    },
    projectionSize,
  }
}
