// Evaluations of the open workspace: one at a time is carried out by the engine, others wait; runs and questions come before
// them. What is answered is stored, so one that is interrupted goes on with the rest. Before it stands the contract
// (shared/evaluations.ts), after it the engine and the tables of db/evaluations.ts.
import { setTimeout as delay } from 'node:timers/promises'
import type { EvaluationId } from '../../shared/domain.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { EvaluationDetail, EvaluationView, NewEvaluation } from '../../shared/evaluations.ts'
import type { DeviceName } from '../../shared/hardware.ts'
import type { engineMethods, ProgressOf } from '../../shared/workerProtocol.ts'
import { inTransaction } from '../db/connection.ts'
import {
  deleteEvaluation,
  type EvaluationRecord,
  evaluationById,
  firstWaiting,
  listEvaluations,
  setEvaluationState,
  waitingEvaluations,
} from '../db/evaluations.ts'
import { logger } from '../log.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import { detailOfEvaluation, type EvaluationNow, requireEvaluation, viewOfEvaluation } from './evaluationViews.ts'
import { addEvaluation } from './newEvaluation.ts'
import type { Current, Workspaces } from './workspaces.ts'

/** How long a closing workspace waits for the engine to come to the end of its step, before it is restarted. */
const longestGoodbyeMs = 10_000

type Progress = ProgressOf<typeof engineMethods, 'evaluate'>

/** One that is carried out or waits. */
export interface OpenEvaluation {
  readonly view: EvaluationView
  /** Null while it waits. */
  readonly startedAtMs: number | null
  /** Whether its end is wished for. */
  readonly isEnding: boolean
}

interface Active {
  readonly evaluationId: EvaluationId
  readonly startedAtMs: number
  readonly abort: AbortController
  readonly done: Promise<void>
  /** `wait` and `close`: it goes on later. */
  wish: 'go-on' | 'wait' | 'close' | 'cancel' | 'delete'
  progress: Progress | null
  /** When policies began to answer, and how far it was. */
  since: { readonly atMs: number; readonly done: number } | null
}

export interface EvaluationsOptions {
  readonly engine: WorkerClient<typeof engineMethods>
  readonly workspaces: Pick<Workspaces, 'current' | 'require' | 'requireShown' | 'shown'>
  /** Null until the devices have been measured. */
  readonly device: () => DeviceName | null
  /** Of the processor, for the next one; null for as many as there are cores. */
  readonly threads: () => number | null
  /** Path of the lexicon for a workspace. */
  readonly lexicon: (current: Current) => string
  /** Name of the run that the engine works on; null while it works on none. */
  readonly runUnderWay: () => string | null
  /** Whether a question or a library waits for an answer or is answered. */
  readonly isAsked: () => boolean
  readonly onChanged: (view: EvaluationView) => void
  readonly onDeleted: (evaluationId: EvaluationId) => void
}

const noProgress: Progress = { phase: 'opening', done: 0, total: 0, readied: null }

export class Evaluations {
  readonly #options: EvaluationsOptions
  #active: Active | null = null
  /** Key of the workspace that is closing: nothing is started in it any more. */
  #closingKey: string | null = null
  /** What the first one waits for, as it was told last. */
  #told = ''

  constructor(options: EvaluationsOptions) {
    this.#options = options
  }

  /** @throws StudioError `run.same-policy`, `run.bad-path`, `run.missing`, `run.no-checkpoint`, `run.no-weights`, `model.missing` */
  create(request: NewEvaluation): { evaluationId: EvaluationId } {
    const { db } = this.#options.workspaces.require()
    const evaluationId = addEvaluation(db, request)
    this.#changed(evaluationId)
    return { evaluationId }
  }

  /** Puts all of them at the end of the queue, or none; those of `again` go on with what is missing. @throws as {@link create} */
  createAll(requests: readonly NewEvaluation[], again: readonly EvaluationId[]): void {
    const { db } = this.#options.workspaces.require()
    const made = inTransaction(db, () => requests.map((request) => addEvaluation(db, request)))
    for (const evaluationId of again) this.resume(evaluationId)
    // Who hears of one that is new asks for all.
    const last = made.at(-1)
    if (last !== undefined) this.#changed(last)
  }

