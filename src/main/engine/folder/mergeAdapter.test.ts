// Merged folders against peft's merge_and_unload, their rounding worked out by hand, and everything that must not be
// written over, copied or left behind.
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { floatsOf } from '../graph/tensor.ts'
import { bfloat16Bits, bfloat16Number } from '../graph/typedValues.ts'
import type { Architecture } from '../models/architecture.ts'
import { llava } from '../models/llava/llava.ts'
import { describeVlm } from '../models/registry.ts'
import { byDecoderPath, loraFeeds, storedAdapter } from '../models/shared/lora.ts'
import { fixtureRoot, floats, maxDifference } from '../models/testing/parityFixtures.ts'
import { at, openSequenceCase, runResponse, trainedFixtures } from '../models/testing/sequenceCase.ts'
import { openVlm } from '../models/vlm.ts'
import { type MergeOptions, mergeAdapter } from './mergeAdapter.ts'
import { type LoraAdapter, readAdapter, writeAdapter } from './peft.ts'
import { readTensorBytes, type TensorToWrite, writeSafetensors } from './safetensors.ts'
import { openWeights, type Weights } from './weights.ts'

const root = mkdtempSync(join(tmpdir(), 'fisao-merge-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let number = 0
const newPlace = () => join(root, `${number++}`)

const merge = (weights: Weights, adapter: LoraAdapter, folder: string, options?: MergeOptions, from: Names = llava) =>
  mergeAdapter(weights, storedAdapter(from, weights, adapter), folder, options)
type Names = Pick<Architecture, 'names' | 'peftPrefix'>

/** SHA-256 of every file of a folder, by name. */
function hashes(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path, createHash('sha256').update(readFileSync(path)).digest('hex')]
    }),
  )
}

describe.each(trainedFixtures)('%s merged with its adapter', (name) => {
  test('says what peft says after merge_and_unload, and its source is untouched', async () => {
    const { fixture, source, feeds, cells } = await openSequenceCase(name)
    const before = hashes(fixture.folder)
    const merged = newPlace()
    await merge(source.weights, await readAdapter(join(fixture.folder, 'adapter')), merged, {}, source.architecture)
    expect(hashes(fixture.folder)).toEqual(before)

    const opened = await openVlm(merged)
    expect(opened.weights.names).toEqual(source.weights.names)
    expect([...opened.weights.files.keys()]).toEqual([...source.weights.files.keys()])
    const vocabSize = source.config.decoder.vocabSize
    const results = await runResponse(opened, feeds, { outputs: ['logits'] })
    const expected = at(floats(fixture.get('merged.response_logits')), cells, vocabSize)
    expect(maxDifference(floatsOf(results, 'logits'), expected)).toBeLessThan(1e-4)
  })

  test('differs from its source in the projections of each layer alone', async () => {
    const source = await openWeights(join(fixtureRoot, name))
    const merged = newPlace()
    const { architecture, config } = await describeVlm(source.folder)
    await merge(source, await readAdapter(join(fixtureRoot, name, 'adapter')), merged, {}, architecture)
    const opened = await openWeights(merged)
    const changed: string[] = []
    for (const tensor of source.names) {
      expect(opened.get(tensor)).toMatchObject({ dtype: source.get(tensor).dtype, shape: source.get(tensor).shape })
      if (!(await opened.bytes(tensor)).equals(await source.bytes(tensor))) changed.push(tensor)
    }
    expect(changed).toHaveLength(config.decoder.kind === 'phi3' ? 8 : 14)
    for (const tensor of changed) expect(tensor).toMatch(/layers\.\d\.(self_attn|mlp)\.[a-z_]+_proj\.weight$/)
  })
})

test('an adapter that was written and merged says what it says beside its model, at any strength', async () => {
  const { source, feeds } = await openSequenceCase('siglip-qwen2')
  const adapter = await readAdapter(join(source.weights.folder, 'adapter'))
  const written = newPlace()
  await writeAdapter(written, byDecoderPath(llava, adapter), null)
  const again = await readAdapter(written)
  for (const strength of [1, 0.25]) {
    const merged = newPlace()
    await merge(source.weights, again, merged, { strength })
    const results = await runResponse(await openVlm(merged), feeds, { outputs: ['logits'] })
    const beside = await runResponse(
      source,
      { ...feeds, ...loraFeeds(byDecoderPath(llava, adapter), strength) },
      { adapter: { rank: adapter.rank }, outputs: ['logits'] },
    )
    const expected = floatsOf(beside, 'logits')
    expect(maxDifference(floatsOf(results, 'logits'), expected)).toBeLessThan(1e-4)
  }
})

