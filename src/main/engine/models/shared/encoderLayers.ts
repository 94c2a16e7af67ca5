// Transformer layers as CLIP and SigLIP stack them in both of their towers: LayerNorm before attention and before the
// MLP (Radford et al. 2021). Written once for visionTower.ts and companion/textEncoder.ts.
import type { Dim } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { type TensorOps, tensorOps } from '../../graph/tensorOps.ts'
import { activate } from './activation.ts'
import type { Parameters } from './parameters.ts'
import type { EncoderLayers } from './towerConfig.ts'

/** A large negative number: a score with it added has no weight after the softmax. */
export const unseen = -1e9

export function layerNorm(ops: TensorOps, p: Parameters, path: string, x: Value, epsilon: number): Value {
  const width = x.shape.at(-1) as number
  return ops.layerNorm(x, p.tensor(`${path}.weight`, [width]), p.tensor(`${path}.bias`, [width]), epsilon)
}

/** [batch, seq, heads * width] as [batch, heads, seq, width]. */
export function splitHeads(ops: TensorOps, x: Value, heads: number): Value {
  const [batch, seq, hidden] = x.shape as [Dim, Dim, number]
  return ops.transpose(ops.reshape(x, [batch, seq, heads, hidden / heads]), [0, 2, 1, 3])
}

/** [batch, heads, seq, width] as [batch, seq, heads * width]. */
export function joinHeads(ops: TensorOps, x: Value): Value {
  const [batch, heads, seq, width] = x.shape as [Dim, number, Dim, number]
  return ops.reshape(ops.transpose(x, [0, 2, 1, 3]), [batch, seq, heads * width])
}

/**
 * The hidden states before the first and after each of the first `count` layers, each [batch, seq, hidden].
 * @param mask added to the attention scores, [batch or 1, 1, seq, seq]
 */
export function hiddenStates(
  g: GraphBuilder,
  p: Parameters,
  path: string,
  config: EncoderLayers,
  x: Value,
  count: number,
  mask?: Value,
): Value[] {
  const ops = tensorOps(g)
  const states = [x]
  for (let layer = 0; layer < count; layer++) {
    const at = `${path}.${layer}`
    states.push(g.segment(at, () => encoderLayer(ops, p, at, config, states.at(-1) as Value, mask)))
  }
  return states
}

function encoderLayer(
  ops: TensorOps,
  p: Parameters,
  path: string,
  { hiddenSize, intermediateSize, heads, activation, epsilon }: EncoderLayers,
  x: Value,
  mask: Value | undefined,
): Value {
  const normed = layerNorm(ops, p, `${path}.layer_norm1`, x, epsilon)
  const head = (name: string) =>
    splitHeads(ops, p.linear(`${path}.self_attn.${name}`, normed, hiddenSize, { bias: true }), heads)
  const seen = ops.attention(head('q_proj'), head('k_proj'), head('v_proj'), mask ? { mask } : {})
  const attended = ops.add(x, p.linear(`${path}.self_attn.out_proj`, joinHeads(ops, seen), hiddenSize, { bias: true }))
  return ops.add(
    attended,
    mlp(ops, p, path, layerNorm(ops, p, `${path}.layer_norm2`, attended, epsilon), { intermediateSize, activation }),
  )
}

/** fc2(act(fc1 x)) under `path.mlp`. */
export function mlp(
  ops: TensorOps,
  p: Parameters,
  path: string,
  x: Value,
  { intermediateSize, activation }: Pick<EncoderLayers, 'intermediateSize' | 'activation'>,
): Value {
  const inner = activate(ops, activation, p.linear(`${path}.mlp.fc1`, x, intermediateSize, { bias: true }))
  return p.linear(`${path}.mlp.fc2`, inner, x.shape.at(-1) as number, { bias: true })
}
