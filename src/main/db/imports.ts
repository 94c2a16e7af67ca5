// Imports of folders: each a row that survives a crash, and one issue for every file that was left out.
import type { ImportIssue, ImportRecord, LeftOutKind } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { imageOfHash, insertImage, moveImage, type NewImage } from './images.ts'
import { restoreImage } from './removals.ts'

/** Notes that a folder is to be imported. */
export function createImport(db: WritableDb, folder: string, nowMs: number): number {
  const insert = statement<[string, number]>(
    db,
    "INSERT INTO import (folder, state, started_ms) VALUES (?, 'running', ?)",
  )
  return Number(inTransaction(db, () => insert.run(folder, nowMs)).lastInsertRowid)
}

/** Notes that these files and folders, below `folder`, are to be imported. */
export function createImportOf(db: WritableDb, folder: string, paths: readonly string[], nowMs: number): number {
  return inTransaction(db, () => {
    const importId = createImport(db, folder, nowMs)
    const insert = statement<[number, string]>(db, 'INSERT INTO import_path VALUES (?, ?) ON CONFLICT DO NOTHING')
    for (const path of paths) insert.run(importId, path)
    return importId
  })
}

/** The files and folders of an import of several, in the order of their names; none for the import of one folder. */
export function importPaths(db: ReadableDb, importId: number): string[] {
  const rows = statement<[number], { path: string }>(
    db,
    'SELECT path FROM import_path WHERE import_id = ? ORDER BY path',
  )
  return rows.all(importId).map(({ path }) => path)
}

/** Stores what an import found and did not look into, in the place of what it found before. */
export function storeLeftOut(db: WritableDb, importId: number, kinds: readonly LeftOutKind[]): void {
  inTransaction(db, () => {
    statement<[number]>(db, 'DELETE FROM import_left_out WHERE import_id = ?').run(importId)
    const insert = statement<object>(
      db,
      'INSERT INTO import_left_out VALUES (@importId, @kind, @files, @message, @example)',
    )
    for (const kind of kinds) insert.run({ ...kind, importId })
  })
}

/** What an import found and did not look into, the most files first. */
export function leftOutKinds(db: ReadableDb, importId: number): LeftOutKind[] {
  return statement<[number], LeftOutKind>(
    db,
    'SELECT kind, files, message, example FROM import_left_out WHERE import_id = ? ORDER BY files DESC, kind',
  ).all(importId)
}

/** What an import has read: an image to store, a file to leave out, or an image that was removed and is wanted again. */
export type ImportItem =
  | { readonly image: Omit<NewImage, 'importId'> }
  | { readonly issue: ImportIssue }
  | { readonly restore: number }

/** What became of a batch. */
export interface StoredBatch {
  readonly added: number
  readonly issues: readonly ImportIssue[]
}

/**
 * Stores a batch in one transaction. An image whose bytes the workspace already has becomes a `duplicate` issue, or comes
 * back when it was removed; one that is stored already under this very path (an interrupted import went on) is passed over.
 */
export function storeBatch(
  db: WritableDb,
  importId: number,
  items: readonly ImportItem[],
  duplicateOf: (image: Omit<NewImage, 'importId'>) => ImportIssue | null,
  nowMs: number,
): StoredBatch {
  return inTransaction(db, () => {
    let added = 0
    const issues: ImportIssue[] = []
    for (const item of items) {
      if ('issue' in item) issues.push(item.issue)
      else if ('restore' in item) {
        restoreImage(db, item.restore)
        added++
      } else if (insertImage(db, { ...item.image, importId }, nowMs) !== null) added++
      else if (bringBack(db, item.image)) added++
      else {
        const duplicate = duplicateOf(item.image)
        if (duplicate) issues.push(duplicate)
      }
    }
    const insertIssue = statement<[number, string, string, string]>(
      db,
      'INSERT INTO import_issue (import_id, path, code, message) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    const stored = issues.filter(
      ({ path, code, message }) => insertIssue.run(importId, path, code, message).changes > 0,
    )
    return { added, issues: stored }
  })
}

/** Brings the image with these bytes back to where they are now, if it was removed. */
function bringBack(db: WritableDb, image: Omit<NewImage, 'importId'>): boolean {
  const stored = imageOfHash(db, image.sha256)
  if (!stored?.isRemoved) return false
  restoreImage(db, stored.imageId)
  moveImage(db, { ...image, imageId: stored.imageId })
  return true
}

/** Marks an import as complete or cancelled, or as running again. */
export function setImportState(db: WritableDb, importId: number, state: ImportRecord['state'], nowMs: number): void {
  const endedMs = state === 'running' ? null : nowMs
  const update = statement<[string, number | null, number]>(
    db,
    'UPDATE import SET state = ?, ended_ms = ? WHERE import_id = ?',
  )
  inTransaction(db, () => update.run(state, endedMs, importId))
}

const columns = `import_id AS importId, folder, state, started_ms AS startedAtMs, ended_ms AS endedAtMs,
  (SELECT count(*) FROM image WHERE image.import_id = import.import_id) AS added,
  (SELECT count(*) FROM import_issue WHERE import_issue.import_id = import.import_id) AS skipped`

/** All imports, newest first. */
export function listImports(db: ReadableDb): ImportRecord[] {
  return statement<[], ImportRecord>(db, `SELECT ${columns} FROM import ORDER BY import_id DESC`).all()
}

/** One import, or undefined. */
export function importById(db: ReadableDb, importId: number): ImportRecord | undefined {
  return statement<[number], ImportRecord>(db, `SELECT ${columns} FROM import WHERE import_id = ?`).get(importId)
}

/** Paths that this import has already left out. */
export function skippedPaths(db: ReadableDb, importId: number): Set<string> {
  const rows = statement<[number], { path: string }>(db, 'SELECT path FROM import_issue WHERE import_id = ?').all(
    importId,
  )
  return new Set(rows.map(({ path }) => path))
}

/** Issues [offset, offset + limit) of an import by path, and how many there are. */
export function importIssues(
  db: ReadableDb,
  importId: number,
  offset: number,
  limit: number,
): { total: number; issues: ImportIssue[] } {
  const total = statement<[number], { total: number }>(
    db,
    'SELECT count(*) AS total FROM import_issue WHERE import_id = ?',
  ).get(importId)
  const issues = statement<[number, number, number], ImportIssue>(
    db,
    'SELECT path, code, message FROM import_issue WHERE import_id = ? ORDER BY path LIMIT ? OFFSET ?',
  ).all(importId, limit, offset)
  return { total: total?.total ?? 0, issues }
}
