// What a token, a prompt and a training step cost by the size of a model, 25 M to 7 B: time as formats.ts measured it, and beyond
// the largest that was measured calculated from it by bytes and FLOP, in brackets; memory by the plan that the app makes before it opens
// anything (graph/livePeak.ts). As a table of Markdown.
//
//   npx tsx tools/bench/curve.ts S.json M.json L.json          each what formats.ts wrote with --json
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { likelihoodObjective } from '../../src/main/engine/align/ppo/ppoLoss.ts'
import type { Graph } from '../../src/main/engine/graph/ir.ts'
import { graphMemory } from '../../src/main/engine/graph/livePeak.ts'
import { plannedBase } from '../../src/main/engine/models/baseLayout.ts'
import type { DecoderConfig } from '../../src/main/engine/models/shared/decoderConfig.ts'
import { responseGraph, stepGraph, type VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { packsWeights } from '../../src/main/engine/rollout/packedWeights.ts'
import { plannedDecoder } from './checkpoint.ts'
import {
  bodyParameters,
  prefillFlops,
  readSettings,
  type Scale,
  type Settings,
  sharedSettingsFile,
  streamedBytes,
  trainFlops,
} from './settings.ts'

/** Larger than the bench runs: TinyLlama's width with keys for each head, OpenLLaMA 3B's shapes, LLaMA 7B's. */
const largerScales: Readonly<Record<string, Scale>> = {
  '1.2 B': {
    ...{ hidden_size: 2048, num_hidden_layers: 24, num_attention_heads: 16, num_key_value_heads: 16 },
    intermediate_size: 5632,
  },
  '3.2 B': {
    ...{ hidden_size: 3200, num_hidden_layers: 26, num_attention_heads: 32, num_key_value_heads: 32 },
    intermediate_size: 8640,
  },
  '6.5 B': {
    ...{ hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 32 },
    ...{ intermediate_size: 11_008, vocab_size: 32_000 },
  },
}

const measuredSchema = z.object({
  scale: z.string(),
  found: z.array(z.object({ kind: z.string(), label: z.string(), ms: z.number() })),
})
type Measured = z.infer<typeof measuredSchema>

/** Work of each kind, which its time is in proportion to. */
const workOf: Readonly<Record<string, (config: DecoderConfig, settings: Settings) => number>> = {
  'decode 1': (config) => streamedBytes(config),
  'decode 8': (config) => streamedBytes(config),
  prompt: (config, { prefill }) => prefillFlops(config, prefill.tokens),
  train: (config, { train }) => trainFlops(config, train),
}
const formats = [
  { label: '32 bits', format: null },
  { label: '8 bits', format: 'int8' },
] as const

const settings = readSettings(sharedSettingsFile)
const measured = process.argv.slice(2).map((path) => measuredSchema.parse(JSON.parse(readFileSync(path, 'utf8'))))
const folder = mkdtempSync(join(tmpdir(), 'fisao-curve-'))
try {
  await printCurve()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function printCurve(): Promise<void> {
  const known = measured.map(({ scale }) => [scale, settings.scales[scale] as Scale] as const)
  const planned = new Map<string, VlmSource>()
  for (const [name, scale] of [...known, ...Object.entries(largerScales)]) {
    planned.set(name, await plannedDecoder(join(folder, name), settings, scale))
  }
  const kinds = Object.keys(workOf)
  console.log(['', 'parameters', ...kinds, 'decoding 8 rows', 'training', 'recomputed'].join(' | '))
  for (const [name, source] of planned) {
    for (const { label, format } of formats) {
      const times = kinds.map((kind) => {
        const known = measured.filter((one) => msOf(one, kind, label) !== undefined)
        const from = known.find(({ scale }) => scale === name) ?? known.at(-1)
        if (!from) return ''
        const ms = msOf(from, kind, label) as number
        if (from.scale === name) return seconds(ms)
        const work = (of: VlmSource) => (workOf[kind] as (typeof workOf)[string])(of.config.decoder, settings)
        return `(${seconds((ms * work(source)) / work(planned.get(from.scale) as VlmSource))})`
      })
      const parameters = `${(bodyParameters(source.config.decoder) / 1e6).toFixed(0)} M`
      const held = memoryOf(format === null ? source : plannedBase(source, format))
      console.log([`${name}, ${label}`, parameters, ...times, ...held.map(gigabytes)].join(' | '))
    }
  }
}

/** Bytes of a session that decodes eight rows with its cache, and of one that trains, without and with recomputation. */
function memoryOf(source: VlmSource): number[] {
  const isPacked = packsWeights(source)
  const { decode, train } = settings
  const { layers, kvHeads, headDim } = source.config.decoder
  const rows = 8
  const past = decode.context + decode.new_tokens
  const cacheBytes = 2 * rows * past * layers * kvHeads * headDim * 4
  const total = (graph: Graph, sizes: Readonly<Record<string, number>>, isPrepacked = false) => {
    const memory = graphMemory(graph, new Map(Object.entries(sizes)), isPrepacked)
    return memory.mappedBytes + memory.privateBytes + memory.computedBytes
  }
  const step = stepGraph(source, null, !isPacked)
  const decoding = total(step, { batch: rows, past, positions: past + 1 }, isPacked) + cacheBytes
  const training = [false, true].map((recompute) => {
    const objectives = likelihoodObjective(['adapter'])
    const { graph } = responseGraph(source, { adapter: { rank: train.rank }, objectives, recompute })
    const responses = { batch: train.batch, seq: train.tokens, positions: train.tokens, image_rows: 0 }
    return total(graph, { ...responses, rows: train.batch * train.loss_tokens })
  })
  return [decoding, ...training]
}

function msOf({ found }: Measured, kind: string, label: string): number | undefined {
  return found.find((one) => one.kind === kind && one.label === label)?.ms
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`
}

function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(3))} GB`
}
