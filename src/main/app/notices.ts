// What main has to tell the person in the window, kept until a page has fetched it: a page that is being drawn again
// when something happens must not miss it.
import type { Notice } from '../../shared/contract.ts'

const mostKept = 8

export class Notices {
  readonly #onChange: () => void
  #waiting: readonly Notice[] = []

  /** @param onChange called when there is something to fetch */
  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  tell(notice: Notice): void {
    this.#waiting = [...this.#waiting, notice].slice(-mostKept)
    this.#onChange()
  }

  /** All that nobody has seen yet; whoever takes it shows it. */
  take(): Notice[] {
    const taken = [...this.#waiting]
    this.#waiting = []
    return taken
  }
}
