// Sweeps of the open workspace, as pages ask for them: several runs at once in the queue, and what they came to.
import type { RunId } from '../../shared/domain.ts'
import type { NewSweep } from '../../shared/sweepChannels.ts'
import { listSweeps } from '../db/sweeps.ts'
import type { ChannelHandlers } from '../ipc.ts'
import { queueSweep } from './newSweep.ts'
import { detailOfSweep, viewOfSweep } from './sweepViews.ts'
import type { Workspaces } from './workspaces.ts'

type SweepChannel = Extract<keyof ChannelHandlers, `sweeps.${string}`>

export interface SweepsOptions {
  readonly workspaces: Workspaces
  /** Runs were made or collected; one of them. */
  readonly onRunsMade: (runId: RunId) => void
}

export class Sweeps {
  readonly #options: SweepsOptions

  constructor(options: SweepsOptions) {
    this.#options = options
  }

  handlers(): Pick<ChannelHandlers, SweepChannel> {
    const { workspaces } = this.#options
    return {
      'sweeps.list': () => {
        const { db } = workspaces.requireShown()
        return listSweeps(db).map((sweep) => viewOfSweep(db, sweep))
      },
      'sweeps.get': ({ sweepId }) => detailOfSweep(workspaces.requireShown().db, sweepId),
      'sweeps.create': (request) => this.create(request),
    }
  }

  /** Puts all of its runs at the end of the queue. */
  create(request: NewSweep): { sweepId: string; runId: RunId } {
    const { workspaces, onRunsMade } = this.#options
    const { sweepId, runIds } = queueSweep(workspaces.require().db, request, Date.now())
    const [runId] = runIds as [RunId]
    onRunsMade(runId)
    return { sweepId, runId }
  }
}
