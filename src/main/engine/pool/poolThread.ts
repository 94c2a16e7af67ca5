// One thread of the pool, seen from the thread that asks: its start, what it is asked, its end. After it workerPool.ts.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { StudioError, toErrorRecord } from '../../../shared/errors.ts'
import { silenceTelemetry } from '../graph/silenceTelemetry.ts'
import type { FromThread, TaskResult, ToThread } from './messages.ts'

/** That a thread ended before it had answered; whatever it was asked can be asked of another. */
export class ThreadEnded extends Error {}

interface Asked {
  readonly resolve: (result: TaskResult | null) => void
  readonly reject: (reason: unknown) => void
}

type Question = ToThread extends infer Message
  ? Message extends { readonly id: number }
    ? Omit<Message, 'id'>
    : never
  : never

export class PoolThread {
  readonly #worker: Worker
  readonly #asked = new Map<number, Asked>()
  readonly #ended: Promise<void>
  #nextId = 0
  #isAlive = true

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (message: FromThread) => this.#hear(message))
    worker.on('error', (error) => process.stderr.write(`a thread of the engine ended: ${error.message}\n`))
    this.#ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#isAlive = false
        for (const { reject } of this.#asked.values()) reject(new ThreadEnded('A thread of the engine ended.'))
        this.#asked.clear()
        resolve()
      })
    })
  }

  /** A thread that is ready; null when it cannot be started here. */
  static async start(): Promise<PoolThread | null> {
    try {
      const worker = startWorker()
      const thread = new PoolThread(worker)
      const ready = new Promise<void>((resolve) => worker.once('message', () => resolve()))
      await Promise.race([ready, thread.#ended])
      return thread.#isAlive ? thread : null
    } catch (thrown) {
      process.stderr.write(`a thread of the engine could not be started: ${toErrorRecord(thrown).found}\n`)
      return null
    }
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** @throws StudioError what the thread threw, {@link ThreadEnded} */
  async ask(question: Question, signal?: AbortSignal): Promise<TaskResult | null> {
    if (!this.#isAlive) throw new ThreadEnded('A thread of the engine has ended.')
    const id = this.#nextId++
    const cancel = (): void => this.#worker.postMessage({ kind: 'cancel', id } satisfies ToThread)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await new Promise((resolve, reject) => {
        this.#asked.set(id, { resolve, reject })
        this.#worker.postMessage({ ...question, id })
      })
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** Ends it at once, whatever it is doing. */
  async kill(): Promise<void> {
    await this.#worker.terminate()
  }

  /** Lets it end what it cannot leave, and give back what it holds. */
  async close(): Promise<void> {
    this.#worker.postMessage({ kind: 'close' } satisfies ToThread)
    await this.#ended
  }

  #hear(message: FromThread): void {
    if (message.kind === 'ready') return
    const asked = this.#asked.get(message.id)
    this.#asked.delete(message.id)
    if (message.kind === 'done') asked?.resolve(message.result)
    else asked?.reject(new StudioError(message.error))
  }
}

/** As the builds name it (electron.vite.config.ts, headless.vite.config.ts): beside the engine or one folder above a part of it. */
const builtName = 'engineThread.js'

function startWorker(): Worker {
  // A thread's environment is a copy of this one, and it cannot do so by itself.
  silenceTelemetry()
  const built = [join(import.meta.dirname, builtName), join(import.meta.dirname, '..', builtName)].find(existsSync)
  if (built !== undefined) return new Worker(built, { execArgv: [] })
  // Tests and tools run the sources themselves: with a thread that the tests have built, or through tsx.
  const { FISAO_ENGINE_THREAD: given } = process.env
  if (given !== undefined) return new Worker(given, { execArgv: [] })
  const tsx = new URL('index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api'))).href
  const source = pathToFileURL(join(import.meta.dirname, 'workerThread.ts')).href
  const script = `const { register } = await import(${JSON.stringify(tsx)})
    register()
    await import(${JSON.stringify(source)})`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), { execArgv: [] })
}
