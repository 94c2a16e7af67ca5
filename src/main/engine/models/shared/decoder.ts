// The language model: LLaMA (Touvron et al. 2023), Mistral (Jiang et al. 2023) and Qwen2 (Yang et al. 2024) by config.
// One function serves training, scoring, prefill and decoding; decoding reads the cache (rollout/kvCache.ts) and
// hands back only the new keys and values.
import type { Dim } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type TensorOps, tensorOps } from '../../graph/tensorOps.ts'
import { activate } from './activation.ts'
import type { DecoderConfig } from './decoderConfig.ts'
import type { LoraInputs } from './lora.ts'
import type { ModelParameters } from './parameters.ts'

/** The modules that a decoder is made of. */
export type DecoderParameters = ModelParameters<'decoder' | 'head'>

/** Of the decoder: what tokens become first, and where the head is tied also what they are read by. */
/** The path of the embedding table in the decoder. */
export const table = 'embed_tokens'

/** Keys and values of one layer, each [batch, kvHeads, tokens, headDim], keys already rotated. */
export interface LayerCache {
  readonly key: Value
  readonly value: Value
}

export interface DecoderCall {
  /** [batch * seq, hidden] */
  readonly embeddings: Value
  readonly batch: Dim
  readonly seq: Dim
  readonly inputs: SequenceInputs
  /** Of the tokens before these; none in prefill and training. */
  readonly past?: readonly LayerCache[]
  readonly adapter?: LoraInputs | undefined
  /** See `LinearWeight` in linear.ts. */
  readonly weightsFirst?: boolean
}

export interface DecoderResult {
  /** After the final norm, [batch * seq, hidden]. */
  readonly hidden: Value
  /** Of these tokens only. */
  readonly cache: readonly LayerCache[]
}

/** What tells tokens apart by place. */
export interface SequenceInputs {
  /** int64 [batch, seq] */
  readonly positions: Value
  /** [positions, headDim / 2], see rope.ts */
  readonly cos: Value
  readonly sin: Value
  /** Added to attention scores, [batch, 1, seq, keys]; by the layers' windows. */
  readonly masks: ReadonlyMap<number | null, Value>
}

/**
 * Declares `positions`, `rope.cos`, `rope.sin`, `padding_mask` [batch, keys], and for layers that see everything
 * before a token `causal_mask`, for those with a window `window_mask`, both [seq, keys]. Masks hold 0 where a key is
 * seen and `unseen` elsewhere; the keys are those of the cache, then those of these tokens.
 */
export function sequenceInputs(g: GraphBuilder, config: DecoderConfig, seq: Dim, keys: Dim): SequenceInputs {
  const { add, reshape } = tensorOps(g)
  const half = config.headDim / 2
  const positions = g.input('positions', 'int64', ['batch', seq])
  const cos = g.input('rope.cos', 'float32', ['positions', half])
  const sin = g.input('rope.sin', 'float32', ['positions', half])
  const padding = reshape(g.input('padding_mask', 'float32', ['batch', keys]), ['batch', 1, 1, keys])
  const masks = new Map<number | null, Value>()
  for (const window of new Set(config.windows)) {
    const rows = g.input(window === null ? 'causal_mask' : 'window_mask', 'float32', [seq, keys])
    masks.set(window, add(padding, rows))
  }
  return { positions, cos, sin, masks }
}

/** Token embeddings of `ids` int64 [batch, seq]: [batch * seq, hidden]. */
export function tokenEmbeddings(g: GraphBuilder, p: DecoderParameters, config: DecoderConfig, ids: Value): Value {
  const ops = tensorOps(g)
  const [batch, seq] = ids.shape as [Dim, Dim]
  return p.decoder.embedding(table, ops.reshape(ids, [`${batch}*${seq}`]), config.vocabSize, config.hiddenSize)
}

/** Logits [rows, vocab] of hidden states [rows, hidden]. */
export function logits(p: DecoderParameters, { vocabSize, tied }: DecoderConfig, hidden: Value, weightsFirst = false) {
  return tied
    ? p.decoder.linear(table, hidden, vocabSize, { weightsFirst })
    : p.head.linear('', hidden, vocabSize, { weightsFirst })
}

export function decoder(
  g: GraphBuilder,
  p: DecoderParameters,
  config: DecoderConfig,
  call: DecoderCall,
): DecoderResult {
  const ops = tensorOps(g)
  const cache: LayerCache[] = []
  let hidden = call.embeddings
  for (let layer = 0; layer < config.layers; layer++) {
    hidden = g.segment(`layers.${layer}`, () => {
      const attended = attentionBlock(ops, p, config, call, layer, hidden, cache)
      return mlpBlock(ops, p, config, call, layer, attended)
    })
  }
  return { hidden: ops.rmsNorm(hidden, p.decoder.tensor('norm.weight', [config.hiddenSize]), config.epsilon), cache }
}

