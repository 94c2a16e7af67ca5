// Creates, checks and opens workspace files; each kind of unusable file gets its own clear error.
// `prepareWorkspace` does the long part (in the library process); `openWorkspace` is quick.
import { existsSync, renameSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { StudioError } from '../../shared/errors.ts'
import { backupFolder, takeBackup } from './backup.ts'
import { applicationId, connect, type ReadableDb, type WritableDb, workspaceError } from './connection.ts'
import { checkContents, checkFile, checkHeader, checkSchema } from './fileCheck.ts'
import { currentVersion, migrate, schemaVersion } from './migrate.ts'
import {
  keepPrivate,
  longestWorkspaceNameBytes,
  makeTemporaryFile,
  moveAside,
  removeLeftovers,
  syncFolder,
  type TemporaryFile,
} from './workspaceFiles.ts'

export type PreparePhase = 'checking' | 'backing-up' | 'migrating'

/**
 * Makes a new, empty workspace file; it appears under its name only when it is whole.
 * @throws StudioError `workspace.exists`, `.no-folder`, `.name-too-long`, `.read-only`, `.disk-full`
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
  checkPlace(path)
  let temporary: TemporaryFile | undefined
  try {
    removeLeftovers(dirname(path))
    temporary = makeTemporaryFile(dirname(path))
    const db = connect(temporary.path)
    try {
      db.pragma(`application_id = ${applicationId}`)
      migrate(db)
      db.pragma('journal_mode = WAL')
    } finally {
      db.close()
    }
    // The log of a workspace that once had this name and was deleted or moved without it.
    moveAside(path, 'left over', Date.now())
    renameSync(temporary.path, path)
    syncFolder(dirname(path))
  } catch (thrown) {
    throw workspaceError(thrown, path)
  } finally {
    temporary?.remove()
  }
}

/**
 * Looks at the place of a new workspace before anything is made in it, its lock included.
 * @throws StudioError `workspace.no-folder`, `workspace.name-too-long`
 */
export function checkPlace(path: string): void {
  if (!existsSync(dirname(path))) {
    throw new StudioError({
      code: 'workspace.no-folder',
      message: 'The folder for the new workspace is not there.',
      remedy: 'Choose a folder that exists, or connect the drive that it is on.',
      where: dirname(path),
    })
  }
  checkName(path)
}

/** @throws StudioError `workspace.name-too-long` for a name that leaves no room for the names that SQLite makes of it */
function checkName(path: string): void {
  if (Buffer.byteLength(basename(path)) > longestWorkspaceNameBytes) {
    throw workspaceError({ code: 'ENAMETOOLONG' }, path)
  }
}

/**
 * Checks the whole file, backs it up before a migration, and migrates it.
 * @throws StudioError `workspace.missing`, `.is-folder`, `.foreign`, `.newer`, `.damaged`, `.read-only`, `.busy`, `.disk-full`
 */
export async function prepareWorkspace(path: string, report: (phase: PreparePhase) => void = () => {}): Promise<void> {
  checkName(path)
  checkFile(path)
  try {
    removeLeftovers(dirname(path))
    keepPrivate(path, backupFolder(path))
    const db = connect(path)
    try {
      report('checking')
      checkContents(db)
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
 * @param foldsLog false for processes of the app: while a workspace is open there, only {@link foldLog} folds the log into
 *   the file, so that any other change of the file is somebody else's
 * @throws StudioError as `prepareWorkspace`, but without looking at every page
 */
export function openWorkspace(path: string, { foldsLog = true } = {}): WritableDb {
  checkHeader(path)
  let db: WritableDb | undefined
  try {
    db = connect(path)
    checkSchema(db)
    db.pragma('journal_mode = WAL')
    if (!foldsLog) db.pragma('wal_autocheckpoint = 0')
    return db
  } catch (thrown) {
    db?.close()
    throw workspaceError(thrown, path)
  }
}

/**
 * A connection that only reads, to a workspace that another app works on.
 * @throws StudioError as `openWorkspace`; `workspace.needs-migration` when its schema is older than this app's
 */
export function openForReading(path: string): ReadableDb {
  checkHeader(path)
  let db: WritableDb | undefined
  try {
    db = connect(path, { readOnly: true })
    checkSchema(db)
    if (schemaVersion(db) === currentVersion) return db
    throw new StudioError({
      code: 'workspace.needs-migration',
      message: 'This workspace was made by an older version of FiSAO Studio and cannot be opened for reading only.',
      remedy: 'Close it in the other FiSAO Studio, then open it here.',
      found: `schema ${schemaVersion(db)}`,
      where: path,
    })
  } catch (thrown) {
    db?.close()
    throw workspaceError(thrown, path)
  }
}

/**
 * Reads a workspace that is open from end to end.
 * @throws StudioError `workspace.damaged`, `workspace.foreign`, `workspace.newer` when it is not what was written
 */
export function checkWorkspace(path: string): void {
  // Not its log: whoever writes may be in the middle of a frame.
  checkHeader(path)
  const db = openWorkspace(path, { foldsLog: false })
  try {
    checkContents(db)
  } catch (thrown) {
    throw workspaceError(thrown, path)
  } finally {
    db.close()
  }
}

/** Folds the log into the file and empties it, as far as nobody reads from it just now. */
export function foldLog(path: string): void {
  const db = openWorkspace(path, { foldsLog: false })
  try {
    db.pragma('busy_timeout = 500')
    db.pragma('wal_checkpoint(TRUNCATE)')
  } catch (thrown) {
    throw workspaceError(thrown, path)
  } finally {
    db.close()
  }
}

/**
 * Closes a connection; the last one folds the log into the file. Asking for that here would wait for every other
 * connection. Statistics (`PRAGMA optimize`) are not kept either: those of a young workspace make the planner walk
 * tables that grow later, and without any it uses the indexes that plans.test.ts holds it to.
 */
export function closeWorkspace(db: ReadableDb): void {
  db.close()
}

/** Takes and gives back the write lock, so that a read-only place is known before any work is done. */
function checkWritable(db: WritableDb): void {
  db.pragma('journal_mode = WAL')
  db.exec('BEGIN IMMEDIATE')
  db.pragma(`user_version = ${schemaVersion(db)}`)
  db.exec('COMMIT')
}
