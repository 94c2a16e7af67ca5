// The feeds that tell a graph where its tokens stand: positions, rotation tables, masks, and which tokens are parts
// of images. Made from padded token ids, for prompts and training (vlmGraphs.ts) and for single steps of decoding.

import { StudioError } from '../../../../shared/errors.ts'
import { type Tensor, tensor } from '../../graph/ortSession.ts'
import type { VlmConfig } from '../architecture.ts'
import type { DecoderConfig } from './decoderConfig.ts'
import { unseen } from './encoderLayers.ts'
import { endsAtTrainedLength, type RopeConfig, type RopeTables, requireTrainedLength, ropeTables } from './rope.ts'

export type Feeds = Record<string, Tensor>

/** Token ids of several sequences, padded to one length on either side. */
export interface TokenBatch {
  readonly batch: number
  readonly seq: number
  /** [batch, seq] */
  readonly ids: Int32Array
  /** [batch, seq]; 1 for a token, 0 for padding. */
  readonly mask: Uint8Array
}

/** Pads sequences to the longest; `side` is where the padding goes. */
export function padTokens(rows: readonly (readonly number[])[], padId: number, side: 'left' | 'right'): TokenBatch {
  const seq = Math.max(1, ...rows.map((row) => row.length))
  const ids = new Int32Array(rows.length * seq).fill(padId)
  const mask = new Uint8Array(rows.length * seq)
  rows.forEach((row, i) => {
    const start = i * seq + (side === 'left' ? seq - row.length : 0)
    ids.set(row, start)
    mask.fill(1, start, start + row.length)
  })
  return { batch: rows.length, seq, ids, mask }
}

/** `input_ids`, and what `sequenceInputs` declares, for prompts and whole sequences. */
export function sequenceFeeds(config: DecoderConfig, { batch, seq, ids, mask }: TokenBatch): Feeds {
  const positions = positionsOf(mask, batch, seq)
  const last = positions.reduce((a, b) => Math.max(a, b), 0)
  return {
    input_ids: tensor('int64', [batch, seq], BigInt64Array.from(ids, BigInt)),
    positions: tensor('int64', [batch, seq], BigInt64Array.from(positions, BigInt)),
    ...ropeFeeds(config, last + 1, seq),
    padding_mask: tensor(
      'float32',
      [batch, seq],
      Float32Array.from(mask, (token) => (token ? 0 : unseen)),
    ),
    ...orderMasks(config, seq),
  }
}

/**
 * Feeds of one decoding step: the tokens `ids`, one for each row, at `positions`, after a cache of `capacity`
 * columns of which the first `length` are filled.
 * @param mask of the filled columns, [rows, length] by rows of `capacity`; 0 for padding
 */
export function stepFeeds(
  config: DecoderConfig,
  step: { ids: readonly number[]; positions: readonly number[]; mask: Uint8Array; capacity: number; length: number },
): Feeds {
  const { ids, positions, mask, capacity, length } = step
  const rows = ids.length
  const keys = capacity + 1
  const padding = new Float32Array(rows * keys).fill(unseen)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < length; column++) {
      if (mask[row * capacity + column]) padding[row * keys + column] = 0
    }
    padding[row * keys + capacity] = 0
  }
  const feeds: Feeds = {
    input_ids: tensor('int64', [rows, 1], BigInt64Array.from(ids, BigInt)),
    positions: tensor('int64', [rows, 1], BigInt64Array.from(positions, BigInt)),
    ...ropeFeeds(config, Math.max(...positions) + 1, 1),
    padding_mask: tensor('float32', [rows, keys], padding),
  }
  for (const window of new Set(config.windows)) {
    // The new token is the last of the window, so the cache shows it `window - 1` columns.
    const first = window === null ? 0 : Math.max(0, length - window + 1)
    const order = new Float32Array(keys)
    order.fill(unseen, 0, Math.min(first, capacity))
    feeds[window === null ? 'causal_mask' : 'window_mask'] = tensor('float32', [1, keys], order)
  }
  return feeds
}

/** Rows of the fed features that belong to one image: the first of them, and how many. */
export interface ImageRows {
  readonly first: number
  readonly count: number
}

/**
 * `is_image` and `image_index`: the image tokens of each row in turn take the rows of its images' features.
 * @param images of each row of the batch, in the order of the prompt
 * @throws StudioError `model.image-places` when a row has more or fewer image tokens than rows of features
 */
