// Brings a workspace file to the schema of this app, one numbered migration after the other.
import { StudioError } from '../../shared/errors.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './connection.ts'
import { type Migration, migrations } from './migrations/index.ts'

/** The schema version that this app writes. */
export const currentVersion = migrations.at(-1)?.version ?? 0

/** The schema version of an open file. */
export function schemaVersion(db: ReadableDb): number {
  return db.pragma('user_version', { simple: true }) as number
}

/**
 * Applies what is missing; each migration and its version number are one transaction.
 * @throws StudioError `workspace.newer` when the file was written by a newer app.
 */
export function migrate(db: WritableDb, list: readonly Migration[] = migrations): void {
  const newest = list.at(-1)?.version ?? 0
  refuseNewer(db, newest)
  for (const { version, sql } of list) {
    inTransaction(db, () => {
      // Read inside the transaction: another process may have just done the same.
      if (schemaVersion(db) >= version) return
      db.exec(sql)
      db.pragma(`user_version = ${version}`)
    })
  }
}

/** @throws StudioError `workspace.newer`, with the version of the app that last opened the file */
export function refuseNewer(db: ReadableDb, newest = currentVersion): void {
  const found = schemaVersion(db)
  if (found <= newest) return
  const writer = lastAppVersion(db)
  throw new StudioError({
    code: 'workspace.newer',
    message: 'This workspace was written by a newer version of FiSAO Studio.',
    remedy: `Update FiSAO Studio on this computer${writer ? ` to ${writer} or newer` : ''}, then open the workspace again; it was not changed.`,
    expected: `schema ${newest} or older`,
    found: `schema ${found}${writer ? `, last opened by FiSAO Studio ${writer}` : ''}`,
    where: db.name,
  })
}

/** A newer schema may have moved or dropped the table that tells, so it is asked for first. */
function lastAppVersion(db: ReadableDb): string | undefined {
  const has = db.prepare("SELECT 1 FROM pragma_table_info('session') WHERE name IN ('session_id', 'app_version')").all()
  if (has.length < 2) return undefined
  return db
    .prepare<[], { version: string }>('SELECT app_version AS version FROM session ORDER BY session_id DESC LIMIT 1')
    .get()?.version
}
