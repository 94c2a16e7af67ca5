// The companion of a vision-language model: the CLIP or SigLIP checkpoint that its image tower was taken from, whose
// text tower tells how well a word fits an image. Before it stands a Hugging Face folder, after it the verifier.
import { openWeights, type Weights } from '../../folder/weights.ts'
import { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Graph } from '../../graph/ir.ts'
import { type Tensor, tensor } from '../../graph/ortSession.ts'
import { storedParameters } from '../shared/parameters.ts'
import type { Feeds } from '../shared/sequenceFeeds.ts'
import { patchCount } from '../shared/towerConfig.ts'
import { pixelInput } from '../shared/visionTower.ts'
import { requireKnownTensors } from '../vlm.ts'
import { type DualEncoderConfig, dualEncoderNames, readDualEncoderConfig, type TextEncoderConfig } from './config.ts'
import { imageEmbeddings } from './imageEncoder.ts'
import { pooledColumn, textEmbedding } from './textEncoder.ts'

/** A CLIP or SigLIP model as graphs see it. */
export interface DualEncoderSource {
  readonly config: DualEncoderConfig
  readonly weights: Weights
}

/**
 * The config and weights of a CLIP or SigLIP folder, every tensor checked for its name, shape and dtype. Reads headers
 * only.
 * @throws StudioError what `readDualEncoderConfig`, `openWeights` and `storedParameters` throw, `weights.unknown-tensor`
 */
export async function openDualEncoder(folder: string): Promise<DualEncoderSource> {
  const source = { config: await readDualEncoderConfig(folder), weights: await openWeights(folder) }
  const graphs = [imageEmbeddingGraph(source), textEmbeddingGraph(source)]
  const isUnused = (name: string) => /^logit_(scale|bias)$/.test(name)
  requireKnownTensors(source.weights, dualEncoderNames, graphs, isUnused, 'a CLIP or SigLIP model')
  return source
}

/**
 * `pixel_values` [images, channels, size, size] to `image_embeds` [images, projectionSize] of length 1.
 * @param patches also computes `patch_embeds` [images, patches, projectionSize], see {@link evidenceMap}
 */
export function imageEmbeddingGraph({ config, weights }: DualEncoderSource, { patches = false } = {}): Graph {
  const g = new GraphBuilder('imageEmbedding')
  const pixels = pixelInput(g, config.vision)
  const embeddings = imageEmbeddings(g, storedParameters(g, weights, dualEncoderNames), config, pixels)
  g.output('image_embeds', embeddings.pooled)
  if (patches) g.output('patch_embeds', embeddings.patches())
  return g.build()
}

/** The inputs of {@link textFeeds} to `text_embeds` [batch, projectionSize] of length 1. */
export function textEmbeddingGraph({ config, weights }: DualEncoderSource): Graph {
  const g = new GraphBuilder('textEmbedding')
  const ids = g.input('input_ids', 'int64', ['batch', 'seq'])
  const rows = g.input('pooled_rows', 'int64', ['batch'])
  g.output('text_embeds', textEmbedding(g, storedParameters(g, weights, dualEncoderNames), config, ids, rows))
  return g.build()
}

/**
 * Feeds of {@link textEmbeddingGraph}: `input_ids` [batch, seq] and `pooled_rows` [batch]. CLIP's texts are padded to
 * the longest, since what follows a token does not change it; SigLIP's to all its positions, as it was trained.
 * @param rows token ids of each text as its tokenizer gives them, special tokens included
 */
export function textFeeds(config: TextEncoderConfig, rows: readonly (readonly number[])[]): Feeds {
  const { kind, maxPositions, padTokenId } = config
  const longest = Math.max(1, ...rows.map(({ length }) => length))
  const seq = kind === 'siglip' ? maxPositions : Math.min(longest, maxPositions)
  const padded = rows.map((row) => fitted(row, seq, padTokenId))
  const pooled = padded.map((row, i) => i * seq + pooledColumn(config, row))
  return {
    input_ids: tensor('int64', [rows.length, seq], BigInt64Array.from(padded.flat(), BigInt)),
    pooled_rows: tensor('int64', [rows.length], BigInt64Array.from(pooled, BigInt)),
  }
}

/** The row padded to a length, or cut to it with its last token kept: the end token at which CLIP reads a text. */
function fitted(row: readonly number[], length: number, padId: number): number[] {
  if (row.length <= length) return [...row, ...new Array<number>(length - row.length).fill(padId)]
  return [...row.slice(0, length - 1), row.at(-1) as number]
}

/**
 * Where an image shows what a text says: the cosine of each patch with the text, [side, side] by rows from the top
 * left. A relative measure: patches that CLIP and SigLIP never trained to speak alone are compared within one image.
 * @param patchEmbeds `patch_embeds` of {@link imageEmbeddingGraph}
 * @param image row of the batch
 * @param text embedding of length 1, [projectionSize]
 */
export function evidenceMap(
  { vision, projectionSize }: DualEncoderConfig,
  patchEmbeds: Tensor<'float32'>,
  image: number,
  text: Float32Array,
): Float32Array {
  const patches = patchCount(vision)
  const { values } = patchEmbeds
  return Float32Array.from({ length: patches }, (_, patch) => {
    const start = (image * patches + patch) * projectionSize
    let cosine = 0
    for (let i = 0; i < projectionSize; i++) cosine += (values[start + i] as number) * (text[i] as number)
    return cosine
  })
}
