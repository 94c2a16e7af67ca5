// Automatic backups beside the workspace, made while it is in use, and the way back from one. Each is checked before it
// counts, and their order is that of a counter in their names: a wrong clock changes no order and no decision.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { StudioError } from '../../shared/errors.ts'
import type { BackupEntry } from '../../shared/salvage.ts'
import { connect, type ReadableDb, type WritableDb, workspaceError } from './connection.ts'
import { damagedParts } from './damagedParts.ts'
import { checkContents, checkFile, checkHeader } from './fileCheck.ts'
import { requireSpace } from './freeSpace.ts'
import { schemaVersion } from './migrate.ts'
import { sha256 } from './rowHash.ts'
import { readSetting, writeSetting } from './settings.ts'
import {
  makeTemporaryFile,
  moveAside,
  removeLeftovers,
  stamp,
  stemOf,
  syncFolder,
  type TemporaryFile,
} from './workspaceFiles.ts'

export interface Backup {
  readonly path: string
  /** By its name, and so by the clock of then. */
  readonly takenAtMs: number
  readonly sizeBytes: number
}

/** How many backups of a workspace are kept; the oldest go first. */
const keptBackups = 5
const backupEveryMs = 24 * 3600 * 1000
/** Openings after which a changed workspace is backed up whatever the clock says. */
const openingsBetween = 8

/** What a backup says of itself; a setting of its own. */
const noteKey = 'backup'
const noteSchema = z.object({
  takenAtMs: z.number(),
  /** Of all sealed rows but the sessions: equal when nothing has changed since. */
  fingerprint: z.string(),
  sessions: z.number(),
  /** Whether weights and thumbnails were whole too. */
  isWhole: z.boolean(),
})
type BackupNote = z.infer<typeof noteSchema>

/** The folder with the backups of the workspace at `path`. */
export function backupFolder(path: string): string {
  return join(dirname(path), `${stemOf(path)} backups`)
}

interface NamedBackup extends Backup {
  /** 0 for backups of versions before 0.2, which have none. */
  readonly counter: number
  readonly name: string
}

/** Backups of the workspace at `path`, the one that was taken last first. */
export function listBackups(path: string): Backup[] {
  return namedBackups(path).map(({ path: backup, takenAtMs, sizeBytes }) => ({ path: backup, takenAtMs, sizeBytes }))
}

function namedBackups(path: string): NamedBackup[] {
  const folder = backupFolder(path)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .flatMap((name): NamedBackup[] => {
      const found = readName(name)
      const stats = found && statSync(join(folder, name), { throwIfNoEntry: false })
      return found && stats ? [{ ...found, name, path: join(folder, name), sizeBytes: stats.size }] : []
    })
    .sort((a, b) => b.counter - a.counter || (a.name < b.name ? 1 : -1))
}

/** Backups with what is in them, the last first. Each is read from end to end. */
export function describeBackups(path: string): BackupEntry[] {
  return listBackups(path).map((backup) => ({ ...backup, ...contentsOf(backup.path) }))
}

function contentsOf(backup: string): Omit<BackupEntry, 'path' | 'sizeBytes' | 'takenAtMs'> & { takenAtMs?: number } {
  try {
    checkFile(backup)
    return withConnection(backup, (db) => {
      checkContents(db)
      const takenAtMs = readSetting(db, noteKey, noteSchema)?.takenAtMs
      const count = (table: string): number => {
        const isThere = db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table)
        return isThere ? (db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number) : 0
      }
      const isSound = damagedParts(db).length === 0
      return { images: count('image'), runs: count('run'), isSound, ...(takenAtMs !== undefined && { takenAtMs }) }
    })
  } catch (thrown) {
    const { code } = workspaceError(thrown, backup)
    if (code === 'workspace.damaged' || code === 'workspace.foreign') return { images: 0, runs: 0, isSound: false }
    throw workspaceError(thrown, backup)
  }
}

