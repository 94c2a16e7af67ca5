// Questions to models in the open workspace: one at a time is carried out by the engine, others wait. Runs come before them,
// questions before whole libraries; what is interrupted goes on afterwards. Before it stands the contract
// (shared/describe.ts), after it the engine, which keeps what was said in the workspace file.
import { setTimeout as delay } from 'node:timers/promises'
import type {
  DescribeView,
  Evidence,
  LibraryDescribe,
  LibraryTask,
  LibraryView,
  Question,
  QuestionView,
} from '../../shared/describe.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { DeviceName } from '../../shared/hardware.ts'
import { missingImage, missingModel, missingRun, noCheckpoint, noWeights } from '../../shared/runErrors.ts'
import type { engineMethods, ParamsOf, ProgressOf } from '../../shared/workerProtocol.ts'
import { checkpointAtStep } from '../db/checkpoints.ts'
import type { ReadableDb } from '../db/connection.ts'
import { countImages, imageById, imageCount } from '../db/images.ts'
import { modelById } from '../db/models.ts'
import { countDescribed } from '../db/rollouts.ts'
import { runById } from '../db/runs.ts'
import { logger } from '../log.ts'
import type { WorkerClient } from '../worker/workerClient.ts'
import type { Current, Workspaces } from './workspaces.ts'

/** Nobody reads the answers to more questions at once. */
const mostWaiting = 32
/** What has ended is shown so long. */
const mostEnded = 32
/** How long a closing workspace waits for the engine to come to the end of its step, before it is restarted. */
const longestGoodbyeMs = 10_000

interface Entry {
  view: DescribeView
  /** Set while the engine works on it. */
  work: { readonly abort: AbortController; readonly done: Promise<void>; wish: 'go-on' | 'wait' | 'cancel' } | null
  /** When the library's description began or went on, and how far it was. */
  since: { readonly atMs: number; readonly done: number } | null
}

export interface DescribesOptions {
  readonly engine: WorkerClient<typeof engineMethods>
  readonly workspaces: Pick<Workspaces, 'current' | 'require' | 'requireShown'>
  /** For answers; null until the devices have been measured. */
  readonly device: () => DeviceName | null
  /** Of the processor, for what is asked next; null for as many as there are cores. */
  readonly threads: () => number | null
  /** Path of the lexicon for a workspace. */
  readonly lexicon: (current: Current) => string
  /** Name of the run that the engine works on; null while it works on none. */
  readonly runUnderWay: () => string | null
  readonly onChanged: (view: DescribeView) => void
}

export class Describes {
  readonly #options: DescribesOptions
  #entries: Entry[] = []
  /** Key of the opening that the entries belong to. */
  #key: string | null = null
  /** Key of the workspace that is closing: nothing is started in it any more. */
  #closingKey: string | null = null
  #nextId = 1

  constructor(options: DescribesOptions) {
    this.#options = options
  }

