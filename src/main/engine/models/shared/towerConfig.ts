// The config of an image tower, and of the layers that CLIP and SigLIP stack in both of their towers, with the defaults of
// transformers. visionTower.ts and the companion's text tower are built from it.
import { z } from 'zod'
import { badConfig, epsilon, readSection, size, unknownField } from '../../folder/configFields.ts'
import { type Activation, readActivation } from './activation.ts'

/** A stack of transformer layers with LayerNorm before attention and MLP, as in CLIP and SigLIP. */
export interface EncoderLayers {
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  readonly heads: number
  readonly activation: Activation
  readonly epsilon: number
}

export interface VisionConfig extends EncoderLayers {
  readonly kind: 'clip' | 'siglip'
  /** Pixels; images are square. */
  readonly imageSize: number
  readonly patchSize: number
  readonly channels: number
  /** SigLIP: the attention pooling that makes one embedding of an image. */
  readonly hasHead: boolean
}

/** Patches of an image, without the class token. */
export function patchCount({ imageSize, patchSize }: Pick<VisionConfig, 'imageSize' | 'patchSize'>): number {
  return Math.floor(imageSize / patchSize) ** 2
}

const clipVision = {
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.max(1000).default(12),
  num_attention_heads: size.default(12),
  num_channels: z.literal(3).default(3),
  image_size: size.default(224),
  patch_size: size.default(32),
  hidden_act: z.string().default('quick_gelu'),
  layer_norm_eps: epsilon.default(1e-5),
  vision_use_head: z.boolean().default(false),
}
const siglipVision = {
  ...clipVision,
  patch_size: size.default(16),
  hidden_act: z.string().default('gelu_pytorch_tanh'),
  layer_norm_eps: epsilon.default(1e-6),
  vision_use_head: z.boolean().default(true),
}
/** Fields of a tower that its graph does not read. */
const unusedVision = ['projection_dim', 'vocab_size', 'bos_token_id', 'eos_token_id', 'pad_token_id']

/** @throws StudioError `model.bad-config`, `model.unknown-config-field` */
export function readVisionConfig(path: string, raw: Record<string, unknown>): VisionConfig {
  const type = raw['model_type'] ?? 'clip_vision_model'
  if (type !== 'clip_vision_model' && type !== 'siglip_vision_model') {
    throw unknownField(path, 'vision_config.model_type', type, 'clip_vision_model or siglip_vision_model')
  }
  const kind = type === 'clip_vision_model' ? 'clip' : 'siglip'
  const section = readSection(path, 'vision_config', raw, kind === 'clip' ? clipVision : siglipVision, unusedVision)
  if (section.patch_size > section.image_size) throw badConfig(path, 'Its patches are larger than its images.')
  return {
    kind,
    ...readEncoderLayers(path, 'vision_config', section),
    imageSize: section.image_size,
    patchSize: section.patch_size,
    channels: section.num_channels,
    hasHead: section.vision_use_head,
  }
}

interface RawEncoderLayers {
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly hidden_act: string
  readonly layer_norm_eps: number
}

/** @throws StudioError `model.bad-config` when the heads do not divide the width, `model.unknown-config-field` */
export function readEncoderLayers(path: string, section: string, raw: RawEncoderLayers): EncoderLayers {
  if (raw.hidden_size % raw.num_attention_heads !== 0) {
    throw badConfig(path, `${section}.hidden_size is not a multiple of its number of heads.`)
  }
  return {
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    activation: readActivation(path, `${section}.hidden_act`, raw.hidden_act),
    epsilon: raw.layer_norm_eps,
  }
}
