// Paths that come from the page: full ones only, and short enough for a file system. Before it: the contract, which
// knows them as texts; after it studio.ts, which hands them on.
import { isAbsolute, normalize } from 'node:path'
import { type ErrorArea, StudioError } from '../../shared/errors.ts'
import { listBackups } from '../db/backup.ts'

/** Linux's own limit for a whole path; the shorter ones of others are told by their file system. */
const longestPathBytes = 4096
/** Every common file system's limit for one name in it. */
const longestNameBytes = 255

/**
 * A path as a file dialog or a drop on the window gives it. A relative one would depend on the folder in which the app
 * happens to have been started.
 * @throws StudioError `<area>.bad-path`
 */
export function fullPath(area: ErrorArea, path: string): string {
  const problem = problemOf(path)
  if (problem === null) return normalize(path)
  throw new StudioError({
    code: `${area}.bad-path`,
    message: `This path cannot be used: ${problem}.`,
    remedy: 'Choose the file or folder in the file dialog, or move it to a place with a shorter name.',
    where: path.slice(0, longestNameBytes),
  })
}

function problemOf(path: string): string | null {
  if (path.includes('\0')) return 'it holds a character that no file name can have'
  if (!isAbsolute(path)) return 'it does not begin at the root of a drive'
  if (Buffer.byteLength(path) > longestPathBytes) return `it is longer than ${longestPathBytes} bytes`
  const long = path.split(/[\\/]/).some((name) => Buffer.byteLength(name) > longestNameBytes)
  return long ? `a name in it is longer than ${longestNameBytes} bytes` : null
}

/**
 * A backup that the app itself lists for the workspace.
 * @throws StudioError `workspace.bad-path`, `workspace.foreign-backup`
 */
export function backupOf(path: string, backup: string): string {
  const wanted = fullPath('workspace', backup)
  if (listBackups(path).some((known) => normalize(known.path) === wanted)) return wanted
  throw new StudioError({
    code: 'workspace.foreign-backup',
    message: 'This file is not one of the backups of this workspace.',
    remedy: 'Choose a backup from the list; nothing was changed.',
    where: wanted,
  })
}
