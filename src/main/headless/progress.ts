// How far the work is, as a bar for a person or as lines of JSON for a program, and what it came to. Before it stand the
// jobs, after it stdout (results, JSON) and stderr (the bar, everything that is said by the way).
import type { ErrorRecord } from '../../shared/errors.ts'
import type { RunPhase } from '../../shared/runProgress.ts'
import type { ProgressForm } from './commandLine.ts'
import { programName } from './help.ts'

/** How far a job is. Steps of an alignment, responses or answers of everything else. */
export interface Progress {
  readonly done: number
  /** 0 while it is not known. */
  readonly total: number
  /** What is going on, in a word. */
  readonly phase: RunPhase | 'describing' | 'judging' | 'answering' | 'counting' | 'reading' | 'collecting' | 'working'
  readonly remainingMs: number | null
}

/** What a job came to. */
export interface Outcome {
  readonly kind: string
  /** For a person, a sentence or more. */
  readonly said: string
  /** Where the result lies; null when there is no file, and it is printed. */
  readonly out: string | null
  /** For a program. */
  readonly result: unknown
}

/** With `--progress json` every line of stdout is one of these, told apart by `type`. */
export type Line =
  | { readonly type: 'started'; readonly kind: string; readonly job: string | null }
  | ({ readonly type: 'progress' } & Progress)
  | { readonly type: 'note'; readonly text: string }
  | ({ readonly type: 'done' } & Outcome)
  | ({ readonly type: 'error'; readonly exitCode: number } & ErrorRecord)

export interface Streams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether stderr is a terminal, whose line can be written over. */
  readonly isTerminal: boolean
}

const barWidth = 24

export class Reporter {
  readonly #form: ProgressForm
  readonly #streams: Streams
  /** The last line of the bar; empty when none stands there. */
  #bar = ''

  constructor(form: ProgressForm, streams: Streams) {
    this.#form = form
    this.#streams = streams
  }

  started(kind: string, job: string | null): void {
    if (this.#form === 'json') this.#line({ type: 'started', kind, job })
  }

  progress(progress: Progress): void {
    if (this.#form === 'json') this.#line({ type: 'progress', ...progress })
    else if (this.#form === 'bar') this.#draw(barOf(progress))
  }

  /** Something that a person should know by the way. */
  note(text: string): void {
    if (this.#form === 'json') this.#line({ type: 'note', text })
    this.#clear()
    this.#streams.err(`${programName}: ${text}\n`)
  }

  done(outcome: Outcome): void {
    this.#clear()
    if (this.#form === 'json') this.#line({ type: 'done', ...outcome })
    else this.#streams.out(`${outcome.out === null ? JSON.stringify(outcome.result, null, 1) : outcome.said}\n`)
  }

  failed(error: ErrorRecord, exitCode: number): void {
    this.#clear()
    if (this.#form === 'json') this.#line({ type: 'error', exitCode, ...error })
    this.#streams.err(`${programName}: ${wordsOf(error)}\n`)
  }

  #line(line: Line): void {
    this.#streams.out(`${JSON.stringify(line)}\n`)
  }

  #draw(bar: string): void {
    if (bar === this.#bar) return
    if (this.#streams.isTerminal) this.#streams.err(`\r${bar}\u001b[K`)
    else this.#streams.err(`${bar}\n`)
    this.#bar = bar
  }

  #clear(): void {
    if (this.#bar !== '' && this.#streams.isTerminal) this.#streams.err('\r\u001b[K')
    this.#bar = ''
  }
}

/** So many times the reading of images is told of, however many there are. */
const readingTold = 20

/** Tells of images that are read before a run begins: call it for each one. */
export function readingImages(reporter: Reporter, total: number): () => void {
  let [done, told] = [0, 0]
  return () => {
    done++
    if (done < total && done < told + total / readingTold) return
    told = done
    reporter.progress({ done, total, phase: 'reading', remainingMs: null })
  }
}

/** What is wrong, for a person: the sentence, the place, and what to do about it. */
export function wordsOf({ message, where, remedy, expected, found }: ErrorRecord): string {
  const differs = expected !== undefined && found !== undefined ? `\n  expected ${expected}, found ${found}` : ''
  return `${message}${where === undefined ? '' : ` (${where})`}${differs}\n  ${remedy}`
}

function barOf({ done, total, phase, remainingMs }: Progress): string {
  if (total === 0) return phase
  const filled = Math.round((barWidth * Math.min(done, total)) / total)
  const left = remainingMs === null ? '' : `, about ${durationWords(remainingMs)} left`
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${done} of ${total}, ${phase}${left}`
}

function durationWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
