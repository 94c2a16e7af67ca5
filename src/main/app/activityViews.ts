// Runs, imports, questions and evaluations as activities: read from their own lists, so that nothing is kept twice. Before it
// stand runQueue.ts, imageLibrary.ts, describes.ts and evaluations.ts, after it activities.ts.
import { basename } from 'node:path'
import type { ImportView } from '../../shared/contract.ts'
import type { DescribeView } from '../../shared/describe.ts'
import type { EvaluationId } from '../../shared/domain.ts'
import { openingWords, readyingWords } from '../../shared/readying.ts'
import type { RunView } from '../../shared/runView.ts'
import type { ListedActivity } from './activities.ts'
import type { OpenEvaluation } from './evaluations.ts'

/** Runs that the engine works on, or that wait for it. @param pause what the tray's cancel does to one */
export function runActivities(runs: readonly RunView[], pause: (run: RunView) => void): ListedActivity[] {
  return runs
    .filter(({ state, live }) => live !== null || state === 'running' || state === 'queued')
    .map((run) => {
      const { runId, name, state, live, totalSteps, waitingFor, checkpointStep, startedAtMs } = run
      const isEnding = live !== null && live.wish !== 'go-on'
      const isWaiting = live === null
      const step = live?.progress?.step ?? checkpointStep ?? 0
      return {
        ...{ id: `run-${runId}`, kind: 'run' as const, title: name },
        detail:
          waitingFor?.message ?? (isWaiting && state === 'queued' ? 'waits for its turn' : stepWords(step, totalSteps)),
        state: isEnding ? ('ending' as const) : isWaiting ? ('waiting' as const) : ('under-way' as const),
        share: totalSteps ? Math.min(1, step / totalSteps) : null,
        remainingMs: live?.progress?.remainingMs ?? null,
        startedAtMs: isWaiting ? null : startedAtMs,
        cancel: isEnding ? null : () => pause(run),
      }
    })
}

function stepWords(step: number, totalSteps: number | null): string {
  return totalSteps === null ? `step ${step}` : `step ${step} of ${totalSteps}`
}

/** Imports that the library works on. */
export function importActivities(imports: readonly ImportView[], cancel: (importId: number) => void): ListedActivity[] {
  return imports
    .filter(({ live, error }) => live !== null && error === null)
    .map(({ importId, folder, live, startedAtMs }) => {
      const { seen = 0, found = 0, walking = true } = live ?? {}
      return {
        ...{ id: `import-${importId}`, kind: 'import' as const, title: basename(folder) || folder },
        detail: `${seen} of ${found}${walking ? ' or more' : ''} files`,
        ...{ state: 'under-way' as const, startedAtMs, remainingMs: null },
        share: walking || found === 0 ? null : Math.min(1, seen / found),
        cancel: () => cancel(importId),
      }
    })
}

/** The devices that are being measured. @param sinceMs null while they are not */
export function probeActivities(sinceMs: number | null): ListedActivity[] {
  if (sinceMs === null) return []
  const entry = { id: 'probe', kind: 'probe' as const, title: 'Devices of this machine', detail: 'being measured' }
  return [{ ...entry, state: 'under-way', share: null, remainingMs: null, startedAtMs: sinceMs, cancel: null }]
}

/** Questions and descriptions of the library that wait or are under way. @param cancel ends the one of this number */
export function describeActivities(
  describes: readonly DescribeView[],
  cancel: (describeId: number) => void,
): ListedActivity[] {
  return describes
    .filter(({ state }) => state === 'waiting' || state === 'opening' || state === 'running')
    .map((view) => {
      const isWaiting = view.state === 'waiting'
      return {
        ...{ id: `describe-${view.describeId}`, kind: 'describe' as const, ...describeWords(view) },
        state: isWaiting ? ('waiting' as const) : ('under-way' as const),
        // Not kept of a question; the list needs no more than that it has begun.
        startedAtMs: isWaiting ? null : 0,
        cancel: () => cancel(view.describeId),
      }
    })
}

function describeWords(view: DescribeView): Pick<ListedActivity, 'title' | 'detail' | 'share' | 'remainingMs'> {
  const { state, waitsFor } = view
  const doing = waitsFor ?? (state === 'opening' ? openingWords(view.readied).toLowerCase() : null)
  if (view.about === 'image') {
    const spoken = `${view.tokens} ${view.tokens === 1 ? 'token' : 'tokens'}`
    return {
      title: `Question about image ${view.question.imageId}`,
      detail: doing ?? spoken,
      share: null,
      remainingMs: null,
    }
  }
  const { step, query, done, total, remainingMs } = view
  return {
    title: `${query === null ? 'All images' : 'Images of a filter'} by step ${step}`,
    detail: doing ?? `${done} of ${total} images`,
    ...{ share: total === 0 ? null : Math.min(1, done / total), remainingMs },
  }
}

/** Evaluations that wait or are under way. @param cancel ends one; what was answered stays */
export function evaluationActivities(
  open: readonly OpenEvaluation[],
  cancel: (evaluationId: EvaluationId) => void,
): ListedActivity[] {
  return open.map(({ view, startedAtMs, isEnding }) => {
    const { evaluationId, name, state, done, total, remainingMs, waitsFor, readied } = view
    const opening = readied === null ? 'opening the models' : readyingWords(readied).toLowerCase()
    const doing = waitsFor ?? (state === 'opening' ? opening : state === 'counting' ? 'counting' : null)
    return {
      ...{ id: `evaluate-${evaluationId}`, kind: 'evaluate' as const, title: name },
      detail: doing ?? `${done} of ${total} answers`,
      state: isEnding ? ('ending' as const) : state === 'waiting' ? ('waiting' as const) : ('under-way' as const),
      ...{ share: total === 0 ? null : Math.min(1, done / total), remainingMs, startedAtMs },
      cancel: isEnding ? null : () => cancel(evaluationId),
    }
  })
}
