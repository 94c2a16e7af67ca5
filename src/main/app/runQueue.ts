// The queue of runs in the open workspace: one at a time is carried out by the engine, others wait. The state in the
// workspace file is the truth; a run that is `running` there while no engine works on it goes on by itself.
import { setTimeout as delay } from 'node:timers/promises'
import type { NewRunRequest, Result } from '../../shared/contract.ts'
import type { RunId, RunRecord, RunState } from '../../shared/domain.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { HardwareReport } from '../../shared/hardware.ts'
import type { RunProgress, RunView, RunWish } from '../../shared/runView.ts'
import type { engineMethods } from '../../shared/workerProtocol.ts'
import { dropLastWeights } from '../db/checkpoints.ts'
import { metricSeries } from '../db/metrics.ts'
import { createRun, deleteRun, firstRunIn, listRuns, runById, setRunConfig, setRunState } from '../db/runs.ts'
import { logger } from '../log.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import { configFromRequest, detailOf, viewOf, withGoOnRefused } from './runViews.ts'
import type { Current } from './workspaces.ts'

/** A run is given up when the engine ended this often in a row without a new checkpoint of it. */
const mostCrashesInARow = 4
/** How long a closing workspace waits for the engine to come to the end of its step, before it is restarted. */
const longestGoodbyeMs = 10_000

interface ActiveRun {
  readonly runId: RunId
  readonly abort: AbortController
  readonly done: Promise<void>
  progress: RunProgress | null
  wish: RunWish
}

/** Ends of the engine during a run since its last new checkpoint. */
interface Crashes {
  readonly checkpointStep: number | null
  readonly inARow: number
}

export interface RunQueueOptions {
  readonly engine: WorkerClient<typeof engineMethods>
  /** What the device probe found; null until it has ended. */
  readonly hardware: () => HardwareReport | null
  readonly workspaces: { readonly current: Current | null; require(): Current }
  /** Path of the lexicon for a workspace. */
  readonly lexicon: (current: Current) => string
  /** A hint for the window that a run changed. */
  readonly onRunChanged: (runId: RunId) => void
}

export class RunQueue {
  readonly #options: RunQueueOptions
  readonly #crashes = new Map<string, Crashes>()
  #active: ActiveRun | null = null
  /** Key of the workspace that is closing: nothing is started in it any more. */
  #closingKey: string | null = null

  constructor(options: RunQueueOptions) {
    this.#options = options
  }

  /** Starts the interrupted run, or else the next in the queue, when the engine is free for it. Call it at any change. */
  look(): void {
    const { engine, hardware, workspaces } = this.#options
    const { current } = workspaces
    const device = hardware()?.chosen
    if (this.#active || !current || current.key === this.#closingKey) return
    if (!device || engine.status.state !== 'ready') return
    try {
      const run = firstRunIn(current.db, 'running') ?? firstRunIn(current.db, 'queued')
      if (!run) return
      if (run.state === 'queued') setRunState(current.db, run.runId, 'running', Date.now())
      this.#start(current, run.runId, device)
    } catch (thrown) {
      // A file that is busy or a disk that is full; the next change looks again.
      logger.error('the next run could not be started', thrown)
    }
  }

  #start(current: Current, runId: RunId, device: HardwareReport['chosen']): void {
    const { engine, lexicon, onRunChanged } = this.#options
    const abort = new AbortController()
    const request = { workspace: current.path, runId, device, lexicon: lexicon(current) }
    const onProgress = (progress: RunProgress): void => {
      active.progress = progress
      onRunChanged(runId)
    }
    const done = engine
      .request('runAlignment', request, { onProgress, signal: abort.signal })
      .then(
        () => this.#settle(current, active, 'complete', null),
        (thrown: unknown) => this.#settleFailure(current, active, thrown),
      )
      .catch((thrown: unknown) => logger.error(`the end of run ${runId} could not be stored`, thrown))
      .finally(() => {
        this.#active = null
        onRunChanged(runId)
        this.look()
      })
    const active: ActiveRun = { runId, abort, done, progress: null, wish: 'go-on' }
    this.#active = active
    onRunChanged(runId)
  }

