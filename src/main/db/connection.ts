// A connection to a workspace file. Plain typed SQL, no query builder: better-sqlite3 is synchronous, so a
// transaction cannot interleave with anything else, and what runs is what is read here.
import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { type ErrorRecord, StudioError, toErrorRecord } from '../../shared/errors.ts'
import { freeBytesNow } from './freeSpace.ts'
import { registerHashes } from './rowHash.ts'

/** Marks the file as a workspace ("FiSA"); `PRAGMA application_id`. */
export const applicationId = 0x46695341

declare const readable: unique symbol
declare const writable: unique symbol
/** A connection that functions which only read accept. */
export type ReadableDb = Database.Database & { readonly [readable]: true }
/** A connection that may also write. */
export type WritableDb = ReadableDb & { readonly [writable]: true }

const busyTimeoutMs = 10_000

/** Connections of this process that may still be open, each with the inode of its file. */
const connections = new Map<Database.Database, bigint | undefined>()

/** Whether this process has the file open. Reading it past SQLite would then give up SQLite's locks on it (POSIX). */
export function isOpenHere(path: string): boolean {
  for (const db of connections.keys()) if (!db.open) connections.delete(db)
  return [...connections.keys()].some(({ name }) => name === path)
}

/**
 * Opens the file with the settings that every connection shares; checks nothing.
 * A runtime below Node-API 10 names its own binding in FISAO_SQLITE_BINDING.
 */
export function connect(path: string, options: { create?: boolean; readOnly?: boolean } = {}): WritableDb {
  const nativeBinding = process.env.FISAO_SQLITE_BINDING
  const db = new Database(path, {
    fileMustExist: !options.create,
    readonly: options.readOnly ?? false,
    timeout: busyTimeoutMs,
    ...(nativeBinding && { nativeBinding }),
  })
  connections.set(db, inodeOf(path))
  // FULL: a commit that was reported is on the disk, also after a power cut.
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  // The triggers that keep the seals call functions of ours, which some builds of SQLite mistrust in a schema.
  db.pragma('trusted_schema = ON')
  registerHashes(db)
  return db as WritableDb
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

/** @throws StudioError `workspace.removed` when the connection's file is no longer the one under its name */
function requireSameFile(db: ReadableDb): void {
  const inode = connections.get(db)
  if (inode === undefined || inode === inodeOf(db.name)) return
  throw removedWorkspace(db.name)
}

/** The error for a workspace whose file went away while it was open. */
export function removedWorkspace(path: string): StudioError {
  return new StudioError({
    code: 'workspace.removed',
    message: 'The workspace file was moved, renamed or deleted while it was open, so the workspace was closed.',
    remedy: 'Open it where it is now, or connect its drive; if it was deleted, restore its newest backup.',
    where: path,
  })
}

const statements = new WeakMap<Database.Database, Map<string, Database.Statement>>()

/** The statement for this SQL, prepared once a connection. `P` are its parameters, `R` its row. */
export function statement<P extends unknown[] | object, R = unknown>(
  db: ReadableDb,
  sql: string,
): P extends unknown[] ? Database.Statement<P, R> : Database.Statement<[P], R> {
  const prepared = statements.get(db) ?? new Map<string, Database.Statement>()
  statements.set(db, prepared)
  const found = prepared.get(sql) ?? db.prepare(sql)
  prepared.set(sql, found)
  return found as P extends unknown[] ? Database.Statement<P, R> : Database.Statement<[P], R>
}

/** The SQL of every statement that was prepared on this connection, for tests that look at their plans. */
export function preparedSql(db: ReadableDb): string[] {
  return [...(statements.get(db)?.keys() ?? [])]
}

/**
 * Runs `work` in one transaction that takes the write lock at once; rolled back when it throws.
 * @throws StudioError for what a person can mend, e.g. `workspace.disk-full`; `workspace.removed` when the file is no longer
 *   there, in place of writing into one without a name; anything else as it was thrown
 */
export function inTransaction<T>(db: WritableDb, work: () => T): T {
  try {
    requireSameFile(db)
    return db.transaction(work).immediate()
  } catch (thrown) {
    throw knownCause(thrown) ? workspaceError(thrown, db.name) : thrown
  }
}

/** The error that a person reads, for what SQLite or the file system said about the workspace at `path`. */
export function workspaceError(thrown: unknown, path: string): StudioError {
  if (thrown instanceof StudioError) return thrown
  const known = isDiskFull(thrown, path) ? diskFull() : knownCause(thrown)
  const { problem, message, remedy } = known ?? {
    problem: 'failed',
    message: 'The workspace could not be used.',
    remedy: 'Try again; if it stays, copy the file to a local disk and open the copy.',
  }
  const found = known ? {} : { found: codeOf(thrown) || String(thrown) }
  return new StudioError({ code: `workspace.${problem}`, message, remedy, where: path, ...found }, { cause: thrown })
}

/** What SQLite threw while the workspace at `path` was worked on, in words for a person; anything else as it was thrown. */
export function inWords(thrown: unknown, path: string): unknown {
  const isFromSqlite = thrown instanceof Error && codeOf(thrown).startsWith('SQLITE_')
  return isFromSqlite ? workspaceError(thrown, path) : thrown
}

/** What a process that works on a workspace answers when a request fails; its parameters name the file. */
export function workspaceRecord(thrown: unknown, params: unknown): ErrorRecord {
  const { path, workspace } = (params ?? {}) as { path?: unknown; workspace?: unknown }
  return toErrorRecord(inWords(thrown, String(path ?? workspace ?? '')))
}

/** Whether SQLite says that the file itself is not sound. */
export function isCorruption(thrown: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(thrown))
}

