// What pages ask of images and imports; queries/invalidate.ts keeps the answers current.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { ImportView } from '../../../shared/contract.ts'
import type { ImageQuery, ImportIssue } from '../../../shared/domain.ts'
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
