// A response as a person reads it: its object words in reading order, with the text between them. Before it stands what
// the workspace stores or the engine streams (tokens and spans), after it screens and reports.
import type { SpanLabel, SpanRecord, TokenRecord } from './domain.ts'

/** An object word of a response; a word that was not judged yet has neither verdict nor score. */
export interface WordSpan extends Pick<SpanRecord, 'startPosition' | 'endPosition' | 'word'> {
  readonly score: number | null
  readonly reward: number | null
  readonly label: SpanLabel | null
}

/** What words are read from; a `ResponseDetail` is one. */
export interface WordSource {
  readonly text: string
  readonly tokens: readonly Pick<TokenRecord, 'textStart' | 'textEnd' | 'logProb' | 'referenceLogProb'>[]
  readonly spans: readonly WordSpan[]
}

/** A mention of an object in a response. */
export interface ResponseWord {
  /** Its place among the words, from 0. */
  readonly index: number
  /** The object, in the singular. */
  readonly name: string
  /** `text.slice(start, end)`: whole characters as a person sees them, without the space or full stop of its tokens. */
  readonly start: number
  readonly end: number
  readonly verdict: SpanLabel | null
  /** s_t = <f_img(image), f_txt(word)>, in [-1, 1]. */
  readonly score: number | null
  readonly reward: number | null
  /** log pi(word | what stands before it): the sum over its tokens, in nats. */
  readonly logProb: number
  /** The same under the reference policy; null when one of its tokens has none. */
  readonly referenceLogProb: number | null
  /** Its part of the KL estimate: log pi - log pi_ref, in nats; null as above. */
  readonly klNats: number | null
  readonly tokenCount: number
  readonly isRepeated: boolean
}

/**
 * The object words in reading order. A span that begins inside an earlier one gets what that one leaves of it, and is
 * left out when nothing is left; so is a span without text.
 */
export function wordsOf({ text, tokens, spans }: WordSource): ResponseWord[] {
  const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)
  const placed = spans
    .map((span) => ({ span, ...placeOf(span, tokens, text, graphemes) }))
    .sort((a, b) => a.start - b.start || b.end - a.end)
  const words: ResponseWord[] = []
  const named = new Set<string>()
  let end = 0
  for (const { span, ...place } of placed) {
    // What an earlier word leaves of it may begin with a space.
    const [start] = place.start < end ? trimmed(text, Math.min(end, place.end), place.end) : [place.start]
    if (start >= place.end) continue
    end = place.end
    words.push({
      ...{ index: words.length, name: span.word, start, end },
      ...{ verdict: span.label, score: span.score, reward: span.reward },
      ...logProbsOf(tokens.slice(span.startPosition, span.endPosition)),
      tokenCount: span.endPosition - span.startPosition,
      isRepeated: named.has(span.word),
    })
    named.add(span.word)
  }
  return words
}

function placeOf(
  { startPosition, endPosition }: WordSpan,
  tokens: WordSource['tokens'],
  text: string,
  graphemes: Intl.Segments,
): { readonly start: number; readonly end: number } {
  const own = tokens.slice(startPosition, endPosition)
  const first = Math.min(text.length, ...own.map(({ textStart }) => textStart))
  const last = Math.min(text.length, Math.max(0, ...own.map(({ textEnd }) => textEnd)))
  // Bytes of one character may be several tokens, some of them without characters of their own.
  if (last <= first) return { start: 0, end: 0 }
  const [start, end] = trimmed(text, first, last)
  return {
    start: graphemes.containing(start)?.index ?? start,
    end: endOfGrapheme(graphemes, end),
  }
}

/** Without white space and punctuation at the ends, unless there is nothing else. */
function trimmed(text: string, start: number, end: number): readonly [start: number, end: number] {
  const slice = text.slice(start, end)
  const before = /^[\s\p{P}]*/u.exec(slice)?.[0].length ?? 0
  if (before === slice.length) return [start, end]
  const after = /[\s\p{P}]*$/u.exec(slice)?.[0].length ?? 0
  return [start + before, end - after]
}

/** The end of the character that holds the unit before `end`. */
function endOfGrapheme(graphemes: Intl.Segments, end: number): number {
  const last = graphemes.containing(end - 1)
  return last ? last.index + last.segment.length : end
}

function logProbsOf(tokens: WordSource['tokens']): Pick<ResponseWord, 'logProb' | 'referenceLogProb' | 'klNats'> {
  let logProb = 0
  let reference: number | null = 0
  for (const token of tokens) {
    logProb += token.logProb
    reference = reference === null || token.referenceLogProb === null ? null : reference + token.referenceLogProb
  }
  return { logProb, referenceLogProb: reference, klNats: reference === null ? null : logProb - reference }
}

/** What is shown of a word in its text. */
export type ShownWord = Pick<ResponseWord, 'index' | 'name' | 'start' | 'end' | 'verdict' | 'score'>

/** A piece of a response: an object word, or the text up to the next one. */
export interface ResponsePart<W extends ShownWord = ResponseWord> {
  readonly text: string
  /** Null between object words. */
  readonly word: W | null
}

/** The whole text, cut at its words: the parts joined are the text. */
export function partsOf<W extends ShownWord>(text: string, words: readonly W[]): ResponsePart<W>[] {
  const parts: ResponsePart<W>[] = []
  let end = 0
  for (const word of words) {
    if (word.start > end) parts.push({ text: text.slice(end, word.start), word: null })
    parts.push({ text: text.slice(word.start, word.end), word })
    end = word.end
  }
  if (end < text.length) parts.push({ text: text.slice(end), word: null })
  return parts
}
