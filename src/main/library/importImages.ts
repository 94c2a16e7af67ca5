// Imports a folder: walks it, reads a few files at a time, stores them in small transactions. Killed at any
// moment, it goes on where it was: what a commit holds is passed over, what it does not is read again.
import { opendir, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import type { ImportIssue } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { mapSome } from '../../shared/mapSome.ts'
import type { ImportCounts } from '../../shared/workerProtocol.ts'
import type { WritableDb } from '../db/connection.ts'
import { imageAtPath, pathOfHash } from '../db/images.ts'
import { type ImportItem, importById, setImportState, skippedPaths, storeBatch } from '../db/imports.ts'
import { imageExtensions, ReadIssue, readImage } from './readImage.ts'

/** Files read at once; sharp decodes each on a thread of libuv's pool of four. */
const readersAtOnce = 4
/** A commit costs one flush of the disk; a kill costs at most this many files of work. */
const batchSize = 32

export interface ImportOptions {
  readonly signal: AbortSignal
  readonly report: (counts: ImportCounts) => void
}

/**
 * Runs the import with this id to its end, or until the signal is raised.
 * @throws StudioError `image.folder-missing` when its folder cannot be read; `workspace.disk-full` and the like
 *   when a batch cannot be stored. What was committed before is kept, and the import can resume.
 */
export async function runImport(
  db: WritableDb,
  importId: number,
  { signal, report }: ImportOptions,
): Promise<{ state: 'complete' | 'cancelled'; counts: ImportCounts }> {
  const record = importById(db, importId)
  if (!record) throw missingImport(importId)
  setImportState(db, importId, 'running', Date.now())
  const counts = { seen: 0, added: 0, known: 0, skipped: 0, found: 0, walking: true }
  const skippedBefore = skippedPaths(db, importId)
  const paths = await findImages(record.folder, signal, (found) => report({ ...counts, found }))
  counts.found = paths.length
  counts.walking = false
  report({ ...counts })

  for (let start = 0; start < paths.length && !signal.aborted; start += batchSize) {
    const batch = paths.slice(start, start + batchSize)
    const items = (await mapSome(batch, readersAtOnce, (path) => readItem(db, path, skippedBefore))).filter(
      (item) => item !== null,
    )
    const { added, issues } = storeBatch(db, importId, items, (image) => duplicateIssue(db, image), Date.now())
    counts.seen += batch.length
    counts.added += added
    counts.skipped += issues.length
    counts.known += batch.length - added - issues.length
    report({ ...counts })
  }
  const state = signal.aborted ? 'cancelled' : 'complete'
  setImportState(db, importId, state, Date.now())
  return { state, counts }
}

/** One file as an item to store, or null when an earlier commit has dealt with it. */
async function readItem(db: WritableDb, path: string, skippedBefore: ReadonlySet<string>): Promise<ImportItem | null> {
  if (skippedBefore.has(path) || (await isStored(db, path))) return null
  try {
    const image = await readImage(path)
    return { image: { ...image, path, name: basename(path) } }
  } catch (thrown) {
    if (!(thrown instanceof ReadIssue)) throw thrown
    return { issue: { path, code: thrown.code, message: thrown.message } }
  }
}

/** True when the very file, by size and time of change, is in the workspace. */
async function isStored(db: WritableDb, path: string): Promise<boolean> {
  const stored = imageAtPath(db, path)
  if (!stored) return false
  const stats = await stat(path).catch(() => null)
  return stats !== null && stored.sizeBytes === stats.size && stored.modifiedMs === Math.round(stats.mtimeMs)
}

function duplicateIssue(db: WritableDb, image: { path: string; sha256: Buffer }): ImportIssue | null {
  const first = pathOfHash(db, image.sha256)
  if (first === undefined || first === image.path) return null
  return { path: image.path, code: 'duplicate', message: `It is the same image as ${basename(first)}, byte for byte.` }
}

/**
 * Paths of all files below `folder` that could be images, in the order of their names; of a single file (one
 * that a person dropped), just it. Links are not followed.
 */
async function findImages(folder: string, signal: AbortSignal, found: (count: number) => void): Promise<string[]> {
  const paths: string[] = []
  const root = await stat(folder).catch((cause: unknown) => Promise.reject(missingFolder(folder, cause)))
  if (root.isFile()) return [resolve(folder)]
  if (!root.isDirectory()) throw notAFolder(folder)
  const folders = [resolve(folder)]
  for (let next = folders.pop(); next !== undefined && !signal.aborted; next = folders.pop()) {
    try {
      for await (const entry of await opendir(next)) {
        const path = join(next, entry.name)
        if (entry.isDirectory()) folders.push(path)
        else if (entry.isFile() && imageExtensions.has(extname(entry.name).toLowerCase())) paths.push(path)
        if (paths.length % 1000 === 999) found(paths.length)
      }
    } catch (cause) {
      if (next === resolve(folder)) throw missingFolder(folder, cause)
      // A folder further down that may not be read does not end the import of the others.
    }
  }
  return paths.sort()
}

function missingFolder(folder: string, cause: unknown): StudioError {
  return new StudioError(
    {
      code: 'image.folder-missing',
      message: 'The folder cannot be read: it is gone, or you may not look into it.',
      remedy: 'Connect the drive that it is on, then resume the import; what is in the workspace stays.',
      where: folder,
    },
    { cause },
  )
}

function notAFolder(path: string): StudioError {
  return new StudioError({
    code: 'image.not-a-folder',
    message: 'This is neither a folder nor a file, but a pipe or a device.',
    remedy: 'Choose a folder with pictures.',
    where: path,
  })
}

function missingImport(importId: number): StudioError {
  return new StudioError({
    code: 'image.no-such-import',
    message: 'This import is not in the workspace.',
    remedy: 'Add the folder again.',
    where: `import ${importId}`,
  })
}
