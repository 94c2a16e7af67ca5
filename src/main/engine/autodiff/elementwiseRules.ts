// Gradient rules of elementwise ops: y = f(x) and z = f(x, y).
import { isFloat, type Value } from '../graph/ir.ts'
import type { TensorOps } from '../graph/tensorOps.ts'
import { noGradient, type RuleEntry, type VjpRule } from './rule.ts'

type Derivative = (a: { ops: TensorOps; x: Value; y: Value; dy: Value; attributes: Record<string, unknown> }) => Value

const unary =
  (derivative: Derivative): VjpRule =>
  ({ ops, x, y, dy, attributes }) => [() => derivative({ ops, x: x[0] as Value, y, dy, attributes })]

/** dx = dy Φ'(x): of x Φ(x), Φ the normal distribution function, or of its tanh approximation. */
const gelu: Derivative = ({ ops, x, dy, attributes }) => {
  const { add, erf, exp, mul, rsub, square, tanh } = { ...ops, rsub: (a: number, b: Value) => ops.sub(a, b) }
  if (attributes['approximate'] === 'tanh') {
    // y = x (1 + t) / 2, t = tanh u, u = √(2/π) (x + 0.044715 x³)
    // dx = dy ((1 + t) / 2 + x (1 - t²) u' / 2), u' = √(2/π) (1 + 3 · 0.044715 x²)
    const c = Math.sqrt(2 / Math.PI)
    const x2 = square(x)
    const t = tanh(mul(x, add(mul(x2, 0.044715 * c), c)))
    const slope = mul(mul(x, rsub(1, square(t))), add(mul(x2, 3 * 0.044715 * c), c))
    return mul(dy, mul(add(add(t, slope), 1), 0.5))
  }
  // dx = dy (Φ(x) + x φ(x)), Φ(x) = (1 + erf(x / √2)) / 2, φ(x) = exp(-x² / 2) / √(2π)
  const distribution = add(mul(erf(mul(x, Math.SQRT1_2)), 0.5), 0.5)
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return mul(dy, add(distribution, mul(x, density)))
}

/** y = x s, s = σ(α x): dx = dy (s + α y (1 - s)) */
const quickGelu: Derivative = ({ ops: { add, mul, sigmoid, sub }, x, y, dy, attributes }) => {
  const alpha = (attributes['alpha'] as number | undefined) ?? 1.702
  const scaled = (value: Value) => (alpha === 1 ? value : mul(value, alpha))
  const s = sigmoid(scaled(x))
  return mul(dy, add(s, scaled(mul(y, sub(1, s)))))
}

/** The larger (smaller) operand takes dy; equal ones take half each, as in PyTorch. */
const extremum =
  (beats: 'greater' | 'less'): VjpRule =>
  ({ ops, x: [a, b], dy }) => {
    const orEqual = beats === 'greater' ? ops.greaterOrEqual : ops.lessOrEqual
    const share = (one: Value, other: Value) => {
      const [ahead, level] = [ops[beats](one, other), orEqual(one, other)]
      return ops.mul(ops.mul(dy, 0.5), ops.add(ops.cast(ahead, dy.dtype), ops.cast(level, dy.dtype)))
    }
    return [() => share(a as Value, b as Value), () => share(b as Value, a as Value)]
  }

