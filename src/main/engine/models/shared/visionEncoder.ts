// The image tower: pixels to the hidden states that the projector reads, and to the one embedding of an image that
// the verifier compares with words. CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023) by config.
import type { Dim } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type TensorOps, tensorOps } from '../../graph/tensorOps.ts'
import { type DualEncoderConfig, patchCount, type VisionConfig, type VlmConfig } from '../hfConfig.ts'
import { affine, hiddenStates, joinHeads, layerNorm, mlp, splitHeads } from './encoderLayers.ts'
import type { Parameters } from './parameters.ts'

/** The input `pixel_values` [images, channels, imageSize, imageSize] of a graph. */
export function pixelInput(g: GraphBuilder, { channels, imageSize }: VisionConfig): Value {
  return g.input('pixel_values', 'float32', ['images', channels, imageSize, imageSize])
}

/**
 * Features for the projector: [images, imageTokens, hidden * number of feature layers].
 * @param path of the tower in the checkpoint
 */
export function imageFeatures(g: GraphBuilder, p: Parameters, path: string, config: VlmConfig, pixels: Value): Value {
  const ops = tensorOps(g)
  const { vision, featureLayers, featureStrategy } = config
  const indices = featureLayers.map((layer) => (layer < 0 ? vision.layers + 1 + layer : layer))
  const states = towerStates(g, p, path, vision, pixels, Math.max(...indices))
  const chosen = ops.concat(
    indices.map((index) => states[index] as Value),
    -1,
  )
  return featureStrategy === 'default' ? ops.slice(chosen, 1, 1) : chosen
}

/** Images in the space of words, each vector of length 1. */
export interface ImageEmbeddings {
  /** [images, projectionSize] */
  readonly pooled: Value
  /** Each patch by itself, [images, patches, projectionSize]; see {@link imageEmbeddings}. */
  readonly patches: () => Value
}

/**
 * What an image, and what each of its patches, says in the space of words.
 *
 * CLIP reads an image at its class token; a patch goes the same way, through `post_layernorm` and
 * `visual_projection`, as Zhou, Loy & Dai (ECCV 2022, MaskCLIP) and others read them. SigLIP pools patches by
 * attention; a patch is what that pooling would answer if it saw this patch alone, so that its weight is 1.
 * @param path of the tower in the checkpoint
 */
export function imageEmbeddings(
  g: GraphBuilder,
  p: Parameters,
  path: string,
  { vision, projectionSize, kind }: DualEncoderConfig,
  pixels: Value,
): ImageEmbeddings {
  const ops = tensorOps(g)
  const width = vision.hiddenSize
  const last = towerStates(g, p, path, vision, pixels, vision.layers).at(-1) as Value
  const normalised = (x: Value) => layerNorm(ops, p, `${path}post_layernorm`, x, vision.epsilon)
  if (kind === 'clip') {
    const project = (x: Value) => ops.l2Normalize(ops.linear(normalised(x), weight))
    const weight = p('visual_projection.weight', [projectionSize, width])
    return {
      pooled: project(ops.reshape(ops.slice(last, 1, 0, 1), ['images', width])),
      patches: () => project(ops.slice(last, 1, 1)),
    }
  }
  const states = normalised(last)
  const pool = (x: Value) => ops.l2Normalize(attentionPool(ops, p, `${path}head`, vision, x))
  const patches = patchCount(vision)
  const rows = () => ops.reshape(states, [`${patches}*images`, 1, width])
  return {
    pooled: pool(states),
    patches: () => ops.reshape(pool(rows()), ['images', patches, width]),
  }
}

/** Hidden states 0 to `count`, each [images, tokens, hidden]; tokens are the patches, after a class token in CLIP. */
function towerStates(
  g: GraphBuilder,
  p: Parameters,
  path: string,
  config: VisionConfig,
  pixels: Value,
  count: number,
): Value[] {
  const ops = tensorOps(g)
  const { kind, hiddenSize, epsilon } = config
  const tokens = patchCount(config) + (kind === 'clip' ? 1 : 0)
  let x = patchEmbedding(ops, p, `${path}embeddings.patch_embedding`, config, pixels)
  if (kind === 'clip') {
    const token = ops.reshape(p(`${path}embeddings.class_embedding`, [hiddenSize]), [1, 1, hiddenSize])
    x = ops.concat([ops.expand(token, ['images', 1, hiddenSize]), x], 1)
  }
  x = ops.add(x, p(`${path}embeddings.position_embedding.weight`, [tokens, hiddenSize]))
  // The name is misspelt in every CLIP checkpoint.
  if (kind === 'clip') x = layerNorm(ops, p, `${path}pre_layrnorm`, x, epsilon)
  return hiddenStates(g, p, `${path}encoder.layers`, config, x, count)
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
  const weight = p(`${path}.weight`, [hiddenSize, width])
  return ops.linear(patches, weight, kind === 'siglip' ? p(`${path}.bias`, [hiddenSize]) : undefined)
}

/** SigLIP's pooling: one learnt query attends to all tokens, then a residual MLP. [rows, tokens, hidden] to [rows, hidden] */
function attentionPool(ops: TensorOps, p: Parameters, path: string, config: VisionConfig, x: Value): Value {
  const { hiddenSize: width, heads } = config
  const rows = x.shape[0] as Dim
  const weight = p(`${path}.attention.in_proj_weight`, [3 * width, width])
  const bias = p(`${path}.attention.in_proj_bias`, [3 * width])
  const project = (value: Value, part: number) => {
    const [from, to] = [part * width, (part + 1) * width]
    return splitHeads(ops, ops.linear(value, ops.slice(weight, 0, from, to), ops.slice(bias, 0, from, to)), heads)
  }
  const probe = ops.expand(p(`${path}.probe`, [1, 1, width]), [rows, 1, width])
  const seen = joinHeads(ops, ops.attention(project(probe, 0), project(x, 1), project(x, 2)))
  const pooled = affine(ops, p, `${path}.attention.out_proj`, seen, width)
  const mixed = mlp(ops, p, path, layerNorm(ops, p, `${path}.layernorm`, pooled, config.epsilon), config)
  return ops.reshape(ops.add(pooled, mixed), [rows, width])
}
