// What a Hugging Face folder says about its model: config.json and generation_config.json of LLaVA checkpoints and of
// their companion encoders, with the defaults of transformers. The model graphs (vlm.ts, encoder.ts) are built from it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { badConfig, epsilon, readJsonObject, readSection, size, tokenId, unknownField } from '../folder/configFields.ts'
import { type RopeConfig, readRope } from './shared/rope.ts'

export type Activation = 'gelu' | 'geluTanh' | 'quickGelu' | 'silu' | 'relu'

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

export interface DecoderConfig {
  readonly kind: 'llama' | 'mistral' | 'qwen2'
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  readonly heads: number
  /** Divides `heads`; fewer is grouped-query attention. */
  readonly kvHeads: number
  readonly headDim: number
  readonly vocabSize: number
  readonly maxPositions: number
  readonly epsilon: number
  readonly activation: Activation
  readonly rope: RopeConfig
  /** Tokens that a query of each layer sees, itself included; null for all before it. */
  readonly windows: readonly (number | null)[]
  readonly biases: { readonly qkv: boolean; readonly o: boolean; readonly mlp: boolean }
  /** The head reads the embedding table. */
  readonly tied: boolean
}

export interface VlmConfig {
  readonly vision: VisionConfig
  /** Hidden states that are handed on, 0 the embeddings, -1 the last; several are joined along the width. */
  readonly featureLayers: readonly number[]
  /** `default` leaves the class token out. */
  readonly featureStrategy: 'default' | 'full'
  readonly projector: { readonly activation: Activation; readonly bias: boolean }
  readonly decoder: DecoderConfig
  readonly imageTokenId: number
  /** Tokens that one image takes in the prompt. */
  readonly imageTokens: number
  readonly endTokenIds: readonly number[]
  readonly padTokenId: number
}

/**
 * The config of a `LlavaForConditionalGeneration` checkpoint.
 * @throws StudioError `model.missing-file`, `model.bad-config`, `model.unsupported`, `model.unknown-config-field`
 */
export async function readVlmConfig(folder: string): Promise<VlmConfig> {
  const path = join(folder, 'config.json')
  const raw = await readJsonObject(path)
  if (raw['model_type'] !== 'llava') throw unknownField(path, 'model_type', raw['model_type'], 'llava')
  const section = readSection(path, '', raw, vlmShape, ['pad_token_id', 'eos_token_id', 'bos_token_id', 'vocab_size'])
  const vision = visionConfig(path, section.vision_config ?? defaultVision)
  const text = (section.text_config ?? { model_type: 'llama' }) as Record<string, unknown>
  const decoder = decoderConfig(path, text, section.tie_word_embeddings)
  const featureLayers = [section.vision_feature_layer].flat()
  const outside = featureLayers.find((layer) => layer > vision.layers || layer < -vision.layers - 1)
  if (outside !== undefined) throw badConfig(path, `vision_feature_layer ${outside} is not a layer of its image tower.`)
  const featureStrategy = section.vision_feature_select_strategy
  if (vision.kind === 'siglip' && featureStrategy === 'default') {
    throw unknownField(path, 'vision_feature_select_strategy', 'default', 'full: a SigLIP tower has no class token')
  }
  const imageTokenId = section.image_token_index ?? section.image_token_id ?? 32_000
  if (imageTokenId >= decoder.vocabSize) throw badConfig(path, `image_token_index is outside of the vocabulary.`)
  return {
    vision,
    featureLayers,
    featureStrategy,
    projector: {
      activation: activation(path, 'projector_hidden_act', section.projector_hidden_act),
      bias: section.multimodal_projector_bias,
    },
    decoder,
    imageTokenId,
    imageTokens: patchCount(vision) + (vision.kind === 'clip' && featureStrategy === 'full' ? 1 : 0),
    ...(await specialTokens(folder, raw, text)),
  }
}

