// A response in a run's report with its object words marked, as screens mark them (features/tokens): a line, a sign and a
// colour tell verdicts apart, so that none of the three alone has to be seen. Written by scenes.ts and samples.ts.
import type { SpanLabel } from '../../../shared/domain.ts'
import { type WordChange, wordChanges } from '../../../shared/wordChanges.ts'
import { fixed, html, type Markup } from './markup.ts'

/** An object word of a response. */
export interface MarkedWord {
  /** Characters [start, end) of the text. */
  readonly start: number
  readonly end: number
  /** The object, in the singular. */
  readonly name: string
  readonly score: number | null
  /** Null when nothing has judged it. */
  readonly verdict: SpanLabel | null
  /** The verdict in words, such as "in the image". */
  readonly said: string
}

export interface MarkedResponse {
  readonly text: string
  readonly words: readonly MarkedWord[]
}

/** Two responses, each with what the other one has not marked as gone or new. */
export function markedPair(before: MarkedResponse, after: MarkedResponse): { before: Markup; after: Markup } {
  const [first, second] = [inOrder(before), inOrder(after)]
  const changes = wordChanges(first.map(nameOf), second.map(nameOf))
  return {
    before: markedText(before.text, first, changes.before),
    after: markedText(after.text, second, changes.after),
  }
}

/** One response by itself. */
export function markedResponse(response: MarkedResponse): Markup {
  return markedText(response.text, inOrder(response), [])
}

const inOrder = ({ words }: MarkedResponse): MarkedWord[] => [...words].sort((a, b) => a.start - b.start)
const nameOf = ({ name }: MarkedWord): string => name

/** @param words in reading order; those that overlap others or lie outside the text are passed over */
function markedText(text: string, words: readonly MarkedWord[], changes: readonly WordChange[]): Markup {
  if (text.trim() === '') return html`<span class="quiet">an empty response</span>`
  const parts: Markup[] = []
  let end = 0
  for (const [i, word] of words.entries()) {
    if (word.start < end || word.end > text.length || word.end <= word.start) continue
    parts.push(
      html`${text.slice(end, word.start)}${markedWord(text.slice(word.start, word.end), word, changes[i] ?? 'kept')}`,
    )
    end = word.end
  }
  return html`<span class="response" dir="auto">${parts}${text.slice(end)}</span>`
}

function markedWord(text: string, { name, score, verdict, said }: MarkedWord, change: WordChange): Markup {
  const classes = `word ${verdict ?? 'unjudged'}`
  const title = `${name}: ${said}, score ${fixed(score, 2)}${change === 'gone' ? ', not named after' : ''}${change === 'new' ? ', not named before' : ''}`
  const spoken = html`<span class="hidden"> (${said}${change === 'kept' ? '' : `, ${change}`})</span>`
  const inside = html`<bdi>${text}</bdi>${sign(verdict)}`
  if (change === 'gone') return html`<del class="${classes}" title="${title}">${inside}</del>${spoken}`
  if (change === 'new') {
    return html`<ins class="${classes}" title="${title}">${inside}</ins><sup class="new" aria-hidden="true">new</sup>${spoken}`
  }
  return html`<span class="${classes}" title="${title}">${inside}</span>${spoken}`
}

/** A tick, a cross, a ring: the drawings of TokenText.module.css. */
const signs: Readonly<Record<SpanLabel, Markup>> = {
  grounded: html`<path d="M1 5.5l3 3 5-7"/>`,
  hallucinated: html`<path d="M1.5 1.5l7 7m0-7l-7 7"/>`,
  neutral: html`<circle cx="5" cy="5" r="3"/>`,
}

function sign(verdict: SpanLabel | null): Markup | null {
  return verdict && html`<svg class="sign" viewBox="0 0 10 10" aria-hidden="true">${signs[verdict]}</svg>`
}

export interface LegendWords {
  readonly grounded: string
  readonly hallucinated: string
  /** Null where there are none. */
  readonly neutral: string | null
  /** Whether two responses are compared. */
  readonly isComparison: boolean
}

/** What lines and signs mean. */
export function legend({ grounded, hallucinated, neutral, isComparison }: LegendWords): Markup {
  const word = (verdict: SpanLabel): Markup => html`<span class="word ${verdict}">cup${sign(verdict)}</span>`
  return html`<ul class="legend" aria-label="Legend">
<li>${word('grounded')} ${grounded}</li>
<li>${word('hallucinated')} ${hallucinated}</li>
${neutral && html`<li>${word('neutral')} ${neutral}</li>`}
${
  isComparison
    ? html`<li><del class="word grounded">cup${sign('grounded')}</del> gone: not named after alignment</li>
<li><ins class="word grounded">cup${sign('grounded')}</ins><sup class="new">new</sup> not named before alignment</li>`
    : null
}
</ul>`
}