test('without strength the tensors are the same bytes', async () => {
  const source = await openWeights(join(fixtureRoot, 'clip-mistral'))
  const merged = newPlace()
  const adapter = await readAdapter(join(fixtureRoot, 'clip-mistral', 'adapter'))
  await merge(source, adapter, merged, { strength: 0 })
  const opened = await openWeights(merged)
  for (const name of source.names) expect((await opened.bytes(name)).equals(await source.bytes(name))).toBe(true)
})

const projection = 'language_model.model.layers.0.mlp.up_proj'

/** A folder with one weight [2, 3], and an adapter of rank 1 whose scale is 2. */
async function smallCase(dtype: TensorToWrite['dtype'], bytes: Uint8Array) {
  const folder = newPlace()
  mkdirSync(folder)
  const tensor = { name: `${projection}.weight`, dtype, shape: [2, 3], bytes }
  await writeSafetensors(join(folder, 'model.safetensors'), [tensor])
  writeFileSync(join(folder, 'config.json'), '{}')
  const factors = { a: Float32Array.of(1, 2, -4), b: Float32Array.of(0.5, 2 ** -9), inFeatures: 3, outFeatures: 2 }
  const adapter: LoraAdapter = { rank: 1, alpha: 2, layers: new Map([[projection, factors]]) }
  return { weights: await openWeights(folder), adapter, folder }
}

async function mergedBytes(made: Awaited<ReturnType<typeof smallCase>>): Promise<Buffer> {
  const merged = newPlace()
  await merge(made.weights, made.adapter, merged)
  return await readTensorBytes((await openWeights(merged)).get(`${projection}.weight`))
}

describe('each dtype is kept, and sums are rounded to nearest even', () => {
  // s B A = 2 · [0.5, 2⁻⁹]ᵀ [1, 2, -4] = [[1, 2, -4], [2⁻⁸, 2⁻⁷, -2⁻⁶]]
  test('BF16, which has 8 bits', async () => {
    const bits = Uint16Array.from([1, 1, 1, 1, 1 + 2 ** -7, 3], bfloat16Bits)
    const bytes = await mergedBytes(await smallCase('BF16', new Uint8Array(bits.buffer)))
    const found = Array.from({ length: 6 }, (_, i) => bfloat16Number(bytes.readUInt16LE(2 * i)))
    // 1 + 2⁻⁸ lies between 1 and 1 + 2⁻⁷: even is 1. 3 - 2⁻⁶ is one step of 2⁻⁶ below 3.
    expect(found).toEqual([2, 3, -3, 1, 1 + 2 ** -6, 3 - 2 ** -6])
  })

  test('F16, which has 11 bits', async () => {
    const bits = Uint16Array.of(0x3c00, 0x3c00, 0x3c00, 0x4c00, 0x3c00, 0x6400)
    const bytes = await mergedBytes(await smallCase('F16', new Uint8Array(bits.buffer)))
    // 2, 3, -3; 16 + 2⁻⁸ is less than half of a step of 2⁻⁶; 1 + 2⁻⁷; 1024 - 2⁻⁶ is less than half of a step of 0.5.
    expect(Array.from({ length: 6 }, (_, i) => bytes.readUInt16LE(2 * i))).toEqual([
      0x4000, 0x4200, 0xc200, 0x4c00, 0x3c08, 0x6400,
    ])
  })

  test.each([
    ['F32', Float32Array],
    ['F64', Float64Array],
  ] as const)('%s', async (dtype, Values) => {
    const values = Values.of(1, 1, 1, 1, 1, 1)
    const bytes = await mergedBytes(await smallCase(dtype, new Uint8Array(values.buffer)))
    const found = new Values(new Uint8Array(bytes).buffer)
    expect([...found]).toEqual([2, 3, -3, 1 + 2 ** -8, 1 + 2 ** -7, 1 - 2 ** -6])
  })
})

