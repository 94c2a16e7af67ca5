// Images that a run could not read at their turn, as its steps named them in their summaries (jobs/runStore.ts), for the run's
// page and its export.
import type { RunId } from '../../shared/domain.ts'
import type { SkippedImageView } from '../../shared/runView.ts'
import { type ReadableDb, statement } from './connection.ts'

const skipped = `checkpoint, json_each(checkpoint.summary, '$.skipped') AS one
  WHERE checkpoint.run_id = @runId`
const imageId = "json_extract(one.value, '$.imageId')"

/** How many different images a run left out at some step. */
export function countSkippedImages(db: ReadableDb, runId: RunId): number {
  const row = statement<object, { total: number }>(
    db,
    `SELECT count(DISTINCT ${imageId}) AS total FROM ${skipped}`,
  ).get({ runId })
  return row?.total ?? 0
}

/** The first of them by name, each with the last step that it was left out of, and why. */
export function skippedImages(db: ReadableDb, runId: RunId, limit: number): SkippedImageView[] {
  // Of the columns beside a lone max(), SQLite takes those of the row that has it.
  return statement<object, SkippedImageView>(
    db,
    `SELECT image.name, image.path, last.code, last.step, last.times FROM (
       SELECT ${imageId} AS image_id, json_extract(one.value, '$.code') AS code, max(checkpoint.step) AS step,
         count(DISTINCT checkpoint.step) AS times
       FROM ${skipped} GROUP BY 1
     ) AS last JOIN image USING (image_id) ORDER BY image.name, image.image_id LIMIT @limit`,
  ).all({ runId, limit })
}