export function imageFeeds(
  { imageTokenId }: Pick<VlmConfig, 'imageTokenId'>,
  { batch, seq, ids, mask }: TokenBatch,
  images: readonly (readonly ImageRows[])[],
): Feeds {
  const isImage = new Uint8Array(batch * seq)
  const index = new BigInt64Array(batch * seq)
  for (let row = 0; row < batch; row++) {
    const rows = (images[row] ?? []).flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i))
    let next = 0
    for (let at = row * seq; at < (row + 1) * seq; at++) {
      if (ids[at] !== imageTokenId || !mask[at]) continue
      isImage[at] = 1
      index[at] = BigInt(rows[next++] ?? 0)
    }
    if (next !== rows.length) throw misplaced(rows.length, next)
  }
  return { is_image: tensor('bool', [batch, seq], isImage), image_index: tensor('int64', [batch, seq], index) }
}

/**
 * As {@link imageFeeds}, with the features themselves: `image_features` [image_rows, hidden]. Text alone feeds one row
 * of zeros, which nothing reads.
 * @param features of each row's images, [rows, hidden] each
 */
export function featureFeeds(
  config: Pick<VlmConfig, 'imageTokenId' | 'decoder'>,
  batch: TokenBatch,
  features: readonly (readonly Float32Array[])[],
): Feeds {
  const { hiddenSize } = config.decoder
  const stacked = new Float32Array(
    Math.max(
      hiddenSize,
      features.flat().reduce((sum, { length }) => sum + length, 0),
    ),
  )
  let first = 0
  const images = features.map((row) =>
    row.map((image): ImageRows => {
      stacked.set(image, first * hiddenSize)
      const rows = { first, count: image.length / hiddenSize }
      first += rows.count
      return rows
    }),
  )
  const image_features = tensor('float32', [stacked.length / hiddenSize, hiddenSize], stacked)
  return { ...imageFeeds(config, batch, images), image_features }
}

function misplaced(expected: number, found: number): StudioError {
  return new StudioError({
    code: 'model.image-places',
    message: 'A prompt does not have a place for each part of its images.',
    remedy: 'Report this fault: the model’s prompt and its image features do not fit each other.',
    expected: `${expected} image tokens`,
    found: `${found}`,
  })
}

/** Position of each token among the tokens of its row; padding stands at 0. */
function positionsOf(mask: Uint8Array, batch: number, seq: number): Int32Array {
  const positions = new Int32Array(batch * seq)
  for (let row = 0; row < batch; row++) {
    let position = 0
    for (let at = row * seq; at < (row + 1) * seq; at++) if (mask[at]) positions[at] = position++
  }
  return positions
}

const orderMaskCache = new Map<string, Feeds>()

/** `causal_mask` and `window_mask` [seq, seq]: a token sees itself and, within the window, those before it. */
function orderMasks(config: DecoderConfig, seq: number): Feeds {
  const windows = [...new Set(config.windows)]
  const key = `${windows} ${seq}`
  const known = orderMaskCache.get(key)
  if (known) return known
  const feeds: Feeds = {}
  for (const window of windows) {
    const mask = new Float32Array(seq * seq).fill(unseen)
    for (let query = 0; query < seq; query++) {
      mask.fill(0, query * seq + Math.max(0, window === null ? 0 : query - window + 1), query * seq + query + 1)
    }
    feeds[window === null ? 'causal_mask' : 'window_mask'] = tensor('float32', [seq, seq], mask)
  }
  if (orderMaskCache.size >= 8) orderMaskCache.clear()
  orderMaskCache.set(key, feeds)
  return feeds
}

/** Tables are made for this many positions more than asked for, so that they serve the next steps too. */
const tableStep = 256
const tableCache = new Map<string, RopeTables>()

/**
 * @param length positions in use
 * @param seq columns of the tokens: ONNX Runtime wants as many rows as these, though padding reads the first alone
 * @throws StudioError `model.beyond-trained-length`
 */
function ropeFeeds({ rope, rotaryDim }: DecoderConfig, length: number, seq: number): Feeds {
  requireTrainedLength(rope, length)
  const rows = Math.ceil(Math.max(length, seq) / tableStep) * tableStep
  const key = `${JSON.stringify(rope)} ${rotaryDim} ${rows}`
  const known = tableCache.get(key) ?? tablesOf(rope, rotaryDim, rows)
  if (tableCache.size >= 8) tableCache.clear()
  tableCache.set(key, known)
  const shape = [rows, rotaryDim / 2]
  return { 'rope.cos': tensor('float32', shape, known.cos), 'rope.sin': tensor('float32', shape, known.sin) }
}

/** Beyond a length that nothing may reach the rows are 0. */
function tablesOf(rope: RopeConfig, rotaryDim: number, rows: number): RopeTables {
  const computed = ropeTables(rope, rotaryDim, endsAtTrainedLength(rope) ? Math.min(rows, rope.originalLength) : rows)
  const filled = (values: Float32Array): Float32Array => {
    const table = new Float32Array((rows * rotaryDim) / 2)
    table.set(values)
    return table
  }
  return { cos: filled(computed.cos), sin: filled(computed.sin) }
}
