// One scale or one tower on one device: opens the engine's own graphs on random weights and times them. bench.ts runs
// each in a process of its own, so that the peak of memory is its own too.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Training } from '../../src/main/engine/align/optimiser/training.ts'
import { likelihoodObjective } from '../../src/main/engine/align/ppo/ppoLoss.ts'
import { loraScale } from '../../src/main/engine/folder/peft.ts'
import type { Graph } from '../../src/main/engine/graph/ir.ts'
import {
  OrtSession,
  type RunInput,
  type SessionOptions,
  type Tensor,
  tensor,
} from '../../src/main/engine/graph/ortSession.ts'
import { type NodeExecution, takeProfile } from '../../src/main/engine/graph/profile.ts'
import type { VlmConfig } from '../../src/main/engine/models/architecture.ts'
import { inChosenNumbers } from '../../src/main/engine/models/baseFile.ts'
import type { LlavaConfig } from '../../src/main/engine/models/llava/config.ts'
import { factorName, loraFeeds, loraSlots, newAdapter } from '../../src/main/engine/models/shared/lora.ts'
import { featureFeeds, padTokens, sequenceFeeds } from '../../src/main/engine/models/shared/sequenceFeeds.ts'
import {
  promptGraph,
  type ResponseGraph,
  responseGraph,
  stepGraph,
  type VlmSource,
  visionGraph,
} from '../../src/main/engine/models/vlmGraphs.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { Generator } from '../../src/main/engine/rollout/generate.ts'
import { KvCache } from '../../src/main/engine/rollout/kvCache.ts'
import { packsWeights } from '../../src/main/engine/rollout/packedWeights.ts'
import { responseFeeds } from '../../src/main/engine/rollout/responseFeeds.ts'
import type { BaseChoice } from '../../src/shared/baseFormat.ts'
import { writeDecoderCheckpoint, writeTowerCheckpoint } from './checkpoint.ts'
import { elapsedMs, Machine } from './machine.ts'
import { bodyParameters, prefillFlops, type Settings, streamedBytes, towerFlops, trainFlops } from './settings.ts'

export interface MeasureOptions {
  readonly session: SessionOptions
  readonly repeats: number
  /** Where checkpoints are written; the caller removes it. */
  readonly folder: string
  readonly profile: boolean
  /** The numbers of a scale's weights; towers stay in 32 bits. */
  readonly format: BaseChoice
}

/** Figures by name, in the order of the table; `name` is the scale or tower. */
export type Figures = Record<string, number>
/** Share of a run's node time by op, the largest first. */
export type Breakdown = readonly {
  readonly op: string
  readonly share: number
  readonly ms: number
  readonly nodes: number
}[]

export interface Measured {
  readonly name: string
  readonly gemmGflops: number
  readonly gemmGflopsByEdge: Readonly<Record<string, number>>
  readonly bandwidthGbPerSecond: number
  readonly figures: Figures
  readonly profiles: Readonly<Record<string, Breakdown>>
}

/** The decoder of one scale: session creation, prefill, decode, training step, memory. */
export async function measureScale(name: string, settings: Settings, options: MeasureOptions): Promise<Measured> {
  const scale = settings.scales[name]
  if (!scale) throw new Error(`There is no scale ${name}.`)
  const stored = await writeDecoderCheckpoint(join(options.folder, 'model'), settings, scale)
  const source = await inChosenNumbers(stored, options.format, { folder: join(options.folder, 'base') })
  const machine = await Machine.open(join(options.folder, 'machine'), settings, options.session)
  const training = trainingGraph(source, settings)
  const graphs = { prefill: promptGraph(source, null), decode: stepGraph(source, null), train: training.graph }
  const created: Figures = {}
  for (const [graph, built] of Object.entries(graphs)) {
    created[`create_${graph}_ms`] = await fastestMs(options.repeats, machine, () => openOnce(built, options.session))
  }
  const decoded = await measureDecoding(source, settings, options, machine)
  const trainMs = await measureTraining(source, training, settings, options, machine)
  const profiles = options.profile ? await profileScale(source, training, settings, options) : {}
  const { decoder } = source.config
  const { gemmGflops, bandwidthGbPerSecond } = machine.limits
  const ofPeak = (flops: number, ms: number | undefined) => flops / (ms ?? Number.NaN) / 1e6 / gemmGflops
  const perToken = streamedBytes(decoder, options.format) / 1e9 / bandwidthGbPerSecond
  const figures: Figures = {
    parameters_millions: bodyParameters(decoder) / 1e6,
    ...decoded,
    prefill_of_gemm_peak: ofPeak(prefillFlops(decoder, settings.prefill.tokens), decoded['prefill_ms']),
    decode_1_of_bandwidth: (decoded['decode_1_tokens_per_second'] ?? Number.NaN) * perToken,
    train_step_ms: trainMs,
    train_of_gemm_peak: ofPeak(trainFlops(decoder, settings.train), trainMs),
    ...created,
    ...residentMb(),
  }
  await machine.release()
  return measured(name, machine, figures, profiles)
}

