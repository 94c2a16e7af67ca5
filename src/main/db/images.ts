// Images of the workspace: stored by the importer, read by the grid in windows of any offset.
import {
  allImages,
  type ImageFacts,
  type ImageFormat,
  type ImageQuery,
  type ImageRow,
  type RunId,
} from '../../shared/domain.ts'
import { type ReadableDb, statement, type WritableDb } from './connection.ts'
import { isPresent, presentImages, queryParts } from './imageQuery.ts'
import { sha256 } from './rowHash.ts'

/** An image as the importer stores it. */
export interface NewImage {
  readonly importId: number
  readonly path: string
  readonly name: string
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** 32 bytes. */
  readonly sha256: Buffer
  readonly width: number
  readonly height: number
  readonly format: ImageFormat
  /** Encoded picture, WebP. */
  readonly thumbnail: Buffer
  /** The next one, unless it has to be a certain one. */
  readonly imageId?: number
}

/**
 * Stores an image and its thumbnail.
 * @returns its id, or null when the workspace already has this path or the same bytes
 */
export function insertImage(db: WritableDb, image: NewImage, nowMs: number): number | null {
  const { thumbnail, imageId: wanted = null, ...columns } = image
  const { changes, lastInsertRowid } = statement<
    Omit<NewImage, 'thumbnail' | 'imageId'> & { imageId: number | null; nowMs: number; thumbnailSha256: Buffer }
  >(
    db,
    `INSERT INTO image (image_id, import_id, path, name, size_bytes, modified_ms, sha256, width, height, format, added_ms,
       thumbnail_sha256)
     VALUES (@imageId, @importId, @path, @name, @sizeBytes, @modifiedMs, @sha256, @width, @height, @format, @nowMs,
       @thumbnailSha256)
     ON CONFLICT DO NOTHING`,
  ).run({ ...columns, imageId: wanted, nowMs, thumbnailSha256: sha256(thumbnail) })
  if (changes === 0) return null
  const imageId = Number(lastInsertRowid)
  statement<[number, Buffer]>(db, 'INSERT INTO thumbnail (image_id, bytes) VALUES (?, ?)').run(imageId, thumbnail)
  return imageId
}

/** What the importer asks of an image that is stored. */
export interface StoredImage {
  readonly imageId: number
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** 1 when it was taken out of the library. */
  readonly isRemoved: 0 | 1
}

const storedImage = `SELECT image_id AS imageId, path, size_bytes AS sizeBytes, modified_ms AS modifiedMs,
  EXISTS (SELECT 1 FROM removed_image WHERE removed_image.image_id = image.image_id) AS isRemoved FROM image`

/** The image that was stored under a path, or undefined. */
export function imageAtPath(db: ReadableDb, path: string): StoredImage | undefined {
  return statement<[string], StoredImage>(db, `${storedImage} WHERE path = ?`).get(path)
}

/** The image with these 32 bytes of SHA-256, or undefined. */
export function imageOfHash(db: ReadableDb, sha256: Buffer): StoredImage | undefined {
  return statement<[Buffer], StoredImage>(db, `${storedImage} WHERE sha256 = ?`).get(sha256)
}

/** Gives an image the place where the very same bytes are now. @returns false when another image has that path */
export function moveImage(
  db: WritableDb,
  { imageId, path, name, modifiedMs }: { imageId: number; path: string; name: string; modifiedMs: number },
): boolean {
  return (
    statement<[string, string, number, number]>(
      db,
      'UPDATE OR IGNORE image SET path = ?, name = ?, modified_ms = ? WHERE image_id = ?',
    ).run(path, name, modifiedMs, imageId).changes > 0
  )
}

/** Path and format of an image, or undefined. */
export function originalOf(db: ReadableDb, imageId: number): { path: string; format: ImageFormat } | undefined {
  return statement<[number], { path: string; format: ImageFormat }>(
    db,
    'SELECT path, format FROM image WHERE image_id = ?',
  ).get(imageId)
}

/** An image as models read it, with its size as a person sees it, or undefined. */
export function imageById(
  db: ReadableDb,
  imageId: number,
): { imageId: number; sha256: string; path: string; width: number; height: number } | undefined {
  return statement<[number], { imageId: number; sha256: string; path: string; width: number; height: number }>(
    db,
    'SELECT image_id AS imageId, lower(hex(sha256)) AS sha256, path, width, height FROM image WHERE image_id = ?',
  ).get(imageId)
}

/** How many images the library has. */
export function imageCount(db: ReadableDb): number {
  return countImages(db, allImages)
}

