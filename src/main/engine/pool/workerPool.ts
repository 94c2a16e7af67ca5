// Hands tasks to several threads, each to the first that is free. Which thread does a task changes nothing, and a thread
// that ends has its task done again by another, at last by the thread that asks. Before it poolThread.ts, after it
// align/ and run/, which know it as `Workers`.
import { throwIfCancelled } from '../graph/ortSession.ts'
import type { Tensor } from '../graph/tensor.ts'
import type { Feeds } from '../models/shared/sequenceFeeds.ts'
import type { GenerationSettings, Response, RolloutRequest } from '../rollout/generate.ts'
import {
  type Opening,
  receivedResponse,
  type SentResponse,
  sentRequest,
  type Task,
  type TaskResult,
} from './messages.ts'
import { PoolThread, ThreadEnded } from './poolThread.ts'
import { TaskRunner } from './tasks.ts'
import { type GraphRunner, type Responder, thisThread, type Workers } from './workers.ts'

type WithoutThing<One> = One extends { readonly thing: number } ? Omit<One, 'thing'> : never

/**
 * Threads of the processor's, or this one where none can be started.
 * @param threads that compute at the same time
 * @param keepsFree whether this thread has something else to do meanwhile, so that even one thread is one of its own
 */
export async function openWorkers(threads: number, keepsFree = false): Promise<Workers> {
  const least = keepsFree ? 1 : 2
  if (threads < least) return thisThread
  const started = await Promise.all(Array.from({ length: threads }, () => PoolThread.start()))
  const alive = started.filter((thread) => thread !== null)
  if (alive.length >= least) return new WorkerPool(alive)
  await Promise.all(alive.map((thread) => thread.close()))
  process.stderr.write('no threads could be started: the run takes one core\n')
  return thisThread
}

export class WorkerPool implements Workers {
  readonly count: number
  readonly atOnce: number
  readonly batchesAtOnce: number
  readonly #threads: readonly PoolThread[]
  readonly #idle: PoolThread[]
  /** Who waits for a thread, in the order of asking; null stands for none being left. */
  readonly #waiting: ((thread: PoolThread | null) => void)[] = []
  readonly #openings = new Map<number, Opening>()
  readonly #here = new TaskRunner()
  /** The end of what this thread does itself, one task after the other. */
  #doneHere: Promise<unknown> = Promise.resolve()
  #nextThing = 0

  /** @param threads that are alive; the pool ends them */
  constructor(threads: readonly PoolThread[]) {
    this.#threads = threads
    this.#idle = [...threads]
    this.count = threads.length
    // One more than can be under way, so that none waits for this thread to make its next task.
    this.atOnce = threads.length + 1
    this.batchesAtOnce = this.atOnce
  }

  async openGraph(graph: Parameters<Workers['openGraph']>[0], options: Parameters<Workers['openGraph']>[1]) {
    const thing = await this.#open({ kind: 'graph', graph, options })
    return {
      compute: async (inputs, { outputs, signal } = {}) => {
        const task: Task = { kind: 'compute', thing, inputs: inputs as Feeds, ...(outputs && { outputs }) }
        return (await this.#do(task, signal)) as Record<string, Tensor>
      },
      release: () => this.#forget(thing),
    } satisfies GraphRunner
  }

  async openResponder(
    graphs: Parameters<Workers['openResponder']>[0],
    options: Parameters<Workers['openResponder']>[1],
  ) {
    const thing = await this.#open({ kind: 'responder', graphs, options })
    return {
      generate: async (requests, settings, { adapter = {}, signal, openTextStream, onToken } = {}) => {
        if (openTextStream || onToken) throw new Error('Threads tell of whole responses only.')
        const shards: (readonly RolloutRequest[])[] = []
        for (let start = 0; start < requests.length; start += settings.batchSize) {
          shards.push(requests.slice(start, start + settings.batchSize))
        }
        const said = await Promise.all(shards.map((shard) => this.#answer(thing, shard, settings, adapter, signal)))
        return said.flat()
      },
      release: () => this.#forget(thing),
    } satisfies Responder
  }

  async release(): Promise<void> {
    await this.#doneHere.catch(() => undefined)
    await Promise.all(this.#threads.filter(({ isAlive }) => isAlive).map((thread) => thread.close()))
    await this.#here.release()
  }

  async #answer(
    thing: number,
    shard: readonly RolloutRequest[],
    settings: GenerationSettings,
    adapter: Feeds,
    signal: AbortSignal | undefined,
  ): Promise<Response[]> {
    const task: Task = { kind: 'generate', thing, requests: shard.map(sentRequest), settings, adapter }
    return ((await this.#do(task, signal)) as readonly SentResponse[]).map(receivedResponse)
  }

  /** Opens it in every thread. @throws StudioError as `OrtSession.open` does */
  async #open(what: WithoutThing<Opening>): Promise<number> {
    const opening: Opening = { ...what, thing: this.#nextThing++ }
    this.#openings.set(opening.thing, opening)
    await this.#tellAll({ kind: 'open', opening })
    return opening.thing
  }

  async #forget(thing: number): Promise<void> {
    this.#openings.delete(thing)
    await this.#tellAll({ kind: 'forget', thing })
    await this.#here.forget(thing)
  }

  async #tellAll(message: Parameters<PoolThread['ask']>[0]): Promise<void> {
    const told = await Promise.allSettled(this.#threads.map((thread) => thread.ask(message)))
    for (const one of told) {
      if (one.status === 'rejected' && !(one.reason instanceof ThreadEnded)) throw one.reason
    }
  }

  async #do(task: Task, signal: AbortSignal | undefined): Promise<TaskResult> {
    for (;;) {
      const thread = await this.#free()
      try {
        throwIfCancelled(signal)
        if (!thread) return await this.#doHere(task, signal)
        return (await thread.ask({ kind: 'task', task }, signal)) as TaskResult
      } catch (thrown) {
        if (!(thrown instanceof ThreadEnded)) throw thrown
      } finally {
        this.#giveBack(thread)
      }
    }
  }

  /** A thread that has nothing to do, or null when none is left. */
  async #free(): Promise<PoolThread | null> {
    for (let thread = this.#idle.pop(); thread; thread = this.#idle.pop()) if (thread.isAlive) return thread
    if (!this.#threads.some(({ isAlive }) => isAlive)) return null
    return await new Promise((resolve) => this.#waiting.push(resolve))
  }

  #giveBack(thread: PoolThread | null): void {
    if (thread?.isAlive) {
      const next = this.#waiting.shift()
      if (next) next(thread)
      else this.#idle.push(thread)
    } else if (!this.#threads.some(({ isAlive }) => isAlive)) {
      for (const next of this.#waiting.splice(0)) next(null)
    }
  }

  async #doHere(task: Task, signal: AbortSignal | undefined): Promise<TaskResult> {
    const before = this.#doneHere.catch(() => undefined)
    const done = before.then(async () => {
      const opening = this.#openings.get(task.thing)
      if (opening && !this.#here.has(task.thing)) await this.#here.open(opening)
      return await this.#here.carryOut(task, signal)
    })
    this.#doneHere = done
    return await done
  }
}
