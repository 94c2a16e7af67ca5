// Functions of tensorOps.ts that models are made of: matrix products, normalisation, rotary positions, attention.
import { type Dim, divideDims, elementCount, multiplyDims } from './dims.ts'
import type { ElementwiseOps } from './elementwiseOps.ts'
import type { GraphBuilder } from './graphBuilder.ts'
import type { Value } from './ir.ts'
import type { MovementOps } from './movementOps.ts'
import type { ReductionOps } from './reductionOps.ts'

export interface GemmOptions {
  /** Added to the product: [m, n] or what broadcasts to it. */
  readonly c?: Value | undefined
  readonly alpha?: number
  readonly beta?: number
  readonly transA?: boolean
  readonly transB?: boolean
}

export interface AttentionOptions {
  /** Factor of the scores; 1/√width when left out. */
  readonly scale?: number
  /** See `softCap`, of the scaled scores. */
  readonly cap?: number | null
  /** Added to the scores: [batch or 1, 1, seq, keys]; 0 where a query sees a key, a large negative number elsewhere. */
  readonly mask?: Value
}

export type LayerOps = ReturnType<typeof layerOps>

export function layerOps(
  g: GraphBuilder,
  { add, div, mul, sqrt, tanh }: ElementwiseOps,
  { reshape, slice, swapLast }: MovementOps,
  { reduceSumSquare, softmax }: ReductionOps,
) {
  const zeroAfter = (x: Value): Value => {
    const first = x.shape.reduce<Value>((value, _, axis) => slice(value, axis, 0, 1), x)
    return mul(reshape(first, [1]), 0)
  }
  const matMul = (a: Value, b: Value) => g.emit('MatMul', [a, b])
  const gemm = (a: Value, b: Value, { c, alpha, beta, transA, transB }: GemmOptions = {}) =>
    g.emit('Gemm', c ? [a, b, c] : [a, b], {
      ...(alpha !== undefined && { alpha }),
      ...(beta !== undefined && { beta }),
      ...(transA && { transA: 1 }),
      ...(transB && { transB: 1 }),
    })
  const softCap = (x: Value, cap: number | null) => (cap === null ? x : mul(tanh(mul(x, 1 / cap)), cap))

  return {
    /** 0 · x[0, ..., 0] as a vector of one element: what it is added to cannot be computed before x. */
    zeroAfter,
    /**
     * (q - zeros) ⊙ scales in the `shape` of a weight: q [blocks, block], scales and zeros [blocks]. A block is a row, since ONNX
     * Runtime takes more than twice as long where a row has several. A weight from file could be computed at any time, and
     * ONNX Runtime would hold those of all layers at once; this one comes right `after` a value.
     */
    dequantize: (q: Value, scales: Value, zeros: Value, shape: readonly Dim[], after: Value) =>
      reshape(g.emit('DequantizeLinear', [q, add(scales, zeroAfter(after)), zeros], { axis: 0 }), shape),
    /** [..., m, k] [..., k, n] = [..., m, n]; leading axes broadcast. */
    matMul,
    /** alpha A B + beta C for matrices, either of them transposed. */
    gemm,
    /** x Wᵀ + b for x [..., in], weight [out, in] as PyTorch stores it, bias [out]. */
    linear: (x: Value, weight: Value, bias?: Value) => {
      const [outputs, inputs] = weight.shape as [Dim, Dim]
      const rows = elementCount(x.shape.slice(0, -1))
      const y = gemm(reshape(x, [rows, inputs]), weight, { transB: true, c: bias })
      return reshape(y, [...x.shape.slice(0, -1), outputs])
    },
    /** (x - mean) / √(variance + ε) ⊙ scale + bias over the last axis (Ba, Kiros & Hinton 2016). */
    layerNorm: (x: Value, scale: Value, bias: Value | null, epsilon: number) =>
      g.emit('LayerNormalization', bias ? [x, scale, bias] : [x, scale], { axis: -1, epsilon }),
    /** x / √(mean(x²) + ε) ⊙ scale over the last axis (Zhang & Sennrich 2019). */
    rmsNorm: (x: Value, scale: Value, epsilon: number) =>
      g.emit('SimplifiedLayerNormalization', [x, scale], { axis: -1, epsilon }),
    /** x / ‖x‖₂ over the last axis. */
    l2Normalize: (x: Value) => div(x, sqrt(reduceSumSquare(x, [-1], { keepDims: true }))),
    /** c tanh(x / c), which stays between -c and c (Gemma Team 2024, section 2); x where there is none. */
    softCap,
    /**
     * Rotary position embedding in the half-split form of Hugging Face (Su et al. 2021).
     * x [batch, heads, seq, width], positions int64 [batch, seq], cos and sin [maxPositions, width / 2].
     */
    rope: (x: Value, positions: Value, cos: Value, sin: Value) => g.emit('RotaryEmbedding', [x, positions, cos, sin]),
    /**
     * softmax(cap(Q Kᵀ scale) + mask) V. query [batch, heads, seq, width], key and value [batch, kvHeads, keys, width]
     * where kvHeads divides heads; answers [batch, heads, seq, width]. Heads that share a key are stacked as rows
     * of one product, so keys and values are never repeated.
     */
    attention: (query: Value, key: Value, value: Value, { scale, cap = null, mask }: AttentionOptions = {}) => {
      const [batch, heads, seq, width] = query.shape as [Dim, Dim, Dim, Dim]
      const [, kvHeads, keys] = key.shape as [Dim, Dim, Dim]
      const shared = divideDims(heads, kvHeads) ?? 1
      const rows = multiplyDims(shared, seq)
      const scaled = mul(query, scale ?? 1 / Math.sqrt(width as number))
      let scores = softCap(matMul(reshape(scaled, [batch, kvHeads, rows, width]), swapLast(key)), cap)
      if (mask) {
        const seen = reshape(scores, [batch, heads, seq, keys])
        scores = reshape(add(seen, mask), [batch, kvHeads, rows, keys])
      }
      return reshape(matMul(softmax(scores, -1), value), query.shape)
    },
  }
}
