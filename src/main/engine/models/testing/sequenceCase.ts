// The sequences of a fixture of tools/parity as feeds of this engine's graphs, for the tests of models/ and align/.
import type { DeviceName } from '../../../../shared/hardware.ts'
import type { Graph } from '../../graph/ir.ts'
import { OrtSession, type Tensor, tensor } from '../../graph/ortSession.ts'
import { tensorOf } from '../../graph/tensor.ts'
import { promptRows } from '../promptRows.ts'
import { type Feeds, type ImageRows, imageFeeds, sequenceFeeds, type TokenBatch } from '../shared/sequenceFeeds.ts'
import { openVlm } from '../vlm.ts'
import { type ResponseGraphOptions, responseGraph, type VlmSource, visionGraph } from '../vlmGraphs.ts'
import { floats, integers, type ParityFixture, readFixture } from './parityFixtures.ts'

/** Those with an adapter, losses and gradients. */
export const trainedFixtures = [
  ...['clip-llama', 'siglip-qwen2', 'clip-mistral', 'smolvlm-tiles'],
  ...['llava-qwen3', 'llava-phi3', 'llava-gemma2'],
  ...['llava-next', 'llava-onevision', 'vip-llava'],
]
/** Folders of every kind of decoder, tower and projector. */
export const plainFixtures = [
  ...[...trainedFixtures, 'clip-llama-bf16', 'clip-llama-linear', 'smolvlm-tile'],
  ...['llava-qwen3-bf16', 'llava-phi3-bf16', 'llava-gemma2-bf16'],
  ...['llava-next-bf16', 'llava-onevision-bf16', 'vip-llava-bf16'],
]

/** The whole sequences of a fixture, and which of their tokens are a response. */
export interface SequenceCase {
  readonly fixture: ParityFixture
  readonly source: VlmSource
  readonly batch: TokenBatch
  /** All that a response graph needs besides an adapter, a value head and what its objectives declare. */
  readonly feeds: Feeds
  /** Cells of the fixture's [batch, response] tensors that hold response tokens, in the order of the feeds' rows. */
  readonly cells: readonly number[]
}

/** Runs a graph once on a session of its own. */
export async function runOnce(graph: Graph, feeds: Feeds, device: DeviceName = 'cpu'): Promise<Record<string, Tensor>> {
  const session = await OrtSession.open(graph, { device, threads: 1 })
  try {
    return await session.compute(feeds)
  } finally {
    await session.release()
  }
}

export async function runResponse(source: VlmSource, feeds: Feeds, options: ResponseGraphOptions) {
  return await runOnce(responseGraph(source, options).graph, feeds)
}

export function tokenBatch(fixture: ParityFixture, name: 'prompt' | 'sequence'): TokenBatch {
  const stored = fixture.get(`${name}.input_ids`)
  const [batch, seq] = stored.shape as [number, number]
  const ids = Int32Array.from(integers(stored))
  return { batch, seq, ids, mask: Uint8Array.from(integers(fixture.get(`${name}.attention_mask`))) }
}

/** `image_features` [image_rows, hidden] of the fixture's own pixel values, as its prompts take them. */
export async function imageFeaturesOf(source: VlmSource, fixture: ParityFixture): Promise<Tensor<'float32'>> {
  const pixels = fixture.get('pixel_values')
  const seen = await runOnce(visionGraph(source), {
    pixel_values: tensor('float32', pixels.shape, floats(pixels)),
  })
  const projected = tensorOf(seen, 'image_features', 'float32')
  const { sizes = [], tiles = [] } = fixture.json.images
  if (!source.architecture.arrangement) return projected
  const valuesOfTile = projected.values.length / (pixels.shape[0] as number)
  let at = 0
  const rows = sizes.flatMap(([width, height], i) => {
    const count = tiles[i] as number
    const features = projected.values.slice(at, at + count * valuesOfTile)
    at += features.length
    return [...promptRows(source, { size: { width, height }, tiles: count, features }, seen).features]
  })
  const { hiddenSize } = source.config.decoder
  return tensor('float32', [rows.length / hiddenSize, hiddenSize], rows)
}

/** The rows of the features that each of a fixture's images takes, one image to each row of a batch. */
export function oneImageEach({ json, get }: ParityFixture, { shape }: Pick<Tensor, 'shape'>): ImageRows[][] {
  const images = get('prompt.input_ids').shape[0] as number
  const equal = new Array<number>(images).fill((shape[0] as number) / images)
  let first = 0
  return (json.images.rows ?? equal).map((count) => {
    const rows = [{ first, count }]
    first += count
    return rows
  })
}

/** @param folder of the model; the fixture's own when left out */
export async function openSequenceCase(name: string, folder?: string): Promise<SequenceCase> {
  const fixture = await readFixture(name)
  const source = await openVlm(folder ?? fixture.folder)
  const batch = tokenBatch(fixture, 'sequence')
  const { cells, feeds } = responseRows(fixture, batch)
  const imageFeatures = await imageFeaturesOf(source, fixture)
  return {
    fixture,
    source,
    batch,
    cells,
    feeds: {
      ...sequenceFeeds(source.config.decoder, batch),
      ...imageFeeds(source.config, batch, oneImageEach(fixture, imageFeatures)),
      ...feeds,
      image_features: imageFeatures,
      temperature: tensor('float32', [], [1]),
    },
  }
}

function responseRows(fixture: ParityFixture, { batch, seq, ids }: TokenBatch) {
  const mask = integers(fixture.get('sequence.response_mask'))
  const length = mask.length / batch
  const cells = mask.flatMap((token, cell) => (token ? [cell] : []))
  const column = (cell: number) => fixture.json.response_start + (cell % length)
  const rows = cells.map((cell) => Math.floor(cell / length) * seq + column(cell) - 1)
  return { cells, feeds: rowFeeds(rows, (row) => ids[row + 1] as number) }
}

/** `response_rows` and the ids that they predict. */
export function rowFeeds(rows: readonly number[], idAfter: (row: number) => number): Feeds {
  return {
    response_rows: tensor('int64', [rows.length], BigInt64Array.from(rows, BigInt)),
    response_ids: tensor(
      'int64',
      [rows.length],
      BigInt64Array.from(rows, (row) => BigInt(idAfter(row))),
    ),
  }
}

/** The cells of a fixture's tensor, `width` numbers each. */
export function at(expected: Float32Array, cells: readonly number[], width = 1): Float32Array {
  return Float32Array.from(cells.flatMap((cell) => [...expected.subarray(cell * width, (cell + 1) * width)]))
}
