// The order in which the grid showed an image that was opened from it, so that the inspector can go on to the next one.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { z } from 'zod'
import {
  allImages,
  type CheckpointId,
  type ImageQuery,
  type ImageRow,
  imageQuerySchema,
  type RunId,
} from '../../../../shared/domain.ts'
import { request, useWorkspaceKey } from '../../api.ts'
import { keep, keptValue, navigate } from '../../place.ts'
import { useImageCount } from '../../queries/images.ts'
import { keys } from '../../queries/keys.ts'
import { keepActiveTile, leaveGrid } from '../images/gridPlace.ts'

const orderSchema = z.object({ query: imageQuerySchema, index: z.int().nonnegative() })
const orderName = 'inspector.order'

/**
 * Opens an image of the grid in the inspector.
 * @param index its place in the order of the query
 * @param compared the run, and its checkpoint to the right; null for the usual ones
 */
export function inspect(
  query: ImageQuery,
  index: number,
  imageId: number,
  compared: { readonly runId: RunId | null; readonly right: CheckpointId | null },
): void {
  keep(orderName, { query, index })
  leaveGrid()
  navigate({ page: 'inspector', imageId, ...compared })
}

export interface Neighbours {
  /** From 0. */
  readonly index: number
  readonly total: number
  /** Null at either end. */
  readonly previous: number | null
  readonly next: number | null
  /** Both, the next one first. */
  readonly images: readonly ImageRow[]
}

/** What stands before and after the image; null when it is no longer where it was opened from. */
export function useNeighbours(imageId: number): Neighbours | null {
  const w = useWorkspaceKey()
  const { query, index } = keptValue(orderName, orderSchema, { query: allImages, index: 0 })
  const total = useImageCount(query)
  const offset = Math.max(0, index - 1)
  const { data } = useQuery({
    queryKey: keys.imageWindow(w, query, offset, 3),
    queryFn: () => request('images.window', { query, offset, limit: 3 }),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  const images = data?.images ?? []
  const place = images.findIndex((image) => image.imageId === imageId)
  if (place < 0 || total === null) return null
  return {
    ...{ index: offset + place, total },
    previous: images[place - 1]?.imageId ?? null,
    next: images[place + 1]?.imageId ?? null,
    images: [images[place + 1], images[place - 1]].filter((image) => image !== undefined),
  }
}

/** Goes on to a neighbour; going back leads to the grid and not through all that were looked at. */
export function moveTo(route: Parameters<typeof navigate>[0] & { readonly page: 'inspector' }, index: number): void {
  const { query } = keptValue(orderName, orderSchema, { query: allImages, index: 0 })
  keep(orderName, { query, index })
  keepActiveTile(index)
  navigate(route, { replaces: true })
}
