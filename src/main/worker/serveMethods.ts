// The process side of the worker protocol: answers the methods of one table, reports progress, honours
// cancels and gives a sign of life every second. Stands between a process entry and its work.
import { type ErrorRecord, StudioError, toErrorRecord } from '../../shared/errors.ts'
import {
  type FromWorker,
  type MethodTable,
  type ParamsOf,
  type ProgressOf,
  protocolVersion,
  type ResultOf,
  toWorkerSchema,
} from '../../shared/workerProtocol.ts'

/** How this process reaches main. */
export interface MainPort {
  postMessage(message: FromWorker): void
  onMessage(listener: (message: unknown) => void): void
}

export interface MethodContext<P> {
  /** Raised when main cancels the request. */
  readonly signal: AbortSignal
  readonly report: (progress: P) => void
}

export type Handlers<T extends MethodTable> = {
  readonly [M in keyof T]: (params: ParamsOf<T, M>, context: MethodContext<ProgressOf<T, M>>) => Promise<ResultOf<T, M>>
}

const heartbeatMs = 1_000

/**
 * Serves `handlers` on `port` until the process ends. A malformed message is answered or ends the process.
 * @param recordOf the words for what a handler threw, by the parameters that it was called with
 */
export function serveMethods<T extends MethodTable>(
  methods: T,
  handlers: Handlers<T>,
  port: MainPort,
  recordOf: (thrown: unknown, params: unknown) => ErrorRecord = (thrown) => toErrorRecord(thrown),
): void {
  const running = new Map<number, AbortController>()

  async function answer(id: number, method: string, rawParams: unknown): Promise<void> {
    const schema = methods[method]
    const handler = handlers[method as keyof T]
    if (!schema || !handler) throw unknownMethod(method)
    const params = schema.params.safeParse(rawParams)
    if (!params.success) throw badParams(method, params.error.issues[0]?.message ?? 'unknown')
    const abort = new AbortController()
    running.set(id, abort)
    const value = await handler(params.data as ParamsOf<T, keyof T>, {
      signal: abort.signal,
      report: (progress) => port.postMessage({ kind: 'progress', id, progress }),
    })
    port.postMessage({ kind: 'result', id, value })
  }

  port.onMessage((raw) => {
    // A message that main's own schema does not allow means that the two ends are of different builds:
    // going on would be guessing, and main restarts this process with a clear report.
    const message = toWorkerSchema.parse(raw)
    if (message.kind === 'cancel') {
      running.get(message.id)?.abort()
      return
    }
    const { id, method, params } = message
    answer(id, method, params)
      .catch((thrown: unknown) => port.postMessage({ kind: 'error', id, error: recordOf(thrown, params) }))
      .finally(() => running.delete(id))
  })
  port.postMessage({ kind: 'ready', protocolVersion, pid: process.pid })
  setInterval(() => port.postMessage({ kind: 'heartbeat' }), heartbeatMs)
}

function unknownMethod(method: string): StudioError {
  return new StudioError({
    code: 'ipc.unknown-method',
    message: `The process does not know the request "${method}".`,
    remedy: 'Reinstall the app: its parts do not fit together.',
    found: method,
  })
}

function badParams(method: string, problem: string): StudioError {
  return new StudioError({
    code: 'ipc.bad-params',
    message: `The request "${method}" came with parameters that were not agreed: ${problem}.`,
    remedy: 'Reinstall the app: its parts do not fit together.',
    where: method,
  })
}
