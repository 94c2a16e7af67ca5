// The config of a language model: LLaMA, Mistral or Qwen2, with the defaults of transformers. decoder.ts is built from it.
import { z } from 'zod'
import { badConfig, epsilon, readSection, size, unknownField } from '../../folder/configFields.ts'
import { type Activation, readActivation } from './activation.ts'
import { type RopeConfig, readRope } from './rope.ts'

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

/**
 * @param tied whether the whole model's config says that the head reads the embedding table
 * @throws StudioError `model.bad-config`, `model.unknown-config-field`
 */
export function readDecoderConfig(path: string, raw: Record<string, unknown>, tied: boolean): DecoderConfig {
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
    activation: readActivation(path, 'text_config.hidden_act', section.hidden_act),
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
