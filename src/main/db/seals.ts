// Whether the rows of the sealed tables are those that were written: migration 0004 keeps a count and a sum of hashes a
// table by triggers, which are compared here with what stands in the file.
import type { ReadableDb } from './connection.ts'
import { rowHash, type SqlValue } from './rowHash.ts'

interface Seal {
  readonly table: string
  readonly rows: number
  readonly sum: number
}

/** The tables under a seal, with the columns that it covers in their order. */
export function sealedColumns(db: ReadableDb): ReadonlyMap<string, readonly string[]> {
  const triggers = db
    .prepare<[], { table: string; sql: string }>(
      "SELECT tbl_name AS \"table\", sql FROM sqlite_schema WHERE type = 'trigger' AND name = tbl_name || '_seal_insert'",
    )
    .all()
  // The schema has been compared with that of the migrations (fileCheck.ts), so the trigger says what is hashed.
  return new Map(triggers.map(({ table, sql }) => [table, [...sql.matchAll(/new\.(\w+)/g)].map(([, name]) => name!)]))
}

/** The seals as they are kept, by table. */
export function keptSeals(db: ReadableDb): ReadonlyMap<string, Seal> {
  const seals = db.prepare<[], Seal>('SELECT table_name AS "table", row_count AS rows, row_sum AS sum FROM seal').all()
  return new Map(seals.map((seal) => [seal.table, seal]))
}

/** What the table itself comes to. */
export function foundSeal(db: ReadableDb, table: string, columns: readonly string[]): Seal {
  let [rows, sum] = [0, 0n]
  const values = db.prepare<[], SqlValue[]>(`SELECT ${columns.join(', ')} FROM ${table} NOT INDEXED`).raw()
  for (const row of values.iterate()) {
    rows++
    sum += BigInt(rowHash(...row))
  }
  return { table, rows, sum: Number(sum) }
}

/** The sealed tables whose rows are not those that were written, each with what was found. */
export function brokenSeals(db: ReadableDb): { table: string; expected: string; found: string }[] {
  const kept = keptSeals(db)
  return [...sealedColumns(db)].flatMap(([table, columns]) => {
    const seal = kept.get(table)
    const found = foundSeal(db, table, columns)
    if (seal?.rows === found.rows && seal.sum === found.sum) return []
    return [{ table, expected: words(seal), found: words(found) }]
  })
}

function words(seal: Seal | undefined): string {
  return seal ? `${seal.rows} rows with the sum ${seal.sum}` : 'no seal'
}
