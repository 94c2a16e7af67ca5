// What computes graphs and lets models answer, for whoever has several tasks at a time: this thread, one after the other,
// or several threads (workerPool.ts). Before it stand sessions and generators, after it align/ and run/.
import type { Graph } from '../graph/ir.ts'
import { OrtSession, type RunInput, type RunOptions, type SessionOptions } from '../graph/ortSession.ts'
import type { Releasable } from '../graph/resources.ts'
import type { Tensor } from '../graph/tensor.ts'
import {
  type GenerationOptions,
  type GenerationSettings,
  Generator,
  type GeneratorGraphs,
  type Response,
  type RolloutRequest,
} from '../rollout/generate.ts'

/** A graph that can be run; see `OrtSession.compute`. */
export interface GraphRunner extends Releasable {
  compute(inputs: Readonly<Record<string, RunInput>>, options?: RunOptions): Promise<Record<string, Tensor>>
}

/** A model that answers; see `Generator.generate`. Only this thread tells of tokens as they come. */
export interface Responder extends Releasable {
  generate(
    requests: readonly RolloutRequest[],
    settings: GenerationSettings,
    options?: GenerationOptions,
  ): Promise<Response[]>
}

export type ResponderOptions = Pick<SessionOptions, 'device' | 'threads'>

export interface Workers extends Releasable {
  /** Threads that work at the same time. */
  readonly count: number
  /** How many tasks it is worth asking for at the same time; more only take memory. */
  readonly atOnce: number
  /** The same for batches that a responder is asked for. */
  readonly batchesAtOnce: number
  /** @throws StudioError as `OrtSession.open` does */
  openGraph(graph: Graph, options: SessionOptions): Promise<GraphRunner>
  /** @throws StudioError as `OrtSession.open` does */
  openResponder(graphs: GeneratorGraphs, options: ResponderOptions): Promise<Responder>
  /** What a step's record says of how its work was shared, by the names of metrics; figures since they were taken last. */
  takeFigures?(): Readonly<Record<string, number>>
}

/** The thread that asks does all by itself. */
export const thisThread: Workers = {
  count: 1,
  atOnce: 1,
  batchesAtOnce: 1,
  openGraph: (graph, options) => OrtSession.open(graph, options),
  openResponder: (graphs, options) => Generator.of(graphs, options),
  release: async () => undefined,
}