describe('a folder', () => {
  const ones = () => smallCase('F32', new Uint8Array(Float32Array.of(1, 1, 1, 1, 1, 1).buffer))

  test('takes along what a checkpoint needs and nothing else', async () => {
    const made = await ones()
    const needed = ['generation_config.json', 'tokenizer.json', 'tokenizer.model', 'merges.txt', 'chat_template.jinja']
    const others = ['pytorch_model.bin', 'notes.txt', 'adapter_config.json', 'model.safetensors.index.json', 'run.py']
    for (const name of [...needed, ...others, 'LICENSE']) writeFileSync(join(made.folder, name), name)
    mkdirSync(join(made.folder, 'adapter'))
    const merged = newPlace()
    await merge(made.weights, made.adapter, merged)
    expect(readdirSync(merged).sort()).toEqual(['LICENSE', 'config.json', 'model.safetensors', ...needed].sort())
    expect(readFileSync(join(merged, 'merges.txt'), 'utf8')).toBe('merges.txt')
  })

  test('may be empty, and may lie in folders that are not there yet', async () => {
    const made = await ones()
    const empty = newPlace()
    mkdirSync(empty)
    await merge(made.weights, made.adapter, empty)
    expect((await openWeights(empty)).names).toEqual([`${projection}.weight`])
    const deep = join(newPlace(), 'a', 'b')
    await merge(made.weights, made.adapter, deep)
    expect((await openWeights(deep)).names).toEqual([`${projection}.weight`])
  })

  test("that holds files, is a file, or is the model's own is refused and kept", async () => {
    const made = await ones()
    const held = newPlace()
    mkdirSync(held)
    writeFileSync(join(held, 'mine'), 'mine')
    const file = join(held, 'mine')
    const before = { ...hashes(held), ...hashes(made.folder) }
    const link = newPlace()
    symlinkSync(made.folder, link)
    const inside = [['merged'], ['not', 'there', 'yet'], ['a', '..']].map((names) => join(made.folder, ...names))
    for (const place of [held, file, made.folder, link, join(link, 'merged'), ...inside]) {
      await expect(merge(made.weights, made.adapter, place)).rejects.toMatchObject({
        code: 'weights.folder-taken',
      })
    }
    expect({ ...hashes(held), ...hashes(made.folder) }).toEqual(before)
    expect(readdirSync(made.folder).sort()).toEqual(['config.json', 'model.safetensors'])
  })

  test('is not left half written when the merge is cancelled or a part of the model is gone', async () => {
    const source = newPlace()
    cpSync(join(fixtureRoot, 'clip-mistral'), source, { recursive: true })
    const weights = await openWeights(source)
    const adapter = await readAdapter(join(source, 'adapter'))
    const place = newPlace()
    const before = readdirSync(root)
    const cancel = new AbortController()
    let calls = 0
    const cancelled = merge(weights, adapter, place, {
      signal: cancel.signal,
      onProgress: () => {
        if (++calls === 20) cancel.abort()
      },
    })
    await expect(cancelled).rejects.toMatchObject({ code: 'run.cancelled' })
    expect(calls).toBe(20)
    rmSync(join(source, 'model-00003-of-00004.safetensors'))
    await expect(merge(weights, adapter, place)).rejects.toMatchObject({ code: 'weights.unreadable' })
    expect(readdirSync(root)).toEqual(before)
    expect(existsSync(place)).toBe(false)
  })

  test('is told of as it grows, to the last byte', async () => {
    const made = await ones()
    const seen: [number, number][] = []
    await merge(made.weights, made.adapter, newPlace(), { onProgress: (...bytes) => seen.push(bytes) })
    expect(seen).toEqual([[24, 24]])
  })
})

describe('an adapter', () => {
  const ones = () => smallCase('F32', new Uint8Array(Float32Array.of(1, 1, 1, 1, 1, 1).buffer))
  const factors = { a: Float32Array.of(1, 2, 3), b: Float32Array.of(1, 1), inFeatures: 3, outFeatures: 2 }

  test.each([
    ['of a layer that the model lacks', 'language_model.model.layers.7.mlp.up_proj', factors],
    ['of the vision tower', 'model.vision_tower.encoder.layers.0.mlp.fc1', factors],
    ['of another width', projection, { ...factors, a: Float32Array.of(1, 2), inFeatures: 2 }],
    ['that diverged', projection, { ...factors, b: Float32Array.of(Number.NaN, 1) }],
    ['beyond the range of numbers', projection, { ...factors, b: Float32Array.of(3e38, 3e38) }],
  ])('%s is refused', async (_name, layer, layerFactors) => {
    const made = await ones()
    const place = newPlace()
    const adapter = { rank: 1, alpha: 2, layers: new Map([[layer, layerFactors]]) }
    await expect(merge(made.weights, adapter, place)).rejects.toMatchObject({ code: 'model.bad-adapter' })
    expect(existsSync(place)).toBe(false)
  })
})