/**
 * Copies the workspace with SQLite's online backup, page by page, while others may write to it, and checks the copy.
 * @returns the backup's path
 * @throws StudioError `workspace.damaged` when what is in use is damaged: no backup is taken then, and none removed
 */
export async function takeBackup(db: WritableDb, path: string, nowMs = Date.now()): Promise<string> {
  const folder = backupFolder(path)
  let temporary: TemporaryFile | undefined
  try {
    await requireSpace(path, bytesOf(db))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    removeLeftovers(folder)
    temporary = makeTemporaryFile(folder)
    await db.backup(temporary.path)
    finishBackup(temporary.path, path, nowMs)
    const target = nextName(path, nowMs)
    renameSync(temporary.path, target)
    syncFolder(folder)
    removeOldBackups(path)
    return target
  } catch (thrown) {
    throw workspaceError(thrown, path)
  } finally {
    temporary?.remove()
  }
}

/** Of the workspace with what is still in its log. */
function bytesOf(db: ReadableDb): number {
  return Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true }))
}

function nextName(path: string, nowMs: number): string {
  const last = namedBackups(path)[0]?.counter ?? 0
  for (let counter = last + 1; ; counter++) {
    const target = join(backupFolder(path), nameOf(counter, nowMs))
    if (!existsSync(target)) return target
  }
}

/** Checks a copy and writes its note; as one file, without a log of its own. */
function finishBackup(copy: string, path: string, nowMs: number): void {
  withConnection(copy, (db) => {
    try {
      checkContents(db)
    } catch (thrown) {
      // Page by page as it is in use: what is wrong in the copy is wrong there.
      const error = workspaceError(thrown, path)
      throw new StudioError({ ...errorFields(error), where: path }, { cause: thrown })
    }
    const note = { takenAtMs: nowMs, ...stateOf(db), isWhole: damagedParts(db).length === 0 }
    writeSetting(db, noteKey, note satisfies BackupNote)
    db.pragma('journal_mode = DELETE')
  })
}

function errorFields({ code, message, remedy, found }: StudioError) {
  return { code, message, remedy, ...(found !== undefined && { found }) }
}

/** Keeps the last few backups, and the last one that was whole however old it is. */
function removeOldBackups(path: string): void {
  const backups = namedBackups(path)
  const kept = backups.slice(0, keptBackups)
  const isWhole = ({ path: backup }: NamedBackup): boolean => noteOf(backup)?.isWhole ?? true
  const lastWhole = kept.some(isWhole) ? undefined : backups.slice(keptBackups).find(isWhole)
  for (const backup of backups.slice(keptBackups)) if (backup !== lastWhole) rmSync(backup.path, { force: true })
}

/** What has changed when it differs. */
function stateOf(db: ReadableDb): Pick<BackupNote, 'fingerprint' | 'sessions'> {
  const sessions = db.prepare('SELECT coalesce(max(session_id), 0) FROM session').pluck().get() as number
  // A file that is about to be migrated has no seals yet.
  if (schemaVersion(db) < 4) return { fingerprint: '', sessions }
  const seals = db
    .prepare("SELECT table_name, row_count, row_sum FROM seal WHERE table_name NOT IN ('session', 'setting')")
    .raw()
    .all()
  const settings = db.prepare('SELECT key, value FROM setting WHERE key <> ?').raw().all(noteKey)
  return { fingerprint: sha256(Buffer.from(JSON.stringify([seals, settings]))).toString('hex'), sessions }
}

/** The backup that holds all that is in the workspace now: the last one when nothing has changed since, or a new one. */
export async function ensureBackup(db: WritableDb, path: string, nowMs = Date.now()): Promise<string> {
  const newest = listBackups(path)[0]
  if (newest && noteOf(newest.path)?.fingerprint === stateOf(db).fingerprint) return newest.path
  return await takeBackup(db, path, nowMs)
}

/**
 * Takes a backup when the workspace has changed since the last one and that is a day old. A last one from the future, or
 * several openings ago, is old enough too: then the clock is wrong, or stands still.
 * @returns its path, or null when none was due
 */
