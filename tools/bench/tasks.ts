// What is timed of a model in the engine: decoding with its JavaScript, a prompt, a training step. Before it stands
// checkpoint.ts, after it formats.ts.
import { likelihoodObjective } from '../../src/main/engine/align/ppo/ppoLoss.ts'
import { OrtSession, type Tensor, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { floatsOf } from '../../src/main/engine/graph/tensor.ts'
import { loraFeeds, loraSlots, newAdapter } from '../../src/main/engine/models/shared/lora.ts'
import { featureFeeds, padTokens, sequenceFeeds } from '../../src/main/engine/models/shared/sequenceFeeds.ts'
import { promptGraph, responseGraph, stepGraph, type VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { KvCache } from '../../src/main/engine/rollout/kvCache.ts'
import { packsWeights } from '../../src/main/engine/rollout/packedWeights.ts'
import { responseFeeds } from '../../src/main/engine/rollout/responseFeeds.ts'
import { SamplerScratch, sampleToken } from '../../src/main/engine/rollout/sampler.ts'
import type { Settings } from './settings.ts'

export interface Task {
  /** What is not timed. */
  readonly prepare: () => Promise<void>
  /** @returns the last token that it found, of the first row; none of a training step */
  readonly run: () => Promise<number | undefined>
  readonly release: () => Promise<void>
}

const greedy = { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }
const nothing = async () => undefined

/** So many ids of text: the image token is the vocabulary's last. */
export function textIds({ config }: Pick<VlmSource, 'config'>, count: number, seed = 0): number[] {
  const rng = new Rng({ seed }).fork(7)
  return Array.from({ length: count }, () => Math.floor(rng.uniform() * (config.decoder.vocabSize - 1)))
}

export async function promptTask(source: VlmSource, threads: number, ids: readonly number[]): Promise<Task> {
  const session = await OrtSession.open(promptGraph(source, null), { device: 'cpu', threads })
  const { feeds } = promptFeeds(source, ids)
  return {
    prepare: nothing,
    run: async () => largest(floatsOf(await session.compute(feeds), 'logits')),
    release: () => session.release(),
  }
}

/**
 * So many tokens of each row, one after the other, greedily, after a prompt that all rows have: cache and sampling as the
 * generator has them.
 */
export async function decodingTask(source: VlmSource, { threads, rows, ids, tokens }: DecodingOptions): Promise<Task> {
  const { decoder } = source.config
  const { feeds, mask } = promptFeeds(source, ids)
  const prompt = await OrtSession.open(promptGraph(source, null), { device: 'cpu', threads })
  const prompts = await prompt.compute(feeds)
  await prompt.release()
  const prepackWeights = packsWeights(source)
  const graph = stepGraph(source, null, rows > 1 && !prepackWeights)
  const session = await OrtSession.open(graph, { device: 'cpu', threads, prepackWeights })
  const scratch = new SamplerScratch(decoder.vocabSize)
  const first = largest(floatsOf(prompts, 'logits'))
  const newCache = () => new KvCache(decoder, prompts, mask, new Array(rows).fill(0))
  let cache = newCache()
  return {
    prepare: async () => {
      cache = newCache()
    },
    run: async () => {
      let last: number[] = new Array(rows).fill(first)
      for (let i = 0; i < tokens; i++) {
        const step: Record<string, Tensor> = await session.compute(cache.feeds(last))
        cache.append(step)
        const logits = floatsOf(step, 'logits')
        const of = (row: number) => logits.subarray(row * decoder.vocabSize, (row + 1) * decoder.vocabSize)
        last = last.map((_, row) => sampleToken(of(row), ids, greedy, 0, scratch).token)
      }
      return last[0]
    },
    release: () => session.release(),
  }
}

export interface DecodingOptions {
  readonly threads: number
  readonly rows: number
  readonly ids: readonly number[]
  readonly tokens: number
}

/** Forward and backward of a LoRA on all projections, without its optimiser. */
export async function trainingTask(source: VlmSource, threads: number, { train }: Settings): Promise<Task> {
  const responses = Array.from({ length: train.batch }, (_, row) => {
    const ids = textIds(source, train.tokens, row + 1)
    return {
      ...{ promptIds: ids.slice(0, -train.loss_tokens), tokens: ids.slice(-train.loss_tokens), imageFeatures: [] },
    }
  })
  const rng = new Rng({ seed: 1 })
  const adapter = newAdapter(loraSlots(source.config.decoder), train, () => rng.uniform() - 0.5)
  const feeds = {
    ...responseFeeds(source.config, responses, 1),
    ...loraFeeds(adapter),
    token_weight: tensor('float32', [], [1]),
  }
  const options = { adapter: { rank: train.rank }, objectives: likelihoodObjective(['adapter']) }
  const session = await OrtSession.open(responseGraph(source, options).graph, { device: 'cpu', threads })
  return {
    prepare: nothing,
    run: async () => {
      await session.compute(feeds)
      return undefined
    },
    release: () => session.release(),
  }
}

function promptFeeds({ config }: VlmSource, ids: readonly number[]) {
  const batch = padTokens([[...ids]], config.padTokenId, 'left')
  return { feeds: { ...sequenceFeeds(config.decoder, batch), ...featureFeeds(config, batch, [[]]) }, mask: batch.mask }
}

function largest(logits: Float32Array): number {
  return logits.reduce((best, logit, i) => (logit > (logits[best] as number) ? i : best), 0)
}
