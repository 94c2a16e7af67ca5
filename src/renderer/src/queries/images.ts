// What pages ask of images and imports; queries/invalidate.ts keeps the answers current.
import { keepPreviousData, type QueryClient, queryOptions, useQueries, useQuery } from '@tanstack/react-query'
import type { ImportView } from '../../../shared/contract.ts'
import type {
  AnsweredCheckpoint,
  ImageQuery,
  ImageRow,
  ImportIssue,
  ObjectWord,
  Removal,
  TagRecord,
} from '../../../shared/domain.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { keys } from './keys.ts'

/** How many images match; the last answer while another one is awaited, null before the first. */
export function useImageCount(query: ImageQuery): number | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.imageCount(w, query),
    queryFn: () => request('images.count', { query }),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  return data?.total ?? null
}

/** Images of one request of the grid. */
export const pageSize = 120
/** How long pages that are scrolled past are kept: a hundred thousand images need not all stay. */
const pageKeptMs = 60_000

function pageOptions(w: string | null, query: ImageQuery, page: number) {
  const offset = page * pageSize
  return queryOptions({
    queryKey: keys.imageWindow(w, query, offset, pageSize),
    queryFn: () => request('images.window', { query, offset, limit: pageSize }),
    gcTime: pageKeptMs,
    // A page that is scrolled to again is asked for again only when it may have become another.
    refetchOnMount: true,
  })
}

/**
 * The images at places [start, end) of a query's order, by place.
 * @param isEnabled false while they fly by: what is known is shown, nothing is asked
 */
export function useImageRows(
  query: ImageQuery,
  start: number,
  end: number,
  isEnabled: boolean,
): (index: number) => ImageRow | undefined {
  const w = useWorkspaceKey()
  const firstPage = Math.floor(start / pageSize)
  const pages = Math.max(0, Math.ceil(end / pageSize) - firstPage)
  const answers = useQueries({
    queries: Array.from({ length: pages }, (_, i) => {
      return { ...pageOptions(w, query, firstPage + i), enabled: w !== null && isEnabled }
    }),
  })
  return (index) => answers[Math.floor(index / pageSize) - firstPage]?.data?.images[index % pageSize]
}

/** The ids at places [start, end) of a query's order. */
export async function imageIdsAt(
  client: QueryClient,
  w: string | null,
  query: ImageQuery,
  start: number,
  end: number,
): Promise<number[]> {
  const ids: number[] = []
  for (let page = Math.floor(start / pageSize); page * pageSize < end; page++) {
    const { images } = await client.fetchQuery(pageOptions(w, query, page))
    const offset = page * pageSize
    const within = images.slice(Math.max(0, start - offset), end - offset)
    ids.push(...within.map(({ imageId }) => imageId))
  }
  return ids
}

/** The checkpoints that have responses, the newest run first; null before the first answer. */
export function useAnsweredCheckpoints(): readonly AnsweredCheckpoint[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.imageCheckpoints(w),
    queryFn: () => request('images.checkpoints', {}),
    enabled: w !== null,
  })
  return data ?? null
}

/** The object words of a checkpoint's responses, the most frequent first; null before the first answer. */
export function useObjectWords(checkpointId: AnsweredCheckpoint['checkpointId'] | null): readonly ObjectWord[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.imageWords(w, checkpointId),
    queryFn: async () => (checkpointId === null ? { words: [] } : await request('images.words', { checkpointId })),
    enabled: w !== null,
  })
  return data?.words ?? null
}

const noTags: readonly TagRecord[] = []

/** The tags of the workspace, by name. */
export function useTags(): readonly TagRecord[] {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.imageTags(w),
    queryFn: () => request('images.tags', {}),
    enabled: w !== null,
  })
  return data ?? noTags
}

/** What was removed and not brought back, the last first; null before the first answer. */
export function useRemovals(): readonly Removal[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.imageRemovals(w),
    queryFn: () => request('images.removals', {}),
    enabled: w !== null,
  })
  return data ?? null
}

const none: readonly ImportView[] = []

/** The imports of the workspace, newest first. */
export function useImports(): readonly ImportView[] {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.importList(w),
    queryFn: () => request('images.imports', {}),
    enabled: w !== null,
  })
  return data ?? none
}

/** One page of the files that an import left out. */
export function useImportIssues(importId: number, offset: number, limit: number): readonly ImportIssue[] {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.importIssues(w, importId, offset),
    queryFn: () => request('images.importIssues', { importId, offset, limit }),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  return data?.issues ?? []
}
