// The language model: LLaMA (Touvron et al. 2023), Mistral (Jiang et al. 2023), Qwen2 (Yang et al. 2024), Qwen3 (Yang et
// al. 2025), Phi-3 (Abdin et al. 2024) and Gemma 2 (Gemma Team 2024) by config.
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
  /** [positions, rotaryDim / 2], see rope.ts */
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
  const half = config.rotaryDim / 2
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
  const rows = p.decoder.embedding(table, ops.reshape(ids, [`${batch}*${seq}`]), config.vocabSize, config.hiddenSize)
  return config.embeddingScale === 1 ? rows : ops.mul(rows, config.embeddingScale)
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
  return { hidden: normOf(ops, p, config)('norm', hidden), cache }
}

/** x / √(mean(x²) + ε) over the last axis, times the weight at the path or 1 + it. */
function normOf(ops: TensorOps, { decoder: p }: DecoderParameters, { normOffset, epsilon }: DecoderConfig) {
  return (path: string, x: Value): Value => {
    const weight = p.tensor(`${path}.weight`, [x.shape.at(-1) as number])
    return ops.rmsNorm(x, normOffset === 0 ? weight : ops.add(weight, normOffset), epsilon)
  }
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
  const { hiddenSize, heads, kvHeads, headDim, rotaryDim, biases } = config
  const path = `layers.${layer}`
  const norm = normOf(ops, p, config)
  const normed = norm(`${path}.input_layernorm`, x)
  const linear = adapted(p, call)
  const project = (name: string, count: number) =>
    linear(`${path}.self_attn.${name}`, normed, count * headDim, biases.qkv)
  const joined = config.fused ? project('qkv_proj', heads + 2 * kvHeads) : null
  /** [batch, seq, count, headDim]; of a fused weight the heads from the `first` on. */
  const headsOf = (name: string, first: number, count: number) => {
    const y = joined ? ops.slice(joined, -1, first * headDim, (first + count) * headDim) : project(name, count)
    return ops.reshape(y, [batch, seq, count, headDim])
  }
  const byHead = (y: Value) => ops.transpose(y, [0, 2, 1, 3])
  const normedHeads = (name: string, y: Value) => (config.headNorms ? norm(`${path}.self_attn.${name}`, y) : y)
  const turn = (y: Value) => ops.rope(y, inputs.positions, inputs.cos, inputs.sin)
  const rotate = (y: Value) =>
    rotaryDim === headDim
      ? turn(y)
      : ops.concat([turn(ops.slice(y, -1, 0, rotaryDim)), ops.slice(y, -1, rotaryDim, headDim)], -1)
  const queries = byHead(normedHeads('q_norm', headsOf('q_proj', 0, heads)))
  const key = rotate(byHead(normedHeads('k_norm', headsOf('k_proj', heads, kvHeads))))
  const value = byHead(headsOf('v_proj', heads + kvHeads, kvHeads))
  cache.push({ key, value })
  const mask = inputs.masks.get(config.windows[layer] ?? null) as Value
  const before = past?.[layer]
  const { scoreScale: scale, scoreCap: cap } = config
  const seen = before
    ? attentionWithPast(ops, config, rotate(ops.mul(queries, scale)), before, { key, value }, mask)
    : ops.attention(rotate(queries), key, value, { mask, scale, cap })
  const rows = ops.reshape(ops.transpose(seen, [0, 2, 1, 3]), [x.shape[0] as Dim, heads * headDim])
  const said = linear(`${path}.self_attn.o_proj`, rows, hiddenSize, biases.o)
  return ops.add(x, config.outputNorms ? norm(`${path}.post_attention_layernorm`, said) : said)
}

/**
 * As `attention`, over the keys of the cache and then the new ones. The two parts meet in the softmax only, so the
 * cache is read once and never copied. Queries come scaled: were that done right before the products, ONNX Runtime would
 * make it their factor, and a product that has one copies the keys.
 */
function attentionWithPast(
  ops: TensorOps,
  { heads, kvHeads, headDim, scoreCap }: DecoderConfig,
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
  const grouped = ops.reshape(query, [batch, kvHeads, rows, headDim])
  const scores = ops.concat(
    [past.key, now.key].map((key) => ops.matMul(grouped, ops.swapLast(key))),
    -1,
  )
  const masked = ops.add(ops.reshape(ops.softCap(scores, scoreCap), [batch, heads, seq, keys]), mask)
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
  const { hiddenSize, intermediateSize, activation, biases, outputNorms } = config
  const path = `layers.${layer}`
  const norm = normOf(ops, p, config)
  const normed = norm(`${path}.${outputNorms ? 'pre_feedforward_layernorm' : 'post_attention_layernorm'}`, x)
  const linear = adapted(p, call)
  const project = (name: string, input: Value, outputs: number) =>
    linear(`${path}.mlp.${name}`, input, outputs, biases.mlp)
  const joined = config.fused ? project('gate_up_proj', normed, 2 * intermediateSize) : null
  const half = (name: string, first: number) =>
    joined ? ops.slice(joined, -1, first, first + intermediateSize) : project(name, normed, intermediateSize)
  const inner = ops.mul(activate(ops, activation, half('gate_proj', 0)), half('up_proj', intermediateSize))
  const said = project('down_proj', inner, hiddenSize)
  return ops.add(x, outputNorms ? norm(`${path}.post_feedforward_layernorm`, said) : said)
}
