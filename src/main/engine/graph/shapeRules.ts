// Shape and dtype rules of ops that compute on elements: elementwise, products, reductions, normalisations.
// ops.ts lists which op follows which rule; rules of ops that only move elements are in moveRules.ts.
import { addDims, type Dim, divideDims, elementCount, formatShape, multiplyDims, subtractDims } from './dims.ts'
import { type DType, elementBytes, isFloat, type Value } from './ir.ts'
import {
  axisIndex,
  broadcast,
  integersOf,
  numberAttribute,
  type OpCall,
  operand,
  refusal,
  requireDtype,
  requireEqual,
  type ShapeRule,
  sameDtype,
} from './opCall.ts'

/** y has the dtype and shape of x. */
export const likeFirst: ShapeRule = (call) => {
  const { dtype, shape, content } = operand(call, 0)
  return [{ dtype, shape, ...(call.op === 'Identity' && content && { content }) }]
}

/** As {@link likeFirst}, for real numbers. */
export const floatUnary: ShapeRule = (call) => {
  requireFloat(call, operand(call, 0))
  return likeFirst(call)
}

export const logicalNot: ShapeRule = (call) => {
  requireDtype(call, operand(call, 0), 'bool')
  return likeFirst(call)
}

/** IsNaN, IsInf. */
export const floatTest: ShapeRule = (call) => {
  requireFloat(call, operand(call, 0))
  return [{ dtype: 'bool', shape: operand(call, 0).shape }]
}

/** z = x op y with broadcasting; integer contents are worked out along with it. */
export const binary: ShapeRule = (call) => {
  const [x, y] = [operand(call, 0), operand(call, 1)]
  const dtype = sameDtype(call, x, y)
  const combine = contentRules[call.op]
  const content = combine && x.content && y.content && combineContents(combine, x.content, y.content)
  return [{ dtype, shape: broadcast(call, x.shape, y.shape), ...(content && { content }) }]
}

const contentRules: Readonly<Record<string, (a: Dim, b: Dim) => Dim | null>> = {
  Add: addDims,
  Sub: subtractDims,
  Mul: multiplyDims,
  Div: divideDims,
}

function combineContents(
  combine: (a: Dim, b: Dim) => Dim | null,
  a: readonly Dim[],
  b: readonly Dim[],
): Dim[] | undefined {
  const long = a.length >= b.length ? a : b
  const combined = long.map((_, i) => combine(a[a.length === 1 ? 0 : i] as Dim, b[b.length === 1 ? 0 : i] as Dim))
  return combined.every((dim) => dim !== null) ? combined : undefined
}

/** x < y and the like. */
export const comparison: ShapeRule = (call) => {
  const [x, y] = [operand(call, 0), operand(call, 1)]
  sameDtype(call, x, y)
  return [{ dtype: 'bool', shape: broadcast(call, x.shape, y.shape) }]
}

/** And, Or. */
export const logical: ShapeRule = (call) => {
  requireDtype(call, operand(call, 0), 'bool')
  return comparison(call)
}

/** y = condition ? a : b. */
export const select: ShapeRule = (call) => {
  const [condition, a, b] = [operand(call, 0), operand(call, 1), operand(call, 2)]
  requireDtype(call, condition, 'bool')
  return [{ dtype: sameDtype(call, a, b), shape: broadcast(call, condition.shape, a.shape, b.shape) }]
}

/** y = min(max(x, low), high), the bounds being scalars. */
export const clip: ShapeRule = (call) => {
  const x = operand(call, 0)
  for (const bound of call.inputs.slice(1)) {
    if (!bound) continue
    sameDtype(call, x, bound)
    if (bound.shape.length > 0) throw refusal(call, 'shape', 'needs scalar bounds', '[]', formatShape(bound.shape))
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

export const cast: ShapeRule = (call) => {
  const { shape, content } = operand(call, 0)
  const dtype = call.attributes['to'] as DType
  if (!Object.hasOwn(elementBytes, dtype)) throw refusal(call, 'dtype', 'casts', 'an element type', dtype)
  return [{ dtype, shape, ...(dtype === 'int64' && content && { content }) }]
}

/** Y[..., m, n] = A[..., m, k] B[..., k, n] with broadcast leading axes. */
export const matMul: ShapeRule = (call) => {
  const [a, b] = [operand(call, 0), operand(call, 1)]
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw refusal(call, 'shape', 'needs two axes or more', '[m, k] and [k, n]', shapesOf(a, b))
  }
  requireEqual(call, 'inner sizes', a.shape.at(-1) as Dim, b.shape.at(-2) as Dim)
  const lead = broadcast(call, a.shape.slice(0, -2), b.shape.slice(0, -2))
  return [{ dtype: sameDtype(call, a, b), shape: [...lead, a.shape.at(-2) as Dim, b.shape.at(-1) as Dim] }]
}

/** Y[m, n] = alpha A' B' + beta C, A' being A or its transpose. */
export const gemm: ShapeRule = (call) => {
  const [a, b, c] = [operand(call, 0), operand(call, 1), call.inputs[2]]
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw refusal(call, 'shape', 'multiplies matrices', '[m, k] and [k, n]', shapesOf(a, b))
  }
  const [m, k] = oriented(a, numberAttribute(call, 'transA'))
  const [inner, n] = oriented(b, numberAttribute(call, 'transB'))
  requireEqual(call, 'inner sizes', k, inner)
  if (c && formatShape(broadcast(call, [m, n], c.shape)) !== formatShape([m, n])) {
    throw refusal(call, 'shape', 'adds a matrix that is too large', formatShape([m, n]), formatShape(c.shape))
  }
  return [{ dtype: sameDtype(call, a, b, c), shape: [m, n] }]
}

