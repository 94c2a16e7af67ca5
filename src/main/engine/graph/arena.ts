// ONNX Runtime's memory for computed values on the CPU, as arithmetic: which bytes it takes from the system for a sequence of
// allocations. Freed chunks are joined only within a region, so it takes more than is alive (core/framework/bfc_arena.cc of
// ONNX Runtime 1.30, with its default settings). Used by livePeak.ts.

const least = 256
const firstRegion = 1024 ** 2
/** A larger rest of a chunk is split off even where it is smaller than what was asked for. */
const mostDead = 128 * 1024 ** 2
const largestDoubled = 1024 ** 3

interface Chunk {
  readonly region: number
  readonly start: number
  size: number
  isFree: boolean
}

/** Names of what is allocated are the caller's. */
export class Arena {
  /** Chunks of each region, by their start. */
  readonly #regions: Chunk[][] = []
  /** Bytes of each region that were ever used: the system gives a page when it is first written. */
  readonly #touched: number[] = []
  readonly #chunks = new Map<string, Chunk>()
  #nextRegion = firstRegion

  /** Bytes that were written at least once. */
  get touchedBytes(): number {
    return this.#touched.reduce((sum, bytes) => sum + bytes, 0)
  }

  allocate(name: string, bytes: number): void {
    if (bytes === 0) return
    const size = Math.ceil(bytes / least) * least
    const chunk = this.#bestFit(size) ?? this.#extend(size)
    chunk.isFree = false
    if (chunk.size >= 2 * size || chunk.size - size >= mostDead) this.#split(chunk, size)
    this.#chunks.set(name, chunk)
    this.#touched[chunk.region] = Math.max(this.#touched[chunk.region] ?? 0, chunk.start + size)
  }

  free(name: string): void {
    const chunk = this.#chunks.get(name)
    if (!chunk) return
    this.#chunks.delete(name)
    chunk.isFree = true
    const chunks = this.#regions[chunk.region] as Chunk[]
    const at = chunks.indexOf(chunk)
    for (const left of [at, at - 1]) {
      const [one, next] = [chunks[left], chunks[left + 1]]
      if (!one?.isFree || !next?.isFree) continue
      one.size += next.size
      chunks.splice(left + 1, 1)
    }
  }

  /** The smallest free chunk that is large enough; among equals the first. */
  #bestFit(size: number): Chunk | null {
    let best: Chunk | null = null
    for (const chunks of this.#regions) {
      for (const chunk of chunks) {
        if (chunk.isFree && chunk.size >= size && (best === null || chunk.size < best.size)) best = chunk
      }
    }
    return best
  }

  #extend(size: number): Chunk {
    let isDoubled = false
    while (size > this.#nextRegion) {
      this.#nextRegion *= 2
      isDoubled = true
    }
    const chunk: Chunk = { region: this.#regions.length, start: 0, size: this.#nextRegion, isFree: true }
    this.#regions.push([chunk])
    if (!isDoubled && this.#nextRegion < largestDoubled) this.#nextRegion *= 2
    return chunk
  }

  #split(chunk: Chunk, size: number): void {
    const rest: Chunk = { region: chunk.region, start: chunk.start + size, size: chunk.size - size, isFree: true }
    chunk.size = size
    const chunks = this.#regions[chunk.region] as Chunk[]
    chunks.splice(chunks.indexOf(chunk) + 1, 0, rest)
  }
}
