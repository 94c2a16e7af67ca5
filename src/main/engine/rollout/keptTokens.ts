// The part of a vocabulary that top-k and top-p left to draw one token from. Before it stands the sampler, after it the
// log-probabilities of policy and reference, which are taken over the same part (responseFeeds.ts).

/**
 * A set of token ids, kept as ids where they are few and as one bit for each token of the vocabulary else, so that no set
 * takes more than an eighth of a byte a token: 4 KiB of 32,768.
 */
export class KeptTokens {
  readonly #ids: Int32Array | null
  readonly #bits: Uint8Array | null

  /** @param ids copied; each from 0 to below `vocabulary` */
  constructor(ids: Int32Array, vocabulary: number) {
    const bytes = Math.ceil(vocabulary / 8)
    this.#ids = ids.byteLength <= bytes ? ids.slice() : null
    this.#bits = this.#ids ? null : new Uint8Array(bytes)
    if (this.#bits) for (const id of ids) this.#bits[id >> 3] = (this.#bits[id >> 3] as number) | (1 << (id & 7))
  }

  get byteLength(): number {
    return (this.#ids ?? (this.#bits as Uint8Array)).byteLength
  }

  /** Sets `mask` [vocabulary] to 1 for tokens of the set and 0 for all others. */
  writeTo(mask: Uint8Array): void {
    mask.fill(0)
    for (const id of this.#ids ?? []) mask[id] = 1
    const bits = this.#bits
    if (bits) for (let id = 0; id < mask.length; id++) mask[id] = ((bits[id >> 3] as number) >> (id & 7)) & 1
  }
}