function oriented({ shape }: Value, transposed: number): [Dim, Dim] {
  const [rows, columns] = shape as [Dim, Dim]
  return transposed ? [columns, rows] : [rows, columns]
}

/** Softmax, CumSum and others that work along an axis and keep the shape. */
export const alongAxis: ShapeRule = (call) => {
  const x = operand(call, 0)
  axisIndex(call, numberAttribute(call, 'axis'), x.shape.length)
  return [{ dtype: x.dtype, shape: x.shape }]
}

/** LayerNormalization and its root-mean-square form over the last axis; only the first output may be asked for. */
export const normalization: ShapeRule = (call) => {
  const x = operand(call, 0)
  const width = x.shape.at(-1) as Dim
  for (const parameter of call.inputs.slice(1)) {
    if (!parameter) continue
    sameDtype(call, x, parameter)
    if (parameter.shape.length !== 1) {
      throw refusal(call, 'shape', 'needs vectors as parameters', `[${width}]`, formatShape(parameter.shape))
    }
    requireEqual(call, 'widths', width, parameter.shape[0] as Dim)
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

/** Reductions over the axes in operand 1. */
export const reduce: ShapeRule = (call) => {
  const x = operand(call, 0)
  const axes = integersOf(call, 1).map((axis) => axisIndex(call, axis, x.shape.length))
  const keep = numberAttribute(call, 'keepdims') === 1
  const shape = x.shape.flatMap((dim, i) => (axes.includes(i) ? (keep ? [1] : []) : [dim]))
  return [{ dtype: x.dtype, shape }]
}

/** Index of the largest element along an axis. */
export const argMax: ShapeRule = (call) => {
  const { shape } = operand(call, 0)
  const axis = axisIndex(call, numberAttribute(call, 'axis'), shape.length)
  const keep = numberAttribute(call, 'keepdims') === 1
  return [{ dtype: 'int64', shape: shape.flatMap((dim, i) => (i === axis ? (keep ? [1] : []) : [dim])) }]
}

/** The k largest elements along an axis, and their indices. */
export const topK: ShapeRule = (call) => {
  const x = operand(call, 0)
  const axis = axisIndex(call, numberAttribute(call, 'axis'), x.shape.length)
  const [k] = integersOf(call, 1)
  const shape = x.shape.map((dim, i) => (i === axis ? (k as number) : dim))
  return [
    { dtype: x.dtype, shape },
    { dtype: 'int64', shape },
  ]
}

/** x turned by the angles at its positions: x [batch, heads, seq, width], caches [positions, width / 2]. */
export const rotaryEmbedding: ShapeRule = (call) => {
  const [x, positions, cos, sin] = [operand(call, 0), operand(call, 1), operand(call, 2), operand(call, 3)]
  requireDtype(call, positions, 'int64')
  sameDtype(call, x, cos, sin)
  if (x.shape.length !== 4) {
    throw refusal(call, 'shape', 'turns heads', '[batch, heads, seq, width]', formatShape(x.shape))
  }
  const [batch, , seq, width] = x.shape as [Dim, Dim, Dim, Dim]
  requireEqual(call, 'position shapes', formatShape([batch, seq]), formatShape(positions.shape))
  for (const cache of [cos, sin]) requireEqual(call, 'cache widths', width, multiplyDims(2, cache.shape[1] as Dim))
  return [{ dtype: x.dtype, shape: x.shape }]
}

/** W = (q - zero point) · scale, the last two of them one for each row of q. */
export const dequantize: ShapeRule = (call) => {
  const [q, scales, zeros] = [operand(call, 0), operand(call, 1), operand(call, 2)]
  requireDtype(call, q, 'uint8', 'uint4')
  requireDtype(call, scales, 'float32')
  sameDtype(call, q, zeros)
  requireEqual(call, 'axes of scales', 0, numberAttribute(call, 'axis'))
  const rows = formatShape(q.shape.slice(0, 1))
  for (const { shape } of [scales, zeros]) requireEqual(call, 'numbers of rows', rows, formatShape(shape))
  return [{ dtype: 'float32', shape: q.shape }]
}

/** Y[..., n] = A[..., k] dequantised(B)ᵀ, B stored in blocks of `bits`-bit integers with a scale each. */
export const matMulNBits: ShapeRule = (call) => {
  const a = operand(call, 0)
  requireEqual(call, 'inner sizes', numberAttribute(call, 'K'), a.shape.at(-1) as Dim)
  return [{ dtype: a.dtype, shape: [...a.shape.slice(0, -1), numberAttribute(call, 'N')] }]
}

/**
 * com.microsoft.GroupQueryAttention: query [batch, seq, heads*width], key and value [batch, seq, kvHeads*width],
 * past [batch, kvHeads, past, width]; answers attention and the longer caches.
 */
export const groupQueryAttention: ShapeRule = (call) => {
  const [query, pastKey] = [operand(call, 0), operand(call, 3)]
  const dtype = sameDtype(call, query, ...call.inputs.slice(1, 5))
  const [batch, kvHeads, past, width] = pastKey.shape as [Dim, Dim, Dim, Dim]
  const present = { dtype, shape: [batch, kvHeads, addDims(past, query.shape[1] as Dim), width] }
  return [{ dtype, shape: query.shape }, present, present]
}

/** The size of what a reduction sums over. */
export function reducedCount(shape: readonly Dim[], axes: readonly number[]): Dim {
  return elementCount(axes.map((axis) => shape.at(axis) as Dim))
}

function requireFloat(call: OpCall, x: Value): void {
  if (!isFloat(x.dtype)) throw refusal(call, 'dtype', `cannot take ${x.name}`, 'real numbers', x.dtype)
}

function shapesOf(a: Value, b: Value): string {
  return `${formatShape(a.shape)} and ${formatShape(b.shape)}`
}
