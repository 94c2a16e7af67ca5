// What prompt, step, scores and training of a random model take on the software adapter, whose memory is this process's own:
// MB above what stood before, after each session has opened and run, with weights that all of them read or with their own.
// With `turns` instead: processor time over that of a twin with weights of its own, median of five turns. Linux, by hand:
//   node --expose-gc --import tsx src/main/engine/align/testing/measureDeviceWeights.ts (shared|own|turns) (float32|int8|int4)
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import type { Graph } from '../../graph/ir.ts'
import { OrtSession, type RunInput, type SessionOptions, tensor } from '../../graph/ortSession.ts'
import { holdDevice } from '../../graph/testing/holdDevice.ts'
import { openBase } from '../../models/baseFile.ts'
import { loraFeeds, loraSlots, newAdapter, scaledFactors } from '../../models/shared/lora.ts'
import { decodingUse } from '../../models/shared/quantisedLinear.ts'
import { featureFeeds, padTokens, sequenceFeeds } from '../../models/shared/sequenceFeeds.ts'
import { writeRandomModel } from '../../models/testing/randomModel.ts'
import { promptGraph, responseGraph, stepGraph } from '../../models/vlmGraphs.ts'
import { Rng } from '../../rng.ts'
import { KvCache } from '../../rollout/kvCache.ts'
import { responseFeeds } from '../../rollout/responseFeeds.ts'
import { likelihoodObjective } from '../ppo/ppoLoss.ts'

const how = z.enum(['shared', 'own', 'turns']).parse(process.argv[2])
const format = z.enum(['float32', 'int8', 'int4']).parse(process.argv[3])
const [device, rank] = ['webgpu', 4] as const
const scratch = mkdtempSync(join(tmpdir(), 'fisao-device-weights-'))
const newFolder = () => mkdtempSync(join(scratch, 'folder-'))
const stored = await writeRandomModel(newFolder(), {
  text: {
    ...{ vocab_size: 4096, hidden_size: 512, intermediate_size: 1408, num_hidden_layers: 6 },
    ...{ num_attention_heads: 8, num_key_value_heads: 8 },
  },
  vision: {
    ...{ hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2 },
    ...{ image_size: 32, patch_size: 16, projection_dim: 32 },
  },
})
const source = await openBase(stored, format, { folder: newFolder() })
const { config } = source

const rng = new Rng({ seed: 1 })
const lora = loraFeeds(newAdapter(loraSlots(config.decoder), { rank, alpha: 8 }, () => rng.uniform()))
const promptIds = [1, ...new Array<number>(4).fill(config.imageTokenId), 7, 8, 9]
const imageFeatures = [Float32Array.from({ length: 4 * config.decoder.hiddenSize }, () => rng.normal())]
const batch = padTokens([promptIds], config.padTokenId, 'left')
const promptFeeds = {
  ...{ ...sequenceFeeds(config.decoder, batch), ...featureFeeds(config, batch, [imageFeatures]) },
  ...scaledFactors(lora),
}
const learned = { ...responseFeeds(config, [{ promptIds, imageFeatures, tokens: [5, 6, 7, 3] }], 1), ...lora }
const training = { adapter: { rank }, objectives: likelihoodObjective(['adapter']) }

const held = await holdDevice(device)
await held.compute({ x: tensor('float32', [1], [1]) })
const options = { device, threads: 1, shareWeights: how !== 'own' } satisfies SessionOptions
const graphs: readonly (readonly [string, Graph])[] = [
  ['prompt', promptGraph(source, { rank })],
  ['step', stepGraph(source, { rank }, false, decodingUse(device))],
  ['scores', responseGraph(source, { adapter: { rank } }).graph],
  ['training', responseGraph(source, training).graph],
]
const before = await residentMb()
let cache: KvCache | null = null
const opened: OrtSession[] = []
for (const [name, graph] of graphs) {
  const feeds = feedsOf(name)
  const session = await OrtSession.open(graph, options)
  const result = await session.compute(feeds)
  cache ??= new KvCache(config.decoder, result, batch.mask, [0])
  opened.push(session)
  let figure = (await residentMb()) - before
  if (how === 'turns') {
    const own = await OrtSession.open(graph, { ...options, shareWeights: false })
    await own.compute(feeds)
    figure = await ratioOf(session, own, feeds)
    await own.release()
  }
  process.stdout.write(`${JSON.stringify({ how, format, name, figure })}\n`)
}
for (const one of [...opened, held]) await one.release()
rmSync(scratch, { recursive: true })

function feedsOf(name: string): Readonly<Record<string, RunInput>> {
  if (name === 'prompt') return promptFeeds
  if (name === 'step') return { ...cache?.feeds([5]), ...scaledFactors(lora) }
  return name === 'scores' ? learned : { ...learned, token_weight: tensor('float32', [], [1 / 4]) }
}

/** Once the arrays of this script are gone, which another thread frees. */
async function residentMb(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await setTimeout(200)
  }
  const status = readFileSync('/proc/self/status', 'utf8')
  return Math.round((1024 / 1e6) * Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]))
}

/** Processor time of one over that of the other, in turns. */
async function ratioOf(one: OrtSession, other: OrtSession, feeds: Readonly<Record<string, RunInput>>): Promise<number> {
  const timeOf = async (session: OrtSession): Promise<number> => {
    const start = process.cpuUsage()
    await session.compute(feeds)
    const { user, system } = process.cpuUsage(start)
    return user + system
  }
  const ratios: number[] = []
  for (let turn = 0; turn < 5; turn++) ratios.push((await timeOf(one)) / (await timeOf(other)))
  return Number(ratios.sort((a, b) => a - b)[2]?.toFixed(3))
}