  /** What a request that failed means: it was cancelled as wished, the engine ended, or the run itself cannot go on. */
  #settleFailure(current: Current, active: ActiveRun, thrown: unknown): void {
    const { runId, wish } = active
    const code = thrown instanceof StudioError ? thrown.code : null
    const wasInterrupted = code !== null && ['engine.crashed', 'engine.stopped', 'engine.failed'].includes(code)
    if (wish === 'close' || (wish === 'go-on' && code === 'engine.stopped')) return
    const wasCancelled = code === 'run.cancelled' || code === 'engine.cancelled'
    if (wish !== 'go-on' && (wasCancelled || wasInterrupted)) {
      this.#settle(current, active, wish === 'pause' ? 'paused' : 'stopped', null)
    } else if (wasInterrupted && this.#mayGoOn(current, runId)) {
      logger.warn(`run ${runId} goes on when the engine is back: ${(thrown as StudioError).message}`)
    } else {
      this.#settle(current, active, 'failed', wasInterrupted ? endedTooOften(runId, thrown as StudioError) : thrown)
    }
  }

  #settle(current: Current, { runId, wish }: ActiveRun, state: RunState, error: unknown): void {
    const record = error === null ? null : toErrorRecord(error, 'run.unexpected')
    if (record) logger.warn(`run ${runId}: ${record.code}: ${record.message}`)
    if (state !== 'running') this.#crashes.delete(crashKey(current, runId))
    setRunState(current.db, runId, state, Date.now(), record)
    if (wish === 'delete') deleteRun(current.db, runId)
  }

  /** Counts an end of the engine; false when there were too many without a new checkpoint. */
  #mayGoOn(current: Current, runId: RunId): boolean {
    const checkpointStep = runById(current.db, runId)?.checkpointStep ?? null
    const key = crashKey(current, runId)
    const before = this.#crashes.get(key)
    const inARow = before?.checkpointStep === checkpointStep ? before.inARow + 1 : 1
    this.#crashes.set(key, { checkpointStep, inARow })
    return inARow < mostCrashesInARow
  }

  list(): RunView[] {
    const { current } = this.#options.workspaces
    return current ? listRuns(current.db).map((run) => viewOf(current.db, run, this.#liveOf(run))) : []
  }

  /** @throws StudioError `run.missing` */
  get(runId: RunId): Result<'runs.get'> {
    const { db } = this.#options.workspaces.require()
    const run = this.#require(runId)
    return detailOf(db, run, this.#liveOf(run))
  }

  metrics(runId: RunId, names: readonly string[]): Result<'runs.metrics'> {
    const { db } = this.#options.workspaces.require()
    return Object.fromEntries(names.map((name) => [name, metricSeries(db, runId, name)]))
  }

  /** Puts a new run at the end of the queue. @throws StudioError `run.bad-config`, `run.no-model`, `run.no-companion` */
  create(request: NewRunRequest): { runId: RunId } {
    const { db } = this.#options.workspaces.require()
    const { modelId, name, preset, seed } = request
    const config = configFromRequest(db, request)
    const runId = createRun(db, { modelId, name, preset, config, seed }, Date.now())
    this.#changed(runId)
    return { runId }
  }

  /** Pauses a run after the engine's current step; one that waits in the queue is taken out of it. */
  pause(runId: RunId): void {
    this.#end(runId, 'pause', 'paused')
  }

  /** Ends a run where it is; it can be resumed. */
  stop(runId: RunId): void {
    this.#end(runId, 'stop', 'stopped')
  }

  #end(runId: RunId, wish: 'pause' | 'stop', state: RunState): void {
    const { db } = this.#options.workspaces.require()
    const run = this.#require(runId)
    if (this.#active?.runId === runId) this.#cancel(this.#active, wish)
    // One that waits has nothing to pause: it is stopped, and resuming puts it back into the queue.
    else setRunState(db, runId, run.state === 'queued' ? 'stopped' : state, Date.now())
    this.#changed(runId)
  }

  /** Puts a run that was paused, stopped or failed back into the queue; it goes on from its last checkpoint. */
  resume(runId: RunId, { goOnRefused }: { goOnRefused: boolean }): void {
    const { db } = this.#options.workspaces.require()
    const run = this.#require(runId)
    if (goOnRefused) setRunConfig(db, runId, withGoOnRefused(run.config))
    // The person has read from which step the run goes on instead.
    if (run.error?.code === 'run.damaged-checkpoint') dropLastWeights(db, runId)
    setRunState(db, runId, 'queued', Date.now())
    this.#changed(runId)
  }

  /** Deletes a run with all that belongs to it; one that the engine works on is ended first. */
  async delete(runId: RunId): Promise<void> {
    const { db } = this.#options.workspaces.require()
    const active = this.#active
    if (active?.runId === runId) {
      this.#cancel(active, 'delete')
      await active.done
    } else deleteRun(db, runId)
    this.#changed(runId)
  }

  /** Ends the engine's work on the workspace before it closes; the run stays `running` and goes on at the next opening. */
  async suspend(): Promise<void> {
    const active = this.#active
    this.#closingKey = this.#options.workspaces.current?.key ?? null
    if (!active) return
    this.#cancel(active, active.wish === 'go-on' ? 'close' : active.wish)
    const isOver = await Promise.race([active.done.then(() => true), delay(longestGoodbyeMs).then(() => false)])
    if (isOver) return
    // Inside one long computation it cannot hear; ending it is safe, because what was committed stays.
    this.#options.engine.stop()
    await active.done
    this.#options.engine.start()
  }

  #cancel(active: ActiveRun, wish: RunWish): void {
    active.wish = wish
    active.abort.abort()
  }

  #changed(runId: RunId): void {
    this.#options.onRunChanged(runId)
    this.look()
  }

  #liveOf({ runId }: RunRecord): RunView['live'] {
    return this.#active?.runId === runId ? { progress: this.#active.progress, wish: this.#active.wish } : null
  }

  #require(runId: RunId): RunRecord {
    const run = runById(this.#options.workspaces.require().db, runId)
    if (run) return run
    throw new StudioError({
      code: 'run.missing',
      message: 'This run is not in the workspace; it was deleted.',
      remedy: 'Choose another run.',
      where: `run ${runId}`,
    })
  }
}

function crashKey({ key }: Current, runId: RunId): string {
  return `${key} ${runId}`
}

function endedTooOften(runId: RunId, last: StudioError): StudioError {
  return new StudioError(
    {
      code: 'run.engine-ended',
      message: `The engine ended ${mostCrashesInARow} times in a row while it worked on this run, without a new checkpoint.`,
      remedy:
        'Everything up to the last checkpoint is kept. Try smaller batches, so that less memory is needed, or another device; then resume.',
      found: last.message,
      where: `run ${runId}`,
    },
    { cause: last },
  )
}
