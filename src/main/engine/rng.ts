// The one source of chance of the engine: numbers that follow from a seed, a stream and a position alone.
// Asked by whoever samples, shuffles or initialises; its state is saved beside the run that draws from it.
import { StudioError } from '../../shared/errors.ts'

/** Where a generator stands; JSON keeps it exactly. Each is an integer from 0 to 2^53 - 1. */
export interface RngState {
  readonly seed: number
  /** Streams of one seed never share a number's position: 0 is the root, others come from {@link Rng.fork}. */
  readonly stream: number
  /** Blocks of 128 bits drawn so far. */
  readonly counter: number
}

/**
 * Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011): the key is the seed, the
 * 128-bit counter holds the stream above the position. Every draw takes whole blocks, so that `counter` says it all.
 */
export class Rng {
  readonly #seed: number
  readonly #stream: number
  #counter: number
  readonly #block = new Uint32Array(4)

  /** @throws StudioError `run.random-state` when a part is not an integer from 0 to 2^53 - 1 */
  constructor({ seed, stream = 0, counter = 0 }: { seed: number; stream?: number; counter?: number }) {
    for (const [name, part] of Object.entries({ seed, stream, counter })) requireCount(name, part)
    this.#seed = seed
    this.#stream = stream
    this.#counter = counter
  }

  /** What a new generator needs to go on with the next number. */
  get state(): RngState {
    return { seed: this.#seed, stream: this.#stream, counter: this.#counter }
  }

  /**
   * A generator of the same seed at the beginning of another stream. It follows from this stream's number and
   * `label` (an integer from 0 to 2^53 - 1), not from how far this one has come, so rows that draw from a fork
   * each see the same numbers in any batch. Forks of forks are streams of their own.
   * @throws StudioError `run.random-state`
   */
  fork(label: number): Rng {
    requireCount('label', label)
    // Seeds leave the key's upper bit free: set, it keeps names of streams apart from their numbers.
    const [n, stream, seed] = [label, this.#stream, this.#seed]
    philox4x32(this.#block, n, upper(n), stream, upper(stream), seed, upper(seed) | forkBit)
    return new Rng({ seed: this.#seed, stream: bits53(this.#block, 0) })
  }

  /** A number in [0, 1), one of 2^53 equally likely ones. */
  uniform(): number {
    this.#draw()
    return bits53(this.#block, 0) / 2 ** 53
  }

  /** A number of the standard normal distribution (Box-Muller, cosine branch). */
  normal(): number {
    this.#draw()
    // 1 - u lies in (0, 1], where the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - bits53(this.#block, 0) / 2 ** 53))
    return radius * Math.cos(2 * Math.PI * (bits53(this.#block, 2) / 2 ** 53))
  }

  /**
   * An integer from 0 to `bound` - 1, each equally likely: draws beyond the last whole multiple of `bound` are
   * repeated.
   * @throws StudioError `run.random-state` when `bound` is not an integer from 1 to 2^53 - 1
   */
  below(bound: number): number {
    requireCount('bound', bound, 1)
    const limit = 2 ** 53 - (2 ** 53 % bound)
    for (;;) {
      this.#draw()
      const drawn = bits53(this.#block, 0)
      if (drawn < limit) return drawn % bound
    }
  }

  /** Brings the items into a random order, in place; every order is equally likely (Fisher-Yates). */
  shuffle<T>(items: T[]): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const held = items[last] as T
      items[last] = items[other] as T
      items[other] = held
    }
  }

  #draw(): void {
    const [n, stream, seed] = [this.#counter, this.#stream, this.#seed]
    philox4x32(this.#block, n, upper(n), stream, upper(stream), seed, upper(seed))
    this.#counter += 1
  }
}

const forkBit = 0x80000000

/**
 * Fills `out` with the four words of one block. Counter and key are 32-bit words, lowest first: Philox4x32-10 as
 * Random123 publishes it.
 */
export function philox4x32(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = highWord(multiplier0, c0)
    const high1 = highWord(multiplier1, c2)
    const [low0, low1] = [Math.imul(multiplier0, c0), Math.imul(multiplier1, c2)]
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + weyl0) | 0
    k1 = (k1 + weyl1) | 0
  }
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
}

const [multiplier0, multiplier1] = [0xd2511f53, 0xcd9e8d57]
/** The golden ratio and the square root of 3, less one, as fractions of 2^32. */
const [weyl0, weyl1] = [0x9e3779b9, 0xbb67ae85]

/** The upper 32 bits of the product of two 32-bit words, by halves that stay exact in doubles. */
function highWord(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carried = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (carried >>> 16)) | 0
}

/** The upper 53 of the 64 bits in the words at `first` and the next. */
function bits53(block: Uint32Array, first: number): number {
  return (block[first] as number) * 2 ** 21 + ((block[first + 1] as number) >>> 11)
}

/** The upper word of an integer below 2^53; the lower one is what a 32-bit operation sees of it. */
function upper(count: number): number {
  return Math.floor(count / 2 ** 32)
}

function requireCount(name: string, count: number, least = 0): void {
  if (Number.isSafeInteger(count) && count >= least) return
  throw new StudioError({
    code: 'run.random-state',
    message: `The ${name} of a random number generator is not a whole number that it can use.`,
    remedy: 'Choose a whole number that is not negative; a saved run with another one is damaged.',
    expected: `a whole number from ${least} to 2^53 - 1`,
    found: String(count),
    where: name,
  })
}
