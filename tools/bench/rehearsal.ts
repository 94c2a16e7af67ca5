// A large model rehearsed on this machine: a random checkpoint of half precision in the shapes of LLaVA-1.5-7B or smaller, made
// ready in 8 bits; images seen, a rollout, a training step with recomputation, a checkpoint, and a second rollout and step of
// what was read back from it. Says each one's time and highest memory, and the plan's beside the highest of all.
//
//   npx tsx tools/bench/rehearsal.ts [--layers 32] [--width 4096] [--rows 4] [--learned 4] [--tokens 32] [--threads N]
//     [--folder DIR]
//
// A step learns from `learned` of the responses, one after the other: fewer take less time and the same memory.
// 7B takes 14 GB on the disk for the checkpoint, which goes once the base file is made, 8.7 GB for that, and 24 GB of memory.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { restorePolicy, storePolicy } from '../../src/main/engine/align/checkpoint.ts'
import type { Learner } from '../../src/main/engine/align/learner.ts'
import { openLearner } from '../../src/main/engine/align/openLearner.ts'
import { newPolicy, type Policy } from '../../src/main/engine/align/policy.ts'
import { releaseAll } from '../../src/main/engine/graph/resources.ts'
import { openBase } from '../../src/main/engine/models/baseFile.ts'
import { loraFeeds, loraSlots } from '../../src/main/engine/models/shared/lora.ts'
import { valueHeadShapes } from '../../src/main/engine/models/shared/valueHead.ts'
import { sevenBillionShapes, writeRandomModel } from '../../src/main/engine/models/testing/randomModel.ts'
import { thisThread } from '../../src/main/engine/pool/workers.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { generatorGraphs, type Response } from '../../src/main/engine/rollout/generate.ts'
import { ImageFeatures, keptFeatureBytes } from '../../src/main/engine/rollout/imageFeatures.ts'
import { MemoryPlanner } from '../../src/main/engine/run/memoryPlan.ts'
import { presetConfig } from '../../src/shared/runConfig.ts'

const { values } = parseArgs({
  options: {
    layers: { type: 'string', default: '32' },
    width: { type: 'string', default: '4096' },
    rows: { type: 'string', default: '4' },
    learned: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '32' },
    threads: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
})
const [layers, width, rows, learned, tokens] = [
  ...[values.layers, values.width, values.rows, values.learned, values.tokens],
].map(Number) as [number, number, number, number, number]
const session = { device: 'cpu', ...(values.threads !== undefined && { threads: Number(values.threads) }) } as const
const { text, vision } = sevenBillionShapes
const heads = { num_attention_heads: width / 128, num_key_value_heads: width / 128 }
const shapes = {
  text: { ...text, ...heads, hidden_size: width, intermediate_size: width * 2.6875, num_hidden_layers: layers },
  vision,
}
const config = presetConfig('quick-look', {
  base: { format: 'int8' },
  rollout: { responsesPerStep: rows, batchSize: rows, maxNewTokens: tokens },
  calibration: { responses: 1 },
  optimiser: { recompute: true, microBatchSize: 1, minibatchSize: learned, epochs: 1 },
})

/**
 * The highest count of this phase, kilobytes of memory of this process's own. Pages of the base file, which every session maps,
 * are not among them: the kernel counts those once for each session in the size of a process, and once in the memory of the
 * machine. A thread counts, since a session that runs blocks this one.
 */
const own = new Int32Array(new SharedArrayBuffer(4))
const counting = new Worker(
  `const { existsSync, readFileSync } = require('node:fs')
   const { workerData: own } = require('node:worker_threads')
   const [file, lines] = ['/proc/self/status', /RssAnon:\\s+(\\d+) kB/]
   const count = () => existsSync(file) ? Number(lines.exec(readFileSync(file, 'utf8'))[1]) : process.memoryUsage.rss() / 1024
   setInterval(() => { own[0] = Math.max(own[0], count()) }, 20)`,
  { eval: true, workerData: own },
)
let largestOwn = 0

