// The folders of the open workspace's sweeps: their results are taken over when they are there, by a process of its own that
// lives as long as it works. One folder at a time. Before it stands sweeps.ts, after it headless/sweepProcess.ts.
import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import { unfinishedSuffix } from '../../shared/fileName.ts'
import { shownText } from '../../shared/shownText.ts'
import type { sweepMethods } from '../../shared/sweepMethods.ts'
import type { Collection, SweepDetail } from '../../shared/sweepView.ts'
import type { ParamsOf } from '../../shared/workerProtocol.ts'
import { forgetSweepFolder, listSweeps } from '../db/sweeps.ts'
import { logger } from '../log.ts'
import type { RequestOptions, WorkerClient } from '../worker/workerClient.ts'
import type { Activities } from './activities.ts'
import { watchSweep } from './sweepWatch.ts'
import type { Current, Workspaces } from './workspaces.ts'

type Client = WorkerClient<typeof sweepMethods>
type Found = Pick<SweepDetail, 'collection' | 'error' | 'isCollecting'>

/** A workspace that was opened just now has other things to do first. */
const firstLookMs = 2_000
/** How long a closing workspace waits for the cell that is being taken over. */
const longestGoodbyeMs = 10_000

export interface SweepFoldersOptions {
  readonly client: Client
  readonly workspaces: Pick<Workspaces, 'current' | 'require'>
  readonly activities: Pick<Activities, 'during'>
  /** A folder was looked at, or is being looked at. */
  readonly onChanged: () => void
  /** Runs of a sweep were taken over, perhaps with images. */
  readonly onCollected: (sweepId: string) => void
  readonly watch?: typeof watchSweep
}

