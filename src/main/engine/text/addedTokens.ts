// Added tokens (markers such as `<image>` and `</s>`) found in aligned text before it is split any further. tokenizer.ts
// asks twice: in the text as it was given, then in what the normalizer made of the rest. Reference: `AddedVocabulary` of
// the `tokenizers` library.
import { z } from 'zod'
import type { AlignedText } from './alignedText.ts'
import { largestTokenId } from './bpe.ts'

export const addedTokenSchema = z.strictObject({
  id: z.int().nonnegative().max(largestTokenId),
  content: z.string().max(4096),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(true),
  special: z.boolean().default(false),
})
export type AddedToken = z.infer<typeof addedTokenSchema>

/** A stretch of text: an added token's, or text (`id` null) that is still to be tokenized. */
export interface Section {
  readonly id: number | null
  readonly text: AlignedText
}

const endsInWord = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u
const beginsWithWord = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u
const spacesAtEnd = /\p{White_Space}*$/u
const spacesAtStart = /^\p{White_Space}*/u

/** Cuts text at added tokens: of those that match, the leftmost, and of these the longest. */
export class AddedTokenSplitter {
  /** By their first UTF-16 unit, the longest first. */
  readonly #byFirst = new Map<string, { token: AddedToken; content: string }[]>()

  /** @param normalize what the tokenizer's normalizer makes of a token's content, when tokens are sought behind it */
  constructor(tokens: readonly AddedToken[], normalize: (content: string) => string) {
    for (const token of tokens) {
      const content = normalize(token.content)
      if (content === '') continue
      const first = content.charAt(0)
      const known = this.#byFirst.get(first) ?? []
      this.#byFirst.set(first, [...known, { token, content }])
    }
    for (const known of this.#byFirst.values()) known.sort((a, b) => b.content.length - a.content.length)
  }

  split(text: AlignedText): Section[] {
    const sections: Section[] = []
    let done = 0
    for (let at = 0; at < text.length; ) {
      const match = this.#byFirst.get(text.text.charAt(at))?.find(({ content }) => text.text.startsWith(content, at))
      if (!match) {
        at++
        continue
      }
      const { token } = match
      const end = at + match.content.length
      const range = at >= done ? rangeOf(token, text.text, at, end) : null
      if (range) {
        // Spaces that the token before took along are not taken twice.
        const from = Math.max(range.from, done)
        if (from > done) sections.push({ id: null, text: text.slice(done, from) })
        sections.push({ id: token.id, text: text.slice(from, range.to) })
        done = range.to
      }
      at = end
    }
    if (done < text.length) sections.push({ id: null, text: text.slice(done, text.length) })
    return sections
  }
}

/** The token's range with the spaces that it takes along; null where it must be a word and is not. */
function rangeOf(token: AddedToken, text: string, from: number, to: number): { from: number; to: number } | null {
  const before = text.slice(0, from)
  const after = text.slice(to)
  if (token.single_word && (endsInWord.test(before) || beginsWithWord.test(after))) return null
  return {
    from: token.lstrip ? from - (spacesAtEnd.exec(before)?.[0].length ?? 0) : from,
    to: token.rstrip ? to + (spacesAtStart.exec(after)?.[0].length ?? 0) : to,
  }
}
