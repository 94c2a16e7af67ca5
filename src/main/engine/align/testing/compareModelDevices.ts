// Runs a whole tiny model on the CPU and on another device (images, prompt, decoding step, PPO update with all
// gradients, greedy rollouts), then one on bases of 8 and 4 bits and a training that stays on the device, and prints how far they are apart and which nodes the
// device leaves to the CPU, a JSON line a graph. A process of its own: the software adapter must be named in the
// environment before it starts. By hand, on a GPU:
//   npx tsx src/main/engine/align/testing/compareModelDevices.ts [fixture] [webgpu|cuda]
import { deviceNameSchema } from '../../../../shared/hardware.ts'
import { checkDevice } from '../../autodiff/deviceCheck.ts'
import { readAdapter } from '../../folder/peft.ts'
import { DeviceTensor, OrtSession } from '../../graph/ortSession.ts'
import { floatsOf, tensor, tensorOf } from '../../graph/tensor.ts'
import { byDecoderPath, loraFeeds, scaledFactors } from '../../models/shared/lora.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import { imageFeeds, sequenceFeeds } from '../../models/shared/sequenceFeeds.ts'
import { newValueHead, valueHeadFeeds } from '../../models/shared/valueHead.ts'
import { floats } from '../../models/testing/parityFixtures.ts'
import { oneImageEach, openSequenceCase, tokenBatch } from '../../models/testing/sequenceCase.ts'
import { promptGraph, responseGraph, stepGraph, visionGraph } from '../../models/vlmGraphs.ts'
import { Rng } from '../../rng.ts'
import { KvCache } from '../../rollout/kvCache.ts'
import { ppoObjectives } from '../ppo/ppoLoss.ts'
import { compareBases } from './compareBases.ts'
import { compareRollouts } from './compareRollouts.ts'
import { compareTraining } from './compareTraining.ts'
import { type CheckedDevice, type LeftOpen, openComparison, print } from './deviceComparison.ts'

const { fixture, source, feeds, cells } = await openSequenceCase(process.argv[2] ?? 'clip-llama')
const compared = deviceNameSchema.parse(process.argv[3] ?? 'webgpu')
const adapter = byDecoderPath(source.architecture, await readAdapter(`${fixture.folder}/adapter`))
const lora = loraFeeds(adapter)
const { config } = source
const rng = new Rng({ seed: 1 })
const comparison = await openComparison(compared)
const { compare } = comparison

const pixels = fixture.get('pixel_values')
await compare(visionGraph(source), { pixel_values: tensor('float32', pixels.shape, floats(pixels)) })

const prompt = tokenBatch(fixture, 'prompt')
const filled = await compare(promptGraph(source, { rank: adapter.rank }), {
  ...sequenceFeeds(config.decoder, prompt),
  ...imageFeeds(config, prompt, oneImageEach(fixture, tensorOf(feeds, 'image_features', 'float32'))),
  image_features: tensorOf(feeds, 'image_features', 'float32'),
  ...scaledFactors(lora),
})
const cache = new KvCache(config.decoder, filled, prompt.mask, [0, 1])
await compare(stepGraph(source, { rank: adapter.rank }), { ...cache.feeds([5, 6]), ...scaledFactors(lora) })

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

const features = floatsOf(feeds, 'image_features')
const prompts = [0, 1].map((i) => ({
  promptIds: [...prompt.ids.subarray(i * prompt.seq, (i + 1) * prompt.seq)].filter(
    (_, at) => prompt.mask[i * prompt.seq + at],
  ),
  imageFeatures: [features.slice((i * features.length) / 2, ((i + 1) * features.length) / 2)],
}))
await compareRollouts(
  'rollout',
  { onDevice: source, onCpu: source },
  { device: compared, rank: adapter.rank, adapter: lora, prompts },
)
await compareBases(comparison)
print(await compareTraining(compared))
print({ checked: await checkDevice(compared) } satisfies CheckedDevice)
await comparison.release()
print({ left: { tensors: DeviceTensor.openCount, sessions: OrtSession.openCount } } satisfies LeftOpen)
