// The job of a run: what it was started with last. Written and read by the engine's jobs.
import type { Json, RunId } from '../../shared/domain.ts'
import { type ReadableDb, statement, type WritableDb } from './connection.ts'

/** A job without its images, which are those of the workspace up to the last one of the job but for those it is without. */
export interface StoredJob {
  readonly job: Json
  readonly lastImageId: number
}

/** Stores the job of a run, in the place of the one before. */
export function storeJob(db: WritableDb, runId: RunId, { job, lastImageId }: StoredJob): void {
  statement<[number, string, number]>(
    db,
    `INSERT INTO run_job (run_id, job, last_image_id) VALUES (?, ?, ?)
     ON CONFLICT (run_id) DO UPDATE SET job = excluded.job, last_image_id = excluded.last_image_id`,
  ).run(runId, JSON.stringify(job), lastImageId)
}

/** Writes down which images up to its last one a run does not have: those that were removed before it began. */
export function storeAbsentImages(db: WritableDb, runId: RunId, imageIds: readonly number[]): void {
  statement<[number]>(db, 'DELETE FROM run_absent_image WHERE run_id = ?').run(runId)
  const last = imageIds.at(-1)
  if (last === undefined) return
  statement<[number, number, string]>(
    db,
    `INSERT INTO run_absent_image (run_id, image_id)
     SELECT ?, image_id FROM image WHERE image_id <= ? AND image_id NOT IN (SELECT value FROM json_each(?))`,
  ).run(runId, last, JSON.stringify(imageIds))
}

/** The job of a run; undefined for one that was never started, or by an app that stored none. */
export function jobOf(db: ReadableDb, runId: RunId): StoredJob | undefined {
  const row = statement<[number], { job: string; lastImageId: number }>(
    db,
    'SELECT job, last_image_id AS lastImageId FROM run_job WHERE run_id = ?',
  ).get(runId)
  return row && { ...row, job: JSON.parse(row.job) }
}
