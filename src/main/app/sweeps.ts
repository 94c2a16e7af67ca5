// Sweeps of the open workspace, as pages ask for them: several runs at once in the queue, the folders of those that other
// machines carry out, and what they came to.
import type { Result } from '../../shared/contract.ts'
import type { RunId } from '../../shared/domain.ts'
import type { NewSweep } from '../../shared/sweepChannels.ts'
import { forgetSweepFolder, listSweeps } from '../db/sweeps.ts'
import { type ChannelHandlers, done } from '../ipc.ts'
import { showFolder } from '../security.ts'
import { askSweepFolder } from './dialogs.ts'
import { queueSweep } from './newSweep.ts'
import type { SweepFolders } from './sweepFolders.ts'
import { detailOfSweep, requireSweep, viewOfSweep } from './sweepViews.ts'
import type { Workspaces } from './workspaces.ts'

type SweepChannel = Extract<keyof ChannelHandlers, `sweeps.${string}`>

export interface SweepsOptions {
  readonly workspaces: Workspaces
  readonly folders: SweepFolders
  /** Runs were made; one of them. */
  readonly onRunsMade: (runId: RunId) => void
  readonly onChanged: () => void
}

export class Sweeps {
  readonly #options: SweepsOptions

  constructor(options: SweepsOptions) {
    this.#options = options
  }

  handlers(): Pick<ChannelHandlers, SweepChannel> {
    const { workspaces, folders, onChanged } = this.#options
    return {
      'sweeps.list': () => {
        const { db } = workspaces.requireShown()
        return listSweeps(db).map((sweep) => viewOfSweep(db, sweep))
      },
      'sweeps.get': ({ sweepId }) => this.get(sweepId),
      'sweeps.create': (request) => this.create(request),
      'sweeps.collect': () => this.collect(),
      'sweeps.look': ({ sweepId }) => {
        const { folder } = requireSweep(workspaces.require().db, sweepId)
        if (folder !== null) folders.follow(sweepId, folder)
        return {}
      },
      'sweeps.forget': ({ sweepId }) => {
        folders.leave(sweepId)
        forgetSweepFolder(workspaces.require().db, sweepId)
        return done(onChanged())
      },
      'sweeps.showFolder': async ({ sweepId }) => {
        const { folder } = requireSweep(workspaces.requireShown().db, sweepId)
        if (folder !== null) await showFolder(folder)
        return {}
      },
    }
  }

  get(sweepId: string): Result<'sweeps.get'> {
    const { workspaces, folders } = this.#options
    const detail = detailOfSweep(workspaces.requireShown().db, sweepId)
    return { ...detail, ...folders.foundOf(sweepId, detail.sweep.folder) }
  }

  /** Puts all of its runs at the end of the queue. */
  create(request: NewSweep): { sweepId: string; runId: RunId } {
    const { workspaces, onRunsMade } = this.#options
    const { sweepId, runIds } = queueSweep(workspaces.require().db, request, Date.now())
    const [runId] = runIds as [RunId]
    onRunsMade(runId)
    return { sweepId, runId }
  }

  /** Asks for a folder, takes its results over and looks there from then on. */
  async collect(): Promise<Result<'sweeps.collect'>> {
    const { workspaces, folders } = this.#options
    const { key } = workspaces.require()
    const folder = await askSweepFolder()
    if (folder === null || workspaces.current?.key !== key) return null
    const found = await folders.collect(folder)
    const isComplete = found.collection.cells.every(({ state }) => state === 'complete')
    if (!isComplete && workspaces.current?.key === key) folders.follow(found.sweepId, folder)
    return found
  }
}
