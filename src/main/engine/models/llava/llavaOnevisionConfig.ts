// config.json of a LLaVA-OneVision checkpoint (Li et al. 2024), with the defaults of transformers.
import { join } from 'node:path'
import { z } from 'zod'
import { readSection, tokenId, unknownField } from '../../folder/configFields.ts'
import { defaultPinpoints } from '../../image/gridPinpoints.ts'
import { patchCount } from '../shared/towerConfig.ts'
import type { LlavaDefaults } from './config.ts'
import { type LlavaNextConfig, readTiledConfig, requireProcessor } from './llavaNextConfig.ts'

/** SigLIP-So400m at 384 pixels, and Qwen2. */
const defaults: LlavaDefaults = {
  vision: {
    model_type: 'siglip_vision_model',
    ...{ hidden_size: 1152, intermediate_size: 4304, num_hidden_layers: 26, num_attention_heads: 16 },
    ...{ image_size: 384, patch_size: 14, vision_use_head: false },
  },
  decoder: 'qwen2',
  featureLayers: [-1],
  featureStrategy: 'full',
  imageToken: 151_646,
}

const ownShape = {
  vision_aspect_ratio: z.string().default('anyres_max_9'),
  // Stands for a video, which no prompt of ours holds.
  video_token_index: tokenId.optional(),
  video_token_id: tokenId.optional(),
}

/**
 * The config of a `LlavaOnevisionForConditionalGeneration` checkpoint.
 * @param raw config.json
 * @throws StudioError `model.missing-file`, `model.bad-config`, `model.unknown-config-field`
 */
export async function readLlavaOnevisionConfig(
  folder: string,
  raw: Readonly<Record<string, unknown>>,
): Promise<LlavaNextConfig> {
  const path = join(folder, 'config.json')
  const { vision_aspect_ratio, video_token_index, video_token_id, ...rest } = raw
  const own = readSection(path, '', { vision_aspect_ratio, video_token_index, video_token_id }, ownShape)
  const ratio = own.vision_aspect_ratio
  const most = /^anyres_max_([1-9]\d{0,2})$/.exec(ratio)?.[1]
  if (most === undefined) throw unknownField(path, 'vision_aspect_ratio', ratio, 'anyres_max_9, or another number')
  const config = await readTiledConfig(folder, rest, defaults, defaultPinpoints.llavaOnevision)
  await requireProcessor(folder, {
    // The class token is counted here and taken off by its own strategy.
    num_image_tokens: patchCount(config.vision) + (config.featureStrategy === 'default' ? 1 : 0),
    vision_aspect_ratio: ratio,
    vision_feature_select_strategy: config.featureStrategy,
  })
  return { ...config, mostTiles: Number(most) }
}