/**
 * The config of a CLIP or SigLIP checkpoint.
 * @throws StudioError as {@link readVlmConfig} does
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
  const vision = visionConfig(path, visionRaw)
  const text = readSection(path, 'text_config', textRaw, kind === 'clip' ? clipText : siglipText, unusedText)
  const layers = encoderLayers(path, 'text_config', text)
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
      padTokenId: text.pad_token_id,
    },
    projectionSize,
  }
}

/** Patches of an image, without the class token. */
export function patchCount({ imageSize, patchSize }: Pick<VisionConfig, 'imageSize' | 'patchSize'>): number {
  return Math.floor(imageSize / patchSize) ** 2
}

const anySection = z.record(z.string(), z.unknown())
const endTokens = z.union([tokenId, z.array(tokenId).min(1).max(64)]).nullish()

const vlmShape = {
  vision_config: anySection.nullish(),
  text_config: anySection.nullish(),
  image_token_index: tokenId.optional(),
  image_token_id: tokenId.optional(),
  projector_hidden_act: z.string().default('gelu'),
  vision_feature_select_strategy: z.enum(['default', 'full']).default('default'),
  vision_feature_layer: z.union([z.int(), z.array(z.int()).min(1).max(64)]).default(-2),
  multimodal_projector_bias: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(false),
}

const dualShape = {
  vision_config: anySection.nullish(),
  text_config: anySection.nullish(),
  vision_config_dict: anySection.nullish(),
  text_config_dict: anySection.nullish(),
  projection_dim: size.default(512),
}

