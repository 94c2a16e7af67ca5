// The numbers of a base side by side in one process: decoding, a prompt, a training step. In processor time, which says more
// than the clock where a machine is busy with something else; each is the best of some repeats, taken in turns.
//
//   npx tsx tools/bench/formats.ts [--scale M] [--repeats 5] [--threads 1]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { likelihoodObjective } from '../../src/main/engine/align/ppo/ppoLoss.ts'
import type { Graph } from '../../src/main/engine/graph/ir.ts'
import { OrtSession, type RunInput, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { inChosenNumbers } from '../../src/main/engine/models/baseFile.ts'
import { loraFeeds, loraSlots, newAdapter } from '../../src/main/engine/models/shared/lora.ts'
import { isQuantised } from '../../src/main/engine/models/shared/quantisedLinear.ts'
import { featureFeeds, padTokens, sequenceFeeds } from '../../src/main/engine/models/shared/sequenceFeeds.ts'
import { promptGraph, responseGraph, stepGraph, type VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { KvCache } from '../../src/main/engine/rollout/kvCache.ts'
import { responseFeeds } from '../../src/main/engine/rollout/responseFeeds.ts'
import type { BaseChoice } from '../../src/shared/baseFormat.ts'
import { writeDecoderCheckpoint } from './checkpoint.ts'
import { readSettings, sharedSettingsFile } from './settings.ts'

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: 'M' },
    repeats: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1' },
  },
})
const [repeats, threads] = [Number(values.repeats), Number(values.threads)]
const settings = readSettings(sharedSettingsFile)
const scale = settings.scales[values.scale]
if (!scale) throw new Error(`There is no scale ${values.scale}.`)

type Inputs = Readonly<Record<string, RunInput>>

interface Task {
  readonly format: string
  readonly name: string
  readonly session: OrtSession
  readonly feeds: Inputs
}

const folder = mkdtempSync(join(tmpdir(), 'fisao-formats-'))
try {
  const stored = await writeDecoderCheckpoint(join(folder, 'model'), settings, scale)
  const formats: readonly (readonly [label: string, choice: BaseChoice, isPacked: boolean])[] = [
    ['32 bits', 'stored', false],
    ['32 bits, packed', 'stored', true],
    ['8 bits', 'int8', true],
    ['4 bits', 'int4', true],
  ]
  const best = new Map<string, Map<string, number>>()
  for (const kind of ['decode 1', 'decode 8', 'prompt', 'train'] as const) {
    const tasks: Task[] = []
    for (const [format, choice, isPacked] of formats) {
      const source = await inChosenNumbers(stored, choice, { folder: join(folder, 'base') })
      if (isPacked && !isQuantised(source.weights) && !kind.startsWith('decode')) continue
      const [graph, feeds] = await taskOf(kind, source, isPacked)
      const prepackWeights = isPacked && kind.startsWith('decode')
      tasks.push({
        format,
        name: kind,
        feeds,
        session: await OrtSession.open(graph, { device: 'cpu', threads, prepackWeights }),
      })
    }
    const row = new Map<string, number>()
    for (let i = 0; i <= repeats; i++) {
      for (const { format, session, feeds } of tasks) {
        const before = process.cpuUsage()
        await session.compute(feeds)
        const { user, system } = process.cpuUsage(before)
        const ms = (user + system) / 1000
        if (i > 0) row.set(format, Math.min(row.get(format) ?? Number.POSITIVE_INFINITY, ms))
      }
    }
    for (const { session } of tasks) await session.release()
    best.set(kind, row)
    const first = row.get('32 bits') as number
    console.log(
      kind,
      [...row].map(([format, ms]) => `${format} ${ms.toFixed(1)} ms (x${(first / ms).toFixed(2)})`).join(' | '),
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function taskOf(kind: string, { ...source }: VlmSource, isPacked: boolean): Promise<[Graph, Inputs]> {
  const { config } = source
  const rng = new Rng({ seed: 1 })
  const ids = (count: number) =>
    Array.from({ length: count }, () => Math.floor(rng.uniform() * (config.decoder.vocabSize - 8)))
  const prompts = (rows: number) =>
    padTokens(
      Array.from({ length: rows }, () => ids(settings.prefill.tokens)),
      0,
      'left',
    )
  if (kind === 'train') {
    const { batch, tokens, rank, alpha, loss_tokens } = settings.train
    const responses = Array.from({ length: batch }, () => ({
      ...{ promptIds: ids(tokens - loss_tokens), tokens: ids(loss_tokens), imageFeatures: [] },
    }))
    const adapter = newAdapter(loraSlots(config.decoder), { rank, alpha }, () => rng.uniform() - 0.5)
    const feeds = {
      ...responseFeeds(config, responses, 1),
      ...loraFeeds(adapter),
      token_weight: tensor('float32', [], [1]),
    }
    return [responseGraph(source, { adapter: { rank }, objectives: likelihoodObjective(['adapter']) }).graph, feeds]
  }
  const rows = kind === 'decode 8' ? 8 : 1
  const batch = prompts(rows)
  const noImages = Array.from({ length: rows }, () => [])
  const feeds = { ...sequenceFeeds(config.decoder, batch), ...featureFeeds(config, batch, noImages) }
  if (kind === 'prompt') return [promptGraph(source, null), feeds]
  const session = await OrtSession.open(promptGraph(source, null), { device: 'cpu', threads })
  const cache = new KvCache(config.decoder, await session.compute(feeds), batch.mask, [...Array(rows).keys()])
  await session.release()
  return [stepGraph(source, null, rows > 1 && !isPacked), cache.feeds(ids(rows))]
}
