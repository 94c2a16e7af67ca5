// The config of a language model: LLaMA, Mistral, Qwen2, Qwen3, Phi3 or Gemma 2, with the defaults of transformers.
// decoder.ts is built from it.
import { z } from 'zod'
import { badConfig, epsilon, readSection, size, unknownField } from '../../folder/configFields.ts'
import { type Activation, readActivation } from './activation.ts'
import { type RopeConfig, readRope, rotaryFactor } from './rope.ts'

export interface DecoderConfig {
  readonly kind: DecoderKind
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
  /** The first numbers of each head, which are rotated; the others stay. */
  readonly rotaryDim: number
  /** Factor of attention scores. */
  readonly scoreScale: number
  /** c, where scores become c tanh(score / c) before they are masked. */
  readonly scoreCap: number | null
  /** Queries and keys are normalised, each head by itself, before they are rotated. */
  readonly headNorms: boolean
  /** Norms multiply by this much more than their weight. */
  readonly normOffset: 0 | 1
  /** What attention and MLP say is normalised before it is added. */
  readonly outputNorms: boolean
  /** Factor of the embeddings of tokens, not of images. */
  readonly embeddingScale: number
  /** One weight makes queries, keys and values, another gate and up. */
  readonly fused: boolean
  /** Tokens that a query of each layer sees, itself included; null for all before it. */
  readonly windows: readonly (number | null)[]
  readonly biases: { readonly qkv: boolean; readonly o: boolean; readonly mlp: boolean }
  /** The head reads the embedding table. */
  readonly tied: boolean
}

export type DecoderKind = keyof typeof decoderDefaults

const anySection = z.record(z.string(), z.unknown())

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
  qwen3: {
    ...{ vocab_size: 151_936, intermediate_size: 22_016, max_position_embeddings: 32_768 },
    ...{ num_key_value_heads: 32, head_dim: 128 },
  },
  phi3: {
    ...{ vocab_size: 32_064, hidden_size: 3072, intermediate_size: 8192, max_position_embeddings: 4096 },
    rms_norm_eps: 1e-5,
  },
  gemma2: {
    ...{ vocab_size: 256_000, hidden_size: 2304, intermediate_size: 9216, max_position_embeddings: 8192 },
    ...{ num_hidden_layers: 26, num_attention_heads: 8, num_key_value_heads: 4, head_dim: 256 },
    tie_word_embeddings: true,
  },
} as const
const layerTypes = z.array(z.string()).nullish()
const qwenFields = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullable().default(4096),
  max_window_layers: z.int().nonnegative().default(28),
  layer_types: layerTypes,
}
/** Fields that only some kinds have. */
const ownFields = {
  llama: { attention_bias: z.boolean().default(false), mlp_bias: z.boolean().default(false) },
  mistral: { sliding_window: size.nullable().default(4096) },
  qwen2: qwenFields,
  qwen3: { ...qwenFields, attention_bias: z.boolean().default(false) },
  phi3: {
    sliding_window: size.nullish(),
    original_max_position_embeddings: size.default(4096),
    partial_rotary_factor: z.number().positive().max(1).default(1),
  },
  gemma2: {
    hidden_activation: z.string().default('gelu_pytorch_tanh'),
    query_pre_attn_scalar: z.number().positive().max(1e6).default(256),
    attn_logit_softcapping: z.number().positive().nullable().default(50),
    // That of its own head, which a vision-language model does not have.
    final_logit_softcapping: z.number().positive().nullish(),
    sliding_window: size.default(4096),
    layer_types: layerTypes,
    attention_bias: z.boolean().default(false),
  },
} as const
const unusedFields = ['bos_token_id', 'eos_token_id', 'pad_token_id']
/** Notes of earlier versions in the hub's files of Gemma 2. */
const gemmaNotes = ['cache_implementation', 'sliding_window_size']

/**
 * @param tied whether the whole model's config says that the head reads the embedding table
 * @throws StudioError `model.bad-config`, `model.unknown-config-field`
 */
export function readDecoderConfig(path: string, raw: Record<string, unknown>, tied: boolean): DecoderConfig {
  const kind = raw['model_type'] ?? 'llama'
  if (!isKind(kind)) throw unknownField(path, 'text_config.model_type', kind, Object.keys(decoderDefaults).join(', '))
  const unused = kind === 'gemma2' ? [...unusedFields, ...gemmaNotes] : unusedFields
  const known = [...unused, ...Object.keys(ownFields[kind])]
  const section = readSection(path, 'text_config', { ...decoderDefaults[kind], ...raw }, decoderShape, known)
  const own = <Fields extends z.ZodRawShape>(fields: Fields) =>
    readSection(path, 'text_config', raw, fields, [...unused, ...Object.keys(decoderShape)])
  const heads = section.num_attention_heads
  const kvHeads = section.num_key_value_heads ?? heads
  if (heads % kvHeads !== 0) throw badConfig(path, 'text_config.num_key_value_heads does not divide its heads.')
  const headDim = section.head_dim ?? Math.floor(section.hidden_size / heads)
  const layers = section.num_hidden_layers
  const plain: Variant = {
    ...{ windows: everyLayer(layers, null), rotaryDim: headDim, scoreScale: 1 / Math.sqrt(headDim), scoreCap: null },
    ...{ headNorms: false, normOffset: 0, outputNorms: false, embeddingScale: 1, fused: false },
    biases: { qkv: false, o: false, mlp: false },
    activation: readActivation(path, 'text_config.hidden_act', section.hidden_act),
    rope: readRope(path, section, kind === 'phi3' ? own(ownFields.phi3) : null),
  }
  const variant = { ...plain, ...variants[kind]({ path, section, layers, headDim, own }) }
  const { rotaryDim, rope } = variant
  if (rotaryDim === 0 || rotaryDim % 2 !== 0) throw badConfig(path, `Heads of ${rotaryDim} numbers cannot be rotated.`)
  if (rope.type === 'longrope' && rope.factors.length !== rotaryDim / 2) {
    throw badConfig(path, `short_factor has ${rope.factors.length} numbers, and ${rotaryDim / 2} are rotated.`)
  }
  return {
    ...variant,
    kind,
    hiddenSize: section.hidden_size,
    intermediateSize: section.intermediate_size,
    ...{ layers, heads, kvHeads, headDim },
    vocabSize: section.vocab_size,
    // Of LongRoPE no more than its trained length is computed.
    maxPositions: Math.min(
      section.max_position_embeddings,
      rope.type === 'longrope' ? rope.originalLength : Number.POSITIVE_INFINITY,
    ),
    epsilon: section.rms_norm_eps,
    tied: tied || section.tie_word_embeddings,
  }
}

