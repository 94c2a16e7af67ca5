// Images taken out of the library and brought back. Their rows stay: runs, responses, evaluations and tags are whole, and a
// run that goes on finds the images that it was begun with.
import type { ImageSelection, Removal } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { selectImages } from './imageQuery.ts'

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
