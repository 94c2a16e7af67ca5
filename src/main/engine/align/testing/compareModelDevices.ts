// Runs a whole tiny model on the CPU and on another device (images, prompt, decoding step, PPO update with all
// gradients) and prints how far they are apart and which nodes the device leaves to the CPU, a JSON line a graph.
// A process of its own: the software adapter must be named in the environment before it starts. By hand, on a GPU:
//   npx tsx src/main/engine/align/testing/compareModelDevices.ts [fixture] [webgpu|cuda]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeviceName, deviceNameSchema } from '../../../../shared/hardware.ts'
import { readAdapter } from '../../folder/peft.ts'
import type { Graph } from '../../graph/ir.ts'
import { OrtSession, type RunInput } from '../../graph/ortSession.ts'
import { cpuNodes, takeProfile } from '../../graph/profile.ts'
import { floatsOf, type Tensor, tensor, tensorOf } from '../../graph/tensor.ts'
import { byDecoderPath, loraFeeds } from '../../models/shared/lora.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import { imageFeeds, sequenceFeeds } from '../../models/shared/sequenceFeeds.ts'
import { newValueHead, valueHeadFeeds } from '../../models/shared/valueHead.ts'
import { floats } from '../../models/testing/parityFixtures.ts'
import { oneImageEach, openSequenceCase, tokenBatch } from '../../models/testing/sequenceCase.ts'
import { promptGraph, responseGraph, stepGraph, visionGraph } from '../../models/vlmGraphs.ts'
import { Rng } from '../../rng.ts'
import { type GenerationSettings, Generator } from '../../rollout/generate.ts'
import { KvCache } from '../../rollout/kvCache.ts'
import { ppoObjectives } from '../ppo/ppoLoss.ts'

/** What is printed for one graph. */
export interface ModelComparison {
  readonly graph: string
  /** Largest difference of an output's element, relative to the largest element of that output. */
  readonly relativeError: number
  /** Nodes that the device leaves to the CPU, counted by op. */
  readonly cpuNodes: Readonly<Record<string, number>>
}

type Inputs = Readonly<Record<string, RunInput>>
type Results = Record<string, Tensor>

const scratch = mkdtempSync(join(tmpdir(), 'fisao-devices-'))
const { fixture, source, feeds, cells } = await openSequenceCase(process.argv[2] ?? 'clip-llama')
const compared = deviceNameSchema.parse(process.argv[3] ?? 'webgpu')
const adapter = byDecoderPath(source.architecture, await readAdapter(`${fixture.folder}/adapter`))
const lora = loraFeeds(adapter)
const { config } = source
const rng = new Rng({ seed: 1 })

async function run(graph: Graph, inputs: Inputs, device: DeviceName, profilePrefix?: string): Promise<Results> {
  const profile = profilePrefix === undefined ? {} : { profilePrefix }
  const session = await OrtSession.open(graph, { device, threads: 1, ...profile })
  const results = await session.compute(inputs)
  if (profilePrefix !== undefined) session.endProfiling()
  await session.release()
  return results
}

async function compare(graph: Graph, inputs: Inputs): Promise<Results> {
  const expected = await run(graph, inputs, 'cpu')
  const prefix = join(scratch, graph.name)
  const found = await run(graph, inputs, compared, prefix)
  const relativeError = Math.max(
    ...Object.entries(expected).map(([name, one]) => difference(tensorOf(found, name, one.dtype), one)),
  )
  const comparison: ModelComparison = { graph: graph.name, relativeError, cpuNodes: cpuNodes(takeProfile(prefix)) }
  process.stdout.write(`${JSON.stringify(comparison)}\n`)
  return expected
}

function difference(found: Tensor, expected: Tensor): number {
  const [a, b] = [Array.from(found.values, Number), Array.from(expected.values, Number)]
  const largest = Math.max(1e-3, ...b.map(Math.abs))
  return Math.max(...b.map((value, i) => Math.abs(value - (a[i] ?? Number.NaN)))) / largest
}

