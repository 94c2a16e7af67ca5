// Whether a workspace file is what this app wrote: its header, its log, its schema, its pages and indexes, and the rows
// under seal. Asked by open.ts before main may use a file, and by backup.ts before and after a copy.
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync, writeSync } from 'node:fs'
import { StudioError } from '../../shared/errors.ts'
import {
  applicationId,
  connect,
  isCorruption,
  isOpenHere,
  type ReadableDb,
  type WritableDb,
  workspaceError,
} from './connection.ts'
import { migrate, refuseNewer, schemaVersion } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { areNamedObjectsWhole } from './namedObjects.ts'
import { brokenSeals } from './seals.ts'
import { damageOfLog } from './writeAheadLog.ts'

/** The version from which on rows are sealed (migration 0004). */
const firstSealedVersion = 4

/**
 * Looks at a file and its log without SQLite, which would pass over damage there.
 * @throws StudioError `workspace.missing`, `.is-folder`, `.foreign`, `.damaged`, `.read-only`
 */
export function checkFile(path: string): void {
  checkHeader(path)
  const damage = damageOfLog(`${path}-wal`)
  if (damage) throw damagedWorkspace(path, `The newest steps of the workspace cannot be read.`, damage)
}

/**
 * Checks the schema, every page, every index, the search and all rows under seal, as they are at one moment.
 * @throws StudioError `workspace.newer`, `workspace.damaged`; and what SQLite says of a file that is busy
 */
export function checkContents(db: WritableDb): void {
  try {
    db.transaction(() => {
      checkSchema(db)
      const [first] = db.pragma('integrity_check(1)') as { integrity_check: string }[]
      if (first?.integrity_check !== 'ok') throw unreadable(db, first?.integrity_check ?? 'no answer')
      if (schemaVersion(db) >= firstSealedVersion) checkSeals(db)
    })()
    if (!db.readonly) checkSearch(db)
    checkNamedObjects(db)
  } catch (thrown) {
    // "no such column", "malformed database schema": a sound file of ours says nothing of the kind.
    const isDamage = isCorruption(thrown) || (thrown as { code?: unknown }).code === 'SQLITE_ERROR'
    throw isDamage ? unreadable(db, String((thrown as Error).message), thrown) : thrown
  }
}

/** The error for a file that is not what was written; its backups and what can be read of it are the way back. */
export function damagedWorkspace(path: string, message: string, found: string, cause?: unknown): StudioError {
  return new StudioError(
    {
      code: 'workspace.damaged',
      message,
      remedy: 'Restore one of its automatic backups; the damaged file is kept beside it.',
      found,
      where: path,
    },
    { cause },
  )
}

function unreadable(db: ReadableDb, found: string, cause?: unknown): StudioError {
  return damagedWorkspace(db.name, 'The workspace file is damaged: parts of it cannot be read.', found, cause)
}

function checkSeals(db: ReadableDb): void {
  const [broken] = brokenSeals(db)
  if (!broken) return
  const { table, expected, found } = broken
  throw damagedWorkspace(
    db.name,
    'The workspace file is damaged: some of what it holds is not what was stored.',
    `${table}: ${found} instead of ${expected}`,
  )
}

/** Compares what the filter by object reads with the responses that it was made from. */
function checkNamedObjects(db: ReadableDb): void {
  const isThere = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'named_object'").get()
  if (isThere && !areNamedObjectsWhole(db)) throw unreadable(db, 'named_object: other objects than the responses name')
}

/** Compares the search indexes with the names and responses that they were made from. */
function checkSearch(db: WritableDb): void {
  for (const table of ['image_name_search', 'response_search']) {
    const isThere = db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table)
    if (isThere) db.exec(`INSERT INTO ${table} (${table}, rank) VALUES ('integrity-check', 1)`)
  }
}

/**
 * Compares the schema with what the migrations make, so that a missing table or a version number that lies is told before
 * a statement fails on it.
 * @throws StudioError `workspace.newer`, `workspace.damaged`
 */
export function checkSchema(db: ReadableDb): void {
  const found = textOf(entriesOf(db))
  const version = schemaVersion(db)
  const isOf = (one: number): boolean => found === textOf(expectedEntries(one))
  if (version > 0 && isOf(version)) return
  // A version that is newer than this app, with a schema that is not: the number is damaged.
  if (!migrations.some((migration) => isOf(migration.version))) refuseNewer(db)
  throw unreadable(db, `tables other than those of version ${version}`)
}

/** A table, an index or a trigger. */
export interface SchemaEntry {
  readonly type: string
  readonly name: string
  readonly table: string
  readonly sql: string | null
}

const knownEntries = new Map<number, readonly SchemaEntry[]>()

/** What the migrations up to a version make; nothing for a version that there never was. */
export function expectedEntries(version: number): readonly SchemaEntry[] {
  if (!migrations.some((migration) => migration.version === version)) return []
  const known = knownEntries.get(version)
  if (known) return known
  const db = connect(':memory:', { create: true })
  try {
    migrate(db, migrations.slice(0, version))
    const entries = entriesOf(db)
    knownEntries.set(version, entries)
    return entries
  } finally {
    db.close()
  }
}

function entriesOf(db: ReadableDb): SchemaEntry[] {
  return db
    .prepare<[], SchemaEntry>(
      `SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema
       WHERE name NOT GLOB 'sqlite_stat*' ORDER BY type, name, tbl_name`,
    )
    .all()
}

