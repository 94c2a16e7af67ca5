// What pages ask of sweeps; queries/invalidate.ts keeps the answers current.
import { useQuery } from '@tanstack/react-query'
import type { SweepDetail, SweepView } from '../../../shared/sweepView.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { keys } from './keys.ts'

/** The sweeps of the workspace, newest first; null before the first answer and where none is open. */
export function useSweeps(): readonly SweepView[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.sweepList(w),
    queryFn: () => request('sweeps.list', {}),
    enabled: w !== null,
  })
  return data ?? null
}

/** What the page of a sweep shows; null before the first answer. */
export function useSweepDetail(sweepId: string): SweepDetail | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.sweepDetail(w, sweepId),
    queryFn: () => request('sweeps.get', { sweepId }),
    enabled: w !== null,
  })
  return data ?? null
}
