// Looks of a run at its validation images: written by the engine with the step that they belong to, shown by the Runs
// screen. A row a look, so that neither a step nor a screen reads all of them again.
import type { Json, RunId } from '../../shared/domain.ts'
import { type ReadableDb, statement, type WritableDb } from './connection.ts'

/** Stores the look after a step. */
export function storeLook(db: WritableDb, runId: RunId, step: number, figures: Json): void {
  statement<[number, number, string]>(db, 'INSERT INTO look (run_id, step, figures) VALUES (?, ?, ?)').run(
    runId,
    step,
    JSON.stringify(figures),
  )
}

/** Every look of a run up to a step, by step, for a run that goes on. */
export function looksUntil(db: ReadableDb, runId: RunId, step: number): Json[] {
  return statement<[number, number], { figures: string }>(
    db,
    'SELECT figures FROM look WHERE run_id = ? AND step <= ? ORDER BY step',
  )
    .all(runId, step)
    .map(({ figures }) => JSON.parse(figures))
}

/**
 * Looks of a run by step without their figures of single images, at most about `mostLooks` of them at even distances: the
 * first, the last and the one of `keptStep` are always among them.
 */
export function thinnedLooks(db: ReadableDb, runId: RunId, keptStep: number | null, mostLooks: number): Json[] {
  const { total } = statement<[number], { total: number }>(
    db,
    'SELECT count(*) AS total FROM look WHERE run_id = ?',
  ).get(runId) as { total: number }
  return statement<object, { figures: string }>(
    db,
    `SELECT json_remove(figures, '$.perImage') AS figures FROM (
       SELECT step, figures, row_number() OVER (ORDER BY step) - 1 AS place FROM look WHERE run_id = @runId
     ) AS shown WHERE place % CAST(@stride AS INTEGER) = 0 OR place = @last OR step = @keptStep ORDER BY step`,
  )
    .all({ runId, stride: Math.max(1, Math.ceil(total / mostLooks)), last: total - 1, keptStep })
    .map(({ figures }) => JSON.parse(figures))
}

/** The step of the look whose checkpoint is pinned, which the engine keeps on the best one; null before the first look. */
export function pinnedLookStep(db: ReadableDb, runId: RunId): number | null {
  const row = statement<[number], { step: number }>(
    db,
    `SELECT checkpoint.step AS step FROM checkpoint JOIN look ON look.run_id = checkpoint.run_id
       AND look.step = checkpoint.step
     WHERE checkpoint.run_id = ? AND checkpoint.pinned = 1 ORDER BY checkpoint.step LIMIT 1`,
  ).get(runId)
  return row?.step ?? null
}