/** As text to compare; of what a search index keeps for itself the names alone, which SQLite makes. */
function textOf(entries: readonly SchemaEntry[]): string {
  return JSON.stringify(entries.map((entry) => (/_search_/.test(entry.table) ? { ...entry, sql: null } : entry)))
}

/** What stands in the first 100 bytes of every file that this app writes, by offset; all else may change. */
const constants: readonly (readonly [offset: number, bytes: readonly number[]])[] = [
  // Pages of 4096 bytes, nothing reserved in them.
  [16, [0x10, 0x00]],
  [20, [0, 64, 32, 32]],
  // Schema format 4, UTF-8, no automatic vacuum.
  [44, [0, 0, 0, 4]],
  [52, [0, 0, 0, 0, 0, 0, 0, 1]],
  [64, [0, 0, 0, 0]],
  [72, Array.from({ length: 20 }, () => 0)],
]
const magic = Buffer.from('SQLite format 3\0', 'latin1')
const ownId = Buffer.alloc(4)
ownId.writeUInt32BE(applicationId)

/**
 * Looks at the first 100 bytes (https://sqlite.org/fileformat2.html#the_database_header).
 * @throws StudioError as `checkFile`
 */
export function checkHeader(path: string): void {
  if (isOpenHere(path)) return
  const header = readHeader(path)
  if (header.length === 0) throw damagedWorkspace(path, 'The workspace file is empty (0 bytes).', '0 bytes')
  if (header.every((byte) => byte === 0)) {
    throw damagedWorkspace(path, 'The beginning of the workspace file is gone.', `${header.length} bytes of zeros`)
  }
  const isBeginning = header.length < 16 && magic.subarray(0, header.length).equals(header)
  const [magicBits, idBits] = [bitsApart(header, magic, 0), bitsApart(header, ownId, 68)]
  // With one of its two marks whole, damage in the other does not make it a file of another kind.
  if (magicBits > 0 && idBits > 0 && !isBeginning) throw workspaceError({ code: 'SQLITE_NOTADB' }, path)
  if (header.length < 100) throw damagedWorkspace(path, 'The workspace file is cut short.', `${header.length} bytes`)
  if (idBits > 2) {
    throw new StudioError({
      code: 'workspace.foreign',
      message: 'This file is a database of another program, not a FiSAO Studio workspace.',
      remedy: 'Choose a file that FiSAO Studio made; its name ends in .fisao.',
      expected: `application id ${applicationId}`,
      found: `application id ${header.readUInt32BE(68)}`,
      where: path,
    })
  }
  const isFormat = [18, 19].every((offset) => header[offset] === 1 || header[offset] === 2)
  const wrong = constants.find(([offset, bytes]) => bytes.some((byte, i) => header[offset + i] !== byte))
  if (magicBits > 0 || idBits > 0 || !isFormat || wrong) {
    const offset = magicBits > 0 ? 0 : idBits > 0 ? 68 : isFormat ? wrong?.[0] : 18
    throw damagedWorkspace(path, 'The beginning of the workspace file is damaged.', `other bytes at offset ${offset}`)
  }
}

/** Puts into a header what every header says, so that SQLite reads what stands behind it. For a copy, to be read only. */
export function repairHeader(path: string): void {
  const file = openSync(path, 'r+')
  try {
    const header = Buffer.alloc(100)
    readSync(file, header, 0, 100, 0)
    header.set(magic, 0)
    header.set(ownId, 68)
    for (const [offset, bytes] of constants) header.set(bytes, offset)
    for (const offset of [18, 19]) if (header[offset] !== 1) header[offset] = 2
    // The size in pages, no free pages, and a size that counts as known.
    header.writeUInt32BE(Math.floor(fstatSync(file).size / 4096), 28)
    header.fill(0, 32, 40)
    header.copy(header, 92, 24, 28)
    writeSync(file, header, 0, 100, 0)
  } finally {
    closeSync(file)
  }
}

/** Bits in which the header differs from `expected` at an offset. */
function bitsApart(header: Buffer, expected: Buffer, offset: number): number {
  let bits = 0
  for (const [i, byte] of expected.entries()) {
    for (let different = (header[offset + i] ?? ~byte & 0xff) ^ byte; different !== 0; different &= different - 1)
      bits++
  }
  return bits
}

/**
 * Refuses what cannot hold a workspace before it is opened: a pipe or a device would be waited for or read without end.
 * @param found null when nothing is there
 * @throws StudioError `workspace.missing`, `.is-folder`, `.foreign`
 */
export function requireFile(path: string, found: Stats | null): void {
  if (found?.isFile()) return
  if (!found) {
    throw new StudioError({
      code: 'workspace.missing',
      message: 'The workspace file is no longer there; it was moved, renamed or deleted.',
      remedy: 'Look for it with Open…, or connect the drive that it is on.',
      where: path,
    })
  }
  if (!found.isDirectory()) throw workspaceError({ code: 'SQLITE_NOTADB' }, path)
  throw new StudioError({
    code: 'workspace.is-folder',
    message: 'This is a folder, not a workspace file.',
    remedy: 'Open the folder and choose the file in it whose name ends in .fisao.',
    where: path,
  })
}

function readHeader(path: string): Buffer {
  try {
    requireFile(path, statSync(path, { throwIfNoEntry: false }) ?? null)
    const file = openSync(path, 'r')
    try {
      const header = Buffer.alloc(100)
      return header.subarray(0, readSync(file, header, 0, 100, 0))
    } finally {
      closeSync(file)
    }
  } catch (thrown) {
    throw workspaceError(thrown, path)
  }
}
