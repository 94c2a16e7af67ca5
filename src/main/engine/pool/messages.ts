// What passes between the thread that asks and those of the pool: plain data, since neither functions nor private fields of
// classes pass. Before it stands workerPool.ts, after it workerThread.ts.
import type { ErrorRecord } from '../../../shared/errors.ts'
import type { Graph } from '../graph/ir.ts'
import type { SessionOptions } from '../graph/ortSession.ts'
import type { Tensor } from '../graph/tensor.ts'
import type { Feeds } from '../models/shared/sequenceFeeds.ts'
import { Rng, type RngState } from '../rng.ts'
import type { GenerationSettings, GeneratorGraphs, Response, RolloutRequest } from '../rollout/generate.ts'
import { KeptTokens, type KeptTokensData } from '../rollout/keptTokens.ts'
import type { ResponderOptions } from './workers.ts'

/** A thing that tasks are about, by a number of the asking thread's. */
export type Opening = { readonly thing: number } & (
  | { readonly kind: 'graph'; readonly graph: Graph; readonly options: SessionOptions }
  | { readonly kind: 'responder'; readonly graphs: GeneratorGraphs; readonly options: ResponderOptions }
)

/** A piece of work that is the same whoever does it. */
export type Task = { readonly thing: number } & (
  | { readonly kind: 'compute'; readonly inputs: Feeds; readonly outputs?: readonly string[] }
  | {
      readonly kind: 'generate'
      readonly requests: readonly SentRequest[]
      readonly settings: GenerationSettings
      readonly adapter: Feeds
    }
)

export interface SentRequest extends Omit<RolloutRequest, 'rng'> {
  readonly rng: RngState
}

export interface SentResponse extends Omit<Response, 'kept'> {
  readonly kept: readonly KeptTokensData[] | null
}

/** What a task comes to, by its kind. */
export type TaskResult = Record<string, Tensor> | readonly SentResponse[]

export type ToThread =
  | { readonly kind: 'open'; readonly id: number; readonly opening: Opening }
  | { readonly kind: 'task'; readonly id: number; readonly task: Task }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'forget'; readonly id: number; readonly thing: number }
  /** It gives back what it holds and ends. */
  | { readonly kind: 'close' }

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly result: TaskResult | null }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorRecord }

export function sentRequest({ promptIds, imageFeatures, rng }: RolloutRequest): SentRequest {
  return { promptIds, imageFeatures, rng: rng.state }
}

export function receivedRequest({ rng, ...request }: SentRequest): RolloutRequest {
  return { ...request, rng: new Rng(rng) }
}

export function sentResponse({ kept, ...response }: Response): SentResponse {
  return { ...response, kept: kept?.map(({ data }) => data) ?? null }
}

export function receivedResponse({ kept, ...response }: SentResponse): Response {
  return { ...response, kept: kept?.map((data) => KeptTokens.of(data)) ?? null }
}
