// Elementwise functions of tensorOps.ts: arithmetic, activations, comparisons, selection.
import { StudioError } from '../../../shared/errors.ts'
import type { GraphBuilder } from './graphBuilder.ts'
import type { DType, Value } from './ir.ts'
import type { OpName } from './ops.ts'

/** A tensor, or a number that takes the dtype of the tensor it meets. */
export type Operand = Value | number

export type ElementwiseOps = ReturnType<typeof elementwiseOps>

export function elementwiseOps(g: GraphBuilder) {
  const unary = (op: OpName) => (x: Value) => g.emit(op, [x])
  const binary = (op: OpName) => (a: Operand, b: Operand) => {
    const { dtype } = tensorAmong(a, b)
    return g.emit(op, [asValue(a, dtype), asValue(b, dtype)])
  }
  const asValue = (x: Operand, dtype: DType) => (typeof x === 'number' ? g.scalar(x, dtype) : x)
  const mul = binary('Mul')

  return {
    add: binary('Add'),
    sub: binary('Sub'),
    mul,
    div: binary('Div'),
    pow: binary('Pow'),
    min: binary('Min'),
    max: binary('Max'),

    neg: unary('Neg'),
    abs: unary('Abs'),
    sign: unary('Sign'),
    exp: unary('Exp'),
    log: unary('Log'),
    sqrt: unary('Sqrt'),
    reciprocal: unary('Reciprocal'),
    sin: unary('Sin'),
    cos: unary('Cos'),
    erf: unary('Erf'),
    floor: unary('Floor'),
    square: (x: Value) => mul(x, x),

    relu: unary('Relu'),
    sigmoid: unary('Sigmoid'),
    tanh: unary('Tanh'),
    softplus: unary('Softplus'),
    /** x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016); HF "gelu". */
    gelu: unary('Gelu'),
    /** Its tanh approximation; HF "gelu_pytorch_tanh" and "gelu_new". */
    geluTanh: (x: Value) => g.emit('Gelu', [x], { approximate: 'tanh' }),
    /** x σ(1.702 x); HF "quick_gelu". */
    quickGelu: (x: Value) => g.emit('QuickGelu', [x], { alpha: 1.702 }),
    /** x σ(x); HF "silu". */
    silu: (x: Value) => g.emit('QuickGelu', [x], { alpha: 1 }),

    /** x held between two numbers; either may be left out. */
    clip: (x: Value, low: number | null, high: number | null) =>
      g.emit('Clip', [
        x,
        low === null ? null : g.scalar(low, x.dtype),
        ...(high === null ? [] : [g.scalar(high, x.dtype)]),
      ]),
    /** The same numbers as another dtype; itself when it has it already. */
    cast: (x: Value, dtype: DType) => (x.dtype === dtype ? x : g.emit('Cast', [x], { to: dtype })),

    equal: binary('Equal'),
    greater: binary('Greater'),
    greaterOrEqual: binary('GreaterOrEqual'),
    less: binary('Less'),
    lessOrEqual: binary('LessOrEqual'),
    and: binary('And'),
    or: binary('Or'),
    not: unary('Not'),
    isNaN: unary('IsNaN'),
    isInf: unary('IsInf'),
    /** condition ? a : b, elementwise. */
    where: (condition: Value, a: Operand, b: Operand) => {
      const { dtype } = tensorAmong(a, b)
      return g.emit('Where', [condition, asValue(a, dtype), asValue(b, dtype)])
    },
  }
}

function tensorAmong(a: Operand, b: Operand): Value {
  if (typeof a !== 'number') return a
  if (typeof b !== 'number') return b
  throw new StudioError({
    code: 'graph.arity',
    message: 'An op was given two numbers and no tensor.',
    remedy: 'Report this fault: the graph was built wrongly.',
    expected: 'a tensor among the operands',
    found: `${a} and ${b}`,
  })
}
