// A query for images as SQL: which tables, conditions and order answer it from indexes alone. Before it stands the page's
// query, after it images.ts (counts and windows) and tags.ts, removals.ts (selections).
import type { ImageQuery, ImageSelection } from '../../shared/domain.ts'
import { type ReadableDb, statement } from './connection.ts'

/** True for images that were not taken out of the library (removals.ts), where `imageId` is a column. */
export function isPresent(imageId: string): string {
  return `NOT EXISTS (SELECT 1 FROM removed_image WHERE removed_image.image_id = ${imageId})`
}

/** Whether any image is removed: the usual library has none, and its questions need not look. */
export function hasRemovals(db: ReadableDb): boolean {
  return statement<[], unknown>(db, 'SELECT 1 FROM removed_image LIMIT 1').get() !== undefined
}

export interface QueryParts {
  /** The column with the image's id. */
  readonly imageId: string
  readonly from: string
  readonly where: string
  readonly order: string
  readonly parameters: Readonly<Record<string, unknown>>
}

/** The condition of a query that asks for nothing, once something was removed. */
export const presentImages = `WHERE ${isPresent('image.image_id')}`

/** As migration 0007 stores them in `named_object`. */
const labelCodes = { grounded: '1', hallucinated: '2', neutral: '3', any: '1, 2, 3' } as const

/**
 * The parts of the statement that answers a query. Only what a query uses is joined: an order or a filter by response is
 * then answered from an index of responses alone.
 */
export function queryParts(db: ReadableDb, query: ImageQuery): QueryParts {
  const { checkpointId, responses, scoreRange, sort } = query
  const isByResponse = sort === 'lowest-score' || sort === 'most-hallucinated'
  const needsResponse =
    isByResponse || responses === 'with-hallucination' || responses === 'some' || scoreRange !== null
  const imageId = needsResponse ? 'shown_response.image_id' : 'image.image_id'
  const from = needsResponse ? ['rollout AS shown_response'] : ['image']
  if (needsResponse && sort === 'name') from.push('image ON image.image_id = shown_response.image_id')
  const where = [
    needsResponse && "shown_response.checkpoint_id = @checkpointId AND shown_response.purpose = 'evaluation'",
    ...responseConditions(query, imageId),
    query.tag !== null &&
      `${imageId} IN (SELECT image_id FROM image_tag WHERE tag_id = (SELECT tag_id FROM tag WHERE name = @tag))`,
    query.search.trim() !== '' && searchCondition(query, imageId),
    hasRemovals(db) && isPresent(imageId),
  ].filter((condition) => condition !== false)
  return {
    imageId,
    from: from.join(' JOIN '),
    where: where.length > 0 ? `WHERE ${where.join(' AND ')}` : '',
    order: orders[sort](imageId),
    parameters: {
      checkpointId,
      tag: query.tag,
      word: query.word?.text ?? null,
      low: scoreRange?.low ?? null,
      high: scoreRange?.high ?? null,
      ...searchParameters(query.search.trim()),
    },
  }
}

const orders: Readonly<Record<ImageQuery['sort'], (imageId: string) => string>> = {
  newest: (imageId) => `${imageId} DESC`,
  name: () => 'image.name, image.image_id',
  // A response that names no object has no score and stands last.
  'lowest-score': (imageId) => `shown_response.lowest_score NULLS LAST, ${imageId}`,
  'most-hallucinated': (imageId) => `shown_response.hallucinated_words DESC, ${imageId}`,
}

function responseConditions({ responses, word, scoreRange }: ImageQuery, imageId: string): (string | false)[] {
  const named = (wordId: string, labels: string): string =>
    `${imageId} IN (SELECT image_id FROM named_object
       WHERE checkpoint_id = @checkpointId AND word_id = ${wordId} AND label IN (${labels}))`
  return [
    responses === 'with-hallucination' && 'shown_response.hallucinated_words > 0',
    responses === 'with-grounded' && named('0', labelCodes.grounded),
    responses === 'none' &&
      `NOT EXISTS (SELECT 1 FROM rollout AS other WHERE other.image_id = ${imageId}
         AND other.checkpoint_id IS @checkpointId AND other.purpose = 'evaluation')`,
    word !== null && named('(SELECT word_id FROM word WHERE text = @word)', labelCodes[word.label]),
    scoreRange !== null && 'shown_response.lowest_score BETWEEN @low AND @high',
  ]
}

/** The trigram index finds three characters and more; shorter parts are looked for in the index of names, from end to end. */
const fewestIndexedCharacters = 3

function searchCondition({ search, checkpointId }: ImageQuery, imageId: string): string {
  const text = search.trim()
  const byName =
    [...text].length >= fewestIndexedCharacters
      ? 'SELECT rowid FROM image_name_search WHERE image_name_search MATCH @phrase'
      : `SELECT image_id FROM image AS short_name INDEXED BY image_by_name
         WHERE ${spellings(text)
           .map((_, i) => `name LIKE @part${i} ESCAPE '\\'`)
           .join(' OR ')}`
  // The plus keeps SQLite from reading the responses one by one: those of the checkpoint are walked in their index.
  const byResponse = `UNION SELECT image_id FROM rollout AS searched INDEXED BY rollout_by_checkpoint
    WHERE checkpoint_id = @checkpointId AND purpose = 'evaluation'
      AND +rollout_id IN (SELECT rowid FROM response_search WHERE response_search MATCH @words)`
  return `${imageId} IN (${byName} ${checkpointId === null ? '' : byResponse})`
}

function searchParameters(text: string): Record<string, string> {
  const parts = spellings(text).map((part, i) => [`part${i}`, `%${part.replaceAll(/[\\%_]/g, '\\$&')}%`])
  return {
    phrase: quoted(text),
    // All words, anywhere in the response; the last may still be being typed.
    words: `${text.split(/\s+/).map(quoted).join(' ')} *`,
    ...Object.fromEntries(parts),
  }
}

/** LIKE knows the case of ASCII letters alone. */
function spellings(text: string): string[] {
  return /^[\0-\x7f]*$/.test(text) ? [text] : [...new Set([text, text.toLowerCase(), text.toUpperCase()])]
}

/** Quoted text has no operators: whatever a person types is looked for as it stands. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

/** SQL that selects a column `image_id`, and its named parameters. */
export interface ImageSelect {
  readonly sql: string
  readonly parameters: Readonly<Record<string, unknown>>
}

/** The images of a selection; ids that there are not are among them. */
export function selectImages(db: ReadableDb, selection: ImageSelection): ImageSelect {
  if ('imageIds' in selection) {
    return {
      sql: 'SELECT value AS image_id FROM json_each(@imageIds)',
      parameters: { imageIds: JSON.stringify(selection.imageIds) },
    }
  }
  const { imageId, from, where, parameters } = queryParts(db, selection.query)
  return { sql: `SELECT ${imageId} AS image_id FROM ${from} ${where}`, parameters }
}
