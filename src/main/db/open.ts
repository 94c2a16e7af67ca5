// Creates, checks and opens workspace files; each kind of unusable file gets its own clear error.
// `prepareWorkspace` does the long part (in the library process); `openWorkspace` is quick.
import { existsSync, renameSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { StudioError } from '../../shared/errors.ts'
import { backupFolder, takeBackup } from './backup.ts'
import { applicationId, connect, type WritableDb, workspaceError } from './connection.ts'
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
  if (!existsSync(dirname(path))) {
    throw new StudioError({
      code: 'workspace.no-folder',
      message: 'The folder for the new workspace is not there.',
      remedy: 'Choose a folder that exists, or connect the drive that it is on.',
      where: dirname(path),
    })
  }
  checkName(path)
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
 * @throws StudioError as `prepareWorkspace`, but without looking at every page
 */
export function openWorkspace(path: string): WritableDb {
  checkHeader(path)
  let db: WritableDb | undefined
  try {
    db = connect(path)
    checkSchema(db)
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

/** Takes and gives back the write lock, so that a read-only place is known before any work is done. */
function checkWritable(db: WritableDb): void {
  db.pragma('journal_mode = WAL')
  db.exec('BEGIN IMMEDIATE')
  db.pragma(`user_version = ${schemaVersion(db)}`)
  db.exec('COMMIT')
}
