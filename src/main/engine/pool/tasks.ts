// Opens what tasks are about and carries tasks out: in a thread of the pool, and in the one that asks when none is left.
import { OrtSession } from '../graph/ortSession.ts'
import { releaseAll } from '../graph/resources.ts'
import { Generator } from '../rollout/generate.ts'
import { type Opening, receivedRequest, sentResponse, type Task, type TaskResult } from './messages.ts'

export class TaskRunner {
  readonly #opened = new Map<number, OrtSession | Generator>()

  has(thing: number): boolean {
    return this.#opened.has(thing)
  }

  /** @throws StudioError as `OrtSession.open` does */
  async open(opening: Opening): Promise<void> {
    const { thing } = opening
    if (opening.kind === 'graph') this.#opened.set(thing, await OrtSession.open(opening.graph, opening.options))
    else this.#opened.set(thing, await Generator.of(opening.graphs, opening.options))
  }

  /** @throws StudioError as `OrtSession.compute` and `Generator.generate` do */
  async carryOut(task: Task, signal: AbortSignal | undefined): Promise<TaskResult> {
    const on = this.#opened.get(task.thing)
    const stopping = signal ? { signal } : {}
    if (task.kind === 'compute' && on instanceof OrtSession) {
      return await on.compute(task.inputs, { ...(task.outputs && { outputs: task.outputs }), ...stopping })
    }
    if (task.kind === 'generate' && on instanceof Generator) {
      const requests = task.requests.map(receivedRequest)
      const said = await on.generate(requests, task.settings, { adapter: task.adapter, ...stopping })
      return said.map(sentResponse)
    }
    throw new Error(`A task is about the thing ${task.thing}, which was not opened for it.`)
  }

  /** Gives one thing back. */
  async forget(thing: number): Promise<void> {
    const one = this.#opened.get(thing)
    this.#opened.delete(thing)
    await one?.release()
  }

  async release(): Promise<void> {
    const all = [...this.#opened.values()]
    this.#opened.clear()
    await releaseAll(all)
  }
}
