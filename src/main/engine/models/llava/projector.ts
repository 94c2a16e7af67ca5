// The multimodal projector: image features to the width of the language model's embeddings (Liu et al. 2023).
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import type { VlmConfig } from '../hfConfig.ts'
import { activate } from '../shared/encoderLayers.ts'
import type { Parameters } from '../shared/parameters.ts'

/** linear_2(act(linear_1 x)): [images, imageTokens, features] to [images, imageTokens, hidden]. */
export function projector(g: GraphBuilder, p: Parameters, { projector, decoder }: VlmConfig, features: Value): Value {
  const ops = tensorOps(g)
  const layer = (name: string, x: Value) => {
    const path = `multi_modal_projector.${name}`
    const weight = p(`${path}.weight`, [decoder.hiddenSize, x.shape.at(-1) as number])
    return ops.linear(x, weight, projector.bias ? p(`${path}.bias`, [decoder.hiddenSize]) : undefined)
  }
  return layer('linear_2', activate(ops, projector.activation, layer('linear_1', features)))
}
