// Keys and values of a decoding batch, and where its tokens stand. A graph reads them from the memory that they are held
// in and hands back only the columns of new tokens. Filled by generate.ts after each run of its graphs.
import { type HeldTensors, hostMemory, type TensorMemory } from '../graph/heldTensors.ts'
import type { RunInput, RunOutput } from '../graph/ortSession.ts'
import { namedIn } from '../graph/tensor.ts'
import type { DecoderConfig } from '../models/shared/decoderConfig.ts'
import { stepFeeds } from '../models/shared/sequenceFeeds.ts'

/** Columns by which a full cache grows: a growth copies everything, an unused column costs attention a little. */
export const cacheGrowthColumns = 64

/** The axis of the columns in [rows, kvHeads, columns, headDim]. */
const columnAxis = 2

/** What a graph answers: `key.LAYER` and `value.LAYER`, each [batch, kvHeads, columns, headDim]. */
type CacheColumns = Readonly<Record<string, RunOutput>>

export class KvCache {
  readonly #config: DecoderConfig
  /** `past.key.LAYER` and `past.value.LAYER`: [rows, kvHeads, capacity, headDim]. */
  readonly #held: HeldTensors
  /** [rows, capacity]; 1 where a column holds a token of the row. */
  #mask: Uint8Array
  /** Tokens of each row, its next one's position. */
  #positions: number[]
  #capacity: number
  #length: number

  /**
   * The cache of prompts, each row a copy of one of them.
   * @param prompts answers of the prompt graph, whose columns are taken over
   * @param mask [prompts, columns] as the prompts were padded, on the left
   * @param promptOf for each row, its prompt
   * @param memory where keys and values are held; elsewhere than in this process the cache is to be released
   */
  constructor(
    config: DecoderConfig,
    prompts: CacheColumns,
    mask: Uint8Array,
    promptOf: readonly number[],
    memory: TensorMemory = hostMemory,
  ) {
    this.#config = config
    const columns = namedIn(prompts, 'key.0').shape[columnAxis] as number
    this.#length = columns
    this.#capacity = columns + cacheGrowthColumns
    this.#mask = new Uint8Array(promptOf.length * this.#capacity)
    promptOf.forEach((prompt, row) => {
      this.#mask.set(mask.subarray(prompt * columns, (prompt + 1) * columns), row * this.#capacity)
    })
    this.#positions = promptOf.map((_, row) => this.#maskOf(row).reduce((sum, token) => sum + token, 0))
    this.#held = memory.hold(this.#asPast(prompts))
    this.#held.arrange({ rows: promptOf, axis: columnAxis, kept: columns, size: this.#capacity })
  }

  get rows(): number {
    return this.#positions.length
  }

  /** Of keys and values. */
  get sizeBytes(): number {
    return this.#held.sizeBytes
  }

  /** The step graph's inputs for one new token of each row. */
  feeds(tokens: readonly number[]): Record<string, RunInput> {
    const step = stepFeeds(this.#config, {
      ids: tokens,
      positions: this.#positions,
      mask: this.#mask,
      capacity: this.#capacity,
      length: this.#length,
    })
    return { ...step, ...this.#held.feeds() }
  }

  /** Takes over the new column of every row. */
  append(step: CacheColumns): void {
    if (this.#length === this.#capacity) this.#grow()
    this.#held.write(this.#asPast(step), columnAxis, this.#length)
    for (let row = 0; row < this.rows; row++) this.#mask[row * this.#capacity + this.#length] = 1
    this.#positions = this.#positions.map((position) => position + 1)
    this.#length++
  }

  /** Keeps these rows, in this order, and forgets the others. */
  keep(rows: readonly number[]): void {
    if (rows.length === this.rows) return
    this.#reshape(this.#capacity, rows)
  }

  /** Gives the memory of keys and values back. */
  async release(): Promise<void> {
    await this.#held.release()
  }

  #grow(): void {
    this.#reshape(
      this.#capacity + cacheGrowthColumns,
      this.#positions.map((_, row) => row),
    )
  }

  #reshape(capacity: number, rows: readonly number[]): void {
    const mask = new Uint8Array(rows.length * capacity)
    rows.forEach((from, row) => {
      mask.set(this.#maskOf(from).subarray(0, this.#length), row * capacity)
    })
    // Of a cache that does not grow all columns are kept, so that its memory is too.
    const kept = capacity === this.#capacity ? capacity : this.#length
    this.#held.arrange({ rows, axis: columnAxis, kept, size: capacity })
    this.#positions = rows.map((row) => this.#positions[row] as number)
    this.#mask = mask
    this.#capacity = capacity
  }

  /** Columns by the names under which the step graph reads them. */
  #asPast(columns: CacheColumns): CacheColumns {
    return Object.fromEntries(cacheNames(this.#config).map((name) => [`past.${name}`, namedIn(columns, name)]))
  }

  #maskOf(row: number): Uint8Array {
    return this.#mask.subarray(row * this.#capacity, (row + 1) * this.#capacity)
  }
}

/** Names of the cache's parts in prompt and step graphs. */
export function cacheNames({ layers }: DecoderConfig): string[] {
  return Array.from({ length: layers }, (_, layer) => [`key.${layer}`, `value.${layer}`]).flat()
}
