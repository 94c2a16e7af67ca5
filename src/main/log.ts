// The app's log: one rotating file (5 MB, one older generation kept) beside the settings, errors also on stderr.
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import log from 'electron-log/node'

/** Directs the log to `<folder>/studio.log`. It names a person's files, so nobody else on the computer may read it. */
export function openLog(folder: string): void {
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o700)
  for (const name of ['studio.log', 'studio.old.log']) {
    // Those of earlier versions, which others could read.
    if (existsSync(join(folder, name))) chmodSync(join(folder, name), 0o600)
  }
  log.transports.file.writeOptions = { flag: 'a', mode: 0o600, encoding: 'utf8' }
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
