// Images of the workspace: stored by the importer, read by the grid in windows of any offset.
import type { ImageFormat, ImageQuery, ImageRow } from '../../shared/domain.ts'
import { type ReadableDb, statement, type WritableDb } from './connection.ts'
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

/** The size and time under which a path was stored, or undefined when it was not. */
export function imageAtPath(db: ReadableDb, path: string): { sizeBytes: number; modifiedMs: number } | undefined {
  return statement<[string], { sizeBytes: number; modifiedMs: number }>(
    db,
    'SELECT size_bytes AS sizeBytes, modified_ms AS modifiedMs FROM image WHERE path = ?',
  ).get(path)
}

/** The path of the image with these 32 bytes of SHA-256, or undefined. */
export function pathOfHash(db: ReadableDb, sha256: Buffer): string | undefined {
  return statement<[Buffer], { path: string }>(db, 'SELECT path FROM image WHERE sha256 = ?').get(sha256)?.path
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

/** How many images there are. */
export function imageCount(db: ReadableDb): number {
  return statement<[], { total: number }>(db, 'SELECT count(*) AS total FROM image').get()?.total ?? 0
}

/** Every image, in the order in which they came, for a run to part. */
export function everyImage(db: ReadableDb): { imageId: number; sha256: string; path: string }[] {
  return statement<[], { imageId: number; sha256: string; path: string }>(
    db,
    'SELECT image_id AS imageId, lower(hex(sha256)) AS sha256, path FROM image ORDER BY image_id',
  ).all()
}

/** The encoded thumbnail of an image, or undefined: also when what is stored is no longer what was stored. */
export function thumbnailOf(db: ReadableDb, imageId: number): Buffer | undefined {
  const row = statement<[number], { bytes: Buffer; stored: Buffer | null }>(
    db,
    `SELECT bytes, thumbnail_sha256 AS stored FROM thumbnail JOIN image USING (image_id) WHERE image_id = ?`,
  ).get(imageId)
  return row?.stored && sha256(row.bytes).equals(row.stored) ? row.bytes : undefined
}

/** How many images match. */
export function countImages(db: ReadableDb, query: ImageQuery): number {
  const { from, where, parameters } = conditions(query)
  const row = statement<object, { total: number }>(db, `SELECT count(*) AS total FROM ${from} ${where}`).get(parameters)
  return row?.total ?? 0
}

/**
 * Rows [offset, offset + limit) of the matching images in the query's order.
 * Ids are found first, by an index alone, so that skipping 99,000 rows reads none of them.
 */
export function imageWindow(db: ReadableDb, query: ImageQuery, offset: number, limit: number): ImageRow[] {
  const { imageId, from, where, parameters } = conditions(query)
  return statement<object, ImageRow>(
    db,
    `WITH shown AS MATERIALIZED (
       SELECT ${imageId} AS image_id FROM ${from} ${where} ORDER BY ${order(query.sort, imageId)}
       LIMIT @limit OFFSET @offset
     )
     SELECT image.image_id AS imageId, name, path, size_bytes AS sizeBytes, width, height, format,
       lower(hex(sha256)) AS sha256, added_ms AS addedAtMs,
       response.lowest_score AS lowestScore, response.hallucinated_words AS hallucinatedWords
     -- CROSS JOIN keeps the order of "shown": SQLite then never makes another table the outer loop.
     FROM shown CROSS JOIN image ON image.image_id = shown.image_id
     LEFT JOIN rollout AS response
       ON response.image_id = image.image_id AND response.checkpoint_id = @checkpointId AND response.purpose = 'evaluation'`,
  ).all({ ...parameters, limit, offset })
}

function order(sort: ImageQuery['sort'], imageId: string): string {
  if (sort === 'name') return 'image.name, image.image_id'
  // A response that names no object has no score and stands last.
  if (sort === 'lowest-score') return `shown_response.lowest_score NULLS LAST, ${imageId}`
  return `${imageId} DESC`
}

/**
 * The tables and conditions of a query, and the column with the image's id. Only what a query uses is joined: an
 * order or a filter by response is then answered from an index of responses alone.
 */
function conditions(query: ImageQuery): {
  imageId: string
  from: string
  where: string
  parameters: Record<string, unknown>
} {
  const { checkpointId, responses, scoreRange, sort, tag } = query
  const where: string[] = []
  const search = query.search.trim()
  const needsResponse = sort === 'lowest-score' || responses === 'with-hallucination' || scoreRange !== null
  const imageId = needsResponse ? 'shown_response.image_id' : 'image.image_id'
  const from = needsResponse ? ['rollout AS shown_response'] : ['image']
  if (needsResponse) {
    if (sort === 'name') from.push('image ON image.image_id = shown_response.image_id')
    where.push("shown_response.checkpoint_id = @checkpointId AND shown_response.purpose = 'evaluation'")
  }
  if (responses === 'with-hallucination') where.push('shown_response.hallucinated_words > 0')
  if (scoreRange !== null) where.push('shown_response.lowest_score BETWEEN @low AND @high')
  if (responses === 'none') {
    where.push(
      `NOT EXISTS (SELECT 1 FROM rollout AS other WHERE other.image_id = ${imageId}
         AND other.checkpoint_id IS @checkpointId AND other.purpose = 'evaluation')`,
    )
  }
  if (tag !== null) {
    where.push(
      `${imageId} IN (SELECT image_id FROM image_tag WHERE tag_id = (SELECT tag_id FROM tag WHERE name = @tag))`,
    )
  }
  if (search !== '') {
    const byName = [...search].length >= 3 ? matchName : prefixName
    where.push(
      `${imageId} IN (${byName} UNION SELECT rollout.image_id FROM response_search
         JOIN rollout ON rollout.rollout_id = response_search.rowid
         WHERE response_search MATCH @words AND rollout.checkpoint_id IS @checkpointId
           AND rollout.purpose = 'evaluation')`,
    )
  }
  return {
    imageId,
    from: from.join(' JOIN '),
    where: where.length > 0 ? `WHERE ${where.join(' AND ')}` : '',
    parameters: {
      checkpointId,
      tag,
      low: scoreRange?.low ?? null,
      high: scoreRange?.high ?? null,
      phrase: quoted(search),
      // All words, anywhere in the response; the last may still be being typed.
      words: `${search.split(/\s+/).map(quoted).join(' ')} *`,
      prefix: search,
      afterPrefix: `${search}\u{10ffff}`,
    },
  }
}

/** Quoted text has no operators: whatever a person types is looked for as it stands. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

const matchName = 'SELECT rowid FROM image_name_search WHERE image_name_search MATCH @phrase'
const prefixName = 'SELECT image_id FROM image WHERE name >= @prefix AND name < @afterPrefix'
