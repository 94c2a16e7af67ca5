// The language model: LLaMA (Touvron et al. 2023), Mistral (Jiang et al. 2023) and Qwen2 (Yang et al. 2024) by config.
// One function serves training, scoring, prefill and decoding; decoding reads the cache that JavaScript owns and
// hands back only the new keys and values.
import type { Dim } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type TensorOps, tensorOps } from '../../graph/tensorOps.ts'
import type { DecoderConfig } from '../hfConfig.ts'
import { activate } from './encoderLayers.ts'
import type { LoraInputs } from './lora.ts'
import type { Parameters } from './parameters.ts'

const root = 'language_model.model'

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
  /** See {@link product}. */
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
export function tokenEmbeddings(g: GraphBuilder, p: Parameters, config: DecoderConfig, ids: Value): Value {
  const ops = tensorOps(g)
  const [batch, seq] = ids.shape as [Dim, Dim]
  const table = embeddingTable(p, config)
  return ops.embedding(table, ops.reshape(ids, [`${batch}*${seq}`]))
}

/** Logits [rows, vocab] of hidden states [rows, hidden]. */
export function logits(
  g: GraphBuilder,
  p: Parameters,
  config: DecoderConfig,
  hidden: Value,
  weightsFirst = false,
): Value {
  const { vocabSize, hiddenSize, tied } = config
  const head = tied ? embeddingTable(p, config) : p('language_model.lm_head.weight', [vocabSize, hiddenSize])
  return product(tensorOps(g), hidden, head, weightsFirst)
}

/**
 * x Wᵀ + b, x [rows, in]. Where W lies in its file as it is, ONNX Runtime copies the second operand of a product into
 * another layout at each run, which for a few rows costs more than the product itself; with `weightsFirst` it
 * computes (W xᵀ)ᵀ instead and copies x. A single row and many rows are faster the usual way.
 */
function product(ops: TensorOps, x: Value, weight: Value, weightsFirst: boolean | undefined, bias?: Value): Value {
  if (!weightsFirst) return ops.gemm(x, weight, { transB: true, c: bias })
  const y = ops.transpose(ops.matMul(weight, ops.transpose(x, [1, 0])), [1, 0])
  return bias ? ops.add(y, bias) : y
}

function embeddingTable(p: Parameters, { vocabSize, hiddenSize }: DecoderConfig): Value {
  return p(`${root}.embed_tokens.weight`, [vocabSize, hiddenSize])
}

export function decoder(g: GraphBuilder, p: Parameters, config: DecoderConfig, call: DecoderCall): DecoderResult {
  const ops = tensorOps(g)
  const cache: LayerCache[] = []
  let hidden = call.embeddings
  for (let layer = 0; layer < config.layers; layer++) {
    hidden = g.segment(`layers.${layer}`, () => {
      const attended = attentionBlock(ops, p, config, call, layer, hidden, cache)
      return mlpBlock(ops, p, config, call, layer, attended)
    })
  }
  return { hidden: ops.rmsNorm(hidden, p(`${root}.norm.weight`, [config.hiddenSize]), config.epsilon), cache }
}

/** A linear layer [rows, in] -> [rows, out], with the adapter's part where there is one. */
function adapted(
  ops: TensorOps,
  p: Parameters,
  { adapter, weightsFirst }: DecoderCall,
  path: string,
  x: Value,
  outputs: number,
  bias: boolean,
): Value {
  const weight = p(`${root}.${path}.weight`, [outputs, x.shape[1] as number])
  const base = product(ops, x, weight, weightsFirst, bias ? p(`${root}.${path}.bias`, [outputs]) : undefined)
  return adapter ? adapter.adapt(path, x, base) : base
}

function attentionBlock(
  ops: TensorOps,
  p: Parameters,
  config: DecoderConfig,
  call: DecoderCall,
  layer: number,
  x: Value,
  cache: LayerCache[],
): Value {
  const { batch, seq, inputs, past } = call
  const { hiddenSize, heads, kvHeads, headDim, epsilon, biases } = config
  const path = `layers.${layer}`
  const normed = ops.rmsNorm(x, p(`${root}.${path}.input_layernorm.weight`, [hiddenSize]), epsilon)
  const project = (name: string, count: number) => {
    const y = adapted(ops, p, call, `${path}.self_attn.${name}`, normed, count * headDim, biases.qkv)
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
  return ops.add(x, adapted(ops, p, call, `${path}.self_attn.o_proj`, rows, hiddenSize, biases.o))
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
  p: Parameters,
  config: DecoderConfig,
  call: DecoderCall,
  layer: number,
  x: Value,
): Value {
  const { hiddenSize, intermediateSize, epsilon, activation, biases } = config
  const path = `layers.${layer}`
  const normed = ops.rmsNorm(x, p(`${root}.${path}.post_attention_layernorm.weight`, [hiddenSize]), epsilon)
  const project = (name: string, input: Value, outputs: number) =>
    adapted(ops, p, call, `${path}.mlp.${name}`, input, outputs, biases.mlp)
  const gate = activate(ops, activation, project('gate_proj', normed, intermediateSize))
  const inner = ops.mul(gate, project('up_proj', normed, intermediateSize))
  return ops.add(x, project('down_proj', inner, hiddenSize))
}
