// Ends of the engine in the middle of runs: a run goes on from its last checkpoint, but not for ever. Counted for runQueue.ts.
import type { RunId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { runById } from '../db/runs.ts'
import type { Current } from './workspaces.ts'

/** A run is given up when the engine ended this often in a row without a new checkpoint of it. */
const mostInARow = 4

/** Ends of the engine during a run since its last new checkpoint. */
interface Ends {
  readonly checkpointStep: number | null
  readonly inARow: number
}

export class EngineEnds {
  readonly #ends = new Map<string, Ends>()

  /** Counts an end of the engine; false when there were too many without a new checkpoint. */
  mayGoOn({ db, key }: Current, runId: RunId): boolean {
    const checkpointStep = runById(db, runId)?.checkpointStep ?? null
    const before = this.#ends.get(keyOf(key, runId))
    const inARow = before?.checkpointStep === checkpointStep ? before.inARow + 1 : 1
    this.#ends.set(keyOf(key, runId), { checkpointStep, inARow })
    return inARow < mostInARow
  }

  /** The run has come to an end, or a person has seen that it stands still. */
  forget(workspaceKey: string, runId: RunId): void {
    this.#ends.delete(keyOf(workspaceKey, runId))
  }
}

function keyOf(workspaceKey: string, runId: RunId): string {
  return `${workspaceKey} ${runId}`
}

export function endedTooOften(runId: RunId, last: StudioError): StudioError {
  return new StudioError(
    {
      code: 'run.engine-ended',
      message: `The engine ended ${mostInARow} times in a row while it worked on this run, without a new checkpoint.`,
      remedy:
        'Everything up to the last checkpoint is kept. Try smaller batches, so that less memory is needed, or another device; then resume.',
      found: last.message,
      where: `run ${runId}`,
    },
    { cause: last },
  )
}