export const elementwiseRules = {
  // y = |x|: dx = dy sign(x), by comparisons because Sign would leave the GPU
  Abs: unary(({ ops: { cast, greater, less, mul, sub }, x, dy }) =>
    mul(dy, sub(cast(greater(x, 0), dy.dtype), cast(less(x, 0), dy.dtype))),
  ),
  // y = x as another dtype: dx = dy as the dtype of x
  Cast: ({ ops, x: [x], dy }) => [x && isFloat(x.dtype) ? () => ops.cast(dy, x.dtype) : null],
  // y = cos x: dx = -dy sin x
  Cos: unary(({ ops: { mul, neg, sin }, x, dy }) => neg(mul(dy, sin(x)))),
  // y = erf x: dx = dy 2/√π exp(-x²)
  Erf: unary(({ ops: { exp, mul, neg, square }, x, dy }) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))),
  // y = exp x: dx = dy y
  Exp: unary(({ ops, y, dy }) => ops.mul(dy, y)),
  Gelu: unary(gelu),
  // y = x: dx = dy
  Identity: unary(({ dy }) => dy),
  // y = log x: dx = dy / x
  Log: unary(({ ops, x, dy }) => ops.div(dy, x)),
  // y = -x: dx = -dy
  Neg: unary(({ ops, dy }) => ops.neg(dy)),
  QuickGelu: unary(quickGelu),
  // y = 1/x: dx = -dy y²
  Reciprocal: unary(({ ops: { mul, neg, square }, y, dy }) => neg(mul(dy, square(y)))),
  // y = max(x, 0): dx = x > 0 ? dy : 0
  Relu: unary(({ ops: { greater, where }, x, dy }) => where(greater(x, 0), dy, 0)),
  // y = σ(x): dx = dy y (1 - y)
  Sigmoid: unary(({ ops: { mul, sub }, y, dy }) => mul(dy, mul(y, sub(1, y)))),
  // y = sin x: dx = dy cos x
  Sin: unary(({ ops: { cos, mul }, x, dy }) => mul(dy, cos(x))),
  // y = log(1 + exp x): dx = dy σ(x)
  Softplus: unary(({ ops: { mul, sigmoid }, x, dy }) => mul(dy, sigmoid(x))),
  // y = √x: dx = dy / (2 y)
  Sqrt: unary(({ ops: { div, mul }, y, dy }) => div(mul(dy, 0.5), y)),
  // y = tanh x: dx = dy (1 - y²)
  Tanh: unary(({ ops: { mul, square, sub }, y, dy }) => mul(dy, sub(1, square(y)))),

  // z = x + y: dx = dz, dy = dz
  Add: ({ dy }) => [() => dy, () => dy],
  // y = min(max(x, low), high): dx = low <= x <= high ? dy : 0
  Clip: ({ ops, x: [x, low, high], dy }) => {
    const inside = () => {
      const bounds = [
        ...(low ? [ops.greaterOrEqual(x as Value, low)] : []),
        ...(high ? [ops.lessOrEqual(x as Value, high)] : []),
      ]
      return bounds.length === 0 ? dy : ops.where(bounds.reduce(ops.and), dy, 0)
    }
    return [inside, null, null]
  },
  // z = x / y: dx = dz / y, dy = -dz z / y
  Div: ({ ops: { div, mul, neg }, x: [, b], y, dy }) => [
    () => div(dy, b as Value),
    () => neg(div(mul(dy, y), b as Value)),
  ],
  Max: extremum('greater'),
  Min: extremum('less'),
  // z = x y: dx = dz y, dy = dz x
  Mul: ({ ops: { mul }, x: [a, b], dy }) => [() => mul(dy, b as Value), () => mul(dy, a as Value)],
  // z = x^y: dx = dz y x^(y - 1), dy = x > 0 ? dz z log x : 0
  Pow: ({ ops: { greater, log, mul, pow, sub, where }, x: [a, b], y, dy }) => [
    () => mul(dy, mul(b as Value, pow(a as Value, sub(b as Value, 1)))),
    () => where(greater(a as Value, 0), mul(dy, mul(y, log(a as Value))), 0),
  ],
  // z = x - y: dx = dz, dy = -dz
  Sub: ({ ops, dy }) => [() => dy, () => ops.neg(dy)],
  // z = c ? x : y: dx = c ? dz : 0, dy = c ? 0 : dz
  Where: ({ ops: { where }, x: [condition], dy }) => [
    null,
    () => where(condition as Value, dy, 0),
    () => where(condition as Value, 0, dy),
  ],

  And: noGradient,
  Ceil: noGradient,
  Equal: noGradient,
  Floor: noGradient,
  Greater: noGradient,
  GreaterOrEqual: noGradient,
  IsInf: noGradient,
  IsNaN: noGradient,
  Less: noGradient,
  LessOrEqual: noGradient,
  Not: noGradient,
  Or: noGradient,
  Round: noGradient,
  Sign: noGradient,
} as const satisfies Record<string, RuleEntry>
