// Gradient rules of matrix products, normalisations and attention parts. The normalisations have rules of their own
// because differentiating their primitives would cost a fifth more nodes.
import { type Dim, elementCount } from '../graph/dims.ts'
import type { Value } from '../graph/ir.ts'
import { type Application, type Contribution, noGradient, type RuleEntry, type VjpRule } from './rule.ts'

const inferenceOnly = (op: string, instead: string): RuleEntry => ({
  instead: `${op} serves inference only: ${instead}`,
})

/** Y = alpha A' B' + beta C, A' being A or its transpose; dA and dB add themselves to what is there as a Gemm's C. */
const gemm: VjpRule = (application) => {
  const { ops, x, dy, attributes } = application
  const [a, b] = [x[0] as Value, x[1] as Value]
  const [alpha, beta] = [attributes['alpha'] as number | undefined, attributes['beta'] as number | undefined]
  const [transA, transB] = [attributes['transA'] === 1, attributes['transB'] === 1]
  const scale = alpha === undefined ? {} : { alpha }
  return [
    // dA = alpha dY B'ᵀ, or its transpose alpha B' dYᵀ
    {
      addTo: (c) =>
        transA
          ? ops.gemm(b, dy, { ...scale, c, transA: transB, transB: true })
          : ops.gemm(dy, dequantizedAgain(application, b), { ...scale, c, transB: !transB }),
    },
    // dB = alpha A'ᵀ dY, or its transpose alpha dYᵀ A'
    {
      addTo: (c) =>
        transB
          ? ops.gemm(dy, a, { ...scale, c, transA: true, transB: transA })
          : ops.gemm(a, dy, { ...scale, c, transA: !transA }),
    },
    // dC = beta dY
    () => (beta === undefined ? dy : ops.mul(dy, beta)),
  ]
}

/**
 * A factor that came from a quantised weight is made from it again: it would else be kept as float32 from its forward product
 * to here, a copy of the whole model. Through the very same numbers, so that the gradient is that of what was computed.
 */
function dequantizedAgain({ ops, g, dy }: Application, factor: Value): Value {
  const rows = g.producer(factor)?.inputs[0]
  const made = rows && g.producer(rows)
  if (made?.op !== 'DequantizeLinear') return factor
  const [q, afterForward, zeros] = made.inputs as [Value, Value, Value]
  const scales = g.producer(afterForward)?.inputs[0] as Value
  return ops.dequantize(q, scales, zeros, factor.shape, dy)
}

/** Y = A B over leading axes: dA = dY Bᵀ, dB = Aᵀ dY */
const matMul: VjpRule = ({ ops, g, x, dy }) => {
  const [a, b] = [x[0] as Value, x[1] as Value]
  if (b.shape.length === 2) return [() => ops.matMul(dy, ops.swapLast(b)), sharedFactor(ops, a, b, dy)]
  // Where B is a transposed K, dK = dYᵀ A: written so that both transposes of dB meet and vanish.
  const transposed = g.producer(b)?.op === 'Transpose'
  return [
    () => ops.matMul(dy, ops.swapLast(b)),
    () => (transposed ? ops.swapLast(ops.matMul(ops.swapLast(dy), a)) : ops.matMul(ops.swapLast(a), dy)),
  ]
}

/** dB = Σ Aᵀ dY over all leading axes, as one product of matrices. */
function sharedFactor(ops: Application['ops'], a: Value, b: Value, dy: Value): Contribution {
  const rows = (value: Value, width: Dim) => ops.reshape(value, [elementCount(value.shape.slice(0, -1)), width])
  const [k, n] = b.shape as [Dim, Dim]
  return { addTo: (c) => ops.gemm(rows(a, k), rows(dy, n), { c, transA: true }) }
}

/** 1 / √(Σ x² / n + ε) over the last axis, which stays. */
function inverseDeviation({ ops, attributes }: Application, x: Value): Value {
  const { add, mul, reciprocal, reduceSumSquare, sqrt } = ops
  const epsilon = (attributes['epsilon'] as number | undefined) ?? 1e-5
  const meanSquare = mul(reduceSumSquare(x, [-1], { keepDims: true }), 1 / widthOf(x))
  return reciprocal(sqrt(add(meanSquare, epsilon)))
}

/**
 * For n = c r, r = 1 / √(Σ c² / width + ε) and dn: dc = r dn - c r³ Σ (dn c) / width
 */
function unscaledGradient({ ops }: Application, c: Value, r: Value, dn: Value): Value {
  const { mul, reduceSum, sub } = ops
  const projection = mul(reduceSum(mul(dn, c), [-1], { keepDims: true }), 1 / widthOf(c))
  return sub(mul(dn, r), mul(c, mul(projection, mul(r, mul(r, r)))))
}

function widthOf(x: Value): number {
  return x.shape.at(-1) as number
}

/** y = x r ⊙ w, r = 1 / √(mean(x²) + ε): with dn = dy ⊙ w, dx as above and dw = Σ dy x r over rows */
const rmsNorm: VjpRule = (application) => {
  const { ops, x, dy } = application
  const [input, scale] = [x[0] as Value, x[1] as Value]
  const r = inverseDeviation(application, input)
  return [() => unscaledGradient(application, input, r, ops.mul(dy, scale)), () => ops.mul(dy, ops.mul(input, r))]
}

/** y = n ⊙ w + b, n = c r, c = x - mean(x): dx = dc - mean(dc) with dc as above, dw = Σ dy n, db = Σ dy over rows */
const layerNorm: VjpRule = (application) => {
  const { ops, x, dy } = application
  const [input, scale] = [x[0] as Value, x[1] as Value]
  const c = ops.sub(input, ops.reduceMean(input, [-1], { keepDims: true }))
  const r = inverseDeviation(application, c)
  const dx = () => {
    const dc = unscaledGradient(application, c, r, ops.mul(dy, scale))
    return ops.sub(dc, ops.reduceMean(dc, [-1], { keepDims: true }))
  }
  return [dx, () => ops.mul(dy, ops.mul(c, r)), () => dy]
}

export const layerRules = {
  // From numbers in files, which are not trained.
  DequantizeLinear: noGradient,
  Gemm: gemm,
  LayerNormalization: layerNorm,
  MatMul: matMul,
  // y = R(θ) x: dx = R(-θ) dy, a turn back by negated sines
  RotaryEmbedding: ({ ops, x: [, positions, cos, sin], dy, once }) => {
    const back = () => once(`-${(sin as Value).name}`, () => ops.neg(sin as Value))
    return [() => ops.rope(dy, positions as Value, cos as Value, back()), null, null, null]
  },
  SimplifiedLayerNormalization: rmsNorm,

  GroupQueryAttention: inferenceOnly('GroupQueryAttention', 'build training graphs with the plain attention function'),
  MatMulNBits: inferenceOnly('MatMulNBits', 'dequantise the weight and multiply'),
} as const satisfies Record<string, RuleEntry>