/** A linear layer [rows, in] -> [rows, out], with the adapter's part where there is one. */
type Linear = (path: string, x: Value, outputs: number, bias: boolean) => Value

function adapted({ decoder: p }: DecoderParameters, { adapter, weightsFirst = false }: DecoderCall): Linear {
  return (path, x, outputs, bias) => {
    const base = p.linear(path, x, outputs, { bias, weightsFirst })
    return adapter ? adapter.adapt(path, x, base) : base
  }
}

function attentionBlock(
  ops: TensorOps,
  p: DecoderParameters,
  config: DecoderConfig,
  call: DecoderCall,
  layer: number,
  x: Value,
  cache: LayerCache[],
): Value {
  const { batch, seq, inputs, past } = call
  const { hiddenSize, heads, kvHeads, headDim, epsilon, biases } = config
  const path = `layers.${layer}`
  const normed = ops.rmsNorm(x, p.decoder.tensor(`${path}.input_layernorm.weight`, [hiddenSize]), epsilon)
  const linear = adapted(p, call)
  const project = (name: string, count: number) => {
    const y = linear(`${path}.self_attn.${name}`, normed, count * headDim, biases.qkv)
    return ops.transpose(ops.reshape(y, [batch, seq, count, headDim]), [0, 2, 1, 3])
  }
  const rotate = (y: Value) => ops.rope(y, inputs.positions, inputs.cos, inputs.sin)
  const query = rotate(project('q_proj', heads))
  const key = rotate(project('k_proj', kvHeads))
  const value = project('v_proj', kvHeads)
  cache.push({ key, value })
  const mask = inputs.masks.get(config.windows[layer] ?? null) as Value
  const before = past?.[layer]
  const seen = before
    ? attentionWithPast(ops, config, query, before, { key, value }, mask)
    : ops.attention(query, key, value, { mask })
  const rows = ops.reshape(ops.transpose(seen, [0, 2, 1, 3]), [x.shape[0] as Dim, heads * headDim])
  return ops.add(x, linear(`${path}.self_attn.o_proj`, rows, hiddenSize, biases.o))
}

/**
 * As `attention`, over the keys of the cache and then the new ones. The two parts meet in the softmax only, so the
 * cache is read once and never copied.
 */
function attentionWithPast(
  ops: TensorOps,
  { heads, kvHeads, headDim }: DecoderConfig,
  query: Value,
  past: LayerCache,
  now: LayerCache,
  mask: Value,
): Value {
  const [batch, , seq] = query.shape as [Dim, Dim, Dim]
  const cached = past.key.shape[2] as Dim
  const keys = mask.shape[3] as Dim
  const shared = heads / kvHeads
  const rows: Dim = seq === 1 ? shared : `${shared}*${seq}`
  const grouped = ops.reshape(ops.mul(query, 1 / Math.sqrt(headDim)), [batch, kvHeads, rows, headDim])
  const scores = ops.concat(
    [past.key, now.key].map((key) => ops.matMul(grouped, ops.swapLast(key))),
    -1,
  )
  const masked = ops.add(ops.reshape(scores, [batch, heads, seq, keys]), mask)
  const weights = ops.reshape(ops.softmax(masked, -1), [batch, kvHeads, rows, keys])
  const seen = ops.add(
    ops.matMul(ops.slice(weights, -1, 0, cached), past.value),
    ops.matMul(ops.slice(weights, -1, cached, keys), now.value),
  )
  return ops.reshape(seen, [batch, heads, seq, headDim])
}

function mlpBlock(
  ops: TensorOps,
  p: DecoderParameters,
  config: DecoderConfig,
  call: DecoderCall,
  layer: number,
  x: Value,
): Value {
  const { hiddenSize, intermediateSize, epsilon, activation, biases } = config
  const path = `layers.${layer}`
  const normed = ops.rmsNorm(x, p.decoder.tensor(`${path}.post_attention_layernorm.weight`, [hiddenSize]), epsilon)
  const linear = adapted(p, call)
  const project = (name: string, input: Value, outputs: number) =>
    linear(`${path}.mlp.${name}`, input, outputs, biases.mlp)
  const gate = activate(ops, activation, project('gate_proj', normed, intermediateSize))
  const inner = ops.mul(gate, project('up_proj', normed, intermediateSize))
  return ops.add(x, project('down_proj', inner, hiddenSize))
}
