// Tags of images: given by a person, used by the grid's filter.
import type { ImageSelection, TagRecord } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { isPresent, selectImages } from './imageQuery.ts'

/** All tags by name, each with the number of its images in the library. */
export function listTags(db: ReadableDb): TagRecord[] {
  return statement<[], TagRecord>(
    db,
    `SELECT name, (SELECT count(*) FROM image_tag WHERE image_tag.tag_id = tag.tag_id
       AND ${isPresent('image_tag.image_id')}) AS images
     FROM tag ORDER BY name`,
  ).all()
}

/**
 * Gives images a tag, which is made when it is new; its case does not matter.
 * @returns those that had not had it
 */
export function tagImages(db: WritableDb, name: string, selection: ImageSelection): number[] {
  return inTransaction(db, () => {
    const select = selectImages(db, selection)
    statement<[string]>(db, 'INSERT INTO tag (name) VALUES (?) ON CONFLICT DO NOTHING').run(name)
    const tagged = statement<object, { imageId: number }>(
      db,
      `INSERT INTO image_tag (tag_id, image_id)
       SELECT (SELECT tag_id FROM tag WHERE name = @name), image.image_id
       FROM (${select.sql}) AS chosen CROSS JOIN image USING (image_id) WHERE true
       ON CONFLICT DO NOTHING RETURNING image_id AS imageId`,
    ).all({ ...select.parameters, name })
    dropUnused(db, name)
    return tagged.map(({ imageId }) => imageId)
  })
}

/** Takes a tag from images; a tag that no image has any longer goes. @returns those that had it */
export function untagImages(db: WritableDb, name: string, selection: ImageSelection): number[] {
  return inTransaction(db, () => {
    const select = selectImages(db, selection)
    const untagged = statement<object, { imageId: number }>(
      db,
      `DELETE FROM image_tag WHERE tag_id = (SELECT tag_id FROM tag WHERE name = @name)
         AND image_id IN (${select.sql}) RETURNING image_id AS imageId`,
    ).all({ ...select.parameters, name })
    dropUnused(db, name)
    return untagged.map(({ imageId }) => imageId)
  })
}

/** Tags that no image has, in the library or among the removed ones, go. */
export function dropUnusedTags(db: WritableDb): void {
  statement<[]>(
    db,
    'DELETE FROM tag WHERE NOT EXISTS (SELECT 1 FROM image_tag WHERE image_tag.tag_id = tag.tag_id)',
  ).run()
}

function dropUnused(db: WritableDb, name: string): void {
  statement<[string]>(
    db,
    'DELETE FROM tag WHERE name = ? AND NOT EXISTS (SELECT 1 FROM image_tag WHERE image_tag.tag_id = tag.tag_id)',
  ).run(name)
}

/** Gives a tag another name, or its name in another case. @throws StudioError `image.no-such-tag`, `image.tag-exists` */
export function renameTag(db: WritableDb, from: string, to: string): void {
  inTransaction(db, () => {
    const find = statement<[string], { tagId: number }>(db, 'SELECT tag_id AS tagId FROM tag WHERE name = ?')
    const tag = find.get(from)
    if (!tag) {
      throw new StudioError({
        code: 'image.no-such-tag',
        message: 'No image has this tag any longer.',
        remedy: 'Look at the list of tags again.',
        found: from,
      })
    }
    const other = find.get(to)
    if (other && other.tagId !== tag.tagId) {
      throw new StudioError({
        code: 'image.tag-exists',
        message: 'There already is a tag of this name.',
        remedy: 'Choose another name; or give the images that tag and take this one away.',
        found: to,
      })
    }
    statement<[string, number]>(db, 'UPDATE tag SET name = ? WHERE tag_id = ?').run(to, tag.tagId)
  })
}
