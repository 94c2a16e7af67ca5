// Whether files of a person's are still there, known without asking the disk at the moment it is needed: one path after
// the other is looked at in the background, and one that does not answer holds up no other work.
import { stat } from 'node:fs/promises'
import { withinMs } from '../files/regularFile.ts'

export interface PresenceOptions {
  /** Called when a file has gone or come back. */
  readonly onChange: () => void
  /** How long an answer is good for. */
  readonly freshMs?: number
  readonly limitMs?: number
  readonly isFile?: (path: string) => Promise<boolean>
}

export class Presence {
  readonly #options: Required<PresenceOptions>
  readonly #missing = new Set<string>()
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #isLooking = false

  constructor(options: PresenceOptions) {
    this.#options = { freshMs: 5000, limitMs: 2000, isFile, ...options }
  }

  /** What the last look found; a file that was not looked at yet counts as there. */
  isMissing(path: string): boolean {
    return this.#missing.has(path)
  }

  /** Has these paths looked at, unless that was just done or is being done. */
  look(paths: readonly string[]): void {
    const { freshMs } = this.#options
    if (this.#isLooking || performance.now() - this.#lookedAtMs < freshMs) return
    this.#isLooking = true
    void this.#lookAt(paths).finally(() => {
      this.#lookedAtMs = performance.now()
      this.#isLooking = false
    })
  }

  async #lookAt(paths: readonly string[]): Promise<void> {
    let hasChanged = false
    for (const path of paths) {
      const asked = this.#options.isFile(path)
      const isThere = await withinMs(this.#options.limitMs, asked).catch(() => false)
      hasChanged ||= isThere === this.#missing.has(path)
      if (isThere) this.#missing.delete(path)
      else this.#missing.add(path)
      if (hasChanged) this.#options.onChange()
      // Never more than one question without an answer.
      await asked.catch(() => false)
      hasChanged = false
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path)).isFile()
}
