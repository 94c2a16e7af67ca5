// Imports folders and files: finds the pictures (findImages.ts), reads a few files at a time, stores them in small transactions. Killed at any
// moment, it goes on where it was: what a commit holds is passed over, what it does not is read again.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ImportIssue } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { mapSome } from '../../shared/mapSome.ts'
import type { ImportCounts } from '../../shared/workerProtocol.ts'
import type { WritableDb } from '../db/connection.ts'
import { imageAtPath, imageOfHash, type StoredImage } from '../db/images.ts'
import {
  type ImportItem,
  importById,
  importPaths,
  setImportState,
  skippedPaths,
  storeBatch,
  storeLeftOut,
} from '../db/imports.ts'
import { findImages } from './findImages.ts'
import { ReadIssue, readImage } from './readImage.ts'

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
  const { paths, leftOut } = await findImages(record.folder, importPaths(db, importId), signal, (found) =>
    report({ ...counts, found }),
  )
  storeLeftOut(db, importId, leftOut)
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
  if (skippedBefore.has(path)) return null
  const stored = imageAtPath(db, path)
  if (stored && (await isUnchanged(stored))) return stored.isRemoved ? { restore: stored.imageId } : null
  try {
    const image = await readImage(path)
    return { image: { ...image, path, name: basename(path) } }
  } catch (thrown) {
    if (!(thrown instanceof ReadIssue)) throw thrown
    return { issue: { path, code: thrown.code, message: thrown.message } }
  }
}

/** True when the very file, by size and time of change, is where it was. */
async function isUnchanged(stored: StoredImage): Promise<boolean> {
  const stats = await stat(stored.path).catch(() => null)
  return stats !== null && stored.sizeBytes === stats.size && stored.modifiedMs === Math.round(stats.mtimeMs)
}

/** Why an image could not be stored; null when it is stored already. */
function duplicateIssue(db: WritableDb, { path, sha256 }: { path: string; sha256: Buffer }): ImportIssue | null {
  const first = imageOfHash(db, sha256)
  if (first?.path === path) return null
  if (first) {
    return { path, code: 'duplicate', message: `It is the same image as ${basename(first.path)}, byte for byte.` }
  }
  const message = 'It is not the picture that was added under this name. Give the new one another name to add it too.'
  return { path, code: 'changed', message }
}

function missingImport(importId: number): StudioError {
  return new StudioError({
    code: 'image.no-such-import',
    message: 'This import is not in the workspace.',
    remedy: 'Add the folder again.',
    where: `import ${importId}`,
  })
}
