// The image side of a companion encoder: pixels to the one embedding of an image that the verifier compares with words,
// and to those of its patches. Before it stands the tower, after it the verifier.
import type { Dim } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type TensorOps, tensorOps } from '../../graph/tensorOps.ts'
import { joinHeads, layerNorm, mlp, splitHeads } from '../shared/encoderLayers.ts'
import type { Parameters } from '../shared/parameters.ts'
import { patchCount, type VisionConfig } from '../shared/towerConfig.ts'
import { towerStates } from '../shared/visionTower.ts'
import type { DualEncoderConfig, DualEncoderParameters } from './config.ts'

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
 */
export function imageEmbeddings(
  g: GraphBuilder,
  p: DualEncoderParameters,
  { vision, projectionSize, kind }: DualEncoderConfig,
  pixels: Value,
): ImageEmbeddings {
  const ops = tensorOps(g)
  const width = vision.hiddenSize
  const last = towerStates(g, p.tower, vision, pixels, vision.layers).at(-1) as Value
  const normalised = (x: Value) => layerNorm(ops, p.tower, 'post_layernorm', x, vision.epsilon)
  if (kind === 'clip') {
    // Asked for before the norm: the first values of a companion that is trained follow the order of its parameters.
    p.imageProjection.tensor('weight', [projectionSize, width])
    const project = (x: Value) => ops.l2Normalize(p.imageProjection.linear('', normalised(x), projectionSize))
    return {
      pooled: project(ops.reshape(ops.slice(last, 1, 0, 1), ['images', width])),
      patches: () => project(ops.slice(last, 1, 1)),
    }
  }
  const states = normalised(last)
  const pool = (x: Value) => ops.l2Normalize(attentionPool(ops, p.tower, 'head', vision, x))
  const patches = patchCount(vision)
  const rows = () => ops.reshape(states, [`${patches}*images`, 1, width])
  return {
    pooled: pool(states),
    patches: () => ops.reshape(pool(rows()), ['images', patches, width]),
  }
}

/** SigLIP's pooling: one learnt query attends to all tokens, then a residual MLP. [rows, tokens, hidden] to [rows, hidden] */
function attentionPool(ops: TensorOps, p: Parameters, path: string, config: VisionConfig, x: Value): Value {
  const { hiddenSize: width, heads } = config
  const rows = x.shape[0] as Dim
  const weight = p.tensor(`${path}.attention.in_proj_weight`, [3 * width, width])
  const bias = p.tensor(`${path}.attention.in_proj_bias`, [3 * width])
  const project = (value: Value, part: number) => {
    const [from, to] = [part * width, (part + 1) * width]
    return splitHeads(ops, ops.linear(value, ops.slice(weight, 0, from, to), ops.slice(bias, 0, from, to)), heads)
  }
  const probe = ops.expand(p.tensor(`${path}.probe`, [1, 1, width]), [rows, 1, width])
  const seen = joinHeads(ops, ops.attention(project(probe, 0), project(x, 1), project(x, 2)))
  const pooled = p.linear(`${path}.attention.out_proj`, seen, width, { bias: true })
  const mixed = mlp(ops, p, path, layerNorm(ops, p, `${path}.layernorm`, pooled, config.epsilon), config)
  return ops.reshape(ops.add(pooled, mixed), [rows, width])
}