export class SweepFolders {
  readonly #options: SweepFoldersOptions
  /** Of this opening of the workspace. */
  readonly #found = new Map<string, Pick<Found, 'collection' | 'error'>>()
  readonly #watches = new Map<string, () => void>()
  readonly #busy = new Set<string>()
  /** One after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #abort = new AbortController()
  #uses = 0
  #timer: NodeJS.Timeout | null = null

  constructor(options: SweepFoldersOptions) {
    this.#options = options
  }

  /** Call it when a workspace was opened to work on it. */
  begin(current: Current): void {
    this.#abort = new AbortController()
    this.#timer = setTimeout(() => {
      if (this.#options.workspaces.current?.key !== current.key) return
      for (const { sweepId, folder } of listSweeps(current.db)) if (folder !== null) this.follow(sweepId, folder)
    }, firstLookMs)
  }

  /** Ends before the workspace closes; a cell that is being taken over is in it, or not at all. */
  async suspend(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    for (const end of this.#watches.values()) end()
    this.#watches.clear()
    this.#abort.abort()
    const isOver = await Promise.race([this.#turn.then(() => true), delay(longestGoodbyeMs).then(() => false)])
    // Inside one long check it cannot hear; ending it is safe, because a cell comes in with one transaction.
    if (!isOver) this.#options.client.stop()
    await this.#turn
    this.#found.clear()
  }

  /** What was found in the folder of a sweep. */
  foundOf(sweepId: string, folder: string | null): Found {
    const { collection = null, error = null } = this.#found.get(sweepId) ?? {}
    return { collection, error, isCollecting: folder !== null && this.#busy.has(folder) }
  }

  /** Takes over what there is, and looks there from then on. */
  follow(sweepId: string, folder: string): void {
    const again = (): void => {
      this.collect(folder).catch((thrown: unknown) => {
        if (this.#abort.signal.aborted) return
        logger.warn(`the folder of a sweep could not be looked at: ${String(thrown)}`)
        this.#found.set(sweepId, { collection: null, error: toErrorRecord(thrown) })
        this.#options.onChanged()
      })
    }
    this.#watches.get(sweepId)?.()
    this.#watches.set(sweepId, (this.#options.watch ?? watchSweep)(folder, again))
    again()
  }

  /** Looks there no more. */
  leave(sweepId: string): void {
    this.#watches.get(sweepId)?.()
    this.#watches.delete(sweepId)
  }

  /** Takes over what there is in a folder. @throws StudioError `run.bad-sweep`, and what the collector throws */
  async collect(folder: string): Promise<{ sweepId: string; collection: Collection }> {
    const { client, activities, onChanged, onCollected } = this.#options
    return await this.#inTurn(async () => {
      const { path, db, key } = this.#options.workspaces.require()
      this.#busy.add(folder)
      onChanged()
      const stop = new AbortController()
      const signal = AbortSignal.any([this.#abort.signal, stop.signal])
      try {
        const work = { kind: 'sweep' as const, title: `Results in ${folder}`, cancel: () => stop.abort() }
        const found = await activities.during(work, ({ progress }) =>
          this.#withProcess(() =>
            client.request('collectSweep', { path, folder }, reporting(progress, signal, 'cells')),
          ),
        )
        const { sweepId, collection } = found
        this.#found.set(sweepId, { collection: shown(collection), error: null })
        // All is here: there is nothing to wait for.
        if (collection.cells.every(({ state }) => state === 'complete')) {
          this.leave(sweepId)
          if (this.#options.workspaces.current?.key === key) forgetSweepFolder(db, sweepId)
        }
        if (collection.collected > 0) onCollected(sweepId)
        return { sweepId, collection: shown(collection) }
      } finally {
        this.#busy.delete(folder)
        onChanged()
      }
    })
  }

  /** Writes the folder of a new sweep. @throws StudioError `run.output-taken`, and what hashing models and images throws */
  async write(request: ParamsOf<typeof sweepMethods, 'writeSweep'>, name: string): Promise<{ sweepId: string }> {
    const { client, activities } = this.#options
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#abort.signal, stop.signal])
    try {
      return await activities.during(
        { kind: 'sweep', title: `Sweep “${name}”`, cancel: () => stop.abort() },
        ({ progress }) =>
          this.#withProcess(() => client.request('writeSweep', request, reporting(progress, signal, 'jobs'))),
      )
    } catch (error) {
      // A process that was ended from outside could not take it away itself.
      await rm(`${request.folder}${unfinishedSuffix}`, { recursive: true, force: true })
      throw error
    }
  }

  /** What a cell of a new sweep needs by the memory plan. @throws StudioError what opening the models throws */
  async memory(request: ParamsOf<typeof sweepMethods, 'planMemory'>): Promise<{ memoryMb: number }> {
    return await this.#withProcess(() =>
      this.#options.client.request('planMemory', request, { signal: this.#abort.signal }),
    )
  }

  async #withProcess<Result>(work: () => Promise<Result>): Promise<Result> {
    const { client } = this.#options
    this.#uses++
    client.start()
    try {
      return await work()
    } finally {
      if (--this.#uses === 0) client.stop()
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const { signal } = this.#abort
    const result = this.#turn.then(() => {
      if (signal.aborted) throw closing()
      return work()
    })
    this.#turn = result.catch(() => undefined)
    return result
  }
}

function reporting(
  progress: (share: number | null, of?: { detail?: string }) => void,
  signal: AbortSignal,
  what: string,
): RequestOptions<{ done: number; total: number }> {
  return { signal, onProgress: ({ done, total }) => progress(done / total, { detail: `${done} of ${total} ${what}` }) }
}

function closing(): StudioError {
  return new StudioError({
    code: 'run.cancelled',
    message: 'The workspace was closed before the results were taken over.',
    remedy: 'Open it again; what is in the folder stays there.',
  })
}

const mostForeign = 50
const longestLine = 1000

/** As a page shows it: bounded, whatever stands in the folder. */
function shown({ cells, foreign, collected }: Collection): Collection {
  return {
    cells: cells.map(({ name, log, ...cell }) => ({
      ...{ ...cell, name: shownText(name), log: log.map((line) => shownText(line, longestLine)) },
    })),
    ...{ collected, foreign: foreign.slice(0, mostForeign).map((name) => shownText(name)) },
  }
}