  list(): EvaluationView[] {
    const { shown } = this.#options.workspaces
    if (!shown) return []
    return listEvaluations(shown.db).map((record) => viewOfEvaluation(shown.db, record, this.#nowOf(record)))
  }

  /** What is carried out or waits, in the order of the queue. */
  open(): OpenEvaluation[] {
    const { current } = this.#options.workspaces
    if (!current) return []
    return waitingEvaluations(current.db).flatMap((evaluationId) => {
      const record = evaluationById(current.db, evaluationId)
      const active = this.#active?.evaluationId === evaluationId ? this.#active : null
      if (!record) return []
      const view = viewOfEvaluation(current.db, record, this.#nowOf(record))
      const isEnding = active !== null && active.wish !== 'go-on'
      return [{ view, startedAtMs: active?.startedAtMs ?? null, isEnding }]
    })
  }

  /** @throws StudioError `run.no-evaluation` */
  get(evaluationId: EvaluationId): EvaluationDetail {
    const { db } = this.#options.workspaces.requireShown()
    const record = requireEvaluation(db, evaluationId)
    return detailOfEvaluation(db, record, this.#nowOf(record))
  }

  cancel(evaluationId: EvaluationId): void {
    const { db } = this.#options.workspaces.require()
    const { state } = requireEvaluation(db, evaluationId)
    if (this.#active?.evaluationId === evaluationId) this.#interrupt('cancel')
    else if (state === 'waiting') setEvaluationState(db, evaluationId, 'cancelled', null, Date.now())
    this.#changed(evaluationId)
  }

  /** One that is done or on its way already stays so. */
  resume(evaluationId: EvaluationId): void {
    const { db } = this.#options.workspaces.require()
    const { state } = requireEvaluation(db, evaluationId)
    if (state === 'cancelled' || state === 'failed') setEvaluationState(db, evaluationId, 'waiting', null, null)
    this.#changed(evaluationId)
  }

  async delete(evaluationId: EvaluationId): Promise<void> {
    const { db, key } = this.#options.workspaces.require()
    requireEvaluation(db, evaluationId)
    if (this.#active?.evaluationId === evaluationId) {
      const { done } = this.#active
      this.#interrupt('delete')
      await done
      if (this.#options.workspaces.current?.key !== key) return
    }
    deleteEvaluation(db, evaluationId)
    this.#options.onDeleted(evaluationId)
    this.look()
  }

  /** Starts what is next when the engine is free for it, and makes way for what comes before. Call it at any change. */
  look(): void {
    const { current } = this.#options.workspaces
    if (!current || current.key === this.#closingKey) return
    if (this.#active) {
      const mustWait = this.#options.runUnderWay() !== null || this.#options.isAsked()
      if (mustWait && this.#active.wish === 'go-on') this.#interrupt('wait')
      return
    }
    const next = firstWaiting(current.db)
    if (next === undefined) return
    const reason = this.#reasonToWait()
    if (reason === null) this.#start(current, next)
    else if (this.#told !== `${next} ${reason}`) {
      this.#told = `${next} ${reason}`
      this.#tell(next)
    }
  }

  /** Ends the engine's work on the workspace before it closes; it goes on at the next opening. */
  async suspend(): Promise<void> {
    this.#closingKey = this.#options.workspaces.current?.key ?? null
    const active = this.#active
    if (!active) return
    this.#interrupt('close')
    const isOver = await Promise.race([active.done.then(() => true), delay(longestGoodbyeMs).then(() => false)])
    if (!isOver) await this.#restartEngine(active)
  }

  /** Ends the engine's work at once, when the file is no longer there. */
  async abandon(): Promise<void> {
    this.#closingKey = this.#options.workspaces.current?.key ?? null
    const active = this.#active
    if (!active) return
    this.#interrupt('close')
    await this.#restartEngine(active)
  }

  async #restartEngine({ done }: Active): Promise<void> {
    this.#options.engine.stop()
    await done
    this.#options.engine.start()
  }

  /** Null when the engine is free for it. */
  #reasonToWait(): string | null {
    const { runUnderWay, isAsked, engine, device } = this.#options
    const run = runUnderWay()
    if (run !== null) return `Waits until the run “${run}” has ended or is paused.`
    if (isAsked()) return 'Waits until the questions about images are answered.'
    if (engine.status.state !== 'ready') return 'Waits until the engine is ready.'
    if (device() === null) return 'Waits until the devices have been measured.'
    return null
  }

  #start(current: Current, evaluationId: EvaluationId): void {
    const { engine, device, threads, lexicon } = this.#options
    const abort = new AbortController()
    const { path: workspace, ownerToken } = current
    const request = {
      workspace,
      ownerToken,
      evaluationId,
      device: device() ?? 'cpu',
      threads: threads(),
      lexicon: lexicon(current),
    } as const
    const onProgress = (progress: Progress): void => {
      active.progress = progress
      if (progress.phase === 'answering') active.since ??= { atMs: performance.now(), done: progress.done }
      this.#tell(evaluationId)
    }
    const done = engine
      .request('evaluate', request, { onProgress, signal: abort.signal })
      .then(
        () => undefined,
        (thrown: unknown) => this.#settleFailure(current, active, thrown),
      )
      .catch((thrown: unknown) => logger.error(`the end of evaluation ${evaluationId} could not be stored`, thrown))
      .finally(() => {
        this.#active = null
        if (active.wish !== 'close') this.#changed(evaluationId)
      })
    const startedAtMs = Date.now()
    const active: Active = { evaluationId, startedAtMs, abort, done, wish: 'go-on', progress: null, since: null }
    this.#active = active
    this.#tell(evaluationId)
  }

  #settleFailure({ db }: Current, { evaluationId, wish }: Active, thrown: unknown): void {
    const code = thrown instanceof StudioError ? thrown.code : null
    const wasEnded = code === 'run.cancelled' || code === 'engine.cancelled'
    // It stays as it is stored, waiting.
    if (wish === 'close' || wish === 'delete' || (wish === 'wait' && wasEnded)) return
    if (code === 'workspace.taken-over' || code === 'workspace.removed') return
    if (wish === 'cancel') setEvaluationState(db, evaluationId, 'cancelled', null, Date.now())
    else {
      logger.warn(`evaluation ${evaluationId} ended early: ${String(thrown)}`)
      setEvaluationState(db, evaluationId, 'failed', toErrorRecord(thrown, 'run.unexpected'), Date.now())
    }
  }

  #interrupt(wish: Active['wish']): void {
    if (!this.#active) return
    this.#active.wish = wish
    this.#active.abort.abort()
  }

  #changed(evaluationId: EvaluationId): void {
    this.#tell(evaluationId)
    this.look()
  }

  #tell(evaluationId: EvaluationId): void {
    const { shown } = this.#options.workspaces
    const record = shown && evaluationById(shown.db, evaluationId)
    if (record) this.#options.onChanged(viewOfEvaluation(shown.db, record, this.#nowOf(record)))
  }

  #nowOf({ evaluationId, state }: EvaluationRecord): EvaluationNow {
    const { current } = this.#options.workspaces
    if (this.#active?.evaluationId === evaluationId && state === 'waiting') {
      const { progress, since } = this.#active
      const { phase, done, total, readied } = progress ?? noProgress
      const passedMs = since ? performance.now() - since.atMs : 0
      const remainingMs = since && done > since.done ? (passedMs / (done - since.done)) * (total - done) : null
      return {
        live: { state: phase, done, total, readied, remainingMs: remainingMs && Math.max(0, remainingMs) },
        waitsFor: null,
      }
    }
    const isNext = state === 'waiting' && current !== null && firstWaiting(current.db) === evaluationId
    const waitsFor = isNext ? (this.#active ? null : this.#reasonToWait()) : null
    return { live: null, waitsFor }
  }
}
