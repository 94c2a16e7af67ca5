// The app's log: one rotating file (5 MB, one older generation kept) beside the settings, errors also on stderr.
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import log from 'electron-log/node'

/** Directs the log to `<folder>/studio.log`, which names a person's folders and is for the person alone. */
export function openLog(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (process.platform !== 'win32') chmodSync(folder, 0o700)
  log.transports.file.writeOptions = { ...log.transports.file.writeOptions, mode: 0o600 }
  log.transports.file.resolvePathFn = () => join(folder, 'studio.log')
  log.transports.file.maxSize = 5 * 1024 * 1024
  log.transports.file.format = '{y}-{m}-{d} {h}:{i}:{s}.{ms} {level} {text}'
  log.transports.console.level = 'error'
}

export const logger = {
  info: (line: string): void => log.info(line),
  warn: (line: string): void => log.warn(line),
  error: (line: string, cause?: unknown): void => log.error(line, ...(cause === undefined ? [] : [cause])),
}
