// A large model rehearsed on this machine: a random checkpoint of half precision in the shapes of LLaVA-1.5-7B or smaller, made
// ready in 8 bits; a rollout, a training step with recomputation, a checkpoint, and a second step of what was read back from
// it. Says each one's time, and the highest memory beside the plan's.
//
//   npx tsx tools/bench/rehearsal.ts [--layers 32] [--width 4096] [--rows 4] [--learned 4] [--tokens 32] [--threads N]
//     [--folder DIR]
//
// A step learns from `learned` of the responses, one after the other: fewer take less time and the same memory.
// 7B takes 14 GB on the disk for the checkpoint, which goes once the base file is made, 8.7 GB for that, and 24 GB of memory.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { restorePolicy, storePolicy } from '../../src/main/engine/align/checkpoint.ts'
import { openLearner } from '../../src/main/engine/align/openLearner.ts'
import { newPolicy, type Policy } from '../../src/main/engine/align/policy.ts'
import { openBase } from '../../src/main/engine/models/baseFile.ts'
import { openDualEncoder } from '../../src/main/engine/models/companion/encoder.ts'
import { loraFeeds, loraSlots } from '../../src/main/engine/models/shared/lora.ts'
import { valueHeadShapes } from '../../src/main/engine/models/shared/valueHead.ts'
import { sevenBillionShapes, writeRandomModel } from '../../src/main/engine/models/testing/randomModel.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { Generator } from '../../src/main/engine/rollout/generate.ts'
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

let largestOwn = 0
const counting = setInterval(() => {
  largestOwn = Math.max(largestOwn, ownBytes())
}, 100)

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
  const demoEncoder = join(import.meta.dirname, '../../resources/demo-model/encoder')
  const companion = await openDualEncoder(demoEncoder)
  const planner = new MemoryPlanner({ source: stored, companion, layout, promptTokens: promptIds.length, images: rows })
  const plan = planner.plan(config)
  for (const { of, bytes } of plan.parts) console.log(`planned, ${of}: ${(bytes / 1e9).toFixed(2)} GB`)

  const rng = new Rng({ seed: 1 })
  const policy = newPolicy(source, config, rng.fork(1))
  const features = Array.from({ length: rows }, () =>
    Float32Array.from({ length: layout.rows * width }, () => 0.02 * (rng.uniform() - 0.5)),
  )
  const adapter = { rank: config.adapter.rank }
  const generator = await timed('opened to respond', () => Generator.open(source, { ...session, adapter }))
  const requests = features.map((one, i) => ({ promptIds, imageFeatures: [one], rng: rng.fork(10 + i) }))
  const settings = {
    sampling: { greedy: false, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
    stop: { endTokenIds: [], stopStrings: [], maxNewTokens: tokens },
    batchSize: rows,
  }
  const said = await timed(`${rows} responses of ${tokens} tokens`, () =>
    generator.generate(requests, settings, { adapter: loraFeeds(policy.adapter) }),
  )
  const rollouts = said.slice(0, learned).map((response, i) => ({
    ...{ promptIds, tokens: response.tokens, reason: response.reason, imageFeatures: [features[i] as Float32Array] },
    ...{ group: `${i}`, rewards: Float32Array.from(response.tokens, () => rng.uniform() - 0.5) },
    ...{ mentionEnds: [], opening: 0, kept: null },
  }))
  const step = async (from: Policy, number: number) => {
    const options = { ...session, config, rng: rng.fork(2) }
    const learner = await timed('opened to learn', () => openLearner(source, from, options))
    const report = await timed('a training step', () => learner.update(rollouts, number))
    const optimisers = learner.states
    await learner.release()
    return { policy: { ...from, optimisers }, report }
  }
  const first = await step(policy, 0)
  const checkpoint = storePolicy(first.policy)
  const slots = loraSlots(source.config.decoder)
  const shapesOfHead = valueHeadShapes(source.config.decoder.hiddenSize, config.optimiser.valueWidth)
  const read = (name: string) => new Uint8Array(checkpoint.parts[name] as Uint8Array)
  const resumed = restorePolicy(checkpoint.cursor, slots, shapesOfHead, read)
  const second = await step(resumed, 1)
  await generator.release()
  for (const { report } of [first, second]) {
    console.log(
      `KL ${report.klNats}, updates ${report.metrics['updates']}, skipped ${report.metrics['skippedUpdates']}`,
    )
  }
  // The image tower and the encoder of words, which are planned, were not opened here.
  const mapped = plan.parts.find(({ of }) => of === 'weights')?.bytes ?? 0
  const [planned, counted] = [plan.totalBytes - mapped, largestOwn].map((bytes) => (bytes / 1e9).toFixed(2))
  console.log(`beside the weights, which are mapped: planned ${planned} GB, counted ${counted} GB`)
} finally {
  clearInterval(counting)
  rmSync(folder, { recursive: true, force: true })
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 5 + i)
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  console.log(
    `${what}: ${((performance.now() - start) / 1000).toFixed(1)} s, up to ${(largestOwn / 1e9).toFixed(2)} GB of its own`,
  )
  return result
}

/**
 * Bytes of memory of this process's own that it holds now. Pages of the base file, which every session maps, are not among
 * them: the kernel counts those once for each session in the size of a process, and once in the memory of the machine.
 */
function ownBytes(): number {
  if (!existsSync('/proc/self/status')) return process.memoryUsage.rss()
  return 1024 * Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}