/** One image tower with its projector, through the graph that makes image features. */
export async function measureTower(name: string, settings: Settings, options: MeasureOptions): Promise<Measured> {
  const tower = settings.towers[name]
  if (!tower) throw new Error(`There is no tower ${name}.`)
  const source = await writeTowerCheckpoint(join(options.folder, 'model'), settings, tower)
  const machine = await Machine.open(join(options.folder, 'machine'), settings, options.session)
  const graph = visionGraph(source)
  const { vision, featureLayers } = source.config as LlavaConfig
  const figures: Figures = {
    create_ms: await fastestMs(options.repeats, machine, () => openOnce(graph, options.session)),
  }
  const layers = Math.max(...featureLayers.map((layer) => (layer < 0 ? vision.layers + 1 + layer : layer)))
  const session = await OrtSession.open(graph, options.session)
  const perImageMs = new Map<number, number>()
  for (const batch of settings.tower_batches) {
    const pixels = new Float32Array(batch * vision.channels * vision.imageSize ** 2).fill(0.1)
    const shape = [batch, vision.channels, vision.imageSize, vision.imageSize]
    const feeds = { pixel_values: tensor('float32', shape, pixels) }
    perImageMs.set(batch, (await fastestMs(options.repeats, machine, () => session.compute(feeds))) / batch)
  }
  await session.release()
  for (const [batch, ms] of perImageMs) {
    figures[`images_${batch}_ms_per_image`] = ms
    figures[`images_${batch}_of_gemm_peak`] = towerFlops(vision, layers) / ms / 1e6 / machine.limits.gemmGflops
  }
  Object.assign(figures, residentMb())
  await machine.release()
  return measured(name, machine, figures, {})
}

async function openOnce(graph: Graph, session: SessionOptions): Promise<void> {
  await (await OrtSession.open(graph, session)).release()
}

/** The best of `repeats` after one to warm up: other programs only ever add time. The limits are probed in between. */
async function fastestMs(repeats: number, machine: Machine, work: () => Promise<unknown>): Promise<number> {
  await work()
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < repeats; i++) {
    await machine.probe()
    best = Math.min(best, await elapsedMs(work))
  }
  return best
}

const greedy = { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }

/** Greedy rollouts as the app makes them. Rows share a prompt, which is therefore computed once. */
async function measureDecoding(source: VlmSource, settings: Settings, options: MeasureOptions, machine: Machine) {
  const generator = await Generator.open(source, { adapter: null, ...options.session })
  const { prefill, decode } = settings
  const rollouts = async (batch: number, context: number, maxNewTokens: number): Promise<number> => {
    const rng = new Rng({ seed: 0 })
    const promptIds = randomIds(source.config, context)
    const requests = Array.from({ length: batch }, () => ({ promptIds, imageFeatures: [], rng }))
    const stop = { endTokenIds: [], stopStrings: [], maxNewTokens }
    // From the last row's first token, which comes of the prompt, to its last one.
    let [firstMs, lastMs] = [0, 0]
    const onToken = ({ request }: { request: number }) => {
      if (request !== batch - 1) return
      lastMs = performance.now()
      firstMs ||= lastMs
    }
    await generator.generate(requests, { sampling: greedy, stop, batchSize: batch }, { onToken })
    return lastMs - firstMs
  }
  const figures: Figures = {
    prefill_ms: await fastestMs(options.repeats, machine, () => rollouts(1, prefill.tokens, 1)),
  }
  for (const batch of decode.batches) {
    let bestMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < options.repeats; i++) {
      await machine.probe()
      bestMs = Math.min(bestMs, await rollouts(batch, decode.context, decode.new_tokens + 1))
    }
    figures[`decode_${batch}_tokens_per_second`] = (batch * decode.new_tokens) / (bestMs / 1000)
  }
  await generator.release()
  return figures
}

function trainingGraph(source: VlmSource, { train }: Settings): ResponseGraph {
  return responseGraph(source, { adapter: { rank: train.rank }, objectives: likelihoodObjective(['adapter']) })
}

function newLora({ config }: VlmSource, { train }: Settings) {
  const rng = new Rng({ seed: 1 })
  return newAdapter(loraSlots(config.decoder), train, () => rng.uniform())
}

/** All inputs of a training step but the factors. */
function trainingFeeds(source: VlmSource, { train }: Settings): Record<string, Tensor> {
  const responses = Array.from({ length: train.batch }, (_, row) => {
    const ids = randomIds(source.config, train.tokens, row + 1)
    const [promptIds, tokens] = [ids.slice(0, -train.loss_tokens), ids.slice(-train.loss_tokens)]
    return { promptIds, tokens, imageFeatures: [] }
  })
  return {
    ...responseFeeds(source.config, responses, 1),
    token_weight: tensor('float32', [], [1 / (train.batch * train.loss_tokens)]),
    'lora.scale': tensor('float32', [], [loraScale(train)]),
  }
}

