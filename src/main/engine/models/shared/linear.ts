// How a linear layer's weight lies in its file, and which nodes it takes: the one place that knows weight formats. What a
// format answers is made of ops with gradients, so that autodiff goes backward through it. Asked by parameters.ts.
import type { StoredTensor } from '../../folder/safetensors.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'

/** W [out, in] of a linear layer, in a graph. */
export interface LinearWeight {
  /** As float32 [out, in], for rows of an embedding table and for parts of a joined weight. */
  readonly dense: () => Value
  /**
   * x Wᵀ + b for x [rows, in]: [rows, out].
   *
   * Where W lies in its file as it is, ONNX Runtime copies the second operand of a product into another layout at each
   * run, which for a few rows costs more than the product itself; with `weightsFirst` it computes (W xᵀ)ᵀ instead and
   * copies x. A single row and many rows are faster the usual way.
   */
  readonly product: (x: Value, bias: Value | undefined, weightsFirst: boolean) => Value
}

/** A way to store weights. */
export interface WeightFormat {
  readonly name: string
  /** Whether the stored tensor is of this format. */
  readonly matches: (stored: StoredTensor) => boolean
  /** The weight in a graph, whose value of that name points into the file. */
  readonly weight: (g: GraphBuilder, name: string, shape: readonly number[], stored: StoredTensor) => LinearWeight
}

/** Plain numbers; half precision is widened where it is used. */
const floats: WeightFormat = {
  name: 'floats',
  matches: ({ dtype }) => /^(b?float16|float32|float64)$/.test(dtype),
  weight: (g, name, shape, { dtype, slice }) => {
    const value = g.external(name, dtype, shape, slice)
    return floatWeight(g, value.dtype === 'float32' ? value : g.emit('Cast', [value], { to: 'float32' }))
  },
}

/** In the order in which they are tried. */
export const weightFormats: readonly WeightFormat[] = [floats]

/** A weight that is a float32 value of the graph already. */
export function floatWeight(g: GraphBuilder, value: Value): LinearWeight {
  const { add, gemm, matMul, transpose } = tensorOps(g)
  return {
    dense: () => value,
    product: (x, bias, weightsFirst) => {
      if (!weightsFirst) return gemm(x, value, { transB: true, c: bias })
      const y = transpose(matMul(value, transpose(x, [1, 0])), [1, 0])
      return bias ? add(y, bias) : y
    },
  }
}
