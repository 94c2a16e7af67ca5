// What became of runs when the workspace could not be written: kept here, shown as if it were stored, and stored when
// there is room again. Between runQueue.ts, which decides, and the workspace file.
import type { RunId, RunRecord, RunState } from '../../shared/domain.ts'
import { type ErrorRecord, StudioError } from '../../shared/errors.ts'
import type { WritableDb } from '../db/connection.ts'
import { deleteRun, setRunState } from '../db/runs.ts'

/** A change of a run that is to be stored. */
export interface RunChange {
  readonly runId: RunId
  readonly state: RunState
  readonly error: ErrorRecord | null
  readonly isDeleted: boolean
}

/** An opening of a workspace. */
interface Place {
  readonly key: string
  readonly db: WritableDb
}

export class UnstoredStates {
  /** By opening and run, the last change of each. */
  readonly #changes = new Map<string, Map<RunId, RunChange>>()

  /** Stores a change in the file. @throws what setRunState throws; the change is not kept then */
  store({ key, db }: Place, { runId, state, error, isDeleted }: RunChange): void {
    if (isDeleted) deleteRun(db, runId)
    else setRunState(db, runId, state, Date.now(), error)
    this.#changes.get(key)?.delete(runId)
  }

  /** Keeps a change for later. */
  keep(key: string, change: RunChange): void {
    const changes = this.#changes.get(key) ?? new Map<RunId, RunChange>()
    this.#changes.set(key, changes.set(change.runId, change))
  }

  isEmpty(key: string): boolean {
    return (this.#changes.get(key)?.size ?? 0) === 0
  }

  /** Tries to store all that is kept of an opening. @returns the runs whose change is in the file now */
  storeAll(place: Place): RunId[] {
    const stored: RunId[] = []
    for (const change of this.#changes.get(place.key)?.values() ?? []) {
      try {
        this.store(place, change)
        stored.push(change.runId)
      } catch (thrown) {
        if (isWorthWaitingFor(thrown)) return stored
        // It may not go there any more, as when it was deleted meanwhile: there is nothing left to store.
        this.#changes.get(place.key)?.delete(change.runId)
      }
    }
    return stored
  }

  forget(key: string): void {
    this.#changes.delete(key)
  }

  /** The runs as they will be once all is stored. */
  over(key: string, runs: readonly RunRecord[]): RunRecord[] {
    const changes = this.#changes.get(key)
    if (!changes) return [...runs]
    return runs.flatMap((run) => {
      const change = changes.get(run.runId)
      if (!change) return [run]
      return change.isDeleted ? [] : [{ ...run, state: change.state, error: change.error }]
    })
  }
}

const passing: readonly string[] = [
  'workspace.disk-full',
  'workspace.disk-error',
  'workspace.read-only',
  'workspace.busy',
]

/** Whether what was thrown may pass by itself or by a person's hand, without anything that is wrong with the run. */
export function isWorthWaitingFor(thrown: unknown): thrown is StudioError {
  return thrown instanceof StudioError && passing.includes(thrown.code)
}
