// The job of a run: what it was started with last. Written and read by the engine's jobs.
import type { Json, RunId } from '../../shared/domain.ts'
import { type ReadableDb, statement, type WritableDb } from './connection.ts'

/** A job without its images, which are those of the workspace up to the last one of the job. */
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

/** The job of a run; undefined for one that was never started, or by an app that stored none. */
export function jobOf(db: ReadableDb, runId: RunId): StoredJob | undefined {
  const row = statement<[number], { job: string; lastImageId: number }>(
    db,
    'SELECT job, last_image_id AS lastImageId FROM run_job WHERE run_id = ?',
  ).get(runId)
  return row && { ...row, job: JSON.parse(row.job) }
}
