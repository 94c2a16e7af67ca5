// Decodes two rows with features and cache in this process on the CPU, and with both on another device that hands
// nothing back but logits; prints how far apart they are, a JSON line a run of the step graph, and one on what stayed.
// A process of its own: the software adapter must be named in the environment before it starts. By hand, on a GPU:
//   npx tsx src/main/engine/rollout/testing/compareCaches.ts [fixture] webgpu
import { type DeviceName, deviceNameSchema } from '../../../../shared/hardware.ts'
import { openMemory } from '../../graph/deviceMemory.ts'
import type { Graph } from '../../graph/ir.ts'
import { DeviceTensor, OrtSession } from '../../graph/ortSession.ts'
import { floatsOf, namedIn, tensor } from '../../graph/tensor.ts'
import { imageFeeds, sequenceFeeds } from '../../models/shared/sequenceFeeds.ts'
import { floats, maxDifference } from '../../models/testing/parityFixtures.ts'
import { oneImageEach, openSequenceCase, tokenBatch } from '../../models/testing/sequenceCase.ts'
import { promptGraph, stepGraph, visionGraph } from '../../models/vlmGraphs.ts'
import { cacheNames, KvCache } from '../kvCache.ts'

/** One run of a graph that answers logits. */
export interface CacheComparison {
  readonly run: number
  readonly rows: number
  /** Largest difference of a logit, relative to the largest one. */
  readonly relativeError: number
}

/** What the device held. */
export interface CacheStay {
  readonly cacheBytes: number
  /** Tensors that the last step left on the device: features, and the cache with its new column. */
  readonly tensorsOnDevice: number
  /** Once everything was released. */
  readonly open: { readonly tensors: number; readonly sessions: number }
}

interface Decoded {
  /** Of the prompts, then of each step. */
  readonly logits: readonly Float32Array[]
  readonly cacheBytes: number
  readonly tensorsOnDevice: number
}

const { fixture, source } = await openSequenceCase(process.argv[2] ?? 'clip-llama')
const compared = deviceNameSchema.parse(process.argv[3] ?? 'webgpu')
const { config } = source
const names = cacheNames(config.decoder)

/** The rows' tokens of each step; after the first one the rows change places, after the second one of them leaves. */
const steps = [
  { keep: [0, 1, 0], tokens: [5, 6, 7] },
  { keep: [2, 1], tokens: [8, 9] },
  { keep: [1], tokens: [4] },
]

async function decode(device: DeviceName): Promise<Decoded> {
  const open = async (graph: Graph, keepOnDevice: readonly string[]) =>
    await OrtSession.open(graph, { device, threads: 1, keepOnDevice })
  const [vision, prompt, step] = [
    await open(visionGraph(source), ['image_features']),
    await open(promptGraph(source, null), names),
    await open(stepGraph(source, null), names),
  ]
  const weights = DeviceTensor.openCount
  const memory = openMemory(device)
  const pixels = fixture.get('pixel_values')
  const seen = await vision.run({ pixel_values: tensor('float32', pixels.shape, floats(pixels)) })
  const features = memory.hold({ image_features: namedIn(seen, 'image_features') })
  const batch = tokenBatch(fixture, 'prompt')
  const filled = await prompt.run({
    ...sequenceFeeds(config.decoder, batch),
    ...imageFeeds(config, batch, oneImageEach(fixture, namedIn(seen, 'image_features'))),
    ...features.feeds(),
  })
  const logits = [floatsOf(filled, 'logits')]
  const cache = new KvCache(config.decoder, filled, batch.mask, steps[0]?.keep ?? [], memory)
  for (const { keep, tokens } of steps) {
    cache.keep(keep)
    const answer = await step.run(cache.feeds(tokens))
    logits.push(floatsOf(answer, 'logits'))
    cache.append(answer)
  }
  const { sizeBytes: cacheBytes } = cache
  // Waits until the last column is written.
  await Promise.all(Object.values(cache.feeds([0])).map(async (one) => ('ready' in one ? await one.ready() : one)))
  const tensorsOnDevice = DeviceTensor.openCount - weights
  for (const one of [cache, features, memory, vision, prompt, step]) await one.release()
  return { logits, cacheBytes, tensorsOnDevice }
}

const expected = await decode('cpu')
const found = await decode(compared)
expected.logits.forEach((logits, run) => {
  const largest = logits.reduce((most, logit) => Math.max(most, Math.abs(logit)), 1e-3)
  const relativeError = maxDifference(found.logits[run] ?? [], logits) / largest
  const rows = logits.length / config.decoder.vocabSize
  process.stdout.write(`${JSON.stringify({ run, rows, relativeError } satisfies CacheComparison)}\n`)
})
const stay: CacheStay = {
  cacheBytes: found.cacheBytes,
  tensorsOnDevice: found.tensorsOnDevice,
  open: { tensors: DeviceTensor.openCount, sessions: OrtSession.openCount },
}
process.stdout.write(`${JSON.stringify(stay)}\n`)
