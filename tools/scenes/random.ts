// A counter-based generator: number n of stream s is a pure function of (seed, s, n), so any scene can be
// drawn alone and every machine draws the same one.

/** Draws from one stream of a seed. */
export class Random {
  readonly #key: number
  #counter = 0

  constructor(seed: number, stream: number) {
    this.#key = mix(mix(seed >>> 0) ^ Math.imul(stream + 1, 0x9e3779b1))
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  next(): number {
    return mix(this.#key + Math.imul(this.#counter++, 0x6d2b79f5)) / 2 ** 32
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** Index drawn with probability proportional to its weight. */
  weighted(weights: readonly number[]): number {
    let left = this.next() * weights.reduce((sum, weight) => sum + weight, 0)
    for (const [index, weight] of weights.entries()) {
      left -= weight
      if (left < 0) return index
    }
    return weights.length - 1
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)] as T
  }
}

/** The 32-bit finaliser of MurmurHash3 (public domain, Austin Appleby). */
function mix(value: number): number {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