/** What the kinds differ in. */
type Variant = Pick<
  DecoderConfig,
  | ('activation' | 'rope' | 'rotaryDim' | 'windows' | 'biases' | 'fused')
  | ('scoreScale' | 'scoreCap' | 'headNorms' | 'normOffset' | 'outputNorms' | 'embeddingScale')
>

interface Given {
  readonly path: string
  readonly section: z.infer<z.ZodObject<typeof decoderShape>>
  readonly layers: number
  readonly headDim: number
  /** The fields that only the kind has. */
  readonly own: <Fields extends z.ZodRawShape>(fields: Fields) => z.infer<z.ZodObject<Fields>>
}

/** Where a kind is not a plain LLaMA. */
const variants: Readonly<Record<DecoderKind, (given: Given) => Partial<Variant>>> = {
  llama: ({ own }) => {
    const { attention_bias: bias, mlp_bias: mlp } = own(ownFields.llama)
    return { biases: { qkv: bias, o: bias, mlp } }
  },
  mistral: ({ layers, own }) => ({ windows: everyLayer(layers, own(ownFields.mistral).sliding_window) }),
  qwen2: ({ path, layers, own }) => ({
    windows: qwenWindows(path, layers, own(ownFields.qwen2)),
    biases: { qkv: true, o: false, mlp: false },
  }),
  qwen3: ({ path, layers, own }) => {
    const { attention_bias: bias, ...windows } = own(ownFields.qwen3)
    return {
      windows: qwenWindows(path, layers, windows),
      biases: { qkv: bias, o: bias, mlp: false },
      headNorms: true,
    }
  },
  phi3: ({ section, layers, headDim, own }) => {
    const fields = own(ownFields.phi3)
    const rotaryDim = Math.floor(headDim * rotaryFactor(section, fields))
    return { windows: everyLayer(layers, fields.sliding_window), rotaryDim, fused: true }
  },
  gemma2: ({ path, section, layers, own }) => {
    const fields = own(ownFields.gemma2)
    const types = fields.layer_types ?? Array.from({ length: layers }, (_, i) => alternating[i % 2])
    const bias = fields.attention_bias
    return {
      windows: windowsOf(path, layers, types, fields.sliding_window),
      biases: { qkv: bias, o: bias, mlp: false },
      activation: readActivation(path, 'text_config.hidden_activation', fields.hidden_activation),
      scoreScale: 1 / Math.sqrt(fields.query_pre_attn_scalar),
      scoreCap: fields.attn_logit_softcapping,
      ...{ normOffset: 1, outputNorms: true, embeddingScale: Math.sqrt(section.hidden_size) },
    }
  },
}

function isKind(kind: unknown): kind is DecoderKind {
  return typeof kind === 'string' && Object.hasOwn(decoderDefaults, kind)
}

function everyLayer(layers: number, window: number | null | undefined): (number | null)[] {
  return new Array<number | null>(layers).fill(window ?? null)
}

const alternating = ['sliding_attention', 'full_attention']

interface RawWindows {
  readonly use_sliding_window: boolean
  readonly sliding_window: number | null
  readonly max_window_layers: number
  readonly layer_types?: readonly string[] | null | undefined
}

function qwenWindows(path: string, layers: number, raw: RawWindows): (number | null)[] {
  const type = (layer: number) => alternating[layer >= raw.max_window_layers ? 0 : 1]
  const types = raw.layer_types ?? Array.from({ length: layers }, (_, layer) => type(layer))
  return windowsOf(path, layers, types, raw.use_sliding_window ? raw.sliding_window : null)
}

function windowsOf(
  path: string,
  layers: number,
  types: readonly (string | undefined)[],
  window: number | null,
): (number | null)[] {
  if (types.length !== layers) throw badConfig(path, 'layer_types does not name every layer.')
  const other = types.find((type) => !alternating.includes(type as string))
  if (other !== undefined) throw unknownField(path, 'text_config.layer_types', other, alternating.join(' or '))
  return types.map((type) => (type === 'sliding_attention' ? window : null))
}
