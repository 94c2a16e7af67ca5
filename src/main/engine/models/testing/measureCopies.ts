// For baseFile.test.ts, in a process of its own: what sessions over one folder of half precision hold for themselves, by the
// numbers that its model is computed with, as JSON of MB. Linux only.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BaseChoice } from '../../../../shared/baseFormat.ts'
import { likelihoodObjective } from '../../align/ppo/ppoLoss.ts'
import { graphMemory } from '../../graph/livePeak.ts'
import { OrtSession, tensor } from '../../graph/ortSession.ts'
import { sizesOf } from '../../graph/runSizes.ts'
import { responseFeeds } from '../../rollout/responseFeeds.ts'
import { inChosenNumbers } from '../baseFile.ts'
import { loraFeeds, loraSlots, newAdapter } from '../shared/lora.ts'
import { openVlm } from '../vlm.ts'
import { promptGraph, responseGraph, stepGraph } from '../vlmGraphs.ts'

const [folder = '', choice = ''] = process.argv.slice(2)
const stored = await openVlm(folder)
const source = await inChosenNumbers(stored, choice as BaseChoice, { folder: join(folder, 'cache') })
const isPacked = choice.startsWith('int')
const step = stepGraph(source, null)
const graphs = [
  promptGraph(source, null),
  responseGraph(source).graph,
  ...(isPacked ? [] : [stepGraph(source, null, true)]),
]

const sizes = new Map(Object.entries({ batch: 1, seq: 8, past: 8, positions: 16, image_rows: 4, rows: 4 }))
const before = anonymousMb()
const sessions: OrtSession[] = []
for (const graph of graphs) sessions.push(await OrtSession.open(graph, { device: 'cpu', threads: 1 }))
const shared = anonymousMb() - before
sessions.push(await OrtSession.open(step, { device: 'cpu', threads: 1, prepackWeights: isPacked }))
const figures = {
  sessions: sessions.length,
  /** Of all but the step. */
  shared,
  step: anonymousMb() - before - shared,
  plannedStep: graphMemory(step, sizes, isPacked).privateBytes / 1e6,
}
for (const session of sessions) await session.release()
process.stdout.write(JSON.stringify({ ...figures, ...(isPacked && (await training())) }))

/** A training step, with the pages of the file that it reads. */
async function training(): Promise<{ train: number; plannedTrain: number }> {
  const slots = loraSlots(source.config.decoder)
  const ids = Array.from({ length: 32 }, (_, i) => i)
  const responses = [1, 2].map(() => ({ promptIds: ids, tokens: ids, imageFeatures: [] }))
  const adapter = loraFeeds(newAdapter(slots, { rank: 8, alpha: 8 }, () => 0.01))
  const feeds = { ...responseFeeds(source.config, responses, 1), ...adapter, token_weight: tensor('float32', [], [1]) }
  const objectives = likelihoodObjective(['adapter'])
  const { graph } = responseGraph(source, { adapter: { rank: 8 }, objectives })
  const { computedBytes, outputBytes, mappedBytes } = graphMemory(graph, sizesOf(graph, feeds))
  const session = await OrtSession.open(graph, { device: 'cpu', threads: 1 })
  const rss = kernelMb('VmRSS')
  writeFileSync('/proc/self/clear_refs', '5')
  await session.compute(feeds)
  const train = kernelMb('VmHWM') - rss
  await session.release()
  return { train, plannedTrain: (computedBytes + outputBytes + mappedBytes) / 1e6 }
}

function kernelMb(name: string): number {
  return (1024 / 1e6) * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

function anonymousMb(): number {
  return (1024 / 1e6) * Number(/Anonymous:\s+(\d+) kB/.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1])
}