mkdirSync(values.folder, { recursive: true })
const folder = mkdtempSync(join(values.folder, 'fisao-rehearsal-'))
try {
  const model = join(folder, 'model')
  const stored = await timed('written in half precision', () => writeRandomModel(model, shapes))
  const source = await timed('made ready in 8 bits', () => openBase(stored, 'int8', { folder: join(folder, 'base') }))
  rmSync(join(model, 'model.safetensors'))
  const { imageSize } = source.config.vision
  const layout = source.architecture.imageLayout(source.config, { width: imageSize, height: imageSize })
  const promptIds = [...new Array<number>(layout.rows).fill(source.config.imageTokenId), ...numbers(32)]
  const planner = new MemoryPlanner({
    ...{ source: stored, companion: null, layout, promptTokens: promptIds.length, images: rows },
  })
  const plan = planner.plan(config)
  for (const { of, bytes } of plan.parts) console.log(`planned, ${of}: ${gigabytes(bytes)}`)

  const rng = new Rng({ seed: 1 })
  const policy = newPolicy(source, config, rng.fork(1))
  const size = { width: imageSize, height: imageSize }
  const pixels = () => Float32Array.from({ length: 3 * imageSize ** 2 }, () => rng.uniform() - 0.5)
  const images = Array.from({ length: rows }, () => ({ values: pixels(), size }))
  const eyes = await ImageFeatures.open(source, { ...session, limitBytes: keptFeatureBytes })
  const entries = images.map((image, i) => [`${i}`, async () => image] as const)
  const seen = await timed(`${rows} images seen`, () => eyes.of(entries, 1))
  const features = seen.map((one) => one.features)
  const graphs = generatorGraphs(source, { rank: config.adapter.rank }, session.device)
  const responder = await timed('opened to respond', () => thisThread.openResponder(graphs, session))
  const requests = features.map((one, i) => ({ promptIds, imageFeatures: [one], rng: rng.fork(10 + i) }))
  const settings = {
    sampling: { greedy: false, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
    stop: { endTokenIds: [], stopStrings: [], maxNewTokens: tokens },
    batchSize: rows,
  }
  const respond = (from: Policy) =>
    timed(`${rows} responses of ${tokens} tokens`, () =>
      responder.generate(requests, settings, { adapter: loraFeeds(from.adapter) }),
    )
  const step = async (from: Policy, said: readonly Response[], number: number, meanwhile = async () => said) => {
    const rollouts = said.slice(0, learned).map((response, i) => ({
      ...{ promptIds, tokens: response.tokens, reason: response.reason, imageFeatures: [features[i] as Float32Array] },
      ...{ group: `${i}`, rewards: Float32Array.from(response.tokens, () => rng.uniform() - 0.5) },
      ...{ mentionEnds: [], opening: 0, kept: null },
    }))
    const options = { ...session, config, rng: rng.fork(2) }
    const learner: Learner = await timed('opened to learn', () => openLearner(source, from, options))
    const report = await timed('a training step', () => learner.update(rollouts, number))
    const policy = { ...from, optimisers: learner.states }
    const next = await meanwhile()
    await learner.release()
    return { policy, report, next }
  }
  // As a run does, it responds again while what has learned is open.
  const first = await step(policy, await respond(policy), 0, () => respond(policy))
  const checkpoint = storePolicy(first.policy)
  const slots = loraSlots(source.config.decoder)
  const shapesOfHead = valueHeadShapes(source.config.decoder.hiddenSize, config.optimiser.valueWidth)
  const read = (name: string) => new Uint8Array(checkpoint.parts[name] as Uint8Array)
  const resumed = restorePolicy(checkpoint.cursor, slots, shapesOfHead, read)
  const second = await step(resumed, first.next, 1)
  await releaseAll([responder, eyes])
  for (const { report } of [first, second]) {
    console.log(
      `KL ${report.klNats}, updates ${report.metrics['updates']}, skipped ${report.metrics['skippedUpdates']}`,
    )
  }
  const mapped = plan.parts.find(({ of }) => of === 'weights')?.bytes ?? 0
  const [told, counted] = [plan.totalBytes - mapped, largestOwn]
  console.log(
    `beside the weights, which are mapped: planned ${gigabytes(told)}, counted ${gigabytes(counted)}, ratio ${(told / counted).toFixed(2)}`,
  )
} finally {
  await counting.terminate()
  rmSync(folder, { recursive: true, force: true })
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 5 + i)
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  own[0] = 0
  const result = await work()
  const most = 1024 * (own[0] as number)
  largestOwn = Math.max(largestOwn, most)
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s, up to ${gigabytes(most)} of its own`)
  return result
}
