// Creates, checks and opens workspace files; each kind of unusable file gets its own clear error.
// `prepareWorkspace` does the long part (in the library process); `openWorkspace` is quick.
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { StudioError } from '../../shared/errors.ts'
import { takeBackup } from './backup.ts'
import { applicationId, connect, type WritableDb, workspaceError } from './connection.ts'
import { currentVersion, migrate, refuseNewer, schemaVersion } from './migrate.ts'
import { moveAside, syncFolder } from './workspaceFiles.ts'

export type PreparePhase = 'checking' | 'backing-up' | 'migrating'

/**
 * Makes a new, empty workspace file; it appears under its name only when it is whole.
 * @throws StudioError `workspace.exists`, `.no-folder`, `.read-only`, `.disk-full`
 */
export function createWorkspace(path: string): void {
  if (existsSync(path)) {
    throw new StudioError({
      code: 'workspace.exists',
      message: `There already is a file named ${basename(path)} in this folder.`,
      remedy: 'Choose another name, or open the existing workspace.',
      where: path,
    })
  }
  if (!existsSync(dirname(path))) {
    throw new StudioError({
      code: 'workspace.no-folder',
      message: 'The folder for the new workspace is not there.',
      remedy: 'Choose a folder that exists, or connect the drive that it is on.',
      where: dirname(path),
    })
  }
  const temporary = `${path}.${process.pid}.creating`
  try {
    const db = connect(temporary, { create: true })
    try {
      db.pragma(`application_id = ${applicationId}`)
      migrate(db)
      db.pragma('journal_mode = WAL')
    } finally {
      db.close()
    }
    // The log of a workspace that once had this name and was deleted or moved without it.
    moveAside(path, 'left over', Date.now())
    renameSync(temporary, path)
    syncFolder(dirname(path))
  } catch (thrown) {
    throw workspaceError(thrown, path)
  } finally {
    for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(temporary + suffix, { force: true })
  }
}

/**
 * Checks the whole file, backs it up before a migration, and migrates it.
 * @throws StudioError `workspace.missing`, `.is-folder`, `.foreign`, `.newer`, `.damaged`, `.read-only`, `.busy`, `.disk-full`
 */
export async function prepareWorkspace(path: string, report: (phase: PreparePhase) => void = () => {}): Promise<void> {
  checkHeader(path)
  try {
    const db = connect(path)
    try {
      report('checking')
      refuseNewer(db)
      checkPages(db, path)
      if (schemaVersion(db) < currentVersion) {
        report('backing-up')
        await takeBackup(db, path)
        report('migrating')
        migrate(db)
      }
      checkWritable(db)
    } finally {
      db.close()
    }
  } catch (thrown) {
    throw workspaceError(thrown, path)
  }
}

/**
 * A connection to a file that `prepareWorkspace` has passed.
 * @throws StudioError as `prepareWorkspace`, but without looking at every page
 */
export function openWorkspace(path: string): WritableDb {
  checkHeader(path)
  let db: WritableDb | undefined
  try {
    db = connect(path)
    refuseNewer(db)
    db.pragma('journal_mode = WAL')
    return db
  } catch (thrown) {
    db?.close()
    throw workspaceError(thrown, path)
  }
}

/**
 * Closes a connection; the last one folds the log into the file. Asking for that here would wait for every other
 * connection. Statistics (`PRAGMA optimize`) are not kept either: those of a young workspace make the planner walk
 * tables that grow later, and without any it uses the indexes that plans.test.ts holds it to.
 */
export function closeWorkspace(db: WritableDb): void {
  db.close()
}

/** Looks at the first 100 bytes (https://sqlite.org/fileformat2.html#the_database_header) before SQLite does. */
function checkHeader(path: string): void {
  const header = readHeader(path)
  if (header.length === 0) throw damaged(path, 'The workspace file is empty (0 bytes).', '0 bytes')
  if (header.subarray(0, 16).toString('latin1') !== 'SQLite format 3\0') {
    throw workspaceError({ code: 'SQLITE_NOTADB' }, path)
  }
  if (header.length < 100) throw damaged(path, 'The workspace file is cut short.', `${header.length} bytes`)
  if (header.readUInt32BE(68) !== applicationId) {
    throw new StudioError({
      code: 'workspace.foreign',
      message: 'This file is a database of another program, not a FiSAO Studio workspace.',
      remedy: 'Choose a file that FiSAO Studio made; its name ends in .fisao.',
      expected: `application id ${applicationId}`,
      found: `application id ${header.readUInt32BE(68)}`,
      where: path,
    })
  }
}

function readHeader(path: string): Buffer {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) {
      throw new StudioError({
        code: 'workspace.is-folder',
        message: 'This is a folder, not a workspace file.',
        remedy: 'Open the folder and choose the file in it whose name ends in .fisao.',
        where: path,
      })
    }
    // A pipe or a device would be waited for without end.
    if (!stats.isFile()) throw workspaceError({ code: 'SQLITE_NOTADB' }, path)
    const file = openSync(path, 'r')
    try {
      const header = Buffer.alloc(100)
      return header.subarray(0, readSync(file, header, 0, 100, 0))
    } finally {
      closeSync(file)
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new StudioError({
        code: 'workspace.missing',
        message: 'The workspace file is no longer there; it was moved, renamed or deleted.',
        remedy: 'Look for it with Open…, or connect the drive that it is on.',
        where: path,
      })
    }
    throw workspaceError(thrown, path)
  }
}

function checkPages(db: WritableDb, path: string): void {
  const [first] = db.pragma('quick_check(1)') as { quick_check: string }[]
  if (first?.quick_check !== 'ok') {
    throw damaged(path, 'The workspace file is damaged: parts of it cannot be read.', first?.quick_check ?? 'no answer')
  }
}

/** Takes and gives back the write lock, so that a read-only place is known before any work is done. */
function checkWritable(db: WritableDb): void {
  db.pragma('journal_mode = WAL')
  db.exec('BEGIN IMMEDIATE')
  db.pragma(`user_version = ${schemaVersion(db)}`)
  db.exec('COMMIT')
}

function damaged(path: string, message: string, found: string): StudioError {
  return new StudioError({
    code: 'workspace.damaged',
    message,
    remedy: 'Restore one of its automatic backups; the damaged file is kept beside it.',
    found,
    where: path,
  })
}
