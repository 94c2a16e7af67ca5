// The queue of runs in the open workspace: one at a time is carried out by the engine, others wait. The state in the
// workspace file is the truth; a run that is `running` there while no engine works on it goes on by itself.
import { setTimeout as delay } from 'node:timers/promises'
import type { EventPayload, NewRunRequest, Result } from '../../shared/contract.ts'
import type { RunId, RunRecord, RunState } from '../../shared/domain.ts'
import { type ErrorRecord, StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { DeviceName, HardwareReport } from '../../shared/hardware.ts'
import { missingRun, noCheckpoint, noWeights } from '../../shared/runErrors.ts'
import type { RunProgress } from '../../shared/runProgress.ts'
import type { RunView, RunWish } from '../../shared/runView.ts'
import { placeboName } from '../../shared/sweep.ts'
import type { engineMethods } from '../../shared/workerProtocol.ts'
import { checkpointAtStep, checkpointBytes, dropLastWeights, setKept } from '../db/checkpoints.ts'
import { freeBytes, requireSpace } from '../db/freeSpace.ts'
import { metricSeries } from '../db/metrics.ts'
import {
  counterpartOf,
  createRun,
  firstRunIn,
  listRuns,
  renameRun,
  runById,
  setRunConfig,
  setRunState,
} from '../db/runs.ts'
import { setUsedStep, usedStep } from '../db/usedCheckpoint.ts'
import { logger } from '../log.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import { EngineEnds, endedTooOften } from './engineEnds.ts'
import { configFromRequest, detailOf, placeboConfig, type RunNow, viewOf, withGoOnRefused } from './runViews.ts'
import { isWorthWaitingFor, type RunChange, UnstoredStates } from './unstoredStates.ts'
import type { Current, Workspaces } from './workspaces.ts'

/** How long a closing workspace waits for the engine to come to the end of its step, before it is restarted. */
const longestGoodbyeMs = 10_000

/** What a new run needs beside its checkpoints: responses, metrics, the log before it is folded in. */
const leastBytesToStart = 32 * 1024 * 1024
/** How soon what a run waits for is looked at again, and how late at most. */
const firstWaitMs = 2_000
const longestWaitMs = 60_000

interface ActiveRun {
  readonly runId: RunId
  readonly abort: AbortController
  readonly done: Promise<void>
  progress: RunProgress | null
  wish: RunWish
}

export interface RunQueueOptions {
  readonly engine: WorkerClient<typeof engineMethods>
  /** What the device probe found; null until it has ended. */
  readonly hardware: () => HardwareReport | null
  /** Of the processor, for the next run; null for as many as there are cores. */
  readonly threads: () => number | null
  readonly workspaces: Pick<Workspaces, 'current' | 'require' | 'shown' | 'requireShown'>
  /** Path of the lexicon for a workspace. */
  readonly lexicon: (current: Current) => string
  /** A run changed, or the engine went on with it. */
  readonly onRunChanged: (change: EventPayload<'runs.changed'>) => void
  /** Ends what measures or tries beside runs, which a run that begins would falsify; answers once it has ended. */
  readonly makeWay: () => Promise<void>
  /** Takes a backup of the open workspace, or tells the person why it could not; never throws. */
  readonly backUp: (current: Current) => Promise<void>
}

export class RunQueue {
  readonly #options: RunQueueOptions
  readonly #ends = new EngineEnds()
  readonly #unstored: UnstoredStates
  #active: ActiveRun | null = null
  /** What keeps every run of the workspace from going on, and which of them is next. */
  #waiting: { readonly key: string; readonly runId: RunId; readonly error: ErrorRecord } | null = null
  #waitTimer: NodeJS.Timeout | null = null
  /** How often in a row something that was tried again failed again. */
  #waits = 0
  #isStarting = false
  #hasChanged = false
  /** Key of the workspace that is closing: nothing is started in it any more. */
  #closingKey: string | null = null

  constructor(options: RunQueueOptions) {
    this.#options = options
    this.#unstored = new UnstoredStates()
  }

  /** Starts the interrupted run, or else the next in the queue, when the engine is free for it. Call it at any change. */
  look(): void {
    this.#hasChanged = true
    if (!this.#isStarting) void this.#startWhileChanged()
  }

  /** What changes while a start is being looked into leads to another look. */
  async #startWhileChanged(): Promise<void> {
    this.#isStarting = true
    while (this.#hasChanged) {
      this.#hasChanged = false
      if (this.#device() !== null) await this.#startNext()
    }
    this.#isStarting = false
  }

  /** The device for the next run, or null while none can start. */
  #device(): DeviceName | null {
    const { engine, hardware, workspaces } = this.#options
    const { current } = workspaces
    if (this.#active || this.#waiting || !current || current.key === this.#closingKey) return null
    return engine.status.state === 'ready' ? (hardware()?.chosen ?? null) : null
  }

  async #startNext(): Promise<void> {
    const { current } = this.#options.workspaces
    if (!current) return
    let next: RunRecord | undefined
    try {
      next = firstRunIn(current.db, 'running') ?? firstRunIn(current.db, 'queued')
      if (!next) return
      await requireSpace(current.path, bytesToStart(current, next.runId))
      await this.#options.makeWay()
      const device = this.#device()
      // Meanwhile the person may have closed the workspace or taken the run out of the queue.
      if (device === null || this.#options.workspaces.current?.key !== current.key) return
      const run = runById(current.db, next.runId)
      if (run?.state === 'queued') setRunState(current.db, run.runId, 'running', Date.now())
      else if (run?.state !== 'running') return
      this.#start(current, run.runId, device)
    } catch (thrown) {
      if (next && isWorthWaitingFor(thrown)) this.#wait(current, next.runId, thrown)
      else logger.error('the next run could not be started', thrown)
    }
  }

  #start(current: Current, runId: RunId, device: DeviceName): void {
    const { engine, lexicon, threads } = this.#options
    const abort = new AbortController()
    const { path: workspace, ownerToken } = current
    const request = { workspace, runId, device, threads: threads(), lexicon: lexicon(current), ownerToken }
    const onProgress = (progress: RunProgress): void => {
      const before = active.progress
      if (before && progress.step > before.step) this.#waits = 0
      active.progress = progress
      // A new step begins once the one before it, or the calibration, is stored.
      const isWithinStep = before?.step === progress.step && progress.phase !== 'rollout'
      this.#tell(runId, { isOnlyProgress: isWithinStep })
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
        this.#tell(runId)
        this.look()
      })
    const active: ActiveRun = { runId, abort, done, progress: null, wish: 'go-on' }
    this.#active = active
    this.#tell(runId)
  }

  /**
   * Nothing is tried again before what is missing may be there: a full disk is looked at every few seconds, others are
   * tried ever more rarely. The person reads what it is meanwhile, and everything can still be asked for.
   */
  #wait(current: Current, runId: RunId, thrown: StudioError): void {
    const error = toErrorRecord(thrown)
    if (this.#waiting?.error.code !== error.code) logger.warn(`run ${runId} waits: ${error.code}: ${error.message}`)
    this.#waiting = { key: current.key, runId, error }
    this.#lookAgain(current)
    this.#tell(runId)
  }

  #lookAgain(current: Current): void {
    if (this.#waitTimer) clearTimeout(this.#waitTimer)
    const waitMs = Math.min(firstWaitMs * 2 ** this.#waits, longestWaitMs)
    this.#waitTimer = setTimeout(() => void this.#goOnWhenThereIsRoom(current), waitMs)
  }

  async #goOnWhenThereIsRoom(current: Current): Promise<void> {
    const { runId, error } = this.#waiting ?? {}
    if (runId === undefined) return
    const free = error?.code === 'workspace.disk-full' ? await freeBytes(current.path) : null
    const { key } = current
    if (this.#waiting?.key !== key || this.#options.workspaces.current?.key !== key) return
    if (free !== null && free < bytesToStart(current, runId)) return this.#lookAgain(current)
    this.#waits++
    if (this.#storeUnstored(current)) this.#stopWaiting()
    else this.#lookAgain(current)
  }

  #stopWaiting(): void {
    if (this.#waitTimer) clearTimeout(this.#waitTimer)
    const runId = this.#waiting?.runId
    this.#waiting = null
    if (runId !== undefined) this.#changed(runId)
  }

  /** Stores what could not be stored before. @returns whether all of it is in the file now */
  #storeUnstored(current: Current): boolean {
    const stored = this.#unstored.storeAll(current)
    for (const runId of stored) this.#tell(runId)
    return this.#unstored.isEmpty(current.key)
  }

  /** What a request that failed means: it was cancelled as wished, the engine ended, or the run itself cannot go on. */
  #settleFailure(current: Current, active: ActiveRun, thrown: unknown): void {
    const { runId, wish } = active
    const code = thrown instanceof StudioError ? thrown.code : null
    const wasInterrupted = code !== null && ['engine.crashed', 'engine.stopped', 'engine.failed'].includes(code)
    if (wish === 'close' || (wish === 'go-on' && code === 'engine.stopped')) return
    // Not this app's to write into any more; workspaces.ts closes it.
    if (code === 'workspace.taken-over' || code === 'workspace.removed') {
      this.#closingKey = current.key
      return
    }
    const wasCancelled = code === 'run.cancelled' || code === 'engine.cancelled'
    if (wish !== 'go-on' && (wasCancelled || wasInterrupted || isWorthWaitingFor(thrown))) {
      this.#settle(current, active, wish === 'pause' ? 'paused' : 'stopped', null)
    } else if (isWorthWaitingFor(thrown)) {
      // The run itself is sound: it goes on from its last checkpoint.
      this.#wait(current, runId, thrown)
    } else if (wasInterrupted && this.#ends.mayGoOn(current, runId)) {
      logger.warn(`run ${runId} goes on when the engine is back: ${(thrown as StudioError).message}`)
    } else {
      this.#settle(current, active, 'failed', wasInterrupted ? endedTooOften(runId, thrown as StudioError) : thrown)
    }
  }

  #settle(current: Current, { runId, wish }: ActiveRun, state: RunState, error: unknown): void {
    const record = error === null ? null : toErrorRecord(error, 'run.unexpected')
    if (record) logger.warn(`run ${runId}: ${record.code}: ${record.message}`)
    if (state !== 'running') this.#ends.forget(current.key, runId)
    this.#store(current, { runId, state, error: record, isDeleted: wish === 'delete' })
    // What hours have made is worth a copy; deleting takes its own before.
    if (wish === 'go-on' && this.#closingKey !== current.key) void this.#options.backUp(current)
  }

  /** Stores what became of a run; where that cannot be done now, it is kept here, shown, and stored later. */
  #store(current: Current, change: RunChange): void {
    try {
      this.#unstored.store(current, change)
      if (this.#waiting?.runId === change.runId) this.#stopWaiting()
    } catch (thrown) {
      if (!isWorthWaitingFor(thrown)) throw thrown
      this.#unstored.keep(current.key, change)
      this.#wait(current, change.runId, thrown)
    }
  }

  /** The run that is carried out, or goes on by itself as soon as it can; null when none does, or its end is wished for. */
  underWay(): RunView | null {
    const { current } = this.#options.workspaces
    if (!current || current.key === this.#closingKey) return null
    if (this.#active && this.#active.wish !== 'go-on') return null
    const found = firstRunIn(current.db, 'running')
    const [run] = found ? this.#unstored.over(current.key, [found]) : []
    return run?.state === 'running' ? viewOf(current.db, run, this.#nowOf(run)) : null
  }

  list(): RunView[] {
    const { shown } = this.#options.workspaces
    if (!shown) return []
    const records = this.#unstored.over(shown.key, listRuns(shown.db))
    return records.map((run) => viewOf(shown.db, run, this.#nowOf(run)))
  }

  /** @throws StudioError `run.missing` */
  get(runId: RunId): Result<'runs.get'> {
    const { db } = this.#options.workspaces.requireShown()
    const run = this.#require(runId)
    return detailOf(db, run, this.#nowOf(run))
  }

  metrics(runId: RunId, names: readonly string[]): Result<'runs.metrics'> {
    const { db } = this.#options.workspaces.requireShown()
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

  /**
   * Puts the control of a run at the end of the queue; one that is there already is left as it is.
   * @throws StudioError `run.missing`, `run.is-placebo`
   */
  createPlacebo(runId: RunId): { runId: RunId } {
    const { db } = this.#options.workspaces.require()
    const run = this.#require(runId)
    const config = placeboConfig(run)
    const known = counterpartOf(db, runId)
    if (known) return { runId: known.runId }
    const { modelId, preset, seed } = run
    const placebo = { modelId, name: placeboName(run.name), preset, config, seed }
    const placeboId = createRun(db, placebo, Date.now())
    this.#changed(placeboId)
    return { runId: placeboId }
  }

  /** Name of the run that the engine works on; null while it works on none. */
  nameOfActive(): string | null {
    const { shown } = this.#options.workspaces
    const active = this.#active
    return active && shown ? (runById(shown.db, active.runId)?.name ?? null) : null
  }

  rename(runId: RunId, name: string): void {
    renameRun(this.#options.workspaces.require().db, runId, name)
    this.#changed(runId)
  }

  /** Keeps the weights of a checkpoint, or leaves them to the policy again. @throws StudioError `run.no-checkpoint` */
  pin(runId: RunId, step: number, isPinned: boolean): void {
    const { db } = this.#options.workspaces.require()
    const checkpoint = checkpointAtStep(db, runId, step)
    if (!checkpoint) throw noCheckpoint(runId, step)
    if (isPinned && step > 0 && !checkpoint.hasWeights) throw noWeights(step)
    setKept(db, checkpoint.checkpointId, isPinned)
    if (!isPinned && usedStep(db, runId) === step) setUsedStep(db, runId, null)
    this.#tell(runId)
  }

  /** Puts a checkpoint in the place of the best one, and pins it. @param step null for the best one again */
  use(runId: RunId, step: number | null): void {
    if (step !== null) this.pin(runId, step, true)
    setUsedStep(this.#options.workspaces.require().db, runId, step === 0 ? null : step)
    this.#tell(runId)
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
    const current = this.#options.workspaces.require()
    const run = this.#require(runId)
    if (this.#active?.runId === runId) this.#cancel(this.#active, wish)
    else {
      // One that waits for its turn has nothing to pause: it is stopped, and resuming puts it back into the queue.
      const to = run.state === 'queued' ? 'stopped' : state
      this.#store(current, { runId, state: to, error: null, isDeleted: false })
    }
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
    const current = this.#options.workspaces.require()
    const { state, checkpointStep } = this.#require(runId)
    // What cannot be undone is copied first; a run without a checkpoint holds nothing.
    if (checkpointStep !== null) await this.#options.backUp(current)
    if (this.#options.workspaces.current?.key !== current.key) return
    const active = this.#active
    if (active?.runId === runId) {
      this.#cancel(active, 'delete')
      await active.done
    } else this.#store(current, { runId, state, error: null, isDeleted: true })
    this.#changed(runId)
  }

  /** Ends the engine's work on the workspace before it closes; the run stays `running` and goes on at the next opening. */
  async suspend(): Promise<void> {
    const active = this.#active
    const { current } = this.#options.workspaces
    this.#closingKey = current?.key ?? null
    if (this.#waitTimer) clearTimeout(this.#waitTimer)
    this.#waiting = null
    if (!active) return this.#forgetUnstored(current)
    this.#cancel(active, active.wish === 'go-on' ? 'close' : active.wish)
    const isOver = await Promise.race([active.done.then(() => true), delay(longestGoodbyeMs).then(() => false)])
    if (!isOver) {
      // Inside one long computation it cannot hear; ending it is safe, because what was committed stays.
      this.#options.engine.stop()
      await active.done
      this.#options.engine.start()
    }
    this.#forgetUnstored(current)
  }

  /** Ends the engine's work at once, without a word to a file that is no longer there. */
  async abandon(): Promise<void> {
    const { engine, workspaces } = this.#options
    const { current } = workspaces
    this.#closingKey = current?.key ?? null
    this.#stopWaiting()
    if (current) this.#unstored.forget(current.key)
    const active = this.#active
    if (!active) return
    this.#cancel(active, 'close')
    engine.stop()
    await active.done
    engine.start()
  }

  /** The last try before the workspace closes: what is not stored now is not known at the next opening. */
  #forgetUnstored(current: Current | null): void {
    if (!current) return
    if (!this.#storeUnstored(current)) logger.warn('a run that ended will go on at the next opening: the disk is full')
    this.#unstored.forget(current.key)
  }

  #cancel(active: ActiveRun, wish: RunWish): void {
    active.wish = wish
    active.abort.abort()
  }

  #tell(runId: RunId, { isOnlyProgress } = { isOnlyProgress: false }): void {
    this.#options.onRunChanged({ runId, live: this.#liveOf(runId), isOnlyProgress })
  }

  #changed(runId: RunId): void {
    this.#tell(runId)
    this.look()
  }

  #liveOf(runId: RunId): RunView['live'] {
    const active = this.#active?.runId === runId ? this.#active : null
    return active && { progress: active.progress, wish: active.wish }
  }

  #nowOf({ runId }: RunRecord): RunNow {
    const isWaiting = this.#waiting?.runId === runId && this.#waiting.key === this.#options.workspaces.shown?.key
    return {
      live: this.#liveOf(runId),
      waitingFor: isWaiting ? (this.#waiting?.error ?? null) : null,
    }
  }

  #require(runId: RunId): RunRecord {
    const { db, key } = this.#options.workspaces.requireShown()
    const found = runById(db, runId)
    const [run] = found ? this.#unstored.over(key, [found]) : []
    if (run) return run
    throw missingRun(runId)
  }
}

/** Room that a run needs to get a good way: its checkpoints grow no more, but each is in the log before it is in the file. */
function bytesToStart({ db }: Current, runId: RunId): number {
  return leastBytesToStart + 2 * checkpointBytes(db, runId)
}
