// A response as words: each object word with its verdict, chosen by mouse or keys. Before it stands
// shared/responseWords.ts, beside it WordPanel.tsx, which says what is known of the chosen word.
import './palette.css'
import { type KeyboardEvent, type MouseEvent, memo, type ReactNode, useMemo, useRef } from 'react'
import type { SpanLabel } from '../../../../shared/domain.ts'
import { partsOf, type ResponsePart, type ShownWord } from '../../../../shared/responseWords.ts'
import { unjudgedSentence, verdictNames } from '../../../../shared/verdict.ts'
import type { WordChange } from '../../../../shared/wordChanges.ts'
import { formatFigure } from '../../format.ts'
import css from './TokenText.module.css'

export interface TokenTextProps {
  /** Whose response it is, for those who do not see it. */
  readonly label: string
  readonly text: string
  readonly words: readonly ShownWord[]
  /** Against another response, for each word; nothing is marked without it. */
  readonly changes?: readonly WordChange[] | undefined
  /** Index of the chosen word. */
  readonly chosen: number | null
  readonly onChoose: (index: number) => void
  /** The word under the pointer, null when it left. */
  readonly onHover?: (index: number | null) => void
  /** More is to come: a caret stands at the end. */
  readonly isStreaming?: boolean
}

export function TokenText(props: TokenTextProps): ReactNode {
  const { label, text, words, changes, chosen, onChoose, onHover, isStreaming = false } = props
  const box = useRef<HTMLDivElement>(null)
  const chunks = useMemo(() => chunksOf(partsOf(text, words)), [text, words])
  const isLong = chunks.length > mostRunningChunks
  // One word is reached by Tab, the others by arrow keys from it.
  const tabStop = chosen !== null && chosen < words.length ? chosen : 0

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const from = indexAt(event.target)
    const to = from === null ? null : nextWord(event.key, from, words.length, isRightToLeft(event.currentTarget))
    if (to === null) return
    event.preventDefault()
    onChoose(to)
    box.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus()
  }
  const choose = (event: MouseEvent): void => {
    const index = indexAt(event.target)
    // Text that was selected by a drag is no choice.
    if (index !== null && (event.detail === 0 || getSelection()?.isCollapsed !== false)) onChoose(index)
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form; this is a paragraph whose words are buttons
    <div
      ref={box}
      role="group"
      aria-label={label}
      aria-busy={isStreaming}
      dir="auto"
      className={css.response}
      onKeyDown={onKeyDown}
      onClick={choose}
      onPointerOver={onHover && ((event) => onHover(indexAt(event.target)))}
      onPointerLeave={onHover && (() => onHover(null))}
    >
      {chunks.map((chunk) => {
        const drawn = (
          <Chunk
            key={chunk.firstWord}
            chunk={chunk}
            changes={changes}
            chosen={within(chunk, chosen)}
            tabStop={within(chunk, tabStop)}
          />
        )
        return isLong ? (
          <div key={chunk.firstWord} className={css.chunk}>
            {drawn}
          </div>
        ) : (
          drawn
        )
      })}
      {isStreaming && <span className={css.caret} aria-hidden="true" />}
    </div>
  )
}

/** So many words are looked at again when one of them is chosen; of a long response the others are left alone. */
const wordsInChunk = 64

interface TextChunk {
  readonly parts: readonly ResponsePart<ShownWord>[]
  /** Indices of its words: [firstWord, endWord). */
  readonly firstWord: number
  readonly endWord: number
}

/**
 * A response of more chunks shows each as a paragraph of its own, and what is out of sight is neither laid out nor painted:
 * in one paragraph the browser would look at all words for each that changes.
 */
const mostRunningChunks = 4

/** Chunks end with a sentence, unless one goes on for as many words again. */
function chunksOf(parts: readonly ResponsePart<ShownWord>[]): TextChunk[] {
  const chunks: TextChunk[] = []
  let open: ResponsePart<ShownWord>[] = []
  let firstWord = 0
  let endWord = 0
  const close = (): void => {
    chunks.push({ parts: open, firstWord, endWord })
    open = []
    firstWord = endWord
  }
  for (const part of parts) {
    const count = endWord - firstWord
    if (part.word) {
      if (count === 2 * wordsInChunk) close()
      open.push(part)
      endWord = part.word.index + 1
      continue
    }
    const end = count >= wordsInChunk ? sentenceEnd(part.text) : 0
    if (end === 0) open.push(part)
    else {
      open.push({ text: part.text.slice(0, end), word: null })
      close()
      if (end < part.text.length) open.push({ text: part.text.slice(end), word: null })
    }
  }
  return open.length > 0 || chunks.length === 0 ? [...chunks, { parts: open, firstWord, endWord }] : chunks
}

