// The app's settings on disk: read once, validated field by field, written atomically.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Settings, settingsSchema } from '../../shared/settings.ts'

export class SettingsFile {
  readonly #path: string
  readonly #onProblem: (problem: string) => void
  #settings: Settings

  /** @param onProblem told when the file cannot be read, and the settings start afresh, or cannot be written. */
  constructor(path: string, onProblem: (problem: string) => void) {
    this.#path = path
    this.#onProblem = onProblem
    this.#settings = settingsSchema.parse(
      readJson(path, (reason) => onProblem(`the settings could not be read and start afresh: ${String(reason)}`)),
    )
    removeTemporaries(path)
  }

  get(): Settings {
    return this.#settings
  }

  /**
   * Changes the given fields and writes the file: a temporary one first, then renamed over the old. Where that cannot be
   * done, on a full disk for example, they hold until the app ends: no setting is worth keeping a workspace shut for.
   */
  update(change: Partial<Settings>): void {
    this.#settings = settingsSchema.parse({ ...this.#settings, ...change })
    const temporary = `${this.#path}.${process.pid}.tmp`
    try {
      mkdirSync(dirname(this.#path), { recursive: true })
      // It names a person's files: nobody else on the computer may read it.
      writeFileSync(temporary, JSON.stringify(this.#settings, null, 2), { mode: 0o600 })
      renameSync(temporary, this.#path)
    } catch (thrown) {
      this.#onProblem(`the settings could not be written: ${String(thrown)}`)
      rmSync(temporary, { force: true })
    }
  }
}

/** What instances left behind that were killed between writing and renaming. */
function removeTemporaries(path: string): void {
  const folder = dirname(path)
  if (!existsSync(folder)) return
  const left = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.`) && /\.\d+\.tmp$/.test(name))
  for (const name of left) rmSync(join(folder, name), { force: true })
}

function readJson(path: string, onUnreadable: (reason: unknown) => void): object {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value === 'object' && value !== null) return value
    onUnreadable(new Error('not a JSON object'))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') onUnreadable(thrown)
  }
  return {}
}
