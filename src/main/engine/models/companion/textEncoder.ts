// The text tower of a CLIP or SigLIP model: a word, put into a short sentence, to its embedding in the space of
// images. Before it stands the companion's tokenizer, after it the verifier's scores.
import { type Dim, multiplyDims } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { hiddenStates, layerNorm, unseen } from '../shared/encoderLayers.ts'
import type { DualEncoderConfig, DualEncoderParameters, TextEncoderConfig } from './config.ts'

/**
 * Embeddings of length 1, [batch, projectionSize], of `input_ids` int64 [batch, seq] padded at the end.
 * @param pooledRows int64 [batch]: the row of [batch * seq] at which each text is read, see {@link pooledColumn}
 */
export function textEmbedding(
  g: GraphBuilder,
  p: DualEncoderParameters,
  { text, projectionSize }: DualEncoderConfig,
  inputIds: Value,
  pooledRows: Value,
): Value {
  const ops = tensorOps(g)
  const { kind, hiddenSize: width } = text
  const [batch, seq] = inputIds.shape as [Dim, Dim]
  const tokens = p.text.embedding('embeddings.token_embedding', inputIds, text.vocabSize, width)
  const positions = p.text.tensor('embeddings.position_embedding.weight', [text.maxPositions, width])
  const x = ops.add(tokens, ops.slice(positions, 0, 0, seq))
  const mask = kind === 'clip' ? ops.triangle(ops.full([seq, seq], unseen), 'upper', 1) : undefined
  const scores = mask && ops.reshape(mask, [1, 1, seq, seq])
  const last = hiddenStates(g, p.text, 'encoder.layers', text, x, text.layers, scores).at(-1) as Value
  const pooled = ops.gather(ops.reshape(last, [multiplyDims(batch, seq), width]), pooledRows)
  const normed = layerNorm(ops, p.text, 'final_layer_norm', pooled, text.epsilon)
  return ops.l2Normalize(
    kind === 'clip'
      ? p.textProjection.linear('', normed, projectionSize)
      : p.text.linear('head', normed, projectionSize, { bias: true }),
  )
}

/**
 * The column at which a padded text is read: CLIP at its first end token (checkpoints that name 2 as their end token
 * are older than its use: their largest id ends a text), SigLIP at the last column.
 */
export function pooledColumn({ kind, endTokenId }: TextEncoderConfig, ids: readonly number[]): number {
  if (kind === 'siglip') return ids.length - 1
  const column = endTokenId === 2 ? ids.indexOf(Math.max(...ids)) : ids.indexOf(endTokenId)
  return Math.max(column, 0)
}
