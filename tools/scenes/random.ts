// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
// Number n of a stream is a pure function of (seed, stream, index, n): each scene is drawn alone, in any order,
// and only integer arithmetic takes part, so every machine draws the same. scene.ts and captions.ts draw from it.

/** What a stream is for; two purposes never share numbers. */
export const streams = { layout: 0, noise: 1, caption: 2, backdrop: 3 } as const
export type Stream = keyof typeof streams

/** The numbers of one purpose for one scene of a seed. */
export class Random {
  readonly #counter: Uint32Array
  readonly #key: Uint32Array
  readonly #block = new Uint32Array(4)
  #used = 4

  constructor(seed: number, stream: Stream, index: number) {
    this.#key = Uint32Array.of(seed, streams[stream])
    this.#counter = Uint32Array.of(0, index, 0, 0)
  }

  /** Uniform over the 32-bit integers. */
  nextUint32(): number {
    if (this.#used === 4) {
      philox(this.#counter, this.#key, this.#block)
      this.#counter[0] = (this.#counter[0] as number) + 1
      this.#used = 0
    }
    return this.#block[this.#used++] as number
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  next(): number {
    return this.nextUint32() / 2 ** 32
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** Uniform over the integers 0 to count - 1. */
  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  /** One of the values, each as probable as the others. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  /** An index, drawn with a probability proportional to its weight. */
  weighted(weights: readonly number[]): number {
    let left = this.next() * weights.reduce((sum, weight) => sum + weight, 0)
    for (const [index, weight] of weights.entries()) {
      left -= weight
      if (left < 0) return index
    }
    return weights.length - 1
  }
}

const multipliers = [0xd2511f53, 0xcd9e8d57] as const
const keySteps = [0x9e3779b9, 0xbb67ae85] as const
const rounds = 10

/** Writes the four 32-bit numbers of `counter` (4 words) under `key` (2 words) to `out` (4 words). */
export function philox(counter: Uint32Array, key: Uint32Array, out: Uint32Array): void {
  let [c0, c1, c2, c3] = counter as unknown as [number, number, number, number]
  let [k0, k1] = key as unknown as [number, number]
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multipliers[0], c0)
    const high1 = multiplyHigh(multipliers[1], c2)
    const low0 = Math.imul(multipliers[0], c0)
    const low1 = Math.imul(multipliers[1], c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0 >>> 0
    k0 = (k0 + keySteps[0]) >>> 0
    k1 = (k1 + keySteps[1]) >>> 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

/** The upper 32 bits of a 64-bit product, by halves that a double holds exactly. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const cross = aLow * bHigh + (middle & 0xffff)
  return aHigh * bHigh + (middle >>> 16) + (cross >>> 16)
}
