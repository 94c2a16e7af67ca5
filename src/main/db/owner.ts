// Who works on a workspace: one app at a time. The operating system's lock on a small file beside it is the truth, since
// it goes with its process however that ends and needs no clock; the record in the workspace says who it is.
// Claimed by workspaces.ts before a file is prepared, looked at by the engine before it commits.
import { randomUUID } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { StudioError } from '../../shared/errors.ts'
import { connect, type ReadableDb, type WritableDb, workspaceError } from './connection.ts'
import { clearSetting, readSetting, writeSetting } from './settings.ts'

const ownerKey = 'owner'

const ownerSchema = z.object({
  /** New at each claim: what a former owner's processes still want to write is told from the present one's. */
  token: z.string(),
  processId: z.number(),
  host: z.string(),
  sinceMs: z.number(),
  appVersion: z.string(),
})
export type Owner = z.infer<typeof ownerSchema>

/** This process's hold on a workspace. */
export interface WorkspaceLock {
  /** Whether the file that is locked is still the one that the next app would look at; somebody may have removed it. */
  isValid(): Promise<boolean>
  /** Lets go; the next app may claim it. */
  release(): void
}

/** Path of the file whose lock is held while an app works on the workspace. */
export function lockFile(path: string): string {
  return `${path}-lock`
}

/** A lock file that its owner removes at the same moment is tried again so often. */
const mostTries = 20

/**
 * Takes the lock of the workspace at `path`, or returns null when another process holds it. It ends with this process.
 * @throws StudioError `workspace.read-only`, `workspace.disk-full` when the file beside it cannot be made
 */
export function lockWorkspace(path: string): WorkspaceLock | null {
  const file = lockFile(path)
  for (let tries = 0; tries < mostTries; tries++) {
    const held = tryLock(file, path)
    if (held === 'busy') return null
    if (held !== 'gone') return held
  }
  return null
}

function tryLock(file: string, path: string): WorkspaceLock | 'busy' | 'gone' {
  const nativeBinding = process.env.FISAO_SQLITE_BINDING
  let db: Database.Database | undefined
  try {
    db = new Database(file, { timeout: 0, ...(nativeBinding && { nativeBinding }) })
    const opened = inodeOf(file)
    db.exec('BEGIN EXCLUSIVE')
    // A former owner may have removed the very file that was opened; the lock of a file without a name protects nothing.
    if (opened === null || opened !== inodeOf(file)) {
      db.close()
      return 'gone'
    }
    const held = db
    return {
      isValid: async () => (await stat(file, { bigint: true }).catch(() => null))?.ino === opened,
      release: () => {
        // While it is still held, so that whoever opened it meanwhile finds it gone and tries again; Windows wants it
        // closed first. Another app's is left alone.
        const isOwn = inodeOf(file) === opened
        if (isOwn && process.platform !== 'win32') rmSync(file, { force: true })
        held.close()
        if (isOwn && process.platform === 'win32') rmSync(file, { force: true, maxRetries: 3 })
      },
    }
  } catch (thrown) {
    db?.close()
    if (String((thrown as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return 'busy'
    throw workspaceError(thrown, path)
  }
}

function inodeOf(file: string): bigint | null {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino ?? null
}

/** Writes down that this process owns the workspace. @returns the token of this ownership */
export function recordOwner(db: WritableDb, appVersion: string, nowMs: number): string {
  const token = randomUUID()
  const owner: Owner = { token, processId: process.pid, host: hostname(), sinceMs: nowMs, appVersion }
  writeSetting(db, ownerKey, owner)
  return token
}

/** Takes the record away, at the end in good order. */
export function forgetOwner(db: WritableDb): void {
  clearSetting(db, ownerKey)
}

/** Who works on the workspace, or did when its end came without warning. */
export function ownerOf(db: ReadableDb): Owner | undefined {
  return readSetting(db, ownerKey, ownerSchema)
}

/**
 * Call it inside the transaction that is to be protected.
 * @throws StudioError `workspace.taken-over` when the ownership under which this process works has ended
 */
export function requireOwner(db: ReadableDb, token: string): void {
  const owner = ownerOf(db)
  if (owner?.token !== token) throw takenOver(db.name, owner)
}

/** The error for a workspace that another app has claimed, because the lock of this one was taken away. */
export function takenOver(path: string, owner?: Owner): StudioError {
  return new StudioError({
    code: 'workspace.taken-over',
    message: 'Another FiSAO Studio works on this workspace now, so it was closed here.',
    remedy: 'Go on there; everything that was committed before is kept.',
    ...(owner && { found: `process ${owner.processId} on ${owner.host}` }),
    where: path,
  })
}

/** The error for a workspace that another app holds; it names that app when the workspace says who it is. */
export function inUse(path: string): StudioError {
  const owner = presentOwner(path)
  const since = owner && new Date(owner.sinceMs).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
  const who = owner ? `process ${owner.processId} on ${owner.host}, since ${since}` : 'its file is locked'
  return new StudioError({
    code: 'workspace.in-use',
    message: `This workspace is open in another FiSAO Studio (${who}).`,
    remedy: 'Close it there first, or open it here for reading only.',
    where: path,
  })
}

function presentOwner(path: string): Owner | undefined {
  let db: ReadableDb | undefined
  try {
    db = connect(path, { readOnly: true })
    return ownerOf(db)
  } catch {
    // A file of another version, or one that is just being made: the lock says enough.
    return undefined
  } finally {
    db?.close()
  }
}
