// Images taken out of the library and brought back. Their rows stay: runs, responses, evaluations and tags are whole, and a
// run that goes on finds the images that it was begun with. Those that no run was begun with can be deleted for good.
import type { Deletion, ImageSelection, Removal } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { selectImages } from './imageQuery.ts'
import { dropUnusedTags } from './tags.ts'

/**
 * Removes images.
 * @param selection those that are removed already stay as they are
 * @returns the removal, which is unique also when the clock went back; its id is null when nothing was removed
 */
export function removeImages(
  db: WritableDb,
  selection: ImageSelection,
  nowMs: number,
): { removalId: number | null; images: number } {
  return inTransaction(db, () => {
    const select = selectImages(db, selection)
    const last = statement<[], { last: number | null }>(db, 'SELECT max(removed_ms) AS last FROM removed_image').get()
    const removalId = Math.max(nowMs, (last?.last ?? 0) + 1)
    const { changes } = statement<object>(
      db,
      `INSERT INTO removed_image (image_id, removed_ms)
       SELECT image.image_id, @removalId FROM (${select.sql}) AS chosen CROSS JOIN image USING (image_id) WHERE true
       ON CONFLICT DO NOTHING`,
    ).run({ ...select.parameters, removalId })
    return { removalId: changes > 0 ? removalId : null, images: changes }
  })
}

/** Brings the images of a removal back. @returns how many */
export function restoreRemoval(db: WritableDb, removalId: number): number {
  const restore = statement<[number]>(db, 'DELETE FROM removed_image WHERE removed_ms = ?')
  return inTransaction(db, () => restore.run(removalId).changes)
}

/** Brings one image back. */
export function restoreImage(db: WritableDb, imageId: number): void {
  statement<[number]>(db, 'DELETE FROM removed_image WHERE image_id = ?').run(imageId)
}

/** What was removed and not brought back, the last first. */
export function listRemovals(db: ReadableDb): Removal[] {
  return statement<[], Removal>(
    db,
    `SELECT removed_ms AS removalId, removed_ms AS removedAtMs, count(*) AS images FROM removed_image
     GROUP BY removed_ms ORDER BY removed_ms DESC LIMIT 100`,
  ).all()
}

/** That no run was begun with the image of `removed`; see imagesBegunWith in images.ts. */
const isNoRuns = `NOT EXISTS (SELECT 1 FROM run_job WHERE run_job.last_image_id >= removed.image_id AND NOT EXISTS (
  SELECT 1 FROM run_absent_image AS absent WHERE absent.run_id = run_job.run_id AND absent.image_id = removed.image_id))`

/** What {@link deleteSome} takes of a removal in the end, and what it leaves. */
export function deletionOf(db: ReadableDb, removalId: number): Deletion {
  const row = statement<[number], Deletion>(
    db,
    `WITH shown AS MATERIALIZED (
       SELECT image_id AS id, ${isNoRuns} AS isFree FROM removed_image AS removed WHERE removed_ms = ?
     )
     SELECT count(*) FILTER (WHERE isFree) AS images, count(*) FILTER (WHERE NOT isFree) AS kept,
       ifnull(sum((SELECT count(*) FROM rollout WHERE rollout.image_id = id)) FILTER (WHERE isFree), 0) AS responses,
       ifnull(sum((SELECT length(bytes) FROM thumbnail WHERE thumbnail.image_id = id)) FILTER (WHERE isFree), 0)
         AS thumbnailBytes
     FROM shown`,
  ).get(removalId)
  return row ?? { images: 0, kept: 0, responses: 0, thumbnailBytes: 0 }
}

/**
 * Deletes at most so many images of a removal with their thumbnails, tags and responses; files are not touched.
 * @returns how many; fewer than `most` once no more can be deleted
 */
export function deleteSome(db: WritableDb, removalId: number, most: number): number {
  return inTransaction(db, () => {
    const { changes } = statement<[number, number]>(
      db,
      `DELETE FROM image WHERE image_id IN (
         SELECT image_id FROM removed_image AS removed WHERE removed_ms = ? AND ${isNoRuns} LIMIT ?)`,
    ).run(removalId, most)
    dropUnusedTags(db)
    return changes
  })
}
