// Sweeps of the open workspace, as pages ask for them: several runs at once in the queue, the folders of those that other
// machines carry out, and what they came to.
import type { Params, Result } from '../../shared/contract.ts'
import type { EvaluationId, RunId } from '../../shared/domain.ts'
import type { NewEvaluation } from '../../shared/evaluations.ts'
import type { DeviceName } from '../../shared/hardware.ts'
import { runConfigSchema } from '../../shared/runConfig.ts'
import type { NewSweep } from '../../shared/sweepChannels.ts'
import type { ReadableDb } from '../db/connection.ts'
import { forgetSweepFolder, listSweeps, storeSweep } from '../db/sweeps.ts'
import { type ChannelHandlers, done } from '../ipc.ts'
import { showFolder } from '../security.ts'
import { askSweepFolder, askWhereSweepGoes } from './dialogs.ts'
import { newSweepFolder } from './exportFolder.ts'
import { canHavePlacebo, queueSweep } from './newSweep.ts'
import { configFromRequest } from './runViews.ts'
import type { SweepFolders } from './sweepFolders.ts'
import { planChair } from './sweepMeasuring.ts'
import { detailOfSweep, requireSweep, viewOfSweep } from './sweepViews.ts'
import type { Current, Workspaces } from './workspaces.ts'

type SweepChannel = Extract<keyof ChannelHandlers, `sweeps.${string}`>

export interface SweepsOptions {
  readonly workspaces: Workspaces
  readonly folders: SweepFolders
  /** Path of the lexicon for a workspace. */
  readonly lexicon: (current: Current) => string
  /** For runs; null until the devices have been measured. */
  readonly device: () => DeviceName | null
  /** Of the processor; null for as many as there are cores. */
  readonly threads: () => number | null
  /** Runs were made; one of them. */
  readonly onRunsMade: (runId: RunId) => void
  /** Puts evaluations into their queue, all or none, and those of `again` back into it. */
  readonly evaluate: (requests: readonly NewEvaluation[], again: readonly EvaluationId[]) => void
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
      'sweeps.send': (request) => this.send(request),
      'sweeps.memory': (request) => this.memory(request),
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
      'sweeps.planChair': ({ sweepId, measure }) => planChair(workspaces.requireShown().db, sweepId, measure).plan,
      'sweeps.measureChair': ({ sweepId, measure }) => {
        const { plan, requests, again } = planChair(workspaces.require().db, sweepId, measure)
        this.#options.evaluate(requests, again)
        return plan
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

  /** Asks for a folder and writes the sweep into a new one in it, for other machines. */
  async send(request: Params<'sweeps.send'>): Promise<Result<'sweeps.send'>> {
    const { workspaces, folders, onChanged } = this.#options
    const current = workspaces.require()
    const runs = runsFor(current, request)
    const parent = await askWhereSweepGoes()
    if (parent === null || workspaces.current?.key !== current.key) return null
    const folder = await newSweepFolder(parent, request.name)
    const lexicon = this.#options.lexicon(current)
    const where = { path: current.path, folder, lexicon, ...this.#machine() }
    const { sweepId } = await folders.write({ ...where, runs, resources: request.resources }, request.name)
    if (workspaces.current?.key !== current.key) return null
    storeSweep(current.db, { sweepId, name: request.name, folder, createdAtMs: Date.now() })
    folders.follow(sweepId, folder)
    onChanged()
    return { sweepId }
  }

  /** What a cell of it is given unless it is typed. */
  async memory(request: NewSweep): Promise<Result<'sweeps.memory'>> {
    const { workspaces, folders } = this.#options
    const current = workspaces.requireShown()
    return await folders.memory({ path: current.path, runs: runsFor(current, request), ...this.#machine() })
  }

  #machine(): { device: 'cuda' | 'cpu'; threads: number | null } {
    // A kind of GPU that this machine has and clusters do not would be refused there.
    return { device: this.#options.device() === 'cuda' ? 'cuda' : 'cpu', threads: this.#options.threads() }
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

/** The runs of a sweep as its process is asked for them. @throws StudioError as a new run that is refused */
function runsFor({ db }: { readonly db: ReadableDb }, { runs, withPlacebo }: NewSweep) {
  return runs.map(({ changes, ...run }) => {
    const config = runConfigSchema.parse(configFromRequest(db, { ...run, changes }))
    return { ...run, config, withPlacebo: withPlacebo && canHavePlacebo(config) }
  })
}
