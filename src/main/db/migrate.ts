// Brings a workspace file to the schema of this app, one numbered migration after the other.
import { StudioError } from '../../shared/errors.ts'
import { inTransaction, type WritableDb } from './connection.ts'
import { type Migration, migrations } from './migrations/index.ts'

/** The schema version that this app writes. */
export const currentVersion = migrations.at(-1)?.version ?? 0

/** The schema version of an open file. */
export function schemaVersion(db: WritableDb): number {
  return db.pragma('user_version', { simple: true }) as number
}

/**
 * Applies what is missing; each migration and its version number are one transaction.
 * @throws StudioError `workspace.newer` when the file was written by a newer app.
 */
export function migrate(db: WritableDb, list: readonly Migration[] = migrations): void {
  const newest = list.at(-1)?.version ?? 0
  refuseNewer(schemaVersion(db), newest)
  for (const { version, sql } of list) {
    inTransaction(db, () => {
      // Read inside the transaction: another process may have just done the same.
      if (schemaVersion(db) >= version) return
      db.exec(sql)
      db.pragma(`user_version = ${version}`)
    })
  }
}

/** @throws StudioError `workspace.newer` */
export function refuseNewer(found: number, newest = currentVersion): void {
  if (found <= newest) return
  throw new StudioError({
    code: 'workspace.newer',
    message: 'This workspace was written by a newer version of FiSAO Studio.',
    remedy: 'Update FiSAO Studio on this computer, then open the workspace again; it was not changed.',
    expected: `schema ${newest} or older`,
    found: `schema ${found}`,
  })
}
