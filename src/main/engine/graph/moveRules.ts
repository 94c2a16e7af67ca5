// Shape and dtype rules of ops that move elements and compute nothing: reshape, slice, gather, scatter and so on.
// ops.ts lists which op follows which rule.
import { addDims, type Dim, divideDims, elementCount, formatShape, type Shape, subtractDims } from './dims.ts'
import {
  axisIndex,
  broadcast,
  contentOf,
  integersOf,
  numberAttribute,
  operand,
  refusal,
  requireDtype,
  requireEqual,
  type ShapeRule,
  sameDtype,
} from './opCall.ts'

/** Slice ends at or past this mean the end of the axis. */
const endOfAxis = 2 ** 31

/** The target shape may hold 0 (keep that axis) and one -1 (the rest). */
export const reshape: ShapeRule = (call) => {
  const x = operand(call, 0)
  const target = contentOf(call, 1).map((dim, i) => (dim === 0 ? (x.shape[i] as Dim) : dim))
  const rest = target.indexOf(-1)
  const known = elementCount(target.filter((_, i) => i !== rest))
  const total = elementCount(x.shape)
  if (rest >= 0) {
    const size = divideDims(total, known)
    if (size === null) throw refusal(call, 'shape', 'cannot divide the elements', formatShape(target), `${total}`)
    return [{ dtype: x.dtype, shape: target.with(rest, size), ...(x.content && { content: x.content }) }]
  }
  requireEqual(call, 'element counts', total, known)
  return [{ dtype: x.dtype, shape: target, ...(x.content && { content: x.content }) }]
}

export const transpose: ShapeRule = (call) => {
  const x = operand(call, 0)
  const perm = call.attributes['perm'] as readonly number[]
  if ([...perm].sort((a, b) => a - b).join() !== x.shape.map((_, i) => i).join()) {
    throw refusal(call, 'shape', 'needs every axis once', formatShape(x.shape.map((_, i) => i)), formatShape(perm))
  }
  return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis] as Dim) }]
}

export const concat: ShapeRule = (call) => {
  const values = call.inputs.map((_, i) => operand(call, i))
  const first = operand(call, 0)
  const axis = axisIndex(call, numberAttribute(call, 'axis'), first.shape.length)
  for (const { shape } of values.slice(1)) {
    if (formatShape(shape.with(axis, 0)) !== formatShape(first.shape.with(axis, 0))) {
      throw refusal(call, 'shape', `joins along axis ${axis}`, formatShape(first.shape), formatShape(shape))
    }
  }
  const size = values.map(({ shape }) => shape[axis] as Dim).reduce(addDims)
  const content = values.every((value) => value.content) && values.flatMap((value) => value.content as Dim[])
  return [{ dtype: sameDtype(call, ...values), shape: first.shape.with(axis, size), ...(content && { content }) }]
}

/** x[starts : ends] along axes, step 1; bounds must lie inside, which unknown sizes leave to the author. */
export const slice: ShapeRule = (call) => {
  const x = operand(call, 0)
  const [starts, ends] = [contentOf(call, 1), contentOf(call, 2)]
  const shape = [...x.shape]
  let content = x.content
  integersOf(call, 3).forEach((signedAxis, i) => {
    const axis = axisIndex(call, signedAxis, shape.length)
    const size = x.shape[axis] as Dim
    const [start, end] = [sliceBound(starts[i] as Dim, size), sliceBound(ends[i] as Dim, size)]
    const length = subtractDims(end, start)
    if ([start, length].some((dim) => typeof dim === 'number' && dim < 0) || isLarger(end, size)) {
      throw refusal(call, 'shape', `slices axis ${axis}`, `bounds inside ${size}`, `${start} to ${end}`)
    }
    shape[axis] = length
    if (typeof start === 'number' && typeof end === 'number') content = content?.slice(start, end)
    else content = undefined
  })
  return [{ dtype: x.dtype, shape, ...(content && { content }) }]
}

/** A bound as ONNX reads it: negative counts from the end, and what is past the end is the end. */
export function sliceBound(bound: Dim, size: Dim): Dim {
  if (typeof bound !== 'number') return bound
  if (bound < 0) return addDims(size, bound)
  return bound >= endOfAxis ? size : bound
}

function isLarger(end: Dim, size: Dim): boolean {
  const excess = subtractDims(end, size)
  return typeof excess === 'number' && excess > 0
}

/** pads holds what is added in front of each axis, then what is added behind each. */
export const pad: ShapeRule = (call) => {
  const x = operand(call, 0)
  const pads = contentOf(call, 1)
  requireEqual(call, 'pad counts', 2 * x.shape.length, pads.length)
  const rank = x.shape.length
  return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => [pads[i], pads[i + rank]].reduce(sum, dim)) }]
}

