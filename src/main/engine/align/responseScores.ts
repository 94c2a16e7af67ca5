// What policy and reference say of given responses: log-probabilities, values, hidden states. Asked by the learners
// before each update, in micro-batches.
import type { DeviceName } from '../../../shared/hardware.ts'
import { mapSome } from '../../../shared/mapSome.ts'
import type { Graph } from '../graph/ir.ts'
import { requireFinite } from '../graph/ortSession.ts'
import { tensorOf } from '../graph/tensor.ts'
import { loraFeeds } from '../models/shared/lora.ts'
import { valueHeadFeeds } from '../models/shared/valueHead.ts'
import { responseGraph, type VlmSource } from '../models/vlmGraphs.ts'
import { type GraphRunner, thisThread, type Workers } from '../pool/workers.ts'
import {
  columnsOf,
  type EndedResponse,
  type RecalledResponse,
  responseFeeds,
  seenAgain,
  withColumnAfter,
} from '../rollout/responseFeeds.ts'
import { microBatches } from './microBatches.ts'
import type { Policy } from './policy.ts'

export interface ScoresOptions {
  readonly device: DeviceName
  readonly threads?: number
  readonly temperature: number
  /** Whether log-probabilities are over the tokens that the sampler kept, where it cut the vocabulary. */
  readonly amongKept: boolean
  /** Responses in one run. */
  readonly microBatchSize: number
  /** Who computes micro-batches; this thread when left out. */
  readonly workers?: Workers
}

/** What the policy says of responses, [tokens] for each. */
export interface PolicyScores {
  /** log π */
  readonly logProbs: readonly Float32Array[]
  /** V before each token is chosen. */
  readonly values: readonly Float32Array[]
  /** V after the last token of each response: of one that was cut off by its length, 0 of one that ended by itself. */
  readonly valuesAfter: readonly number[]
}

/** What the outputs are called in an error. */
const outputWords: Readonly<Record<string, string>> = {
  logProbs: "The model's log-probabilities of its own responses",
  values: "The value head's expectations",
  hidden: "The model's hidden states",
}

/** What {@link ResponseScores} runs. @param sizes.valueHead width of its inner layer */
export function scoresGraph(
  source: VlmSource,
  { rank, valueHead, amongKept }: { rank: number; valueHead: number; amongKept: boolean },
): Graph {
  return responseGraph(source, { adapter: { rank }, valueHead, outputs: ['hidden'], amongKept }).graph
}

export class ResponseScores {
  readonly #source: VlmSource
  readonly #policy: Policy
  readonly #runner: GraphRunner
  readonly #options: ScoresOptions

  private constructor(source: VlmSource, policy: Policy, runner: GraphRunner, options: ScoresOptions) {
    this.#source = source
    this.#policy = policy
    this.#runner = runner
    this.#options = options
  }

  /** @throws StudioError as `OrtSession.open` does */
  static async open(source: VlmSource, policy: Policy, options: ScoresOptions): Promise<ResponseScores> {
    const valueHead = policy.valueHead.get('value_head.fc1.bias')?.length ?? 0
    const graph = scoresGraph(source, { rank: policy.adapter.rank, valueHead, amongKept: options.amongKept })
    const { device, threads, workers = thisThread } = options
    const runner = await workers.openGraph(graph, { device, ...(threads !== undefined && { threads }) })
    return new ResponseScores(source, policy, runner, options)
  }

  /** @throws StudioError `run.non-finite`, as the others do, and what `OrtSession.compute` throws */
  async ofPolicy(responses: readonly EndedResponse[], signal?: AbortSignal): Promise<PolicyScores> {
    return (await this.#ofPolicy(responses, [], signal)).scores
  }

  /** The same, with the policy's hidden states, [tokens, hiddenSize] for each response. */
  async ofPolicyWithStates(
    responses: readonly EndedResponse[],
    signal?: AbortSignal,
  ): Promise<PolicyScores & { readonly hidden: readonly Float32Array[] }> {
    const { scores, found } = await this.#ofPolicy(responses, ['hidden'], signal)
    const { hiddenSize } = this.#source.config.decoder
    return {
      ...scores,
      hidden: responses.map(({ tokens }, i) => found('hidden', i).subarray(0, tokens.length * hiddenSize)),
    }
  }

  /** log π_ref of each token: the same weights, the adapter switched off. */
  async ofReference(responses: readonly RecalledResponse[], signal?: AbortSignal): Promise<Float32Array[]> {
    return (await this.#run(responses, 0, ['logProbs'], signal))['logProbs'] as Float32Array[]
  }

  async release(): Promise<void> {
    await this.#runner.release()
  }

  /** One pass that reads the value after responses which were cut off from a column more. */
  async #ofPolicy(responses: readonly EndedResponse[], besides: readonly string[], signal: AbortSignal | undefined) {
    const isCutOff = ({ reason }: EndedResponse) => reason === 'length'
    const asked = responses.map((response) => (isCutOff(response) ? withColumnAfter(response) : response))
    const results = await this.#run(asked, 1, ['logProbs', 'values', ...besides], signal)
    const found = (name: string, i: number) => results[name]?.[i] as Float32Array
    const scores: PolicyScores = {
      logProbs: responses.map(({ tokens }, i) => found('logProbs', i).subarray(0, tokens.length)),
      values: responses.map(({ tokens }, i) => found('values', i).subarray(0, tokens.length)),
      valuesAfter: responses.map((one, i) => (isCutOff(one) ? (found('values', i)[one.tokens.length] as number) : 0)),
    }
    return { scores, found }
  }

  async #run(
    responses: readonly RecalledResponse[],
    strength: number,
    outputs: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Record<string, Float32Array[]>> {
    const { temperature, amongKept, microBatchSize, workers = thisThread } = this.#options
    const { hiddenSize } = this.#source.config.decoder
    const found = Object.fromEntries(outputs.map((name) => [name, new Array<Float32Array>(responses.length)]))
    const parameters = {
      ...loraFeeds(this.#policy.adapter, strength),
      ...valueHeadFeeds(this.#policy.valueHead, hiddenSize),
    }
    await mapSome(microBatches(responses, microBatchSize, columnsOf), workers.atOnce, async (places) => {
      const batch = await seenAgain(places.map((place) => responses[place] as RecalledResponse))
      const feeds = { ...responseFeeds(this.#source.config, batch, temperature, amongKept), ...parameters }
      const results = await this.#runner.compute(feeds, { outputs, ...(signal && { signal }) })
      for (const name of outputs) {
        const result = tensorOf(results, name, 'float32')
        requireFinite(outputWords[name] ?? name, result)
        const width = name === 'hidden' ? hiddenSize : 1
        let at = 0
        batch.forEach(({ tokens }, i) => {
          const end = at + tokens.length * width
          const ofResponse = found[name] as Float32Array[]
          ofResponse[places[i] as number] = result.values.slice(at, end)
          at = end
        })
      }
    })
    return found
  }
}
