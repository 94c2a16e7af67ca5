// Functions of tensorOps.ts that reduce along axes.
import type { ElementwiseOps } from './elementwiseOps.ts'
import type { GraphBuilder } from './graphBuilder.ts'
import type { Value } from './ir.ts'
import type { OpName } from './ops.ts'

/** Whether a reduced axis stays, with size 1. */
export type KeepDims = { readonly keepDims?: boolean }

export type ReductionOps = ReturnType<typeof reductionOps>

export function reductionOps(g: GraphBuilder, { sub }: ElementwiseOps) {
  const reduce =
    (op: OpName) =>
    (x: Value, axes: readonly number[], { keepDims = false }: KeepDims = {}) =>
      g.emit(op, [x, g.constant('int64', [axes.length], axes)], { keepdims: keepDims ? 1 : 0 })
  const reduceLogSumExp = reduce('ReduceLogSumExp')

  return {
    reduceSum: reduce('ReduceSum'),
    reduceMean: reduce('ReduceMean'),
    reduceMax: reduce('ReduceMax'),
    reduceMin: reduce('ReduceMin'),
    /** Σ x². */
    reduceSumSquare: reduce('ReduceSumSquare'),
    /** log Σ exp x. */
    reduceLogSumExp,
    softmax: (x: Value, axis: number) => g.emit('Softmax', [x], { axis }),
    /** x - log Σ exp x: the LogSoftmax op itself would leave the GPU. */
    logSoftmax: (x: Value, axis: number) => sub(x, reduceLogSumExp(x, [axis], { keepDims: true })),
    /** Index of the largest element, int64; the first of equal ones. */
    argMax: (x: Value, axis: number, { keepDims = false }: KeepDims = {}) =>
      g.emit('ArgMax', [x], { axis, keepdims: keepDims ? 1 : 0 }),
    /** The k largest elements along an axis in falling order, and their indices (int64). */
    topK: (x: Value, k: number, axis: number) => {
      const [values, indices] = g.emitMany('TopK', [x, g.constant('int64', [1], [k])], { axis }, 2)
      return { values: values as Value, indices: indices as Value }
    },
  }
}
