// A query for images as SQL: which tables, conditions and order answer it from indexes alone. Before it stands the page's
// query, after it images.ts (counts and windows) and tags.ts, removals.ts (selections).
import type { ImageQuery, ImageSelection } from '../../shared/domain.ts'
import { type ReadableDb, statement } from './connection.ts'
import { foundImages, isFound, shown } from './foundImages.ts'

/** True for images that were not taken out of the library (removals.ts), where `imageId` is a column. */
export function isPresent(imageId: string): string {
  return `${imageId} NOT IN (SELECT image_id FROM removed_image)`
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

/** Where the images of a query are walked, and how an image or its response is named there. */
interface Walk {
  readonly isOfResponses: boolean
  readonly imageId: string
  /** The id where a condition shall not change the order of the walk. */
  readonly tested: string
}

/**
 * The parts of the statement that answers a query: a walk in the order of an index, over images or over the checkpoint's
 * responses, with all else as sets of ids that are made once. A walk over 100,000 entries costs some milliseconds, a look at
 * as many rows elsewhere a hundred.
 */
export function queryParts(db: ReadableDb, query: ImageQuery): QueryParts {
  const { checkpointId, responses, scoreRange, sort } = query
  const isByResponse = sort === 'lowest-score' || sort === 'most-hallucinated'
  const needsResponse = responses === 'with-hallucination' || responses === 'some' || scoreRange !== null
  const isOfResponses = isByResponse || (needsResponse && sort === 'newest')
  const isSearch = query.search.trim() !== ''
  const imageId = isOfResponses ? 'shown_response.image_id' : 'image.image_id'
  const walk = { isOfResponses, imageId, tested: sort === 'name' ? `+${imageId}` : imageId }
  const where = [
    ...shownConditions(query, walk, needsResponse),
    ...responseConditions(query, walk),
    query.tag !== null &&
      `${walk.tested} IN (SELECT image_id FROM image_tag WHERE tag_id = (SELECT tag_id FROM tag WHERE name = @tag))`,
    isSearch && isFound(imageId),
    hasRemovals(db) && isPresent(imageId),
  ].filter((condition) => condition !== false)
  return {
    imageId,
    from: isOfResponses ? 'rollout AS shown_response' : 'image',
    where: where.length > 0 ? `WHERE ${where.join(' AND ')}` : '',
    order: orders[sort](imageId),
    parameters: {
      checkpointId,
      tag: query.tag,
      word: query.word?.text ?? null,
      low: scoreRange?.low ?? null,
      high: scoreRange?.high ?? null,
      ...(isSearch && { found: foundImages(db, query.search, checkpointId) }),
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

/** What is asked of the response's own columns: conditions of the walk, or a set of images for a walk over images. */
function shownConditions(
  { responses, scoreRange }: ImageQuery,
  { isOfResponses, tested }: Walk,
  needsResponse: boolean,
): string[] {
  if (!isOfResponses && !needsResponse) return []
  const conditions = [shown]
  if (responses === 'with-hallucination') conditions.push('hallucinated_words > 0')
  if (scoreRange !== null) conditions.push('lowest_score BETWEEN @low AND @high')
  const all = conditions.join(' AND ')
  return [isOfResponses ? all : `${tested} IN (SELECT image_id FROM rollout AS answered WHERE ${all})`]
}

function responseConditions({ responses, word }: ImageQuery, { tested }: Walk): (string | false)[] {
  const named = (wordId: string, labels: string): string =>
    `${tested} IN (SELECT image_id FROM named_object
       WHERE checkpoint_id = @checkpointId AND word_id = ${wordId} AND label IN (${labels}))`
  return [
    responses === 'with-grounded' && named('0', labelCodes.grounded),
    responses === 'none' && `${tested} NOT IN (SELECT image_id FROM rollout AS other WHERE ${shown})`,
    word !== null && named('(SELECT word_id FROM word WHERE text = @word)', labelCodes[word.label]),
  ]
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
