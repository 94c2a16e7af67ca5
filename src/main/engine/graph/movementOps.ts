// Functions of tensorOps.ts that move elements: reshape, slice, join, gather, scatter.
import { addDims, type Dim, divideDims, elementCount, type Shape } from './dims.ts'
import type { GraphBuilder } from './graphBuilder.ts'
import type { DType, Value } from './ir.ts'

/** What a scatter does where it writes: replace, or add up. */
export type ScatterReduction = 'none' | 'add'

export type MovementOps = ReturnType<typeof movementOps>

export function movementOps(g: GraphBuilder) {
  const axesOf = (axes: readonly number[]) => g.constant('int64', [axes.length], axes)
  const expand = (x: Value, shape: Shape) => (sameShape(x.shape, shape) ? x : g.emit('Expand', [x, g.sizes(shape)]))
  const reshape = (x: Value, shape: Shape): Value => {
    if (sameShape(x.shape, shape)) return x
    const made = g.producer(x)
    const origin = made?.op === 'Reshape' ? (made.inputs[0] as Value) : x
    // Of one Reshape after another the last says all, where it needs no sizes that only a run knows.
    if (origin !== x && reshapeTarget(origin.shape, shape)) return reshape(origin, shape)
    return g.emit('Reshape', [x, g.sizes(reshapeTarget(x.shape, shape) ?? shape)])
  }

  return {
    /** The same elements in another shape. Sizes may be named; none may be left open. */
    reshape,
    /** Where only axes of size 1 change places, no element moves: a Reshape, or nothing. */
    transpose: (x: Value, perm: readonly number[]) => {
      const moved = perm.filter((axis) => x.shape[axis] !== 1)
      const isInOrder = moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))
      const shape = perm.map((axis) => x.shape[axis] as Dim)
      return isInOrder ? reshape(x, shape) : g.emit('Transpose', [x], { perm })
    },
    /** The last two axes exchanged. */
    swapLast: (x: Value) => {
      const axes = x.shape.map((_, i) => i)
      return g.emit('Transpose', [x], { perm: [...axes.slice(0, -2), axes.length - 1, axes.length - 2] })
    },
    /** x with axes of size 1 repeated, or added in front, until it has the shape. */
    expand,
    squeeze: (x: Value, axes: readonly number[]) => g.emit('Squeeze', [x, axesOf(axes)]),
    /** Axes of size 1 added; a Reshape, because Unsqueeze of integers would leave the GPU. */
    unsqueeze: (x: Value, axes: readonly number[]) => {
      const rank = x.shape.length + axes.length
      const added = axes.map((axis) => (axis < 0 ? axis + rank : axis))
      const rest = [...x.shape]
      const shape = Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : (rest.shift() as Dim)))
      return reshape(x, shape)
    },
    concat: (values: readonly Value[], axis: number) =>
      values.length === 1 ? (values[0] as Value) : g.emit('Concat', values, { axis }),
    /** x[..., start : end, ...] along an axis; a negative bound counts from the end, end may be left out. */
    slice: (x: Value, axis: number, start: Dim, end: Dim | null = null) => {
      const size = x.shape.at(axis) as Dim
      const bound = (dim: Dim) => g.sizes([typeof dim === 'number' && dim < 0 ? addDims(size, dim) : dim])
      return g.emit('Slice', [x, bound(start), bound(end ?? size), axesOf([axis])])
    },
    /** `before` and `after` zeros (or `fill`) added along an axis. */
    pad: (x: Value, axis: number, before: Dim, after: Dim, fill = 0) => {
      const rank = x.shape.length
      const pads: Dim[] = new Array(2 * rank).fill(0)
      const index = axis < 0 ? axis + rank : axis
      pads[index] = before
      pads[index + rank] = after
      return g.emit('Pad', [x, g.sizes(pads), g.scalar(fill, x.dtype)])
    },
    /** x[indices] along an axis. */
    gather: (x: Value, indices: Value, axis = 0) => g.emit('Gather', [x, indices], { axis }),
    /** Rows of a table [vocab, width] for token ids [...]: [..., width]. */
    embedding: (table: Value, ids: Value) => g.emit('Gather', [table, ids], { axis: 0 }),
    /** y[i, j] = x[i, indices[i, j]] for axis 1. */
    gatherElements: (x: Value, indices: Value, axis: number) => g.emit('GatherElements', [x, indices], { axis }),
    /** y[i] = x[indices[i, :]]. */
    gatherNd: (x: Value, indices: Value) => g.emit('GatherND', [x, indices]),
    scatterElements: (x: Value, indices: Value, updates: Value, axis: number, reduction: ScatterReduction = 'none') =>
      g.emit('ScatterElements', [x, indices, updates], { axis, reduction }),
    scatterNd: (x: Value, indices: Value, updates: Value, reduction: ScatterReduction = 'none') =>
      g.emit('ScatterND', [x, indices, updates], { reduction }),
    /** 0, 1, ..., size - 1 as int64 [size]. */
    range: (size: Dim) => {
      const limit = g.emit('Squeeze', [g.sizes([size]), axesOf([0])])
      return g.emit('Range', [g.constant('int64', [], [0]), limit, g.constant('int64', [], [1])])
    },
    /** The matrix with what is below (`upper`) or above its k-th diagonal set to zero. */
    triangle: (x: Value, part: 'upper' | 'lower', k = 0) =>
      g.emit('Trilu', [x, g.constant('int64', [], [k])], { upper: part === 'upper' ? 1 : 0 }),
    /** One number everywhere. */
    full: (shape: Shape, number: number, dtype: DType = 'float32') => expand(g.scalar(number, dtype), shape),
    /** A named size as a number without axes, e.g. to divide by it. */
    sizeOf: (dim: Dim, dtype: DType = 'float32') =>
      typeof dim === 'number'
        ? g.scalar(dim, dtype)
        : g.emit('Cast', [g.emit('Squeeze', [g.sizes([dim]), axesOf([0])])], { to: dtype }),
  }
}

/**
 * The shape operand of a Reshape as plain numbers, null where it takes sizes that only a run knows: axes that stay in
 * place are 0 and one other unknown size is -1.
 */
function reshapeTarget(from: Shape, to: Shape): Shape | null {
  const target = to.map((dim, i) => (typeof dim === 'string' && dim === from[i] ? 0 : dim))
  const open = target.filter((dim) => typeof dim === 'string')
  if (open.length === 0) return target
  const rest = to.indexOf(open[0] as Dim)
  const known = elementCount(to.filter((_, i) => i !== rest))
  return open.length === 1 && divideDims(elementCount(from), known) !== null ? target.with(rest, -1) : null
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i])
}
