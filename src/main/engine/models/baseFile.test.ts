// Base files: what graphs compute with them against the same model in plain float32, and how a file is made, kept, found
// damaged and made again.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { likelihoodObjective } from '../align/ppo/ppoLoss.ts'
import { tensor } from '../graph/ortSession.ts'
import { floatsOf } from '../graph/tensor.ts'
import { Rng } from '../rng.ts'
import { openBase } from './baseFile.ts'
import { loraFeeds, loraSlots, newAdapter } from './shared/lora.ts'
import { isQuantised } from './shared/quantisedLinear.ts'
import { dequantisedModel } from './testing/dequantisedModel.ts'
import { maxDifference } from './testing/parityFixtures.ts'
import { writeRandomModel } from './testing/randomModel.ts'
import { openSequenceCase, runOnce, runResponse } from './testing/sequenceCase.ts'
import { responseGraph, type VlmSource, visionGraph } from './vlmGraphs.ts'

const root = mkdtempSync(join(tmpdir(), 'fisao-base-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const heads = (count: number) => ({ num_attention_heads: count, num_key_value_heads: count })
const picture = { image_size: 32, patch_size: 16, projection_dim: 64 }
const newFolder = () => mkdtempSync(join(root, 'cache-'))

describe.each([
  ['clip-llama', 'int8'],
  ['siglip-qwen2', 'int8'],
  ['clip-llama-bf16', 'int4'],
] as const)('%s in %s', (name, format) => {
  test('log-probabilities and every gradient are those of its dequantised weights, recomputed or not', async () => {
    const { source, feeds } = await openSequenceCase(name)
    const base = await openBase(source, format, { folder: newFolder() })
    expect(isQuantised(base.weights)).toBe(true)
    const plain = await dequantisedModel(base, newFolder())
    const rng = new Rng({ seed: 3 })
    const rank = 4
    const adapter = newAdapter(loraSlots(source.config.decoder), { rank, alpha: 8 }, () => rng.uniform() - 0.5)
    for (const { b } of adapter.layers.values()) b.set(b.map(() => rng.uniform() - 0.5))
    const all = { ...feeds, ...loraFeeds(adapter), token_weight: tensor('float32', [], [1]) }
    const gradientsOf = async (of: VlmSource, recompute: boolean) => {
      const options = { adapter: { rank }, recompute, objectives: likelihoodObjective(['adapter']) }
      const { graph, trained } = responseGraph(of, options)
      return { trained, results: await runOnce(graph, all) }
    }
    const expected = await gradientsOf(plain, false)
    for (const recompute of [false, true]) {
      const { trained, results } = await gradientsOf(base, recompute)
      expect(trained).toEqual(expected.trained)
      for (const output of ['logProbs', ...trained.map((parameter) => `grad.${parameter}`)]) {
        const [found, right] = [floatsOf(results, output), floatsOf(expected.results, output)]
        const largest = Math.max(...right.map(Math.abs))
        expect(maxDifference(found, right), output).toBeLessThan(2e-6 * largest)
      }
    }
    // And they are not those of the weights as they came.
    const [rounded, exact] = [await runResponse(base, feeds, {}), await runResponse(source, feeds, {})]
    const moved = maxDifference(floatsOf(rounded, 'logProbs'), floatsOf(exact, 'logProbs'))
    expect(moved).toBeGreaterThan(1e-4)
    expect(moved).toBeLessThan(format === 'int8' ? 0.5 : 5)
  })
})

test('a model of half precision widened in a file computes the very same bits as widened by a session', async () => {
  const { source, feeds } = await openSequenceCase('clip-llama-bf16')
  const base = await openBase(source, 'float32', { folder: newFolder() })
  const [kept, widened] = [await runResponse(base, feeds, {}), await runResponse(source, feeds, {})]
  expect(floatsOf(kept, 'logProbs')).toEqual(floatsOf(widened, 'logProbs'))
  const size = source.config.vision.imageSize
  const pixels = { pixel_values: tensor('float32', [1, 3, size, size], new Float32Array(3 * size * size).fill(0.3)) }
  const seen = async (of: VlmSource) => floatsOf(await runOnce(visionGraph(of), pixels), 'image_features')
  expect(await seen(base)).toEqual(await seen(source))
})

describe('a base file', () => {
  const fileIn = (folder: string) => join(folder, readdirSync(folder)[0] as string, 'model.safetensors')

  test('is made once, tells how far it is, and is made anew when it is damaged', async () => {
    const { source } = await openSequenceCase('clip-llama')
    const folder = newFolder()
    const told: number[] = []
    const options = { folder, onProgress: (done: number, total: number) => told.push(done / total) }
    await openBase(source, 'int8', options)
    expect(told.at(-1)).toBe(1)
    expect(told).toEqual([...told].sort((a, b) => a - b))
    const path = fileIn(folder)
    const [right, made] = [readFileSync(path), statSync(path)]

    told.length = 0
    await openBase(source, 'int8', options)
    // Touched by somebody and still the same.
    utimesSync(path, 1, 1)
    await openBase(source, 'int8', options)
    expect(told).toEqual([])
    expect(statSync(path).ino).toBe(made.ino)

    const damaged = Buffer.from(right)
    damaged[damaged.length - 100] = (damaged.at(-100) as number) ^ 1
    for (const bytes of [damaged, right.subarray(0, 1000)]) {
      told.length = 0
      writeFileSync(path, bytes)
      await openBase(source, 'int8', options)
      expect(told.at(-1)).toBe(1)
      expect(readFileSync(path)).toEqual(right)
    }
  })

  test('leaves nothing of itself when it is cancelled, nor what a killed process left', async () => {
    const { source } = await openSequenceCase('clip-llama')
    const folder = newFolder()
    const stop = new AbortController()
    const cancelled = openBase(source, 'int8', { folder, signal: stop.signal, onProgress: () => stop.abort() })
    await expect(cancelled).rejects.toMatchObject({ code: 'run.cancelled' })
    const place = join(folder, readdirSync(folder)[0] as string)
    expect(readdirSync(place)).toEqual([])
    // No process has this number: it is beyond what systems give.
    writeFileSync(join(place, '.99999999.partial'), 'half of a file')
    await openBase(source, 'int8', { folder })
    expect(readdirSync(place).sort()).toEqual(['made.json', 'model.safetensors'])
  })

  test('that cannot be written says why, and what else can be chosen', async () => {
    const { source } = await openSequenceCase('clip-llama')
    const folder = newFolder()
    writeFileSync(join(folder, 'file'), '')
    const written = openBase(source, 'int8', { folder: join(folder, 'file') })
    await expect(written).rejects.toMatchObject({ code: 'weights.base-not-written', remedy: /as stored/ })
  })
})

test.runIf(process.platform === 'linux')(
  'sessions over a folder of half precision share one copy of its weights, and a packed step has one of its own',
  { timeout: 120_000 },
  async () => {
    const folder = newFolder()
    // 12.6 million parameters in layers and 1 in head and table each: 54 MB of float32 that a step reads.
    await writeRandomModel(folder, {
      text: { ...{ vocab_size: 2048, hidden_size: 512, intermediate_size: 1376, num_hidden_layers: 4 }, ...heads(8) },
      vision: {
        ...{ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 2 },
        ...picture,
      },
    })
    const measure = (choice: string) => {
      const script = join(import.meta.dirname, 'testing/measureCopies.ts')
      const output = execFileSync(process.execPath, ['--import', 'tsx', script, folder, choice], { encoding: 'utf8' })
      process.stdout.write(`${choice}: ${output}\n`)
      return JSON.parse(output) as Record<
        'sessions' | 'shared' | 'step' | 'plannedStep' | 'train' | 'plannedTrain',
        number
      >
    }
    // As they are stored, each session widens them for itself.
    expect(measure('stored').shared).toBeGreaterThan(3 * 50)
    const widened = measure('float32')
    expect(widened.sessions).toBe(4)
    expect(widened.shared + widened.step).toBeLessThan(15)
    const eight = measure('int8')
    expect(eight.shared).toBeLessThan(15)
    // The libraries take a few MB when they are first used.
    expect(Math.abs(eight.step - eight.plannedStep)).toBeLessThan(4)
    // Dequantised one weight at a time: 54 MB more would be all of them.
    expect(eight.train / eight.plannedTrain).toBeGreaterThan(0.85)
    expect(eight.train - eight.plannedTrain).toBeLessThan(15)
  },
)
