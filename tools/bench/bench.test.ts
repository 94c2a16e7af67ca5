import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWeights } from '../../src/main/engine/folder/weights.ts'
import { graphMemory } from '../../src/main/engine/graph/livePeak.ts'
import { plannedBase } from '../../src/main/engine/models/baseLayout.ts'
import { describeVlm } from '../../src/main/engine/models/registry.ts'
import { stepGraph, type VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { plannedDecoder, writeDecoderCheckpoint } from './checkpoint.ts'
import {
  bodyParameters,
  readSettings,
  type Scale,
  sharedSettingsFile,
  streamedBytes,
  towerFlops,
  trainFlops,
} from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-bench-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const shared = JSON.parse(readFileSync(sharedSettingsFile, 'utf8')) as Record<string, unknown>
const tiny = {
  ...shared,
  vocab_size: 96,
  scales: {
    T: {
      ...{ hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 },
      intermediate_size: 48,
    },
  },
  prefill: { batch: 1, tokens: 12 },
  decode: { batches: [1, 8], context: 12, new_tokens: 3 },
  train: { batch: 2, tokens: 12, rank: 2, alpha: 4, loss_tokens: 5 },
  gemm_edges: [64],
  streamed_matrix: { rows: 256, columns: 64 },
  towers: {
    T: {
      ...{ hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2 },
      ...{ image_size: 32, patch_size: 16 },
    },
  },
}
const settingsFile = join(folder, 'settings.json')

beforeAll(() => {
  writeFileSync(settingsFile, JSON.stringify(tiny))
})

test('measures a tiny scale and a tiny tower from end to end: every figure is there and above zero', {
  timeout: 120_000,
}, () => {
  const json = join(folder, 'figures.json')
  const args = ['--settings', settingsFile, '--scales', 'T', '--repeats', '1', '--profile', '--json', json]
  const env = { ...process.env, TMPDIR: folder }
  const table = execFileSync('node', ['--import', 'tsx', 'tools/bench/bench.ts', ...args], { encoding: 'utf8', env })
  const found = JSON.parse(readFileSync(json, 'utf8'))
  const { T: row } = Object.fromEntries(found.scales.map((scale: { scale: string }) => [scale.scale, scale]))
  const { T: tower } = Object.fromEntries(found.towers.map((each: { tower: string }) => [each.tower, each]))
  const scaleFigures = [
    // Named as bench_torch.py names them.
    ...['parameters_millions', 'prefill_ms', 'decode_1_tokens_per_second', 'decode_8_tokens_per_second'],
    ...['decode_1_of_bandwidth', 'train_step_ms', 'train_of_gemm_peak', 'resident_mb'],
    ...['prefill_of_gemm_peak', 'create_prefill_ms', 'create_decode_ms', 'create_train_ms', 'peak_resident_mb'],
    ...['gemmGflops', 'bandwidthGbPerSecond'],
  ]
  for (const name of scaleFigures) expect(row[name], name).toBeGreaterThan(0)
  for (const name of scaleFigures) expect(Number.isFinite(row[name]), name).toBe(true)
  const towerFigures = [
    ...['create_ms', 'images_1_ms_per_image', 'images_1_of_gemm_peak'],
    ...['images_8_ms_per_image', 'images_8_of_gemm_peak', 'peak_resident_mb'],
  ]
  for (const name of towerFigures) expect(tower[name], name).toBeGreaterThan(0)
  for (const name of towerFigures) expect(Number.isFinite(tower[name]), name).toBe(true)
  for (const run of ['decode_1', 'decode_8', 'train']) {
    const shares: number[] = row.profiles[run].map(({ share }: { share: number }) => share)
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6)
  }
  expect(table).toContain('decode_1_tokens_per_second')
  // The weights are gone.
  expect(readdirSync(folder).filter((name) => name.startsWith('fisao-bench-') && !name.includes('test'))).toEqual([])
})

test('the generated folder holds the parameters that the arithmetic counts', async () => {
  const settings = readSettings(settingsFile)
  const scale = settings.scales['T']
  if (!scale) throw new Error('no scale')
  const model = join(folder, 'model')
  await writeDecoderCheckpoint(model, settings, scale)
  const { decoder } = (await describeVlm(model)).config
  const weights = await openWeights(model)
  const elements = (name: string) => weights.get(name).shape.reduce((a, b) => a * b, 1)
  const body = weights.names.filter((name) => /^language_model\.model\.(layers|norm)/.test(name))
  expect(body.reduce((sum, name) => sum + elements(name), 0)).toBe(bodyParameters(decoder))
  expect(streamedBytes(decoder)).toBe(4 * (bodyParameters(decoder) + elements('language_model.lm_head.weight')))
})

test('a decoder that is only described reads the bytes of a written one, in 8 bits a quarter and the scales', async () => {
  const settings = readSettings(settingsFile)
  // Rows of 128 are one block.
  const scale = { ...(settings.scales['T'] as Scale), hidden_size: 128, intermediate_size: 256 }
  const sizes = new Map(Object.entries({ batch: 1, past: 8, positions: 9 }))
  const mapped = (source: VlmSource) => graphMemory(stepGraph(source, null), sizes).mappedBytes
  const planned = await plannedDecoder(join(folder, 'planned'), settings, scale)
  expect(mapped(planned)).toBe(mapped(await writeDecoderCheckpoint(join(folder, 'written'), settings, scale)))
  // Layers: 2 (2 · 128 · (128 + 64) + 3 · 128 · 256) = 294,912; head 96 · 128; as float32 the table and five norms.
  const matrices = 294_912 + 96 * 128
  const floats = 4 * (96 * 128 + 5 * 128)
  expect(mapped(planned)).toBe(4 * matrices + floats)
  expect(mapped(plannedBase(planned, 'int8'))).toBe(matrices + (4 * matrices) / 128 + floats)
})

test('the scales are those of bench_torch.py, and so is the work of a training step', () => {
  const settings = readSettings(sharedSettingsFile)
  const millions = Object.entries(settings.scales).map(([name, scale]) => {
    const [hiddenSize, heads] = [scale.hidden_size, scale.num_attention_heads]
    const decoder = {
      ...{ hiddenSize, heads, kvHeads: scale.num_key_value_heads, headDim: hiddenSize / heads },
      ...{ layers: scale.num_hidden_layers, intermediateSize: scale.intermediate_size },
      vocabSize: scale.vocab_size ?? 8192,
    } as Parameters<typeof trainFlops>[0]
    return [name, Math.round(bodyParameters(decoder) / 1e5) / 10, Math.round(trainFlops(decoder, settings.train) / 1e9)]
  })
  // Parameters as tools/parity/README.md gives them; GFLOP as bench_torch.py's train_flops answers.
  expect(millions).toEqual([
    ['S', 25.3, 63],
    ['M', 154.2, 344],
    ['L', 509.7, 1100],
    ['SmolLM2', 106.2, 274],
  ])
})

test('the work of a tower, by hand: 4 patches and a class token, one layer', () => {
  // Projections and MLP 2 (4 · 2² + 2 · 2 · 4) · 5 = 320, attention 4 · 5² · 2 = 200, patches 2 · (3 · 2²) · 2 · 4 = 192
  const tower = { hiddenSize: 2, intermediateSize: 4, imageSize: 4, patchSize: 2 }
  expect(towerFlops(tower as Parameters<typeof towerFlops>[0], 1)).toBe(712)
})
