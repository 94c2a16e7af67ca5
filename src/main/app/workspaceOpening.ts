// What an opening of a workspace begins and ends with: its file's true name, and the note of it in the file. For workspaces.ts.
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { WritableDb } from '../db/connection.ts'
import { requireFile } from '../db/fileCheck.ts'
import { forgetOwner, recordOwner } from '../db/owner.ts'
import { endSession, startSession } from '../db/settings.ts'
import { logger } from '../log.ts'

/** A full disk must not keep a person from opening what is on it: what cannot be noted is left out. */
export function noteOpening(
  db: WritableDb,
  appVersion: string,
): { sessionId: number | null; ownerToken: string | null } {
  try {
    return { sessionId: startSession(db, appVersion, Date.now()), ownerToken: recordOwner(db, appVersion, Date.now()) }
  } catch (thrown) {
    logger.warn(`the opening of the workspace could not be noted in it: ${String(thrown)}`)
    return { sessionId: null, ownerToken: null }
  }
}

export function noteClosing(db: WritableDb, sessionId: number | null): void {
  try {
    if (sessionId !== null) endSession(db, sessionId, Date.now())
    forgetOwner(db)
  } catch (thrown) {
    logger.warn(`the closing of the workspace could not be noted in it: ${String(thrown)}`)
  }
}

/** The path without links: one workspace has one name, and so one lock. */
export async function trueFolder(path: string): Promise<string> {
  return join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path))
}

/**
 * The path of a file without links.
 * @throws StudioError `workspace.missing`, `workspace.is-folder`, `workspace.foreign` before anything is made beside it
 */
export async function trueFile(path: string): Promise<string> {
  requireFile(path, await stat(path).catch(() => null))
  return await realpath(path)
}