  /** @throws StudioError `image.not-here`, `run.missing`, `run.no-checkpoint`, `model.missing`, `engine.too-many-questions` */
  ask(question: Question): { describeId: number } {
    const current = this.#requireCurrent()
    requireAskable(current, question)
    if (this.#entries.filter(isOpen).length >= mostWaiting) throw tooMany()
    return this.#add({ about: 'image', question, text: '', tokens: 0, rolloutId: null })
  }

  /** One that is on its way already is not begun twice. @throws StudioError `run.missing`, `run.no-checkpoint`, `run.no-weights` */
  describeLibrary({ runId, step, query }: LibraryTask): { describeId: number } {
    const current = this.#requireCurrent()
    const { described, images } = this.coverage({ runId, step, query }, current)
    const asked = JSON.stringify({ runId, step, query })
    const same = this.#entries.find(({ view }) => {
      return view.about === 'library' && isOpen({ view }) && taskOf(view) === asked
    })
    if (same) return { describeId: same.view.describeId }
    if (step > 0 && described < images && !checkpointAtStep(current.db, runId, step)?.hasWeights) throw noWeights(step)
    const counts = { done: described, total: images, skipped: 0, remainingMs: null }
    return this.#add({ about: 'library', runId, step, query, ...counts })
  }

  /** How many images a checkpoint has described, of all or of a query. @throws StudioError `run.missing`, `run.no-checkpoint` */
  coverage(
    { runId, step, query = null }: LibraryDescribe & Partial<LibraryTask>,
    { db }: { readonly db: ReadableDb } = this.#requireCurrent(),
  ): { described: number; images: number } {
    if (!runById(db, runId)) throw missingRun(runId)
    const checkpoint = checkpointAtStep(db, runId, step)
    if (!checkpoint) throw noCheckpoint(runId, step)
    const images = query === null ? imageCount(db) : countImages(db, query)
    return { described: countDescribed(db, checkpoint.checkpointId, query), images }
  }

  /** Whether anything waits for an answer or is answered. */
  get isAsked(): boolean {
    return this.#key === this.#options.workspaces.current?.key && this.#entries.some(isOpen)
  }

  list(): DescribeView[] {
    return this.#key === this.#options.workspaces.current?.key ? this.#entries.map(({ view }) => view) : []
  }

  cancel(describeId: number): void {
    const entry = this.#entries.find(({ view }) => view.describeId === describeId)
    if (!entry || !isOpen(entry)) return
    if (entry.work) this.#interrupt(entry, 'cancel')
    else this.#change(entry, { state: 'cancelled', waitsFor: null })
    this.look()
  }

  /** Where an image shows a word. A run that is under way hardly notices; nothing is stored, so reading the workspace will do. */
  async evidence(
    asked: Omit<ParamsOf<typeof engineMethods, 'evidence'>, 'workspace' | 'device' | 'threads'>,
  ): Promise<Evidence> {
    const { path } = this.#options.workspaces.requireShown()
    const { engine, device, threads } = this.#options
    const session = { device: device() ?? 'cpu', threads: threads() }
    return await engine.request('evidence', { ...asked, ...session, workspace: path })
  }

  /** Starts what is next when the engine is free for it, and makes way for what comes before. Call it at any change. */
  look(): void {
    const { current } = this.#options.workspaces
    if (!current || current.key !== this.#key || current.key === this.#closingKey) return
    const active = this.#entries.find(({ work }) => work !== null)
    const waiting = this.#entries.filter(({ view, work }) => view.state === 'waiting' && work === null)
    const question = waiting.find(({ view }) => view.about === 'image')
    const run = this.#options.runUnderWay()
    if (active) {
      // A question is over in seconds, and a run waits for it; a library takes hours.
      const mustWait = active.view.about === 'library' && (run !== null || question !== undefined)
      if (mustWait && active.work?.wish === 'go-on') this.#interrupt(active, 'wait')
    }
    const reason = this.#reasonToWait(run)
    const next = active || reason !== null ? undefined : (question ?? waiting[0])
    for (const entry of waiting) {
      if (entry !== next) this.#change(entry, { waitsFor: reason ?? 'Waits for the answers before it.' })
    }
    if (next) this.#start(current, next)
  }

  /** Ends the engine's work on the workspace before it closes; what is not answered yet is forgotten. */
  async suspend(): Promise<void> {
    this.#closingKey = this.#options.workspaces.current?.key ?? null
    const active = this.#entries.find(({ work }) => work !== null)
    for (const entry of this.#entries) if (entry.work) this.#interrupt(entry, 'cancel')
    if (active?.work) {
      const { done } = active.work
      const isOver = await Promise.race([done.then(() => true), delay(longestGoodbyeMs).then(() => false)])
      if (!isOver) await this.#restartEngine(done)
    }
    this.#entries = []
  }

  /** Ends the engine's work at once, when the file is no longer there. */
  async abandon(): Promise<void> {
    this.#closingKey = this.#options.workspaces.current?.key ?? null
    const work = this.#entries.find((entry) => entry.work !== null)?.work
    this.#entries = []
    if (work) await this.#restartEngine(work.done)
  }

  async #restartEngine(done: Promise<void>): Promise<void> {
    this.#options.engine.stop()
    await done
    this.#options.engine.start()
  }

  #requireCurrent(): Current {
    const current = this.#options.workspaces.require()
    if (current.key !== this.#key) {
      this.#entries = []
      this.#key = current.key
    }
    return current
  }

  #add(about: Unnumbered<QuestionView> | Unnumbered<LibraryView>): { describeId: number } {
    const describeId = this.#nextId++
    const entry: Entry = {
      view: { describeId, state: 'waiting', waitsFor: null, readied: null, error: null, ...about },
      ...{ work: null, since: null },
    }
    this.#entries.push(entry)
    const ended = this.#entries.filter((one) => !isOpen(one))
    const forgotten = new Set(ended.slice(0, Math.max(0, ended.length - mostEnded)))
    this.#entries = this.#entries.filter((one) => !forgotten.has(one))
    this.#options.onChanged(entry.view)
    this.look()
    return { describeId }
  }

  /** Null when the engine is free for a question. */
  #reasonToWait(run: string | null): string | null {
    if (run !== null) return `Waits until the run “${run}” has ended or is paused.`
    if (this.#options.engine.status.state !== 'ready') return 'Waits until the engine is ready.'
    if (this.#options.device() === null) return 'Waits until the devices have been measured.'
    return null
  }

  #start(current: Current, entry: Entry): void {
    const { lexicon, device, threads } = this.#options
    const abort = new AbortController()
    const { path: workspace, ownerToken } = current
    const session = { device: device() ?? 'cpu', threads: threads() }
    const request = { workspace, ownerToken, ...session, lexicon: lexicon(current) }
    const done = this.#carryOut(entry, request, abort.signal)
      .then(
        (found) => this.#change(entry, { ...found, state: 'done', readied: null }),
        (thrown: unknown) => this.#settleFailure(entry, thrown),
      )
      .finally(() => {
        entry.work = null
        this.look()
      })
    entry.work = { abort, done, wish: 'go-on' }
    this.#change(entry, { state: 'opening', waitsFor: null })
  }

  /** @returns what the view of one that is done shows */
  async #carryOut(
    entry: Entry,
    request: Omit<ParamsOf<typeof engineMethods, 'describeImage'>, 'question'>,
    signal: AbortSignal,
  ): Promise<Partial<QuestionView> | Partial<LibraryView>> {
    const { engine } = this.#options
    const { view } = entry
    if (view.about === 'image') {
      const { question } = view
      const onProgress = (said: ProgressOf<typeof engineMethods, 'describeImage'>): void => {
        this.#change(entry, { ...said, state: stateOf(said) })
      }
      return await engine.request('describeImage', { ...request, question }, { onProgress, signal })
    }
    const { runId, step, query } = view
    const onProgress = (counts: ProgressOf<typeof engineMethods, 'describeLibrary'>): void => {
      const remainingMs = counts.readied === null ? this.#remainingMs(entry, counts) : null
      this.#change(entry, { ...counts, state: stateOf(counts), remainingMs })
    }
    const counts = await engine.request('describeLibrary', { ...request, runId, step, query }, { onProgress, signal })
    return { ...counts, remainingMs: 0 }
  }

  #remainingMs(entry: Entry, { done, total }: { done: number; total: number }): number | null {
    const nowMs = performance.now()
    entry.since ??= { atMs: nowMs, done }
    const { atMs, done: before } = entry.since
    return done > before ? ((nowMs - atMs) / (done - before)) * (total - done) : null
  }

  #settleFailure(entry: Entry, thrown: unknown): void {
    const wish = entry.work?.wish ?? 'go-on'
    const code = thrown instanceof StudioError ? thrown.code : null
    const wasEnded = code === 'run.cancelled' || code === 'engine.cancelled'
    entry.since = null
    if (wish === 'wait' && wasEnded) this.#change(entry, { state: 'waiting', ...unsaid(entry.view) })
    else if (wish === 'cancel') this.#change(entry, { state: 'cancelled' })
    else {
      logger.warn(`question ${entry.view.describeId} could not be answered: ${String(thrown)}`)
      this.#change(entry, { state: 'failed', error: toErrorRecord(thrown) })
    }
  }

  #interrupt({ work }: Entry, wish: 'wait' | 'cancel'): void {
    if (!work) return
    work.wish = wish
    work.abort.abort()
  }

  /** Changes what a page shows, and tells when it did. */
  #change(entry: Entry, change: Partial<QuestionView> | Partial<LibraryView>): void {
    const before = JSON.stringify(entry.view)
    entry.view = { ...entry.view, ...change } as DescribeView
    if (JSON.stringify(entry.view) !== before && this.#entries.includes(entry)) this.#options.onChanged(entry.view)
  }
}