export async function backupIfDue(db: WritableDb, path: string, nowMs = Date.now()): Promise<string | null> {
  const newest = listBackups(path)[0]
  const note = newest && noteOf(newest.path)
  if (!note) return await takeBackup(db, path, nowMs)
  const { fingerprint, sessions } = stateOf(db)
  if (note.fingerprint === fingerprint) return null
  const ageMs = nowMs - note.takenAtMs
  const isDue = ageMs < 0 || ageMs >= backupEveryMs || sessions - note.sessions >= openingsBetween
  return isDue ? await takeBackup(db, path, nowMs) : null
}

/** What a backup says of itself, or null for one that cannot say it. */
function noteOf(backup: string): BackupNote | null {
  try {
    checkHeader(backup)
    return withConnection(backup, (db) => readSetting(db, noteKey, noteSchema) ?? null)
  } catch (thrown) {
    const { code } = workspaceError(thrown, backup)
    if (code === 'workspace.disk-error' || code === 'workspace.busy') throw workspaceError(thrown, backup)
    return null
  }
}

/**
 * Puts a backup in the place of the workspace; what was there is kept under another name.
 * @returns the path under which the former file is kept
 * @throws StudioError `workspace.damaged` when the backup itself is damaged, `workspace.foreign` when it is another
 *   program's, `workspace.backup-missing` when it is gone; nothing is changed then
 */
export async function restoreBackup(path: string, backup: string, nowMs = Date.now()): Promise<string> {
  if (!existsSync(backup)) throw missingBackup(backup)
  let restored: TemporaryFile | undefined
  try {
    checkFile(backup)
    restored = makeTemporaryFile(dirname(path))
    const source = connect(backup)
    try {
      await source.backup(restored.path)
    } finally {
      source.close()
    }
    withConnection(restored.path, (db) => {
      checkContents(db)
      db.prepare('DELETE FROM setting WHERE key = ?').run(noteKey)
    })
    return replaceWorkspace(path, restored.path, nowMs)
  } catch (thrown) {
    const error = workspaceError(thrown, backup)
    throw error.code === 'workspace.damaged' ? damagedBackup(backup, error) : error
  } finally {
    restored?.remove()
  }
}

/** Puts a whole new file in the place of the workspace. @returns the path under which the former one is kept */
export function replaceWorkspace(path: string, replacement: string, nowMs: number): string {
  const keptAs = moveAside(path, 'damaged', nowMs)
  renameSync(replacement, path)
  syncFolder(dirname(path))
  return keptAs
}

function withConnection<T>(path: string, work: (db: WritableDb) => T): T {
  const db = connect(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

function damagedBackup(backup: string, cause: StudioError): StudioError {
  return new StudioError(
    {
      code: 'workspace.damaged',
      message: 'This backup is damaged as well.',
      remedy: 'Choose an older backup; nothing was changed.',
      ...(cause.found !== undefined && { found: cause.found }),
      where: backup,
    },
    { cause },
  )
}

function missingBackup(backup: string): StudioError {
  return new StudioError({
    code: 'workspace.backup-missing',
    message: 'This backup is no longer there.',
    remedy: 'Choose another backup; nothing was changed.',
    where: backup,
  })
}

/** `000012 2026-11-27 10-20-30.fisao`: the counter for the order, the time for a person. */
function nameOf(counter: number, nowMs: number): string {
  return `${String(counter).padStart(6, '0')} ${stamp(nowMs).slice(0, 19)}.fisao`
}

/** Counter and time in a backup's name, or null for a file that is not one. */
function readName(name: string): { counter: number; takenAtMs: number } | null {
  const match = /^(?:(\d{6,}) )?(\d{4,6}-\d\d-\d\d) (\d\d)-(\d\d)-(\d\d(?:\.\d{3})?)\.fisao$/.exec(name)
  if (!match) return null
  const takenAtMs = Date.parse(`${match[2]}T${match[3]}:${match[4]}:${match[5]}Z`)
  return Number.isFinite(takenAtMs) ? { counter: Number(match[1] ?? 0), takenAtMs } : null
}
