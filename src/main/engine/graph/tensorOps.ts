// What a model author writes graphs with: one function an op, named and shaped as in NumPy or PyTorch.
// Stands on graphBuilder.ts; models, losses and the gradient rules of autodiff are written in it.
import { elementwiseOps } from './elementwiseOps.ts'
import type { GraphBuilder } from './graphBuilder.ts'
import { layerOps } from './layerOps.ts'
import { movementOps } from './movementOps.ts'
import { reductionOps } from './reductionOps.ts'

export type TensorOps = ReturnType<typeof tensorOps>

/** The functions, bound to a builder: `const { add, gemm } = tensorOps(g)`. */
export function tensorOps(g: GraphBuilder) {
  const elementwise = elementwiseOps(g)
  const movement = movementOps(g)
  const reduction = reductionOps(g, elementwise)
  const layer = layerOps(g, elementwise, movement, reduction)
  return { ...elementwise, ...movement, ...reduction, ...layer }
}
