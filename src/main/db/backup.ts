// Automatic backups beside the workspace, made while it is in use, and the way back from one.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { StudioError } from '../../shared/errors.ts'
import { applicationId, connect, type WritableDb, workspaceError } from './connection.ts'
import { moveAside, stamp, syncFolder } from './workspaceFiles.ts'

export interface Backup {
  readonly path: string
  readonly takenAtMs: number
  readonly sizeBytes: number
}

/** How many backups of a workspace are kept; the oldest go first. */
const keptBackups = 5
const backupEveryMs = 24 * 3600 * 1000

/** The folder with the backups of the workspace at `path`. */
export function backupFolder(path: string): string {
  return join(dirname(path), `${basename(path, extname(path))} backups`)
}

/** Backups of the workspace at `path`, newest first. */
export function listBackups(path: string): Backup[] {
  const folder = backupFolder(path)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .map((name) => ({ name, takenAtMs: takenAt(name) }))
    .filter(({ takenAtMs }) => Number.isFinite(takenAtMs))
    .map(({ name, takenAtMs }) => ({
      path: join(folder, name),
      takenAtMs,
      sizeBytes: statSync(join(folder, name)).size,
    }))
    .sort((a, b) => b.takenAtMs - a.takenAtMs)
}

/**
 * Copies the workspace with SQLite's online backup, page by page, while others may write to it.
 * @returns the backup's path
 */
export async function takeBackup(db: WritableDb, path: string, nowMs = Date.now()): Promise<string> {
  const folder = backupFolder(path)
  const target = join(folder, `${stamp(nowMs)}.fisao`)
  const temporary = `${target}.partial`
  try {
    mkdirSync(folder, { recursive: true })
    await db.backup(temporary)
    renameSync(temporary, target)
    syncFolder(folder)
  } catch (thrown) {
    rmSync(temporary, { force: true })
    throw workspaceError(thrown, path)
  }
  for (const { path: old } of listBackups(path).slice(keptBackups)) rmSync(old, { force: true })
  return target
}

/** Takes a backup when the newest is more than a day old and the workspace has changed since; else returns null. */
export async function backupIfDue(db: WritableDb, path: string, nowMs = Date.now()): Promise<string | null> {
  const newest = listBackups(path)[0]
  if (newest && nowMs - newest.takenAtMs < backupEveryMs) return null
  if (newest && lastChangeMs(path) < newest.takenAtMs) return null
  return await takeBackup(db, path, nowMs)
}

/**
 * Puts a backup in the place of the workspace; what was there is kept under another name.
 * @returns the path under which the former file is kept
 * @throws StudioError `workspace.damaged` when the backup itself is damaged, `workspace.foreign` when it is another
 *   program's, `workspace.backup-missing` when it is gone; nothing is changed then
 */
export async function restoreBackup(path: string, backup: string, nowMs = Date.now()): Promise<string> {
  const restored = `${path}.${process.pid}.restoring`
  if (!existsSync(backup)) throw missingBackup(backup)
  try {
    const source = connect(backup)
    try {
      if (source.pragma('application_id', { simple: true }) !== applicationId) {
        throw workspaceError({ code: 'SQLITE_NOTADB' }, backup)
      }
      const [check] = source.pragma('quick_check(1)') as { quick_check: string }[]
      if (check?.quick_check !== 'ok') throw damagedBackup(backup)
      await source.backup(restored)
    } finally {
      source.close()
    }
    const keptAs = moveAside(path, 'damaged', nowMs)
    renameSync(restored, path)
    syncFolder(dirname(path))
    return keptAs
  } catch (thrown) {
    throw workspaceError(thrown, backup)
  } finally {
    rmSync(restored, { force: true })
  }
}

function damagedBackup(backup: string): StudioError {
  return new StudioError({
    code: 'workspace.damaged',
    message: 'This backup is damaged as well.',
    remedy: 'Choose an older backup; nothing was changed.',
    where: backup,
  })
}

function missingBackup(backup: string): StudioError {
  return new StudioError({
    code: 'workspace.backup-missing',
    message: 'This backup is no longer there.',
    remedy: 'Choose another backup; nothing was changed.',
    where: backup,
  })
}

function lastChangeMs(path: string): number {
  const times = [path, `${path}-wal`].filter((file) => existsSync(file)).map((file) => statSync(file).mtimeMs)
  return Math.max(...times)
}

/** The time in a backup's name, or NaN for a file that is not one. */
function takenAt(name: string): number {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d)-(\d\d)-(\d\d\.\d{3})\.fisao$/.exec(name)
  return match ? Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`) : Number.NaN
}