/** An image as runs know it. */
export interface RunImageRow {
  readonly imageId: number
  readonly sha256: string
  readonly path: string
}

const runImage = 'SELECT image_id AS imageId, lower(hex(sha256)) AS sha256, path FROM image'

/** Every image of the library, in the order in which they came, for a run to part. */
export function everyImage(db: ReadableDb): RunImageRow[] {
  return statement<[], RunImageRow>(
    db,
    `${runImage} WHERE ${isPresent('image.image_id')} ORDER BY image.image_id`,
  ).all()
}

/** The images that a run was begun with, also those that were removed since (jobs.ts writes down which it lacks). */
export function imagesBegunWith(db: ReadableDb, runId: RunId, lastImageId: number): RunImageRow[] {
  return statement<[number, number], RunImageRow>(
    db,
    `${runImage} WHERE image_id <= ? AND NOT EXISTS (SELECT 1 FROM run_absent_image AS absent
       WHERE absent.run_id = ? AND absent.image_id = image.image_id) ORDER BY image.image_id`,
  ).all(lastImageId, runId)
}

/** The encoded thumbnail of an image, or undefined: also when what is stored is no longer what was stored. */
export function thumbnailOf(db: ReadableDb, imageId: number): Buffer | undefined {
  const row = statement<[number], { bytes: Buffer; stored: Buffer | null }>(
    db,
    `SELECT bytes, thumbnail_sha256 AS stored FROM thumbnail JOIN image USING (image_id) WHERE image_id = ?`,
  ).get(imageId)
  return row?.stored && sha256(row.bytes).equals(row.stored) ? row.bytes : undefined
}

/** What is known of an image by itself, or undefined. */
export function imageFacts(db: ReadableDb, imageId: number): ImageFacts | undefined {
  return statement<[number], ImageFacts>(
    db,
    `SELECT image_id AS imageId, name, path, size_bytes AS sizeBytes, width, height, format,
       lower(hex(sha256)) AS sha256, added_ms AS addedAtMs
     FROM image WHERE image_id = ?`,
  ).get(imageId)
}

/** How many images match. */
export function countImages(db: ReadableDb, query: ImageQuery): number {
  const { from, where, parameters } = queryParts(db, query)
  const sql =
    from === 'image' && where === presentImages
      ? 'SELECT (SELECT count(*) FROM image) - (SELECT count(*) FROM removed_image) AS total'
      : `SELECT count(*) AS total FROM ${from} ${where}`
  return statement<object, { total: number }>(db, sql).get(parameters)?.total ?? 0
}

/** Images that were there when the one of this id was the last. */
export function countImagesUntil(db: ReadableDb, lastImageId: number): number {
  const row = statement<[number], { total: number }>(db, 'SELECT count(*) AS total FROM image WHERE image_id <= ?').get(
    lastImageId,
  )
  return row?.total ?? 0
}

type WindowRow = Omit<ImageRow, 'tags'> & { readonly tags: string }

/**
 * Rows [offset, offset + limit) of the matching images in the query's order.
 * Ids are found first, by an index alone, so that skipping 99,000 rows reads none of them.
 */
export function imageWindow(db: ReadableDb, query: ImageQuery, offset: number, limit: number): ImageRow[] {
  const { imageId, from, where, order, parameters } = queryParts(db, query)
  const rows = statement<object, WindowRow>(
    db,
    `WITH shown AS MATERIALIZED (
       SELECT ${imageId} AS image_id FROM ${from} ${where} ORDER BY ${order}
       LIMIT @limit OFFSET @offset
     )
     SELECT image.image_id AS imageId, name, path, size_bytes AS sizeBytes, width, height, format,
       lower(hex(sha256)) AS sha256, added_ms AS addedAtMs,
       response.lowest_score AS lowestScore, response.hallucinated_words AS hallucinatedWords,
       (SELECT json_group_array(tag.name ORDER BY tag.name) FROM image_tag JOIN tag USING (tag_id)
        WHERE image_tag.image_id = image.image_id) AS tags
     -- CROSS JOIN keeps the order of "shown": SQLite then never makes another table the outer loop.
     FROM shown CROSS JOIN image ON image.image_id = shown.image_id
     LEFT JOIN rollout AS response
       ON response.image_id = image.image_id AND response.checkpoint_id = @checkpointId AND response.purpose = 'evaluation'`,
  ).all({ ...parameters, limit, offset })
  return rows.map((row) => ({ ...row, tags: JSON.parse(row.tags) }))
}
