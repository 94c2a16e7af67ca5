// The app's settings on disk: read once, validated field by field, written atomically.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Settings, settingsSchema } from '../../shared/settings.ts'

export class SettingsFile {
  readonly #path: string
  #settings: Settings

  /** @param onUnreadable called once, with the reason, when the file was there but could not be used. */
  constructor(path: string, onUnreadable: (reason: unknown) => void) {
    this.#path = path
    this.#settings = settingsSchema.parse(readJson(path, onUnreadable))
    removeTemporaries(path)
  }

  get(): Settings {
    return this.#settings
  }

  /** Changes the given fields and writes the file: a temporary one first, then renamed over the old. */
  update(change: Partial<Settings>): void {
    this.#settings = settingsSchema.parse({ ...this.#settings, ...change })
    mkdirSync(dirname(this.#path), { recursive: true })
    const temporary = `${this.#path}.${process.pid}.tmp`
    // It names a person's files: nobody else on the computer may read it.
    writeFileSync(temporary, JSON.stringify(this.#settings, null, 2), { mode: 0o600 })
    renameSync(temporary, this.#path)
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