/** What `LlavaConfig` takes when there is no vision_config: CLIP-L at 336 pixels. */
const defaultVision = {
  model_type: 'clip_vision_model',
  ...{ hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16 },
  ...{ image_size: 336, patch_size: 14 },
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
  pad_token_id: tokenId.default(1),
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

const decoderShape = {
  vocab_size: size,
  hidden_size: size.default(4096),
  intermediate_size: size,
  num_hidden_layers: size.max(1000).default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  max_position_embeddings: size,
  hidden_act: z.string().default('silu'),
  rms_norm_eps: epsilon.default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().positive().optional(),
  rope_scaling: anySection.nullish(),
  rope_parameters: anySection.nullish(),
}
/** Defaults that differ between the kinds. */
const decoderDefaults = {
  llama: { vocab_size: 32_000, intermediate_size: 11_008, max_position_embeddings: 2048 },
  mistral: {
    ...{ vocab_size: 32_000, intermediate_size: 14_336, max_position_embeddings: 131_072 },
    num_key_value_heads: 8,
  },
  qwen2: {
    ...{ vocab_size: 151_936, intermediate_size: 22_016, max_position_embeddings: 32_768 },
    num_key_value_heads: 32,
  },
}
/** Fields that only one kind has. */
const ownFields = {
  llama: { attention_bias: z.boolean().default(false), mlp_bias: z.boolean().default(false) },
  mistral: { sliding_window: size.nullable().default(4096) },
  qwen2: {
    use_sliding_window: z.boolean().default(false),
    sliding_window: size.nullable().default(4096),
    max_window_layers: z.int().nonnegative().default(28),
    layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
  },
}
const unusedDecoder = ['bos_token_id', 'eos_token_id', 'pad_token_id']

function visionConfig(path: string, raw: Record<string, unknown>): VisionConfig {
  const type = raw['model_type'] ?? 'clip_vision_model'
  if (type !== 'clip_vision_model' && type !== 'siglip_vision_model') {
    throw unknownField(path, 'vision_config.model_type', type, 'clip_vision_model or siglip_vision_model')
  }
  const kind = type === 'clip_vision_model' ? 'clip' : 'siglip'
  const section = readSection(path, 'vision_config', raw, kind === 'clip' ? clipVision : siglipVision, unusedVision)
  if (section.patch_size > section.image_size) throw badConfig(path, 'Its patches are larger than its images.')
  return {
    kind,
    ...encoderLayers(path, 'vision_config', section),
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

function encoderLayers(path: string, section: string, raw: RawEncoderLayers): EncoderLayers {
  if (raw.hidden_size % raw.num_attention_heads !== 0) {
    throw badConfig(path, `${section}.hidden_size is not a multiple of its number of heads.`)
  }
  return {
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    activation: activation(path, `${section}.hidden_act`, raw.hidden_act),
    epsilon: raw.layer_norm_eps,
  }
}

function decoderConfig(path: string, raw: Record<string, unknown>, tied: boolean): DecoderConfig {
  const kind = raw['model_type'] ?? 'llama'
  if (kind !== 'llama' && kind !== 'mistral' && kind !== 'qwen2') {
    throw unknownField(path, 'text_config.model_type', kind, 'llama, mistral or qwen2')
  }
  const known = [...unusedDecoder, ...Object.keys(ownFields[kind])]
  const section = readSection(path, 'text_config', { ...decoderDefaults[kind], ...raw }, decoderShape, known)
  const own = <Fields extends z.ZodRawShape>(fields: Fields) =>
    readSection(path, 'text_config', raw, fields, [...unusedDecoder, ...Object.keys(decoderShape)])
  const llama = kind === 'llama' ? own(ownFields.llama) : null
  const heads = section.num_attention_heads
  const kvHeads = section.num_key_value_heads ?? heads
  if (heads % kvHeads !== 0) throw badConfig(path, 'text_config.num_key_value_heads does not divide its heads.')
  const headDim = section.head_dim ?? Math.floor(section.hidden_size / heads)
  if (headDim === 0 || headDim % 2 !== 0) throw badConfig(path, `Heads of ${headDim} numbers cannot be rotated.`)
  return {
    kind,
    hiddenSize: section.hidden_size,
    intermediateSize: section.intermediate_size,
    layers: section.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    vocabSize: section.vocab_size,
    maxPositions: section.max_position_embeddings,
    epsilon: section.rms_norm_eps,
    activation: activation(path, 'text_config.hidden_act', section.hidden_act),
    rope: readRope(path, section),
    windows:
      kind === 'qwen2'
        ? qwenWindows(path, section.num_hidden_layers, own(ownFields.qwen2))
        : new Array(section.num_hidden_layers).fill(kind === 'mistral' ? own(ownFields.mistral).sliding_window : null),
    biases: {
      qkv: kind === 'qwen2' || llama?.attention_bias === true,
      o: llama?.attention_bias === true,
      mlp: llama?.mlp_bias === true,
    },
    tied: tied || section.tie_word_embeddings,
  }
}

interface RawWindows {
  readonly use_sliding_window: boolean
  readonly sliding_window: number | null
  readonly max_window_layers: number
  readonly layer_types?: readonly string[] | null | undefined
}

function qwenWindows(path: string, layers: number, raw: RawWindows): (number | null)[] {
  const window = raw.use_sliding_window ? raw.sliding_window : null
  const types = raw.layer_types
  if (types && types.length !== layers) throw badConfig(path, 'layer_types does not name every layer.')
  return Array.from({ length: layers }, (_, layer) =>
    (types ? types[layer] === 'sliding_attention' : layer >= raw.max_window_layers) ? window : null,
  )
}

const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_new: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  quick_gelu: 'quickGelu',
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
}

function activation(path: string, field: string, name: string): Activation {
  const known = Object.hasOwn(activations, name) ? activations[name] : undefined
  if (known) return known
  throw unknownField(path, field, name, Object.keys(activations).join(', '))
}

async function specialTokens(
  folder: string,
  raw: Record<string, unknown>,
  text: Record<string, unknown>,
): Promise<Pick<VlmConfig, 'endTokenIds' | 'padTokenId'>> {
  const path = join(folder, 'generation_config.json')
  const generation = existsSync(path) ? await readJsonObject(path) : {}
  const first = (field: string) => generation[field] ?? raw[field] ?? text[field]
  const tokens = z.object({ end: endTokens, pad: tokenId.nullish() })
  const parsed = tokens.safeParse({ end: first('eos_token_id'), pad: first('pad_token_id') })
  if (!parsed.success) throw badConfig(path, 'Its end and padding tokens are not token ids.')
  // LlamaConfig's and MistralConfig's own default; Qwen2's has none, then only the length ends a response.
  const end = parsed.data.end ?? (text['model_type'] === 'qwen2' ? [] : 2)
  const endTokenIds = [end].flat()
  return { endTokenIds, padTokenId: parsed.data.pad ?? endTokenIds[0] ?? 0 }
}
