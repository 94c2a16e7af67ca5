// Main's side of a utility process: starts it, validates every message, passes requests, progress and
// cancels, and restarts it with back-off when it ends or falls silent. Knows nothing of Electron.
import { type ErrorArea, StudioError, toErrorRecord } from '../../shared/errors.ts'
import {
  type FromWorker,
  fromWorkerSchema,
  type MethodTable,
  type ParamsOf,
  type ProgressOf,
  protocolVersion,
  type ResultOf,
  type ToWorker,
} from '../../shared/workerProtocol.ts'
import type { WorkerStatus } from '../../shared/workerStatus.ts'

/** A running process as the client needs it: an Electron utility process, or a Node child in tests. */
export interface WorkerPort {
  readonly pid: number | undefined
  postMessage(message: ToWorker): void
  onMessage(listener: (message: unknown) => void): void
  onExit(listener: (exitCode: number | null) => void): void
  kill(): void
}

export interface WorkerClientOptions<T extends MethodTable> {
  /** Name for logs and messages, e.g. `engine`. */
  readonly name: string
  /** The area under which its errors are filed. */
  readonly area: ErrorArea
  readonly methods: T
  readonly spawn: () => WorkerPort
  readonly onStatus?: (status: WorkerStatus) => void
  readonly log?: (line: string) => void
  /** How long the process may say nothing beyond its methods' `quietMs`; then it is killed and restarted. */
  readonly silenceMs?: number
  /** How long it may take from its start to its first word: a cold disk reads hundreds of megabytes of libraries. */
  readonly startMs?: number
  /** Delay before the first restart; doubled for each further one in a row. */
  readonly backoffMs?: number
  /** After this many unexpected ends in a row the process is given up until `start` is called again. */
  readonly maxRestartsInARow?: number
  /** A process that was ready for this long starts with a clean record, and so does one that reported or answered. */
  readonly healthyAfterMs?: number
}

export interface RequestOptions<P> {
  readonly onProgress?: (progress: P) => void
  readonly signal?: AbortSignal
}

interface Pending {
  readonly method: string
  readonly params: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: StudioError) => void
  readonly onProgress?: (progress: unknown) => void
  sent: boolean
}

/** A supervised worker process that answers the methods of `T`. */
export class WorkerClient<T extends MethodTable> {
  readonly #options: WorkerClientOptions<T>
  readonly #silenceMs: number
  readonly #pending = new Map<number, Pending>()
  #port: WorkerPort | null = null
  #status: WorkerStatus = { state: 'stopped', pid: null, restarts: 0, lastError: null }
  #nextId = 0
  #failuresInARow = 0
  #readyAtMs: number | null = null
  #silentMs = 0
  #watchdog: NodeJS.Timeout | null = null
  #restartTimer: NodeJS.Timeout | null = null

  constructor(options: WorkerClientOptions<T>) {
    this.#options = options
    this.#silenceMs = options.silenceMs ?? 15_000
  }

  get status(): WorkerStatus {
    return this.#status
  }

