// For memoryPlan.test.ts, in a process of its own: each task's graph of the demo model run once, what the plan says it takes
// and what the kernel counted, as JSON. Linux only.
import { readFileSync, writeFileSync } from 'node:fs'
import { likelihoodObjective } from '../../align/ppo/ppoLoss.ts'
import type { Graph } from '../../graph/ir.ts'
import { graphMemory } from '../../graph/livePeak.ts'
import { OrtSession, tensor } from '../../graph/ortSession.ts'
import { sizesOf } from '../../graph/runSizes.ts'
import { demoModel } from '../../jobs/testing/demoRun.ts'
import { loraFeeds, loraSlots, newAdapter, scaledFactors } from '../../models/shared/lora.ts'
import { type Feeds, featureFeeds, padTokens, sequenceFeeds } from '../../models/shared/sequenceFeeds.ts'
import { openVlm } from '../../models/vlm.ts'
import { promptGraph, responseGraph } from '../../models/vlmGraphs.ts'
import { Rng } from '../../rng.ts'
import { responseFeeds } from '../../rollout/responseFeeds.ts'

const source = await openVlm(demoModel)
const { config } = source
const rng = new Rng({ seed: 1 })
const { rows } = source.architecture.imageLayout(config, {
  width: config.vision.imageSize,
  height: config.vision.imageSize,
})
const adapter = newAdapter(loraSlots(config.decoder), { rank: 8, alpha: 16 }, () => rng.uniform())
const features = () => [Float32Array.from({ length: rows * config.decoder.hiddenSize }, () => rng.uniform())]
const text = (length: number) => Array.from({ length }, (_, i) => 5 + (i % 100))
const prompt = () => [...new Array<number>(rows).fill(config.imageTokenId), ...text(20)]

const prompts = padTokens(Array.from({ length: 192 }, prompt), config.padTokenId, 'left')
const promptFeeds = {
  ...sequenceFeeds(config.decoder, prompts),
  ...featureFeeds(config, prompts, Array.from({ length: 192 }, features)),
  ...scaledFactors(loraFeeds(adapter)),
}
const responses = Array.from({ length: 128 }, () => ({
  ...{ promptIds: prompt(), tokens: text(64), imageFeatures: features() },
}))
const feedsOf = (count: number) => ({ ...responseFeeds(config, responses.slice(0, count), 1), ...loraFeeds(adapter) })
const trainFeeds = { ...feedsOf(48), token_weight: tensor('float32', [], [1]) }
const training = (recompute: boolean) =>
  responseGraph(source, { adapter: { rank: 8 }, recompute, objectives: likelihoodObjective(['adapter']) }).graph

const tasks: Readonly<Record<string, readonly [Graph, Feeds]>> = {
  prompt: [promptGraph(source, { rank: 8 }), promptFeeds],
  scores: [responseGraph(source, { adapter: { rank: 8 } }).graph, feedsOf(128)],
  training: [training(false), trainFeeds],
  recomputation: [training(true), trainFeeds],
}
const figures: Record<string, { planned: number; measured: number }> = {}
for (const [task, [graph, feeds]] of Object.entries(tasks)) {
  const { computedBytes, outputBytes } = graphMemory(graph, sizesOf(graph, feeds))
  const session = await OrtSession.open(graph, { device: 'cpu', threads: 1 })
  const before = kernelBytes('VmRSS')
  // The high-water mark begins anew.
  writeFileSync('/proc/self/clear_refs', '5')
  await session.compute(feeds)
  figures[task] = { planned: computedBytes + outputBytes, measured: kernelBytes('VmHWM') - before }
  await session.release()
}
process.stdout.write(JSON.stringify(figures))

function kernelBytes(name: string): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  return 1024 * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1])
}