async function measureTraining(
  source: VlmSource,
  graph: ResponseGraph,
  settings: Settings,
  options: MeasureOptions,
  machine: Machine,
): Promise<number> {
  const parameters: Record<string, Float32Array> = {}
  for (const [path, { a, b }] of newLora(source, settings).layers) {
    parameters[factorName(path, 'a')] = a
    parameters[factorName(path, 'b')] = b
  }
  // As torch.optim.AdamW has it.
  const optimiser = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradientNorm: null }
  const training = await Training.open(graph, { adapter: { parameters, optimiser } }, options.session)
  const feeds = trainingFeeds(source, settings)
  const ms = await fastestMs(options.repeats, machine, async () => {
    await training.accumulate(feeds)
    training.step({ adapter: 1e-4 })
  })
  await training.release()
  return ms
}

/** Where the time of a decoding step at each batch and of a training step goes, by op. */
async function profileScale(
  source: VlmSource,
  training: ResponseGraph,
  settings: Settings,
  options: MeasureOptions,
): Promise<Record<string, Breakdown>> {
  const { context, batches } = settings.decode
  const { config } = source
  const batch = padTokens([randomIds(config, context)], config.padTokenId, 'left')
  const prompt = await OrtSession.open(promptGraph(source, null), options.session)
  const promptFeeds = { ...sequenceFeeds(config.decoder, batch), ...featureFeeds(config, batch, [[]]) }
  const prompts = await prompt.compute(promptFeeds)
  await prompt.release()
  const profiles: Record<string, Breakdown> = {
    prefill: await breakdown(promptGraph(source, null), promptFeeds, options),
  }
  // As the generator opens them.
  const isPacked = packsWeights(source)
  for (const rows of batches) {
    const cache = new KvCache(config.decoder, prompts, batch.mask, new Array(rows).fill(0))
    const feeds = cache.feeds(randomIds(config, rows))
    const session = { ...options.session, prepackWeights: isPacked || options.session.prepackWeights === true }
    const step = stepGraph(source, null, rows > 1 && !session.prepackWeights)
    profiles[`decode_${rows}`] = await breakdown(step, feeds, { ...options, session })
  }
  const feeds = { ...trainingFeeds(source, settings), ...loraFeeds(newLora(source, settings)) }
  profiles['train'] = await breakdown(training.graph, feeds, options)
  return profiles
}

/** Each node counts with its fastest run: other programs only ever add time. */
async function breakdown(graph: Graph, feeds: Record<string, RunInput>, options: MeasureOptions): Promise<Breakdown> {
  const profilePrefix = join(options.folder, `profile-${graph.name}`)
  const session = await OrtSession.open(graph, { ...options.session, profilePrefix })
  for (let i = 0; i <= options.repeats; i++) await session.compute(feeds)
  session.endProfiling()
  await session.release()
  const fastest = new Map<string, NodeExecution>()
  for (const execution of takeProfile(profilePrefix)) {
    const known = fastest.get(execution.node)
    if (!known || execution.durationUs < known.durationUs) fastest.set(execution.node, execution)
  }
  const byOp = new Map<string, number[]>()
  for (const { op, durationUs } of fastest.values()) byOp.set(op, [...(byOp.get(op) ?? []), durationUs])
  const totalUs = sum([...byOp.values()].flat())
  return [...byOp]
    .map(([op, durations]) => ({
      ...{ op, share: sum(durations) / totalUs, ms: sum(durations) / 1000, nodes: durations.length },
    }))
    .sort((a, b) => b.share - a.share)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Ids of text: the image token is the vocabulary's last. */
function randomIds({ decoder }: VlmConfig, count: number, seed = 0): number[] {
  const rng = new Rng({ seed }).fork(7)
  return Array.from({ length: count }, () => Math.floor(rng.uniform() * (decoder.vocabSize - 1)))
}

/** What this process holds and held at most, weights that are mapped from their files included; MB of 10^6 bytes. */
function residentMb(): Figures {
  const resident = { resident_mb: process.memoryUsage.rss() / 1e6 }
  // The high-water mark of the kernel, where there is /proc; else Node's, which is the same of getrusage.
  const peakKb =
    process.platform === 'linux'
      ? Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
      : process.resourceUsage().maxRSS
  return { ...resident, peak_resident_mb: (peakKb * 1024) / 1e6 }
}

function measured(name: string, machine: Machine, figures: Figures, profiles: Measured['profiles']): Measured {
  const { gemm, gemmGflops, bandwidthGbPerSecond } = machine.limits
  return { name, gemmGflops, gemmGflopsByEdge: Object.fromEntries(gemm), bandwidthGbPerSecond, figures, profiles }
}
