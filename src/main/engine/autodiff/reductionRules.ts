// Gradient rules of reductions along axes: sums, means, extrema, softmax, and choices by size.
import type { Dim } from '../graph/dims.ts'
import type { Value } from '../graph/ir.ts'
import { reducedCount } from '../graph/shapeRules.ts'
import { type Application, noGradient, type RuleEntry, type VjpRule, zerosAfter } from './rule.ts'

/** A reduced tensor with its axes back as axes of size 1, so that it broadcasts against x. */
function withAxes({ ops, x: [x, axes] }: Application, reduced: Value): Value {
  const rank = (x as Value).shape.length
  const summed = axesOf(axes as Value).map((axis) => (axis < 0 ? axis + rank : axis))
  return ops.reshape(
    reduced,
    (x as Value).shape.map((dim, i) => (summed.includes(i) ? 1 : dim)),
  )
}

function axesOf(axes: Value): number[] {
  return axes.content as readonly Dim[] as number[]
}

/** y = max x or min x: dy shared among the elements that reach it. */
const extremum: VjpRule = (application) => {
  const { ops, x, y, dy } = application
  return [
    () => {
      const input = x[0] as Value
      const reached = ops.cast(ops.equal(input, withAxes(application, y)), dy.dtype)
      const count = ops.reduceSum(reached, axesOf(x[1] as Value), { keepDims: true })
      return ops.mul(reached, ops.div(withAxes(application, dy), count))
    },
    null,
  ]
}

export const reductionRules = {
  // y = log Σ exp x: dx = dy exp(x - y)
  ReduceLogSumExp: (application) => {
    const { exp, mul, sub } = application.ops
    const weights = () => exp(sub(application.x[0] as Value, withAxes(application, application.y)))
    return [() => mul(withAxes(application, application.dy), weights()), null]
  },
  ReduceMax: extremum,
  // y = Σ x / n: dx = dy / n
  ReduceMean: (application) => {
    const { div, expand, mul, sizeOf } = application.ops
    const { shape } = application.x[0] as Value
    const each = () => {
      const count = reducedCount(shape, axesOf(application.x[1] as Value))
      const dy = withAxes(application, application.dy)
      return typeof count === 'number' ? mul(dy, 1 / count) : div(dy, sizeOf(count, dy.dtype))
    }
    return [() => expand(each(), shape), null]
  },
  ReduceMin: extremum,
  // y = Σ x: dx = dy
  ReduceSum: (application) => [
    () => application.ops.expand(withAxes(application, application.dy), (application.x[0] as Value).shape),
    null,
  ],
  // y = Σ x²: dx = 2 dy x
  ReduceSumSquare: (application) => {
    const { mul } = application.ops
    return [() => mul(mul(withAxes(application, application.dy), 2), application.x[0] as Value), null]
  },
  // y = softmax x: dx = y (dy - Σ dy y)
  Softmax: ({ ops: { mul, reduceSum, sub }, y, dy, attributes }) => {
    const axis = (attributes['axis'] as number | undefined) ?? -1
    return [() => mul(y, sub(dy, reduceSum(mul(dy, y), [axis], { keepDims: true })))]
  },
  // y = x at the indices of the largest elements: dx = dy there, 0 elsewhere
  TopK: (application) => {
    const { ops, x, outputs, dy, attributes } = application
    const axis = (attributes['axis'] as number | undefined) ?? -1
    const { shape } = x[0] as Value
    return [() => ops.scatterElements(zerosAfter(application, shape), outputs[1] as Value, dy, axis), null]
  },

  ArgMax: noGradient,
} as const satisfies Record<string, RuleEntry>
