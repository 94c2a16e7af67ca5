// Gradient rules of ops that move elements: the cotangent goes back the way the elements came.
import { addDims, type Dim, subtractDims } from '../graph/dims.ts'
import type { Value } from '../graph/ir.ts'
import { sliceBound } from '../graph/moveRules.ts'
import { noGradient, type RuleEntry, type VjpRule, zerosAfter } from './rule.ts'

/** y = x in another shape: dx = dy in the shape of x */
const reshaped: VjpRule = ({ ops, x: [x], dy }) => [() => ops.reshape(dy, (x as Value).shape), null]

/** y = x with updates u written (added) at indices: dx = dy with zeros there (dy), du = dy there */
const scattered =
  (at: 'gatherElements' | 'gatherNd', into: 'scatterElements' | 'scatterNd'): VjpRule =>
  (application) => {
    const { ops, x, dy, attributes } = application
    const [indices, updates] = [x[1] as Value, x[2] as Value]
    const axis = (attributes['axis'] as number | undefined) ?? 0
    const kept = () => {
      if (attributes['reduction'] === 'add') return dy
      const zeros = zerosAfter(application, updates.shape)
      return into === 'scatterNd' ? ops.scatterNd(dy, indices, zeros) : ops.scatterElements(dy, indices, zeros, axis)
    }
    const taken = () => (at === 'gatherNd' ? ops.gatherNd(dy, indices) : ops.gatherElements(dy, indices, axis))
    return [kept, null, taken]
  }

export const movementRules = {
  // y = [x₁, x₂, ...]: dxᵢ = the slice of dy where xᵢ went
  Concat: ({ ops, x, dy, attributes }) => {
    const axis = attributes['axis'] as number
    let end: Dim = 0
    return x.map((value) => {
      const start = end
      end = addDims(start, value.shape.at(axis) as Dim)
      const stop = end
      return () => ops.slice(dy, axis, start, stop)
    })
  },
  // y = x repeated: dx = Σ dy over the repeats, which is the sum over broadcast axes
  Expand: ({ dy }) => [() => dy, null],
  // y = x[indices] along an axis: dx = zeros with dy added at the indices
  Gather: (application) => {
    const { ops, x, dy, attributes } = application
    const [table, indices] = [x[0] as Value, x[1] as Value]
    const signed = (attributes['axis'] as number | undefined) ?? 0
    const axis = signed < 0 ? signed + table.shape.length : signed
    const scatter = () => {
      // Rows first, so that each index names one slice to add to.
      const rank = indices.shape.length
      const rows = Array.from({ length: rank }, (_, i) => axis + i)
      const rest = dy.shape.map((_, i) => i).filter((i) => !rows.includes(i))
      const updates = ops.transpose(dy, [...rows, ...rest])
      const shape = [table.shape[axis] as Dim, ...table.shape.filter((_, i) => i !== axis)]
      const coordinates = ops.unsqueeze(ops.cast(indices, 'int64'), [rank])
      const sums = ops.scatterNd(zerosAfter(application, shape), coordinates, updates, 'add')
      const back = table.shape.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i))
      return ops.transpose(sums, back)
    }
    return [scatter, null]
  },
  // y[i, j] = x[i, indices[i, j]]: dx = zeros with dy added at the indices
  GatherElements: (application) => {
    const { ops, x, dy, attributes } = application
    const axis = (attributes['axis'] as number | undefined) ?? 0
    const zeros = () => zerosAfter(application, (x[0] as Value).shape)
    return [() => ops.scatterElements(zeros(), x[1] as Value, dy, axis, 'add'), null]
  },
  // y[i] = x[indices[i, :]]: dx = zeros with dy added at the indices
  GatherND: (application) => {
    const { ops, x, dy } = application
    return [() => ops.scatterNd(zerosAfter(application, (x[0] as Value).shape), x[1] as Value, dy, 'add'), null]
  },
  // y = x with a border: dx = dy without it
  Pad: ({ ops, x: [x, pads], dy }) => {
    const { shape } = x as Value
    const before = (pads as Value).content as readonly Dim[]
    const inner = () =>
      shape.reduce<Value>((value, size, axis) => {
        if (value.shape[axis] === size) return value
        return ops.slice(value, axis, before[axis] as Dim, addDims(before[axis] as Dim, size))
      }, dy)
    return [inner, null, null]
  },
  Reshape: reshaped,
  ScatterElements: scattered('gatherElements', 'scatterElements'),
  ScatterND: scattered('gatherNd', 'scatterNd'),
  // y = x[start : end] along axes: dx = dy with zeros in front and behind
  Slice: ({ ops, x: [x, starts, , axes], dy }) => {
    const { shape } = x as Value
    const outer = () =>
      ((axes as Value).content as readonly Dim[]).reduce<Value>((value, signed, i) => {
        const axis = (signed as number) < 0 ? (signed as number) + shape.length : (signed as number)
        const size = shape[axis] as Dim
        const start = sliceBound((starts as Value).content?.[i] as Dim, size)
        const after = subtractDims(subtractDims(size, start), value.shape[axis] as Dim)
        return start === 0 && after === 0 ? value : ops.pad(value, axis, start, after)
      }, dy)
    return [outer, null, null, null]
  },
  Squeeze: reshaped,
  // y = x with axes in another order: dx = dy with them in the old one
  Transpose: ({ ops, dy, attributes }) => {
    const perm = attributes['perm'] as readonly number[]
    return [
      () =>
        ops.transpose(
          dy,
          perm.map((_, axis) => perm.indexOf(axis)),
        ),
    ]
  },
  // y = a triangle of x: dx = the same triangle of dy
  Trilu: ({ ops, x: [, k], dy, attributes }) => {
    const part = attributes['upper'] === 0 ? 'lower' : 'upper'
    return [() => ops.triangle(dy, part, (k?.content?.[0] as number | undefined) ?? 0), null]
  },
  Unsqueeze: reshaped,

  Range: noGradient,
  Shape: noGradient,
} as const satisfies Record<string, RuleEntry>
