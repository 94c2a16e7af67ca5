// What the grid shows, for pages that do something with it: its query and how many images that is.
import type { ImageQuery } from '../../../../shared/domain.ts'
import { useAnsweredCheckpoints, useImageCount } from '../../queries/images.ts'
import { chosenCheckpoint, isFiltered, isOfResponses, queryOf, useFilters } from './filters.ts'

export interface GridQuery {
  readonly query: ImageQuery
  readonly images: number
}

/** Null while the grid shows all images, or before they are counted. */
export function useGridQuery(): GridQuery | null {
  const [filters] = useFilters()
  const answered = useAnsweredCheckpoints() ?? []
  const query = queryOf(filters, chosenCheckpoint(filters, answered))
  const images = useImageCount(query)
  // An order by what was said leaves out what was not described.
  const isPart = isFiltered(query) || isOfResponses(query.sort)
  return isPart && images !== null ? { query, images } : null
}
