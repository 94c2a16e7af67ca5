// Builds a new workspace of what can still be read in a damaged one, which is only read and kept beside the new one: a
// copy gets its header and schema back here, then salvageRows.ts takes its rows over. Before it stands fileCheck.ts.
import { chmodSync, constants, copyFileSync, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SalvageReport } from '../../shared/salvage.ts'
import { replaceWorkspace } from './backup.ts'
import { applicationId, connect, inTransaction, workspaceError } from './connection.ts'
import {
  checkContents,
  damagedWorkspace,
  expectedEntries,
  repairHeader,
  requireFile,
  type SchemaEntry,
} from './fileCheck.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { SalvagedRows } from './salvageRows.ts'
import { makeTemporaryFile, type TemporaryFile } from './workspaceFiles.ts'
import { damageOfLog } from './writeAheadLog.ts'

/**
 * What a salvage of the damaged workspace would keep, or null when nothing in it can be read.
 * @throws StudioError `workspace.missing`, `.disk-full`, `.read-only`; the damaged file is not touched
 */
export function inspectDamage(path: string): SalvageReport | null {
  let target: TemporaryFile | undefined
  try {
    requireFile(path, statSync(path, { throwIfNoEntry: false }) ?? null)
    target = makeTemporaryFile(dirname(path))
    return salvageInto(path, target.path)
  } catch (thrown) {
    const error = workspaceError(thrown, path)
    if (error.code === 'workspace.damaged' || error.code === 'workspace.foreign') return null
    throw error
  } finally {
    target?.remove()
  }
}

/**
 * Puts what can be read of a damaged workspace in its place.
 * @returns what was kept, and the path under which the damaged file is kept
 * @throws StudioError as `inspectDamage`, and `workspace.damaged` when nothing can be read; nothing is changed then
 */
export function salvageWorkspace(path: string, nowMs = Date.now()): { keptAs: string; report: SalvageReport } {
  let target: TemporaryFile | undefined
  try {
    requireFile(path, statSync(path, { throwIfNoEntry: false }) ?? null)
    target = makeTemporaryFile(dirname(path))
    const report = salvageInto(path, target.path)
    return { report, keptAs: replaceWorkspace(path, target.path, nowMs) }
  } catch (thrown) {
    throw workspaceError(thrown, path)
  } finally {
    target?.remove()
  }
}

function salvageInto(path: string, target: string): SalvageReport {
  const lostLastSteps = damageOfLog(`${path}-wal`) !== null
  // On a copy, because reading with repairs writes.
  const copy = makeTemporaryFile(dirname(path))
  try {
    for (const suffix of ['', '-wal']) {
      if (!existsSync(path + suffix)) continue
      copyFileSync(path + suffix, copy.path + suffix, constants.COPYFILE_FICLONE)
      chmodSync(copy.path + suffix, 0o600)
    }
    repairHeader(copy.path)
    const version = repairSchema(copy.path)
    const source = connect(copy.path)
    const db = connect(target)
    try {
      db.pragma(`application_id = ${applicationId}`)
      migrate(db, migrations.slice(0, version))
      const rows = new SalvagedRows(source, db, version)
      inTransaction(db, () => rows.copyEverything())
      migrate(db)
      db.pragma('journal_mode = WAL')
      checkContents(db)
      return { ...rows.report(), lostLastSteps }
    } finally {
      db.close()
      source.close()
    }
  } finally {
    copy.remove()
  }
}

/**
 * Gives what is left of the schema the SQL that the migrations would have made, so that a flipped bit in it costs nothing.
 * @returns the version of the file, by the tables that it has: its number may be damaged too
 */
function repairSchema(path: string): number {
  const db = connect(path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema = ON')
    const found = db
      .prepare<[], SchemaEntry & { rowid: number }>(
        'SELECT rowid, type, name, tbl_name AS "table", sql FROM sqlite_schema',
      )
      .all()
    const isSame = (a: SchemaEntry, b: SchemaEntry): boolean => a.name === b.name && a.type === b.type
    const missingIn = (version: number) =>
      expectedEntries(version).filter((entry) => !found.some((row) => isSame(row, entry)))
    const strangersTo = (version: number) =>
      found.filter((row) => !expectedEntries(version).some((entry) => isSame(row, entry)))
    const errors = (version: number): number => missingIn(version).length + strangersTo(version).length
    const versions = migrations.map((migration) => migration.version)
    if (versions.every((one) => missingIn(one).length === expectedEntries(one).length)) {
      throw damagedWorkspace(path, 'Nothing in the workspace file can be read.', 'no table of a workspace')
    }
    const version = versions.reduce((best, one) => (errors(one) <= errors(best) ? one : best))
    const [missing, strangers] = [missingIn(version), strangersTo(version)]
    const update = db.prepare(
      'UPDATE sqlite_schema SET type = @type, name = @name, tbl_name = @table, sql = @sql WHERE rowid = @rowid',
    )
    for (const row of found) {
      // One that is missing and one that is unknown are the same, with a damaged name.
      const lost = missing.length === 1 && strangers.length === 1 && row === strangers[0] ? missing[0] : undefined
      const entry = lost ?? expectedEntries(version).find((one) => isSame(row, one))
      if (entry && (entry.sql !== row.sql || entry.table !== row.table || lost))
        update.run({ ...entry, rowid: row.rowid })
    }
    db.pragma(`user_version = ${version}`)
    return version
  } finally {
    db.close()
  }
}
