// When a response ends: an end token, a stop string, or its length. Asked by generate.ts after each token.

export type FinishReason = 'end' | 'stop-string' | 'length'

export interface StopConditions {
  /** A response ends with any of them; it stays the last of its tokens. */
  readonly endTokenIds: readonly number[]
  /** A response ends once its text holds any of them; the text is cut before it, the tokens stay. */
  readonly stopStrings: readonly string[]
  readonly maxNewTokens: number
}

/** Turns tokens into text as they come: answers what has become whole by this token, never half a character. */
export interface TextStream {
  push(token: number): string
  /** What is left at the end, e.g. bytes that make no character. */
  finish(): string
}

/** One response while it grows. */
export class GrowingText {
  readonly #conditions: StopConditions
  readonly #stream: TextStream | null
  #text = ''
  #tokens = 0

  /** @param stream absent where no text is wanted; stop strings are then not found */
  constructor(conditions: StopConditions, stream: TextStream | null) {
    this.#conditions = conditions
    this.#stream = stream
  }

  get text(): string {
    return this.#text
  }

  /** Takes in a token. @returns what text it completed, and why the response ends with it, null when it goes on */
  push(token: number): { added: string; reason: FinishReason | null } {
    const { endTokenIds, stopStrings, maxNewTokens } = this.#conditions
    this.#tokens++
    const isEnd = endTokenIds.includes(token)
    const added = isEnd ? (this.#stream?.finish() ?? '') : (this.#stream?.push(token) ?? '')
    const before = this.#text.length
    this.#text += added
    const at = firstOf(this.#text, stopStrings, before)
    if (at !== null) this.#text = this.#text.slice(0, at)
    const reason = isEnd ? 'end' : at !== null ? 'stop-string' : this.#tokens >= maxNewTokens ? 'length' : null
    if (reason === 'length') this.#text += this.#stream?.finish() ?? ''
    return { added: this.#text.slice(before), reason }
  }
}

/** Where the earliest stop string begins that ends behind `before`, null when there is none. */
function firstOf(text: string, stopStrings: readonly string[], before: number): number | null {
  let first: number | null = null
  for (const stop of stopStrings) {
    if (stop === '') continue
    const at = text.indexOf(stop, Math.max(0, before - stop.length + 1))
    if (at >= 0 && (first === null || at < first)) first = at
  }
  return first
}