interface Cause {
  readonly problem: string
  readonly message: string
  readonly remedy: string
}

function codeOf(thrown: unknown): string {
  return String((thrown as { code?: unknown } | null)?.code ?? '')
}

function knownCause(thrown: unknown): Cause | undefined {
  const code = codeOf(thrown)
  return Object.entries(causes).find(([prefix]) => code.startsWith(prefix))?.[1]
}

/** Less than this on a disk and SQLite cannot make the files that it works with. */
const noRoomBytes = 64 * 1024

/** SQLite says of a file that it has no room to make that it cannot be opened, or that the disk failed. */
function isDiskFull(thrown: unknown, path: string): boolean {
  if (!/^SQLITE_(CANTOPEN|IOERR)/.test(codeOf(thrown))) return false
  return (freeBytesNow(path) ?? Number.POSITIVE_INFINITY) < noRoomBytes
}

/** By the beginning of the error code; the more special ones first. */
const causes: Readonly<Record<string, Cause>> = {
  SQLITE_NOTADB: {
    problem: 'foreign',
    message: 'This file is not a FiSAO Studio workspace.',
    remedy: 'Choose a file that FiSAO Studio made; its name ends in .fisao.',
  },
  SQLITE_CORRUPT: {
    problem: 'damaged',
    message: 'The workspace file is damaged: parts of it cannot be read.',
    remedy: 'Restore one of its automatic backups; the damaged file is kept beside it.',
  },
  SQLITE_READONLY: readOnly(),
  EACCES: readOnly(),
  EPERM: readOnly(),
  EROFS: readOnly(),
  SQLITE_CANTOPEN: readOnly(),
  SQLITE_FULL: diskFull(),
  ENOSPC: diskFull(),
  EDQUOT: diskFull(),
  ENAMETOOLONG: {
    problem: 'name-too-long',
    message: 'The name of the workspace is too long for this disk.',
    remedy: 'Choose a shorter name; 200 letters are always possible.',
  },
  SQLITE_BUSY: {
    problem: 'busy',
    message: 'Another program is using the workspace file.',
    remedy: 'Close the other program, or another copy of FiSAO Studio, then try again.',
  },
  SQLITE_IOERR: {
    problem: 'disk-error',
    message: 'The disk did not read or write the workspace file.',
    remedy: 'Check the disk or the network drive, then try again; everything committed before is kept.',
  },
}

function diskFull(): Cause {
  return {
    problem: 'disk-full',
    message: 'The disk is full, so nothing more could be stored; everything before is kept.',
    remedy: 'Free some space on the disk of the workspace, then try again.',
  }
}

function readOnly(): Cause {
  return {
    problem: 'read-only',
    message: 'The workspace cannot be written: its file or folder is read-only.',
    remedy: 'Copy the workspace to a folder that you may write to, and open it there.',
  }
}
