// The image tower: pixels to the hidden states of its layers, which a projector reads and whose last the verifier compares
// with words. CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023) by config.
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type TensorOps, tensorOps } from '../../graph/tensorOps.ts'
import { hiddenStates, layerNorm } from './encoderLayers.ts'
import type { Parameters } from './parameters.ts'
import { patchCount, type VisionConfig } from './towerConfig.ts'

/** The input `pixel_values` [images, channels, imageSize, imageSize] of a graph. */
export function pixelInput(g: GraphBuilder, { channels, imageSize }: VisionConfig): Value {
  return g.input('pixel_values', 'float32', ['images', channels, imageSize, imageSize])
}

/** Hidden states 0 to `count`, each [images, tokens, hidden]; tokens are the patches, after a class token in CLIP. */
export function towerStates(
  g: GraphBuilder,
  p: Parameters,
  config: VisionConfig,
  pixels: Value,
  count: number,
): Value[] {
  const ops = tensorOps(g)
  const { kind, hiddenSize, epsilon } = config
  const tokens = patchCount(config) + (kind === 'clip' ? 1 : 0)
  let x = patchEmbedding(ops, p, 'embeddings.patch_embedding', config, pixels)
  if (kind === 'clip') {
    const token = ops.reshape(p.tensor('embeddings.class_embedding', [hiddenSize]), [1, 1, hiddenSize])
    x = ops.concat([ops.expand(token, ['images', 1, hiddenSize]), x], 1)
  }
  x = ops.add(x, p.tensor('embeddings.position_embedding.weight', [tokens, hiddenSize]))
  // The name is misspelt in every CLIP checkpoint.
  if (kind === 'clip') x = layerNorm(ops, p, 'pre_layrnorm', x, epsilon)
  return hiddenStates(g, p, 'encoder.layers', config, x, count)
}

/** The convolution whose stride is its size, as one matrix product over patches: [images, patches, hidden]. */
function patchEmbedding(ops: TensorOps, p: Parameters, path: string, config: VisionConfig, pixels: Value): Value {
  const { kind, hiddenSize, channels, imageSize, patchSize } = config
  const side = Math.floor(imageSize / patchSize)
  const used = side * patchSize
  const whole = used === imageSize ? pixels : ops.slice(ops.slice(pixels, 2, 0, used), 3, 0, used)
  const grid = ops.reshape(whole, ['images', channels, side, patchSize, side, patchSize])
  const width = channels * patchSize ** 2
  const patches = ops.reshape(ops.transpose(grid, [0, 2, 4, 1, 3, 5]), ['images', side ** 2, width])
  return p.linear(path, patches, hiddenSize, { bias: kind === 'siglip' })
}
