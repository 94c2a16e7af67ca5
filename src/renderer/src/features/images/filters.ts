// What a person asks of the images, kept while other pages are shown, and the query that it comes to.
import { z } from 'zod'
import { type AnsweredCheckpoint, type ImageQuery, imageQuerySchema } from '../../../../shared/domain.ts'
import { formatFigure } from '../../format.ts'
import { keep, navigate, useKept } from '../../place.ts'

const { search, sort, responses, word, scoreRange, tag } = imageQuerySchema.shape

export const filtersSchema = z.object({
  ...{ search, sort, responses, word, scoreRange, tag },
  /** Whose responses are meant; `newest` is the last checkpoint of the newest run that has some. */
  checkpoint: z.union([z.literal('newest'), z.int().positive()]).nullable(),
})
export type Filters = z.infer<typeof filtersSchema>

export const noFilters: Filters = {
  ...{ search: '', sort: 'newest', checkpoint: 'newest' },
  ...{ responses: 'any', word: null, scoreRange: null, tag: null },
}

const filtersName = 'images.filters'

export function useFilters(): [Filters, (filters: Filters) => void] {
  return useKept(filtersName, filtersSchema, noFilters)
}

/** Shows the images that other pages speak of, e.g. those in which a word was hallucinated. */
export function showImagesWith(filters: Partial<Filters>): void {
  keep(filtersName, { ...noFilters, ...filters })
  navigate({ page: 'images' })
}

export function isOfResponses(order: ImageQuery['sort']): boolean {
  return order === 'lowest-score' || order === 'most-hallucinated'
}

/** The checkpoint that is meant; undefined for none, also when it is gone. */
export function chosenCheckpoint(
  { checkpoint }: Filters,
  answered: readonly AnsweredCheckpoint[],
): AnsweredCheckpoint | undefined {
  if (checkpoint === null) return undefined
  const chosen = answered.find(({ checkpointId }) => checkpointId === checkpoint)
  if (chosen) return chosen
  const [first] = answered
  // Within a run the last step tells the most.
  return answered
    .filter(({ runId }) => runId === first?.runId)
    .reduce<AnsweredCheckpoint | undefined>((last, one) => (last && last.step > one.step ? last : one), undefined)
}

/** Without a checkpoint nothing is asked of responses: those filters wait until there is one. */
export function queryOf(filters: Filters, checkpoint: AnsweredCheckpoint | undefined): ImageQuery {
  const { search: typed, sort: order, tag: ofTag } = filters
  const base = { search: typed.trim(), tag: ofTag, checkpointId: checkpoint?.checkpointId ?? null }
  if (!checkpoint) {
    const kept = isOfResponses(order) ? 'newest' : order
    return { ...base, sort: kept, responses: 'any', word: null, scoreRange: null }
  }
  return { ...base, sort: order, responses: filters.responses, word: filters.word, scoreRange: filters.scoreRange }
}

/** Whether a query leaves any image out by what a person asked for; the order does not count. */
export function isFiltered({
  search: text,
  responses: verdict,
  word: ofWord,
  scoreRange: range,
  tag: ofTag,
}: ImageQuery): boolean {
  return text !== '' || verdict !== 'any' || ofWord !== null || range !== null || ofTag !== null
}

export const verdicts: readonly {
  readonly value: ImageQuery['responses']
  readonly label: string
  readonly note: string
}[] = [
  {
    value: 'with-hallucination',
    label: 'Hallucinated words',
    note: 'The response names something that the image does not show.',
  },
  { value: 'with-grounded', label: 'Grounded words', note: 'The response names something that the image shows.' },
  { value: 'some', label: 'Described', note: 'There is a response.' },
  { value: 'none', label: 'Not described yet', note: 'There is no response of this checkpoint.' },
]

/** `0.05 to 0.12`, `up to 0.12`, `from 0.05`. */
export function rangeWords({ low, high }: NonNullable<ImageQuery['scoreRange']>): string {
  if (low <= lowestScore) return `up to ${formatFigure(high, 2)}`
  if (high >= highestScore) return `from ${formatFigure(low, 2)}`
  return `${formatFigure(low, 2)} to ${formatFigure(high, 2)}`
}

/** Scores are cosines. */
export const lowestScore = -1
export const highestScore = 1

/** Why nothing was found, and what to try, in one sentence or two. */
export function whyNothing(query: ImageQuery): string {
  const { search: text, responses: verdict, word: ofWord, scoreRange: range, tag: ofTag } = query
  const asked = [text !== '', verdict !== 'any', ofWord !== null, range !== null, ofTag !== null].filter(Boolean).length
  if (asked > 1) return 'No image fits all of these filters at once. Take one away to see more.'
  if (text !== '') {
    const where =
      query.checkpointId === null
        ? 'A file name has to contain it.'
        : 'Neither a file name nor a response of this checkpoint has it.'
    return `No image matches “${text}”. ${where}`
  }
  if (verdict === 'with-hallucination') return 'No word of this checkpoint’s responses was judged hallucinated.'
  if (verdict === 'with-grounded') return 'No word of this checkpoint’s responses was judged grounded.'
  if (verdict === 'none') return 'This checkpoint has described every image.'
  if (range !== null) return 'No response has its lowest score in this range.'
  if (ofWord !== null) return `No response names “${ofWord.text}” with this verdict.`
  if (ofTag !== null) return `No image has the tag “${ofTag}” any more.`
  return 'This checkpoint has described no image yet.'
}
