// What pages ask of runs; queries/invalidate.ts keeps the answers current.
import { queryOptions, useQuery } from '@tanstack/react-query'
import type { Result } from '../../../shared/contract.ts'
import type { RunId } from '../../../shared/domain.ts'
import type { RunDetail, RunView } from '../../../shared/runView.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { keys } from './keys.ts'

/** The runs of the workspace, newest first; null before the first answer and where none is open. */
export function useRuns(): readonly RunView[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({ ...runsOptions(w), enabled: w !== null })
  return data ?? null
}

export function runsOptions(w: string | null) {
  return queryOptions({ queryKey: keys.runList(w), queryFn: () => request('runs.list', {}) })
}

/** What the page of a run shows; null before the first answer and without a run. */
export function useRunDetail(runId: RunId | null): RunDetail | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    ...runDetailOptions(w, runId ?? (0 as RunId)),
    enabled: w !== null && runId !== null,
  })
  return data ?? null
}

export function runDetailOptions(w: string | null, runId: RunId) {
  return queryOptions({ queryKey: keys.runDetail(w, runId), queryFn: () => request('runs.get', { runId }) })
}

/** Named metrics of a run by step; null before the first answer. */
export function useRunMetrics(runId: RunId, names: readonly string[]): Result<'runs.metrics'> | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.runMetrics(w, runId, names),
    queryFn: () => request('runs.metrics', { runId, names: [...names] }),
    enabled: w !== null,
  })
  return data ?? null
}
