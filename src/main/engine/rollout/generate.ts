// Batched decoding with a key-value cache: prompts with images in, responses with log-probabilities out.
// Before it stand prompts and image features, after it token spans, rewards and evaluation.
import type { DeviceName } from '../../../shared/hardware.ts'
import { keptOnDevice, openMemory } from '../graph/deviceMemory.ts'
import type { TensorMemory } from '../graph/heldTensors.ts'
import type { Graph } from '../graph/ir.ts'
import { OrtSession, type SessionOptions, throwIfCancelled } from '../graph/ortSession.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { floatsOf } from '../graph/tensor.ts'
import type { VlmConfig } from '../models/architecture.ts'
import { scaledFactors } from '../models/shared/lora.ts'
import { decodingUse, isQuantised } from '../models/shared/quantisedLinear.ts'
import { type Feeds, featureFeeds, padTokens, sequenceFeeds } from '../models/shared/sequenceFeeds.ts'
import { type AdapterSpec, promptGraph, stepGraph, type VlmSource } from '../models/vlmGraphs.ts'
import type { Rng, RngState } from '../rng.ts'
import type { KeptTokens } from './keptTokens.ts'
import { cacheNames, KvCache } from './kvCache.ts'
import { packsWeights } from './packedWeights.ts'
import { SamplerScratch, type SamplingSettings, sampleToken } from './sampler.ts'
import { type FinishReason, GrowingText, type StopConditions, type TextStream } from './stopConditions.ts'

export interface RolloutRequest {
  /** With the image token once for each row of its images' features. */
  readonly promptIds: readonly number[]
  /** Projected features of the prompt's images, each [rows, hidden]. */
  readonly imageFeatures: readonly Float32Array[]
  /** Gives one number a token; a stream of its own makes a row independent of the batch that it is in. */
  readonly rng: Pick<Rng, 'uniform' | 'state'>
}

export interface GenerationSettings {
  readonly sampling: SamplingSettings
  readonly stop: StopConditions
  /** Rows that are decoded together. */
  readonly batchSize: number
}

export interface Response {
  /** Of what was sampled, an end token included. */
  readonly tokens: readonly number[]
  /** log π of each token by the logits as they are, nats. */
  readonly logProbs: Float32Array
  /** log π at the sampling temperature, without penalty and cuts, nats. */
  readonly logProbsAtTemperature: Float32Array
  /** What each token was drawn from, where top-k or top-p cut the vocabulary; null where they did not. */
  readonly kept: readonly KeptTokens[] | null
  /** Empty when no text stream was given. */
  readonly text: string
  readonly reason: FinishReason
  /** Of the request's generator after the response. */
  readonly rngState: RngState
}

export interface GenerationOptions {
  /** The feeds of the adapter that the generator was opened with. */
  readonly adapter?: Feeds
  /** Looked at before every step: a run that is cancelled ends within one. */
  readonly signal?: AbortSignal
  /** For the text of responses and for stop strings. */
  readonly openTextStream?: () => TextStream
  /** Told of every token as it comes; `text` is what it completed. */
  readonly onToken?: (event: { request: number; token: number; text: string }) => void
}

/** A row of the batch. */
interface Row {
  readonly request: number
  readonly rng: Pick<Rng, 'uniform' | 'state'>
  /** Prompt and response, for the repetition penalty. */
  readonly history: number[]
  readonly promptLength: number
  readonly logProbs: number[]
  readonly logProbsAtTemperature: number[]
  readonly kept: KeptTokens[]
  readonly growing: GrowingText
}

type GeneratorOptions = Pick<SessionOptions, 'device' | 'threads' | 'prepackWeights'>

/** What a generator runs: plain data, so that another thread can be handed it. */
export interface GeneratorGraphs {
  readonly config: VlmConfig
  readonly prompt: Graph
  readonly step: Graph
  /** The step for several rows; see `stepGraph`. */
  readonly weightsFirstStep: Graph
  /** Whether the step's products are of 8 or 4 bits. */
  readonly isQuantised: boolean
  /** See {@link packsWeights}. */
  readonly isPacked: boolean
}