const pixels = fixture.get('pixel_values')
await compare(visionGraph(source), { pixel_values: tensor('float32', pixels.shape, floats(pixels)) })

const prompt = tokenBatch(fixture, 'prompt')
const filled = await compare(promptGraph(source, { rank: adapter.rank }), {
  ...sequenceFeeds(config.decoder, prompt),
  ...imageFeeds(config, prompt, oneImageEach(fixture, tensorOf(feeds, 'image_features', 'float32'))),
  image_features: tensorOf(feeds, 'image_features', 'float32'),
  ...lora,
})
const cache = new KvCache(config.decoder, filled, prompt.mask, [0, 1])
await compare(stepGraph(source, { rank: adapter.rank }), { ...cache.feeds([5, 6]), ...lora })

const valueHead = newValueHead(config.decoder.hiddenSize, 16, () => rng.uniform())
const row = (spread: number) =>
  tensor(
    'float32',
    [cells.length],
    Float32Array.from(cells, () => spread * rng.normal()),
  )
const training = {
  adapter: { rank: adapter.rank },
  valueHead: 16,
  objectives: ppoObjectives({
    ...{ clipRange: 0.2, valueClipRange: 0.2, valueCoefficient: 0.5, klCoefficient: 0.1, entropyCoefficient: 0.01 },
    detachValue: false,
  }),
} as const
const trainingFeeds: Feeds = {
  ...feeds,
  ...lora,
  ...valueHeadFeeds(valueHead, config.decoder.hiddenSize),
  ...{ advantages: row(1), returns: row(1), old_values: row(1) },
  old_log_probs: tensor(
    'float32',
    [cells.length],
    floats(fixture.get('ppo.old_logprobs')).filter((_, i) => cells.includes(i)),
  ),
  reference_log_probs: tensor(
    'float32',
    [cells.length],
    floats(fixture.get('ppo.reference_logprobs')).filter((_, i) => cells.includes(i)),
  ),
  token_weight: tensor('float32', [], [1 / cells.length]),
}
await compare(responseGraph(source, training).graph, trainingFeeds)
await compare({ ...responseGraph(source, { ...training, recompute: true }).graph, name: 'recomputed' }, trainingFeeds)
// Each row keeps a third of the vocabulary and the token that was said.
const { vocabSize } = config.decoder
const said = tensorOf(feeds, 'response_ids', 'int64').values
const kept = Uint8Array.from({ length: cells.length * vocabSize }, (_, i) => {
  const [row, id] = [Math.floor(i / vocabSize), i % vocabSize]
  return (row + id) % 3 === 0 || Number(said[row]) === id ? 1 : 0
})
await compare(
  { ...responseGraph(source, { ...training, amongKept: true }).graph, name: 'amongKept' },
  { ...trainingFeeds, kept_tokens: tensor('bool', [cells.length, vocabSize], kept) },
)

const settings: GenerationSettings = {
  sampling: { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
  stop: { endTokenIds: config.endTokenIds, stopStrings: [], maxNewTokens: 8 },
  batchSize: 2,
}
const features = floatsOf(feeds, 'image_features')
const requests = [0, 1].map((i) => ({
  promptIds: [...prompt.ids.subarray(i * prompt.seq, (i + 1) * prompt.seq)].filter(
    (_, at) => prompt.mask[i * prompt.seq + at],
  ),
  imageFeatures: [features.slice((i * features.length) / 2, ((i + 1) * features.length) / 2)],
  rng: new Rng({ seed: 1 }),
}))
const rollouts = []
for (const device of ['cpu', compared] as const) {
  const generator = await Generator.open(source, { device, adapter: { rank: adapter.rank }, threads: 1 })
  rollouts.push(await generator.generate(requests, settings, { adapter: lora }))
  await generator.release()
}
const [onCpu, onGpu] = rollouts.map((responses) => JSON.stringify(responses.map(({ tokens }) => tokens)))
process.stdout.write(`${JSON.stringify({ graph: 'rollout', relativeError: onCpu === onGpu ? 0 : 1, cpuNodes: {} })}\n`)
rmSync(scratch, { recursive: true })
