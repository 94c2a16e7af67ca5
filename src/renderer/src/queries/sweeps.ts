// What pages ask of sweeps; queries/invalidate.ts keeps the answers current.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Params } from '../../../shared/contract.ts'
import type { ChairPlan, SweepDetail, SweepView } from '../../../shared/sweepView.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { aheadOfNeed } from './client.ts'
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

/** What measuring CHAIR would ask for; the last answer while another is awaited, null before the first. */
export function useChairPlan(asked: Params<'sweeps.planChair'>): ChairPlan | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.chairPlan(w, asked),
    queryFn: () => request('sweeps.planChair', asked),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  return data ?? null
}

/** The memory that a cell of a new sweep is given unless it is typed; null before the answer. */
export function useCellMemory(asked: Params<'sweeps.memory'>): number | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.sweepMemory(w, asked),
    queryFn: () => request('sweeps.memory', asked),
    enabled: w !== null,
    // A model that cannot be opened is told when the sweep is written.
    meta: aheadOfNeed,
  })
  return data?.memoryMb ?? null
}
