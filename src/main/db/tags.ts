// Tags of images: given by a person, used by the grid's filter.
import type { TagRecord } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/** All tags by name, each with the number of its images. */
export function listTags(db: ReadableDb): TagRecord[] {
  return statement<[], TagRecord>(
    db,
    `SELECT name, (SELECT count(*) FROM image_tag WHERE image_tag.tag_id = tag.tag_id) AS images
     FROM tag ORDER BY name`,
  ).all()
}

/** Gives images a tag, which is made when it is new; its case does not matter. */
export function tagImages(db: WritableDb, name: string, imageIds: readonly number[]): void {
  inTransaction(db, () => {
    statement<[string]>(db, 'INSERT INTO tag (name) VALUES (?) ON CONFLICT DO NOTHING').run(name)
    const insert = statement<{ name: string; imageId: number }>(
      db,
      `INSERT INTO image_tag (tag_id, image_id) SELECT tag_id, @imageId FROM tag WHERE name = @name
       ON CONFLICT DO NOTHING`,
    )
    for (const imageId of imageIds) insert.run({ name, imageId })
  })
}

/** Takes a tag from images; a tag that no image has any longer goes. */
export function untagImages(db: WritableDb, name: string, imageIds: readonly number[]): void {
  inTransaction(db, () => {
    const remove = statement<[string, number]>(
      db,
      'DELETE FROM image_tag WHERE tag_id = (SELECT tag_id FROM tag WHERE name = ?) AND image_id = ?',
    )
    for (const imageId of imageIds) remove.run(name, imageId)
    statement<[string]>(
      db,
      'DELETE FROM tag WHERE name = ? AND NOT EXISTS (SELECT 1 FROM image_tag WHERE image_tag.tag_id = tag.tag_id)',
    ).run(name)
  })
}