export function generatorGraphs(source: VlmSource, adapter: AdapterSpec | null, device: DeviceName): GeneratorGraphs {
  const use = decodingUse(device)
  const [prompt, step] = [promptGraph(source, adapter), stepGraph(source, adapter, false, use)]
  return {
    config: source.config,
    prompt,
    step,
    weightsFirstStep: stepGraph(source, adapter, true, use),
    isQuantised: isQuantised(source.weights),
    isPacked: packsWeights(source),
  }
}

export class Generator {
  readonly #graphs: GeneratorGraphs
  readonly #options: GeneratorOptions
  readonly #prompt: OrtSession
  readonly #step: OrtSession
  /** Opened when there are several rows. */
  #weightsFirstStep: OrtSession | null = null
  /** Of caches, which on some devices stay there. */
  readonly #memory: TensorMemory
  readonly #scratch: SamplerScratch

  private constructor(graphs: GeneratorGraphs, options: GeneratorOptions, prompt: OrtSession, step: OrtSession) {
    this.#graphs = graphs
    this.#options = options
    this.#prompt = prompt
    this.#step = step
    this.#memory = openMemory(options.device)
    this.#scratch = new SamplerScratch(graphs.config.decoder.vocabSize)
  }

  /** @throws StudioError as `OrtSession.open` does */
  static async open(
    source: VlmSource,
    { adapter, ...options }: GeneratorOptions & { readonly adapter: AdapterSpec | null },
  ): Promise<Generator> {
    return await Generator.of(generatorGraphs(source, adapter, options.device), options)
  }

  /** @throws StudioError as `OrtSession.open` does */
  static async of(graphs: GeneratorGraphs, options: GeneratorOptions): Promise<Generator> {
    return await openTogether(async (keep) => {
      const session = { ...options, ...keptOnDevice(options.device, cacheNames(graphs.config.decoder)) }
      const prompt = await keep(OrtSession.open(graphs.prompt, session))
      const prepackWeights = isPacked(graphs, options)
      const step = await keep(OrtSession.open(graphs.step, { ...session, prepackWeights }))
      return new Generator(graphs, options, prompt, step)
    })
  }

  /**
   * A response to each request, in their order. Requests of one prompt and image share its prefill; a row that is
   * done leaves the batch.
   * @throws StudioError `run.cancelled`, `run.non-finite`, and what `OrtSession.run` throws
   */
  async generate(
    requests: readonly RolloutRequest[],
    settings: GenerationSettings,
    options: GenerationOptions = {},
  ): Promise<Response[]> {
    const responses: Response[] = new Array(requests.length)
    for (let start = 0; start < requests.length; start += settings.batchSize) {
      const batch = requests.slice(start, start + settings.batchSize)
      const finish = (row: Row, reason: FinishReason) => {
        responses[start + row.request] = responseOf(row, reason)
      }
      const onToken: GenerationOptions['onToken'] = (event) =>
        options.onToken?.({ ...event, request: start + event.request })
      await this.#decode(batch, settings, { ...options, onToken }, finish)
    }
    return responses
  }