/** Where the last sentence of a text ends that is followed by more than its end; 0 where none does. */
function sentenceEnd(text: string): number {
  const [match] = [...text.matchAll(/[.!?。！？]\s+/gu)].slice(-1)
  return match ? match.index + match[0].length : 0
}

/** The index of a word if it stands in the chunk. */
function within({ firstWord, endWord }: TextChunk, index: number | null): number | null {
  return index !== null && index >= firstWord && index < endWord ? index : null
}

interface ChunkProps {
  readonly chunk: TextChunk
  readonly changes: readonly WordChange[] | undefined
  readonly chosen: number | null
  readonly tabStop: number | null
}

const Chunk = memo(function ChunkView({ chunk, changes, chosen, tabStop }: ChunkProps): ReactNode {
  return chunk.parts.map(({ text, word }, i) =>
    word === null ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name, and grow at their end only
      <span key={i}>{text}</span>
    ) : (
      <Word
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        key={i}
        index={word.index}
        text={text}
        name={word.name}
        verdict={word.verdict}
        score={word.score}
        change={changes?.[word.index] ?? 'kept'}
        isChosen={word.index === chosen}
        isTabStop={word.index === tabStop}
      />
    ),
  )
})

interface WordProps {
  readonly index: number
  readonly text: string
  readonly name: string
  readonly verdict: SpanLabel | null
  readonly score: number | null
  readonly change: WordChange
  readonly isChosen: boolean
  readonly isTabStop: boolean
}

/** One word; of ten thousand only those are drawn again that changed. */
const Word = memo(function WordView(props: WordProps): ReactNode {
  const { index, text, name, verdict, score, change, isChosen, isTabStop } = props
  const said = verdict === null ? 'not judged' : verdictNames[verdict]
  const figure = score === null ? '' : `, score ${formatFigure(score, 3)}`
  const button = (
    <button
      type="button"
      className={css.word}
      data-index={index}
      data-verdict={verdict ?? 'unjudged'}
      data-change={change}
      tabIndex={isTabStop ? 0 : -1}
      aria-pressed={isChosen}
      aria-label={`${text}, ${said}${change === 'kept' ? '' : `, ${change}`}`}
      title={verdict === null ? unjudgedSentence : `${name}: ${said}${figure}`}
    >
      {text}
    </button>
  )
  if (change === 'kept') return button
  return (
    <span className={css.marked}>
      {button}
      <sup className={css.note} aria-hidden="true">
        {change}
      </sup>
    </span>
  )
})

/** The index of the word that an event met. */
function indexAt(target: EventTarget): number | null {
  const word = target instanceof Element ? target.closest('[data-index]') : null
  return word instanceof HTMLElement ? Number(word.dataset['index']) : null
}

/** The word that a key leads to, null for keys that lead nowhere. */
function nextWord(key: string, from: number, count: number, isMirrored: boolean): number | null {
  const forward = isMirrored ? 'ArrowLeft' : 'ArrowRight'
  const back = isMirrored ? 'ArrowRight' : 'ArrowLeft'
  if (key === forward) return Math.min(count - 1, from + 1)
  if (key === back) return Math.max(0, from - 1)
  if (key === 'Home') return 0
  return key === 'End' ? count - 1 : null
}

function isRightToLeft(element: Element): boolean {
  return getComputedStyle(element).direction === 'rtl'
}

interface WordLegendProps {
  /** Two responses are compared: gone and new are explained too. */
  readonly isComparison?: boolean
  /** Some words wait for a verdict or will have none. */
  readonly hasUnjudged?: boolean
}

/** What the lines and signs mean. */
export function WordLegend({ isComparison = false, hasUnjudged = false }: WordLegendProps): ReactNode {
  return (
    <ul className={css.legend} aria-label="Legend">
      <LegendItem verdict="grounded">in the image, by the encoder</LegendItem>
      <LegendItem verdict="hallucinated">not in the image</LegendItem>
      <LegendItem verdict="neutral">too close to call</LegendItem>
      {hasUnjudged && <LegendItem verdict={null}>not judged: no verifier has scored it</LegendItem>}
      {isComparison && (
        <>
          <LegendItem verdict={null} change="gone">
            no longer named
          </LegendItem>
          <LegendItem verdict={null} change="new">
            not named before
          </LegendItem>
        </>
      )}
    </ul>
  )
}

interface LegendItemProps {
  readonly verdict: SpanLabel | null
  readonly change?: 'gone' | 'new'
  readonly children: ReactNode
}

function LegendItem({ verdict, change, children }: LegendItemProps): ReactNode {
  return (
    <li>
      <span className={css.word} aria-hidden="true" data-verdict={verdict ?? 'unjudged'} data-change={change ?? 'kept'}>
        {change ?? (verdict === null ? 'word' : verdictNames[verdict])}
      </span>{' '}
      <span>{children}</span>
    </li>
  )
}