  /** Starts the process, at once and with a clean record also while a restart is waited for; not while one is running. */
  start(): void {
    if (this.#port) return
    this.#clearTimers()
    this.#failuresInARow = 0
    this.#launch('starting')
  }

  /** Ends a process that lives but gets nowhere; it is started again as after any other end. */
  restart(why: string): void {
    if (!this.#port) return
    this.#port.kill()
    this.#ended(why)
  }

  /** Ends the process for good; waiting requests are refused with `<area>.stopped`. */
  stop(): void {
    this.#clearTimers()
    const port = this.#port
    this.#port = null
    port?.kill()
    this.#rejectAll(() => this.#error('stopped', 'was stopped', 'Start it again to go on.'))
    this.#setStatus({ state: 'stopped', pid: null })
  }

  /**
   * Asks the process to do `method`. Requests made while it starts are sent as soon as it is ready.
   * @throws StudioError what the process reported; `<area>.crashed` when it ended on the way;
   *   `<area>.failed` when it was given up; `<area>.cancelled` when the signal was raised before the request was sent.
   */
  request<M extends keyof T & string>(
    method: M,
    params: ParamsOf<T, M>,
    options: RequestOptions<ProgressOf<T, M>> = {},
  ): Promise<ResultOf<T, M>> {
    if (this.#status.state === 'failed' || this.#status.state === 'stopped') {
      return Promise.reject(this.#error('failed', 'is not running', 'Restart it from the status line, then try again.'))
    }
    const { onProgress, signal } = options
    if (signal?.aborted) return Promise.reject(this.#cancelled())
    const id = this.#nextId++
    return new Promise<ResultOf<T, M>>((resolve, reject) => {
      const onAbort = (): void => {
        if (this.#pending.get(id)?.sent) this.#port?.postMessage({ kind: 'cancel', id })
        else this.#settle(id)?.reject(this.#cancelled())
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const forget = (): void => signal?.removeEventListener('abort', onAbort)
      this.#pending.set(id, {
        method,
        params,
        sent: false,
        resolve: (value) => {
          forget()
          resolve(value as ResultOf<T, M>)
        },
        reject: (reason) => {
          forget()
          reject(reason)
        },
        ...(onProgress && { onProgress: onProgress as (progress: unknown) => void }),
      })
      if (this.#status.state === 'ready') this.#send(id)
    })
  }

  #send(id: number): void {
    const pending = this.#pending.get(id)
    if (!pending || pending.sent) return
    pending.sent = true
    this.#port?.postMessage({ kind: 'request', id, method: pending.method, params: pending.params })
  }

  #launch(state: 'starting' | 'restarting'): void {
    let port: WorkerPort
    try {
      port = this.#options.spawn()
    } catch (thrown) {
      this.#ended(`could not be started: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
      return
    }
    this.#port = port
    this.#setStatus({ state, pid: port.pid ?? null })
    port.onMessage((message) => {
      if (this.#port === port) this.#receive(port, message)
    })
    port.onExit((exitCode) => {
      if (this.#port === port) this.#ended(`ended unexpectedly (exit code ${exitCode ?? 'unknown'})`)
    })
    this.#watch(port)
  }

  /**
   * Ends a process that stays silent for too long. Silence is counted in turns of main's own loop, each worth its
   * interval and no more, not read from a clock: after a night's sleep, or a minute in which main itself was
   * blocked, one turn has passed, and the words that wait in the channel are heard before the next.
   */
  #watch(port: WorkerPort): void {
    const turnMs = Math.min(1000, this.#silenceMs / 10)
    this.#silentMs = 0
    this.#watchdog = setInterval(() => {
      this.#silentMs += turnMs
      if (this.#silentMs <= this.#patienceMs()) return
      port.kill()
      this.#ended(`gave no sign of life for ${Math.round(this.#silentMs / 1000)} s`)
    }, turnMs)
  }

  /** How long the process may be silent now: what the most demanding of its requests may take, and a little. */
  #patienceMs(): number {
    if (this.#status.state !== 'ready') return Math.max(this.#silenceMs, this.#options.startMs ?? 60_000)
    const underWay = [...this.#pending.values()].filter(({ sent }) => sent)
    return this.#silenceMs + Math.max(0, ...underWay.map(({ method }) => this.#schema(method).quietMs))
  }

  #receive(port: WorkerPort, raw: unknown): void {
    const parsed = fromWorkerSchema.safeParse(raw)
    if (!parsed.success) {
      port.kill()
      this.#ended(`sent a message that is not of protocol ${protocolVersion}: ${parsed.error.issues[0]?.message}`)
      return
    }
    this.#dispatch(port, parsed.data)
  }

  #dispatch(port: WorkerPort, message: FromWorker): void {
    this.#silentMs = 0
    switch (message.kind) {
      case 'ready':
        if (message.protocolVersion !== protocolVersion) {
          port.kill()
          this.#ended(`speaks protocol ${message.protocolVersion}, not ${protocolVersion}`)
          return
        }
        this.#readyAtMs = performance.now()
        this.#setStatus({ state: 'ready', pid: message.pid })
        for (const id of this.#pending.keys()) this.#send(id)
        return
      case 'heartbeat':
        return
      case 'progress': {
        const pending = this.#pending.get(message.id)
        const progress = pending && this.#schema(pending.method).progress.safeParse(message.progress)
        this.#failuresInARow = 0
        if (progress?.success) pending?.onProgress?.(progress.data)
        return
      }
      case 'result': {
        this.#failuresInARow = 0
        const pending = this.#settle(message.id)
        if (!pending) return
        const value = this.#schema(pending.method).result.safeParse(message.value)
        if (value.success) pending.resolve(value.data)
        else
          pending.reject(
            this.#error(
              'malformed',
              `answered ${pending.method} in a form that was not agreed`,
              'Reinstall the app: its parts do not fit together.',
            ),
          )
        return
      }
      case 'error':
        this.#settle(message.id)?.reject(new StudioError(message.error))
    }
  }

  #schema(method: string): T[keyof T] {
    return this.#options.methods[method] as T[keyof T]
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #ended(what: string): void {
    this.#clearTimers()
    this.#port = null
    const { name, log, backoffMs = 250, maxRestartsInARow = 5, healthyAfterMs = 30_000 } = this.#options
    if (this.#readyAtMs !== null && performance.now() - this.#readyAtMs > healthyAfterMs) this.#failuresInARow = 0
    this.#readyAtMs = null
    const error = this.#error('crashed', what, 'It is started again by itself; what was committed is kept.')
    log?.(`${name} ${what}`)
    this.#rejectAll(() => error, true)
    if (this.#failuresInARow >= maxRestartsInARow) {
      this.#rejectAll(() => error)
      this.#setStatus({ state: 'failed', pid: null, lastError: toErrorRecord(error) })
      return
    }
    const delayMs = backoffMs * 2 ** this.#failuresInARow
    this.#failuresInARow++
    this.#setStatus({
      state: 'restarting',
      pid: null,
      restarts: this.#status.restarts + 1,
      lastError: toErrorRecord(error),
    })
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = null
      this.#launch('restarting')
    }, delayMs)
  }

  #rejectAll(reason: () => StudioError, onlySent = false): void {
    for (const [id, pending] of this.#pending) {
      if (onlySent && !pending.sent) continue
      this.#pending.delete(id)
      pending.reject(reason())
    }
  }

  #clearTimers(): void {
    if (this.#watchdog) clearInterval(this.#watchdog)
    if (this.#restartTimer) clearTimeout(this.#restartTimer)
    this.#watchdog = this.#restartTimer = null
  }

  #setStatus(change: Partial<WorkerStatus>): void {
    this.#status = { ...this.#status, ...change }
    this.#options.onStatus?.(this.#status)
  }

  #cancelled(): StudioError {
    return this.#error('cancelled', 'was told to cancel', 'Start it again when you want it.')
  }

  #error(problem: string, what: string, remedy: string): StudioError {
    const { area, name } = this.#options
    return new StudioError({ code: `${area}.${problem}`, message: `The ${name} process ${what}.`, remedy, where: name })
  }
}
