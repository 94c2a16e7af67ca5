// The part of a vocabulary that top-k and top-p left to draw one token from. Before it stands the sampler, after it the
// log-probabilities of policy and reference, which are taken over the same part (responseFeeds.ts).

/** A set as plain data: one of the two. */
export interface KeptTokensData {
  readonly ids: Int32Array | null
  readonly bits: Uint8Array | null
}

/**
 * A set of token ids, kept as ids where they are few and as one bit for each token of the vocabulary else, so that no set
 * takes more than an eighth of a byte a token: 4 KiB of 32,768.
 */
export class KeptTokens {
  readonly data: KeptTokensData

  private constructor(data: KeptTokensData) {
    this.data = data
  }

  /** @param ids copied; each from 0 to below `vocabulary` */
  static from(ids: Int32Array, vocabulary: number): KeptTokens {
    const bytes = Math.ceil(vocabulary / 8)
    if (ids.byteLength <= bytes) return new KeptTokens({ ids: ids.slice(), bits: null })
    const bits = new Uint8Array(bytes)
    for (const id of ids) bits[id >> 3] = (bits[id >> 3] as number) | (1 << (id & 7))
    return new KeptTokens({ ids: null, bits })
  }

  /** The set that another thread had. */
  static of(data: KeptTokensData): KeptTokens {
    return new KeptTokens(data)
  }

  get byteLength(): number {
    return (this.data.ids ?? (this.data.bits as Uint8Array)).byteLength
  }

  /** Sets `mask` [vocabulary] to 1 for tokens of the set and 0 for all others. */
  writeTo(mask: Uint8Array): void {
    mask.fill(0)
    const { ids, bits } = this.data
    for (const id of ids ?? []) mask[id] = 1
    if (bits) for (let id = 0; id < mask.length; id++) mask[id] = ((bits[id >> 3] as number) >> (id & 7)) & 1
  }
}