  async release(): Promise<void> {
    await releaseAll([this.#memory, this.#prompt, this.#step, this.#weightsFirstStep])
  }

  /** The session that is the fastest for this many rows. */
  async #stepOf(rows: number): Promise<OrtSession> {
    if (rows === 1 || this.#options.device !== 'cpu' || isPacked(this.#graphs, this.#options)) return this.#step
    this.#weightsFirstStep ??= await OrtSession.open(this.#graphs.weightsFirstStep, this.#options)
    return this.#weightsFirstStep
  }

  async #decode(
    requests: readonly RolloutRequest[],
    { sampling, stop }: GenerationSettings,
    options: GenerationOptions,
    finish: (row: Row, reason: FinishReason) => void,
  ): Promise<void> {
    const adapter = scaledFactors(options.adapter ?? {})
    const run = options.signal ? { signal: options.signal } : {}
    const { cache, logits: first, promptOf } = await this.#prefill(requests, adapter, run)
    const { vocabSize } = this.#graphs.config.decoder
    let logits = first
    let logitsRow = promptOf
    let rows = requests.map(({ promptIds, rng }, request): Row => {
      const growing = new GrowingText(stop, options.openTextStream?.() ?? null)
      const promptLength = promptIds.length
      const sampled = { logProbs: [], logProbsAtTemperature: [], kept: [] }
      return { request, rng, history: [...promptIds], promptLength, ...sampled, growing }
    })
    try {
      for (;;) {
        const going: number[] = []
        rows.forEach((row, i) => {
          const at = (logitsRow[i] as number) * vocabSize
          const reason = this.#advance(row, logits.subarray(at, at + vocabSize), sampling, options.onToken)
          if (reason === null) going.push(i)
          else finish(row, reason)
        })
        if (going.length === 0) return
        cache.keep(going)
        rows = going.map((i) => rows[i] as Row)
        throwIfCancelled(options.signal)
        const session = await this.#stepOf(rows.length)
        const step = await session.run(
          { ...cache.feeds(rows.map(({ history }) => history.at(-1) as number)), ...adapter },
          run,
        )
        cache.append(step)
        logits = floatsOf(step, 'logits')
        logitsRow = rows.map((_, i) => i)
      }
    } finally {
      await cache.release()
    }
  }

  /** Samples the next token of a row. @returns why the response ends with it, or null */
  #advance(
    row: Row,
    logits: Float32Array,
    sampling: SamplingSettings,
    onToken: GenerationOptions['onToken'],
  ): FinishReason | null {
    const uniform = sampling.greedy ? 0 : row.rng.uniform()
    const sampled = sampleToken(logits, row.history, sampling, uniform, this.#scratch)
    row.history.push(sampled.token)
    row.logProbs.push(sampled.logprob)
    row.logProbsAtTemperature.push(sampled.logprobAtTemperature)
    if (sampled.kept) row.kept.push(sampled.kept)
    const { added, reason } = row.growing.push(sampled.token)
    onToken?.({ request: row.request, token: sampled.token, text: added })
    return reason
  }

  /** One pass over the different prompts; each request then has a row of the cache. */
  async #prefill(requests: readonly RolloutRequest[], adapter: Feeds, run: { signal?: AbortSignal }) {
    const { config } = this.#graphs
    const different: RolloutRequest[] = []
    const promptOf = requests.map((request) => {
      const known = different.findIndex((other) => samePrompt(request, other))
      return known >= 0 ? known : different.push(request) - 1
    })
    const batch = padTokens(
      different.map(({ promptIds }) => promptIds),
      config.padTokenId,
      'left',
    )
    const features = different.map(({ imageFeatures }) => imageFeatures)
    const results = await this.#prompt.run(
      {
        ...sequenceFeeds(config.decoder, batch),
        ...featureFeeds(config, batch, features),
        ...adapter,
      },
      run,
    )
    const cache = new KvCache(config.decoder, results, batch.mask, promptOf, this.#memory)
    return { cache, logits: floatsOf(results, 'logits'), promptOf }
  }
}

/** Off the CPU a session has its own copy anyway, in its device's layout. */
function isPacked(graphs: GeneratorGraphs, { device, prepackWeights = false }: GeneratorOptions): boolean {
  return prepackWeights || graphs.isQuantised || (graphs.isPacked && device === 'cpu')
}

function samePrompt(a: RolloutRequest, b: RolloutRequest): boolean {
  return (
    a.promptIds.length === b.promptIds.length &&
    a.imageFeatures.length === b.imageFeatures.length &&
    a.imageFeatures.every((features, i) => features === b.imageFeatures[i]) &&
    a.promptIds.every((id, i) => id === b.promptIds[i])
  )
}

function responseOf({ history, promptLength, growing, rng, ...row }: Row, reason: FinishReason): Response {
  return {
    tokens: history.slice(promptLength),
    logProbs: Float32Array.from(row.logProbs),
    logProbsAtTemperature: Float32Array.from(row.logProbsAtTemperature),
    kept: row.kept.length > 0 ? row.kept : null,
    text: growing.text,
    reason,
    rngState: rng.state,
  }
}
