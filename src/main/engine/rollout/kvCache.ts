// Keys and values of a decoding batch. They live in JavaScript: a graph reads them without a copy and hands back only
// the columns of new tokens. Filled by generate.ts after each run of its graphs.
import { floatsOf, type Tensor, tensor, tensorOf } from '../graph/tensor.ts'
import type { DecoderConfig } from '../models/hfConfig.ts'
import { type Feeds, stepFeeds } from '../models/shared/sequenceFeeds.ts'

/** Columns by which a full cache grows: a growth copies everything, an unused column costs attention a little. */
const growthColumns = 64

/** What a graph answers: `key.LAYER` and `value.LAYER`, each [batch, kvHeads, columns, headDim]. */
type CacheColumns = Readonly<Record<string, Tensor>>

export class KvCache {
  readonly #config: DecoderConfig
  /** By `key.LAYER` and `value.LAYER`: [rows, kvHeads, capacity, headDim]. */
  #arrays = new Map<string, Float32Array>()
  /** [rows, capacity]; 1 where a column holds a token of the row. */
  #mask: Uint8Array
  /** Tokens of each row, its next one's position. */
  #positions: number[]
  #capacity: number
  #length: number

  /**
   * The cache of prompts, each row a copy of one of them.
   * @param prompts answers of the prompt graph
   * @param mask [prompts, columns] as the prompts were padded, on the left
   * @param promptOf for each row, its prompt
   */
  constructor(config: DecoderConfig, prompts: CacheColumns, mask: Uint8Array, promptOf: readonly number[]) {
    this.#config = config
    const columns = tensorOf(prompts, 'key.0', 'float32').shape[2] as number
    this.#length = columns
    this.#capacity = columns + growthColumns
    this.#mask = new Uint8Array(promptOf.length * this.#capacity)
    promptOf.forEach((prompt, row) => {
      this.#mask.set(mask.subarray(prompt * columns, (prompt + 1) * columns), row * this.#capacity)
    })
    this.#positions = promptOf.map((_, row) => this.#maskOf(row).reduce((sum, token) => sum + token, 0))
    for (const name of cacheNames(config)) {
      this.#arrays.set(name, this.#rearranged(floatsOf(prompts, name), columns, columns, this.#capacity, promptOf))
    }
  }

  get rows(): number {
    return this.#positions.length
  }

  /** The step graph's inputs for one new token of each row. */
  feeds(tokens: readonly number[]): Feeds {
    const { kvHeads, headDim } = this.#config
    const feeds = stepFeeds(this.#config, {
      ids: tokens,
      positions: this.#positions,
      mask: this.#mask,
      capacity: this.#capacity,
      length: this.#length,
    })
    const shape = [this.rows, kvHeads, this.#capacity, headDim]
    for (const [name, values] of this.#arrays) feeds[`past.${name}`] = tensor('float32', shape, values)
    return feeds
  }

  /** Takes in the new column of every row. */
  append(step: CacheColumns): void {
    if (this.#length === this.#capacity) this.#grow()
    const { headDim } = this.#config
    for (const [name, values] of this.#arrays) {
      const column = floatsOf(step, name)
      for (let block = 0; block < column.length / headDim; block++) {
        const to = (block * this.#capacity + this.#length) * headDim
        values.set(column.subarray(block * headDim, (block + 1) * headDim), to)
      }
    }
    for (let row = 0; row < this.rows; row++) this.#mask[row * this.#capacity + this.#length] = 1
    this.#positions = this.#positions.map((position) => position + 1)
    this.#length++
  }

  /** Keeps these rows, in this order, and forgets the others. */
  keep(rows: readonly number[]): void {
    if (rows.length === this.rows) return
    this.#reshape(this.#capacity, rows)
  }

  #grow(): void {
    this.#reshape(
      this.#capacity + growthColumns,
      this.#positions.map((_, row) => row),
    )
  }

  #reshape(capacity: number, rows: readonly number[]): void {
    const mask = new Uint8Array(rows.length * capacity)
    rows.forEach((from, row) => {
      mask.set(this.#maskOf(from).subarray(0, this.#length), row * capacity)
    })
    for (const [name, values] of this.#arrays) {
      this.#arrays.set(name, this.#rearranged(values, this.#length, this.#capacity, capacity, rows))
    }
    this.#positions = rows.map((row) => this.#positions[row] as number)
    this.#mask = mask
    this.#capacity = capacity
  }

  /** The first `columns` columns of chosen rows, from a layout of `before` columns to one of `after`. */
  #rearranged(
    values: Float32Array,
    columns: number,
    before: number,
    after: number,
    rows: readonly number[],
  ): Float32Array {
    const { kvHeads, headDim } = this.#config
    const moved = new Float32Array(rows.length * kvHeads * after * headDim)
    rows.forEach((from, row) => {
      for (let head = 0; head < kvHeads; head++) {
        const start = (from * kvHeads + head) * before * headDim
        moved.set(values.subarray(start, start + columns * headDim), (row * kvHeads + head) * after * headDim)
      }
    })
    return moved
  }

  #maskOf(row: number): Uint8Array {
    return this.#mask.subarray(row * this.#capacity, (row + 1) * this.#capacity)
  }
}

/** Names of the cache's parts in prompt and step graphs. */
export function cacheNames({ layers }: DecoderConfig): string[] {
  return Array.from({ length: layers }, (_, layer) => [`key.${layer}`, `value.${layer}`]).flat()
}
