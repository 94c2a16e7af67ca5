// The files of a workspace on the disk: the main file with the log that belongs to it, moved together.
import { closeSync, existsSync, fsyncSync, openSync, renameSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'

const suffixes = ['', '-wal', '-shm']

/**
 * Renames what there is of a workspace, the log with the file: SQLite would play a log that is left behind into
 * whatever file comes to stand in its place.
 * @returns the new path of the main file; its log has the same name with the usual ending
 */
export function moveAside(path: string, why: 'damaged' | 'left over', nowMs: number): string {
  const aside = join(dirname(path), `${basename(path, extname(path))} ${why} ${stamp(nowMs)}.fisao`)
  for (const suffix of suffixes) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  }
  return aside
}

/** `2026-11-24 13-05-09.123` in UTC: readable, sortable and allowed on every file system. */
export function stamp(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('T', ' ').replaceAll(':', '-').replace('Z', '')
}

/** Makes a rename durable; Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
