// The binding that the set-up provides must do on this runtime what the shipped one does on a newer one.
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'

const nativeBinding = process.env.FISAO_SQLITE_BINDING
const open = () => new Database(':memory:', nativeBinding ? { nativeBinding } : {})

test('runs on the runtime of the app', () => {
  expect(process.versions.electron).toBeDefined()
})

test('keeps text, numbers, big integers, blobs and null', () => {
  const database = open()
  database.exec('CREATE TABLE t (a TEXT, b REAL, c INTEGER, d BLOB, e TEXT) STRICT')
  const row = { a: 'grün', b: 0.1, c: 2n ** 60n, d: Buffer.from([0, 255]), e: null }
  database.prepare('INSERT INTO t VALUES (@a, @b, @c, @d, @e)').run(row)
  expect(database.prepare('SELECT * FROM t').safeIntegers().get()).toEqual(row)
})

test('iterates, and reports a broken rule with its code', () => {
  const database = open()
  database.exec('CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT')
  const insert = database.prepare('INSERT INTO t VALUES (?)')
  database.transaction(() => {
    for (let i = 0; i < 1000; i++) insert.run(i)
  })()
  let sum = 0
  for (const { a } of database.prepare<[], { a: number }>('SELECT a FROM t').iterate()) sum += a
  expect(sum).toBe(499_500)
  expect(() => insert.run(5)).toThrow(expect.objectContaining({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }))
})

test('survives garbage collection of statements and rows', () => {
  const database = open()
  for (let i = 0; i < 2000; i++) {
    const columns = Array.from({ length: 8 }, (_, column) => `${i * 8 + column} AS "c${i}_${column}"`).join(', ')
    expect(Object.keys(database.prepare(`SELECT ${columns}`).get() as object)).toHaveLength(8)
  }
  expect(database.prepare("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS fts5").get()).toEqual({ fts5: 1 })
})