/** A model is made ready before it answers. */
function stateOf({ readied }: Pick<DescribeView, 'readied'>): 'opening' | 'running' {
  return readied === null ? 'running' : 'opening'
}

type Unnumbered<View extends DescribeView> = Omit<View, 'describeId' | 'state' | 'waitsFor' | 'readied' | 'error'>

function isOpen({ view }: Pick<Entry, 'view'>): boolean {
  return view.state === 'waiting' || view.state === 'opening' || view.state === 'running'
}

/** A question that is interrupted is asked again from its beginning. */
function unsaid(view: DescribeView): Partial<QuestionView> | Partial<LibraryView> {
  return view.about === 'image' ? { text: '', tokens: 0 } : { remainingMs: null }
}

function taskOf({ runId, step, query }: LibraryView): string {
  return JSON.stringify({ runId, step, query })
}

function requireAskable({ db }: Current, { imageId, policy }: Question): void {
  if (!imageById(db, imageId)) throw missingImage(imageId)
  if (policy.from === 'model') {
    if (!modelById(db, policy.modelId)) throw missingModel(policy.modelId)
    return
  }
  const { runId, step } = policy
  if (!runById(db, runId)) throw missingRun(runId)
  if (!checkpointAtStep(db, runId, step)) throw noCheckpoint(runId, step)
}

function tooMany(): StudioError {
  return new StudioError({
    code: 'engine.too-many-questions',
    message: `${mostWaiting} questions wait for their answers already.`,
    remedy: 'Wait until some of them are answered, or cancel them.',
  })
}
