// Settings of the workspace (not of the app): a JSON value a key, validated by whoever reads it.
import type { z } from 'zod'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/** The value under `key`, or undefined when there is none or it is not of the schema. */
export function readSetting<T>(db: ReadableDb, key: string, schema: z.ZodType<T>): T | undefined {
  const row = statement<[string], { value: string }>(db, 'SELECT value FROM setting WHERE key = ?').get(key)
  return row && schema.safeParse(JSON.parse(row.value)).data
}

/** Stores `value` under `key`. */
export function writeSetting(db: WritableDb, key: string, value: unknown): void {
  const upsert = statement<[string, string]>(
    db,
    'INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  inTransaction(db, () => upsert.run(key, JSON.stringify(value)))
}

/** Takes the value under `key` away. */
export function clearSetting(db: WritableDb, key: string): void {
  inTransaction(db, () => statement<[string]>(db, 'DELETE FROM setting WHERE key = ?').run(key))
}

/** Notes that the workspace was opened. */
export function startSession(db: WritableDb, appVersion: string, nowMs: number): number {
  const insert = statement<[number, string]>(db, 'INSERT INTO session (opened_ms, app_version) VALUES (?, ?)')
  return Number(inTransaction(db, () => insert.run(nowMs, appVersion)).lastInsertRowid)
}

/** Notes that it was closed in good order. */
export function endSession(db: WritableDb, sessionId: number, nowMs: number): void {
  const update = statement<[number, number]>(db, 'UPDATE session SET closed_ms = ? WHERE session_id = ?')
  inTransaction(db, () => update.run(nowMs, sessionId))
}
