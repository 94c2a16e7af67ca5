// What each event of main means for the answers that the window holds: progress is written into them, and what may have
// become another answer is asked for again. The only place that does either.
import type { QueryClient } from '@tanstack/react-query'
import type { EventPayload, ImportView, StudioBridge } from '../../../shared/contract.ts'
import type { RunDetail, RunView } from '../../../shared/runView.ts'
import { followDescribe } from './describe.ts'
import { followDeletedEvaluation, followEvaluation } from './evaluations.ts'
import { keys } from './keys.ts'

export interface FollowOptions {
  readonly subscribe: StudioBridge['subscribe']
  /** The opening of a workspace that is shown now. */
  readonly workspaceKey: () => string | null
}

/** Keeps the answers current from here on. */
export function followEvents(client: QueryClient, { subscribe, workspaceKey }: FollowOptions): void {
  subscribe('runs.changed', (change) => followRun(client, workspaceKey(), change))
  subscribe('images.importChanged', (change) => followImport(client, workspaceKey(), change))
  subscribe('activity.changed', ({ activities }) => client.setQueryData(keys.activities(), activities))
  subscribe('sweeps.changed', () => void client.invalidateQueries({ queryKey: keys.sweeps(workspaceKey()) }))
  subscribe('images.changed', () => followImages(client, workspaceKey()))
  subscribe('describe.changed', (view) => followDescribe(client, workspaceKey(), view))
  subscribe('evaluations.changed', (view) => followEvaluation(client, workspaceKey(), view))
  subscribe('evaluations.deleted', ({ evaluationId }) => followDeletedEvaluation(client, workspaceKey(), evaluationId))
}

/** Progress of a run is written down where the run is shown; only when the workspace may hold more is it asked again. */
export function followRun(client: QueryClient, w: string | null, change: EventPayload<'runs.changed'>): void {
  const { runId, live, isOnlyProgress } = change
  client.setQueryData<readonly RunView[]>(keys.runList(w), (runs) =>
    runs?.map((run) => (run.runId === runId ? { ...run, live } : run)),
  )
  client.setQueryData<RunDetail>(
    keys.runDetail(w, runId),
    (detail) => detail && { ...detail, run: { ...detail.run, live } },
  )
  if (isOnlyProgress) return
  void client.invalidateQueries({ queryKey: keys.runList(w) })
  void client.invalidateQueries({ queryKey: keys.sweeps(w) })
  // It may have described images meanwhile.
  void client.invalidateQueries({ queryKey: keys.imageCheckpoints(w) })
  // Of another run too, if its page shows this one as its placebo.
  void client.invalidateQueries({
    queryKey: keys.runs(w),
    predicate: ({ queryKey, state }) => isOfRun(queryKey, keys.run(w, runId)) || shows(state.data, runId),
  })
}

function isOfRun(queryKey: readonly unknown[], prefix: readonly unknown[]): boolean {
  return prefix.every((part, index) => queryKey[index] === part)
}

function shows(data: unknown, runId: number): boolean {
  const { counterpart } = (data ?? {}) as Partial<RunDetail>
  return counterpart?.run.runId === runId
}

/** The counts of an import that goes on are written down; its beginning and its end are asked for, and what it added. */
export function followImport(
  client: QueryClient,
  w: string | null,
  change: EventPayload<'images.importChanged'>,
): void {
  const { importId, live } = change
  const imports = client.getQueryData<readonly ImportView[]>(keys.importList(w))
  if (live && imports?.some((one) => one.importId === importId && one.live)) {
    client.setQueryData(
      keys.importList(w),
      imports.map((one) => (one.importId === importId ? { ...one, live } : one)),
    )
    return
  }
  void client.invalidateQueries({ queryKey: keys.imports(w) })
  if (!live) void client.invalidateQueries({ queryKey: keys.images(w) })
}

/** The workspace has other images than before, or they have other tags or paths. */
export function followImages(client: QueryClient, w: string | null): void {
  void client.invalidateQueries({ queryKey: keys.images(w) })
}