function sum(a: Dim, b: Dim | undefined): Dim {
  return addDims(a, b ?? 0)
}

export const expand: ShapeRule = (call) => {
  const x = operand(call, 0)
  return [{ dtype: x.dtype, shape: broadcast(call, x.shape, contentOf(call, 1)) }]
}

export const squeeze: ShapeRule = (call) => {
  const { dtype, shape, content } = operand(call, 0)
  const axes = integersOf(call, 1).map((axis) => axisIndex(call, axis, shape.length))
  for (const axis of axes) requireEqual(call, 'sizes', 1, shape[axis] as Dim)
  return [{ dtype, shape: shape.filter((_, i) => !axes.includes(i)), ...(content && { content }) }]
}

export const unsqueeze: ShapeRule = (call) => {
  const { dtype, shape, content } = operand(call, 0)
  const axes = integersOf(call, 1)
  const rank = shape.length + axes.length
  const added = axes.map((axis) => axisIndex(call, axis, rank))
  const rest = [...shape]
  const result = Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : (rest.shift() as Dim)))
  return [{ dtype, shape: result, ...(content && { content }) }]
}

/** The sizes of the axes from `start` to `end`, as integers. */
export const shapeOf: ShapeRule = (call) => {
  const { shape } = operand(call, 0)
  const end = numberAttribute(call, 'end')
  const content = shape.slice(numberAttribute(call, 'start'), end >= endOfAxis ? undefined : end)
  return [{ dtype: 'int64', shape: [content.length], content }]
}

/** y = x[indices] along an axis: the shape of the indices takes the place of the axis. */
export const gather: ShapeRule = (call) => {
  const [x, indices] = [operand(call, 0), operand(call, 1)]
  requireDtype(call, indices, 'int64', 'int32')
  const axis = axisIndex(call, numberAttribute(call, 'axis'), x.shape.length)
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }]
}

/** y[i, j] = x[i, indices[i, j]] for axis 1. */
export const gatherElements: ShapeRule = (call) => {
  const [x, indices] = [operand(call, 0), operand(call, 1)]
  requireDtype(call, indices, 'int64', 'int32')
  const axis = axisIndex(call, numberAttribute(call, 'axis'), x.shape.length)
  requireEqual(call, 'other axes', formatShape(x.shape.with(axis, 0)), formatShape(indices.shape.with(axis, 0)))
  return [{ dtype: x.dtype, shape: indices.shape }]
}

/** y[i] = x[indices[i, :]]: the last axis of the indices is a coordinate. */
export const gatherNd: ShapeRule = (call) => {
  const [x, indices] = [operand(call, 0), operand(call, 1)]
  requireDtype(call, indices, 'int64')
  return [{ dtype: x.dtype, shape: coordinateShape(indices.shape, x.shape) }]
}

/** x with updates written, or added for reduction "add", at indices[i, j] along an axis. */
export const scatterElements: ShapeRule = (call) => {
  const [x, indices, updates] = [operand(call, 0), operand(call, 1), operand(call, 2)]
  requireDtype(call, indices, 'int64', 'int32')
  axisIndex(call, numberAttribute(call, 'axis'), x.shape.length)
  requireEqual(call, 'shapes of indices and updates', formatShape(indices.shape), formatShape(updates.shape))
  return [{ dtype: sameDtype(call, x, updates), shape: x.shape }]
}

/** x with updates written, or added for reduction "add", at the coordinates indices[i, :]. */
export const scatterNd: ShapeRule = (call) => {
  const [x, indices, updates] = [operand(call, 0), operand(call, 1), operand(call, 2)]
  requireDtype(call, indices, 'int64')
  const expected = coordinateShape(indices.shape, x.shape)
  requireEqual(call, 'shapes of updates', formatShape(expected), formatShape(updates.shape))
  return [{ dtype: sameDtype(call, x, updates), shape: x.shape }]
}

function coordinateShape(indices: Shape, x: Shape): Shape {
  return [...indices.slice(0, -1), ...x.slice(indices.at(-1) as number)]
}

/** 0, 1, ... below operand 1. */
export const range: ShapeRule = (call) => {
  const [start, limit, step] = [contentOf(call, 0)[0], contentOf(call, 1)[0], contentOf(call, 2)[0]]
  requireEqual(call, 'steps', 1, step as Dim)
  return [{ dtype: operand(call, 0).dtype, shape: [subtractDims(limit as Dim, start as Dim)] }]
}

/** The matrix with what is below (upper) or above the k-th diagonal set to zero. */
export const trilu: ShapeRule = (call) => {
  const x = operand(call, 0)
  if (x.shape.length < 2) throw refusal(call, 'shape', 'needs matrices', '[..., m, n]', formatShape(x.shape))
  return [{ dtype: x.dtype, shape: x.shape }]
}
