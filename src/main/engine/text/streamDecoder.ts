// The text of a response while its tokens are being sampled: whole characters as soon as nothing can change them.
// tokenizer.ts makes one for each row of a rollout.

/** What the stream needs of a tokenizer's decoding. */
export interface DecodedTokens {
  readonly text: string
  /** For each token the UTF-16 units `[start, end)` of the text that it contributed to. */
  readonly ranges: readonly (readonly [start: number, end: number])[]
  /** The first token whose text another token after the last one could still change. */
  readonly open: number
}

/** Takes token ids one by one and gives the text that each completes; all of it together is the text of `decode`. */
export class StreamDecoder {
  readonly #decode: (ids: readonly number[]) => DecodedTokens
  /** The tokens that are decoded together: what is open, behind one settled token that keeps it from being the first. */
  #window: number[] = []
  /** How much of the window's text has been given out, UTF-16 units. */
  #given = 0

  constructor(decode: (ids: readonly number[]) => DecodedTokens) {
    this.#decode = decode
  }

  /** The text that this token completes; often empty, never half a character. */
  push(id: number): string {
    this.#window.push(id)
    const { text, ranges, open } = this.#decode(this.#window)
    const isSettled = open >= this.#window.length
    const settledEnd = isSettled ? text.length : Math.max(ranges[open]?.[0] ?? 0, this.#given)
    const completed = text.slice(this.#given, settledEnd)
    this.#given = settledEnd
    if (isSettled) this.#shrink(ranges)
    return completed
  }

  /** The rest: what no further token can complete any more. The stream can be used for another response then. */
  finish(): string {
    const rest = this.#decode(this.#window).text.slice(this.#given)
    this.#window = []
    this.#given = 0
    return rest
  }

  /** Keeps the last token that has text: decoders treat the first token of a text differently from all others. */
  #shrink(ranges: DecodedTokens['ranges']): void {
    const last = ranges.findLastIndex(([start, end]) => end > start)
    const kept = this.#window[last]
    if (kept === undefined) return
    this.#window = [kept]
    this.#given = this.#decode(this.#window).text.length
  }
}
