// Ctrl-C and SIGTERM: the first one ends the work after its next commit, or at once where nothing is being committed; the
// second one ends the process, which loses nothing either. Before it stand the signals, after it whoever works.
import { exitCodeOfSignal } from './exitCodes.ts'

const signals = ['SIGINT', 'SIGTERM'] as const

export class Stopping {
  readonly #abort = new AbortController()
  readonly #say: (sentence: string) => void
  #by: NodeJS.Signals | null = null
  #waits = false

  constructor(say: (sentence: string) => void) {
    this.#say = say
    for (const signal of signals) process.on(signal, () => this.#ask(signal))
  }

  /** Raised when the work is to end. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The signal that asked for it; null when none did. */
  get by(): NodeJS.Signals | null {
    return this.#by
  }

  /** From now on work is committed bit by bit, and {@link committed} says when. */
  waitForCommits(): void {
    this.#waits = true
  }

  committed(): void {
    if (this.#by !== null) this.#abort.abort()
  }

  #ask(signal: NodeJS.Signals): void {
    if (this.#by !== null) process.exit(exitCodeOfSignal(signal))
    this.#by = signal
    if (!this.#waits) this.#abort.abort()
    this.#say(
      this.#waits
        ? 'stopping after the next commit; once more stops at once, and nothing committed is lost'
        : 'stopping; once more stops at once',
    )
  }
}
