// The app's settings on disk: read once, validated field by field, written atomically.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Settings, settingsSchema } from '../../shared/settings.ts'

export class SettingsFile {
  readonly #path: string
  #settings: Settings

  /** @param onUnreadable called once, with the reason, when the file was there but could not be used. */
  constructor(path: string, onUnreadable: (reason: unknown) => void) {
    this.#path = path
    this.#settings = settingsSchema.parse(readJson(path, onUnreadable))
  }

  get(): Settings {
    return this.#settings
  }

  /** Changes the given fields and writes the file: a temporary one first, then renamed over the old. */
  update(change: Partial<Settings>): void {
    this.#settings = settingsSchema.parse({ ...this.#settings, ...change })
    mkdirSync(dirname(this.#path), { recursive: true })
    const temporary = `${this.#path}.${process.pid}.tmp`
    writeFileSync(temporary, JSON.stringify(this.#settings, null, 2))
    renameSync(temporary, this.#path)
  }
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
