// The companions of tools/parity against transformers: embeddings of images and words, and whether a tower is the
// model's own.
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTensorBytes, type SafetensorsDType, writeSafetensors } from '../../folder/safetensors.ts'
import { OrtSession, type Tensor, tensor } from '../../graph/ortSession.ts'
import { floatsOf, tensorOf } from '../../graph/tensor.ts'
import { bfloat16Bits } from '../../graph/typedValues.ts'
import { patchCount } from '../shared/towerConfig.ts'
import { fixtureRoot, floats, integers, leastCosine, maxDifference, readFixture } from '../testing/parityFixtures.ts'
import { openVlm } from '../vlm.ts'
import { evidenceMap, imageEmbeddingGraph, openDualEncoder, textEmbeddingGraph, textFeeds } from './encoder.ts'
import { compareTowers } from './towerComparison.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fisao-encoder-'))
})
afterAll(async () => await rm(folder, { recursive: true }))

async function compute(graph: Parameters<typeof OrtSession.open>[0], feeds: Record<string, Tensor>) {
  const session = await OrtSession.open(graph, { device: 'cpu', threads: 1 })
  try {
    return await session.compute(feeds)
  } finally {
    await session.release()
  }
}

describe.each(['clip-encoder', 'siglip-encoder'])('%s', (name) => {
  test('embeds images and words as transformers does', async () => {
    const fixture = await readFixture(name)
    const source = await openDualEncoder(fixture.folder)
    const width = source.config.projectionSize
    const pixels = fixture.get('pixel_values')
    const images = await compute(imageEmbeddingGraph(source), {
      pixel_values: tensor('float32', pixels.shape, floats(pixels)),
    })
    const imageEmbeds = floatsOf(images, 'image_embeds')
    expect(leastCosine(imageEmbeds, floats(fixture.get('image_embeds')), width)).toBeGreaterThanOrEqual(0.99999)
    expect(maxDifference(imageEmbeds, floats(fixture.get('image_embeds')))).toBeLessThan(1e-5)

    const rows = await unpaddedTexts(name)
    const texts = await compute(textEmbeddingGraph(source), textFeeds(source.config.text, rows))
    const textEmbeds = floatsOf(texts, 'text_embeds')
    expect(leastCosine(textEmbeds, floats(fixture.get('text_embeds')), width)).toBeGreaterThanOrEqual(0.99999)
    expect(maxDifference(textEmbeds, floats(fixture.get('text_embeds')))).toBeLessThan(1e-5)
  })

  test('maps a word onto each patch, through the way that the pooled embedding goes', async () => {
    const fixture = await readFixture(name)
    const source = await openDualEncoder(fixture.folder)
    const pixels = fixture.get('pixel_values')
    const results = await compute(imageEmbeddingGraph(source, { patches: true }), {
      pixel_values: tensor('float32', pixels.shape, floats(pixels)),
    })
    const { projectionSize, vision } = source.config
    const patches = tensorOf(results, 'patch_embeds', 'float32')
    expect(patches.shape).toEqual([2, patchCount(vision), projectionSize])
    const text = floats(fixture.get('text_embeds')).subarray(0, projectionSize)
    const map = evidenceMap(source.config, patches, 1, text)
    expect(map).toHaveLength(patchCount(vision))
    const row = (patchCount(vision) + 2) * projectionSize
    const third = patches.values.subarray(row, row + projectionSize)
    expect(map[2]).toBeCloseTo(
      third.reduce((sum, x, i) => sum + x * (text[i] as number), 0),
      6,
    )
    expect(Math.hypot(...third)).toBeCloseTo(1, 5)
    expect(maxDifference(floatsOf(results, 'image_embeds'), floats(fixture.get('image_embeds')))).toBeLessThan(1e-5)
  })

  test('its tower is that of its model, and one bit that differs is found', async () => {
    const fixture = await readFixture(name)
    const vlm = await openVlm(join(fixture.folder, fixture.json['same_tower_as'] as string))
    const source = await openDualEncoder(fixture.folder)
    const same = await compareTowers(vlm, source)
    // clip-llama takes the state before its last layer, siglip-qwen2 that after it; neither takes the last norm.
    const unused =
      name === 'clip-encoder' ? /^vision_model\.(encoder\.layers\.2|post_layernorm)\./ : /\.(head|post_layernorm)\./
    const names = source.weights.names.filter((one) => one.startsWith('vision_model.') && !unused.test(one))
    expect(same).toEqual({ outcome: 'identical', tensors: names.length, dtypes: 'float32' })

    const changed = join(folder, name)
    const { tensor: where } = fixture.json['changed_tower_recipe'] as { tensor: string }
    await copyCompanion(name, changed)
    const bytes = await readFile(join(changed, 'model.safetensors'))
    const { offsetBytes } = source.weights.get(where).slice
    bytes[offsetBytes] = (bytes[offsetBytes] as number) ^ 1
    await writeFile(join(changed, 'model.safetensors'), bytes)
    const different = await compareTowers(vlm, await openDualEncoder(changed))
    expect(different).toMatchObject({ outcome: 'different', difference: { where } })
  })
})

/** The token ids of the fixture's words, without the padding behind their end token. */
async function unpaddedTexts(name: string): Promise<number[][]> {
  const fixture = await readFixture(name)
  const ids = integers(fixture.get('text.input_ids'))
  const seq = fixture.get('text.input_ids').shape[1] as number
  const end = (await openDualEncoder(fixture.folder)).config.text.endTokenId
  return Array.from({ length: ids.length / seq }, (_, i) => {
    const row = ids.slice(i * seq, (i + 1) * seq)
    return row.slice(0, row.indexOf(end) + 1)
  })
}

async function copyCompanion(name: string, to: string): Promise<void> {
  await mkdir(to)
  for (const file of ['config.json', 'model.safetensors']) await copyFile(join(fixtureRoot, name, file), join(to, file))
}

/** The CLIP fixture with its tensors stored by `convert`. */
async function storedAs(to: string, dtype: SafetensorsDType, convert: (numbers: Float32Array) => Uint8Array) {
  await copyCompanion('clip-encoder', to)
  const { weights } = await openDualEncoder(join(fixtureRoot, 'clip-encoder'))
  const tensors = []
  for (const name of weights.names) {
    const stored = weights.get(name)
    const bytes = new Uint8Array(await readTensorBytes(stored))
    tensors.push({ name, dtype, shape: stored.shape, bytes: convert(new Float32Array(bytes.buffer)) })
  }
  await writeSafetensors(join(to, 'model.safetensors'), tensors)
}

const halves = (numbers: Float32Array) => new Uint8Array(Uint16Array.from(numbers, bfloat16Bits).buffer)

test('a tower of another element type is called rounded, or of the same values where it is', async () => {
  const vlm = await openVlm(join(fixtureRoot, 'clip-llama'))
  const rounded = join(folder, 'bf16')
  await storedAs(rounded, 'BF16', halves)
  const found = await compareTowers(vlm, await openDualEncoder(rounded))
  expect(found).toMatchObject({ outcome: 'rounded', dtypes: 'float32 and bfloat16' })

  const wide = join(folder, 'f64')
  await storedAs(wide, 'F64', (numbers) => new Uint8Array(Float64Array.from(numbers).buffer))
  const wider = await compareTowers(vlm, await openDualEncoder(wide))
  expect(wider).toMatchObject({ outcome: 'same-values', dtypes: 'float32 and float64' })
})

test('a tower of another shape is different before any byte is read', async () => {
  const vlm = await openVlm(join(fixtureRoot, 'clip-llama'))
  const encoder = await openDualEncoder(join(fixtureRoot, 'siglip-encoder'))
  expect(await compareTowers(vlm, encoder)).toEqual({
    outcome: 'different',
    difference: { where: 'vision_config kind', expected: 'clip', found: 'siglip' },
  })
})

test('a text longer than the tower keeps its end token', async () => {
  const { config } = await openDualEncoder(join(fixtureRoot, 'clip-encoder'))
  const { endTokenId, maxPositions } = config.text
  const feeds = textFeeds(config.text, [
    [...new Array(40).fill(7), endTokenId],
    [7, endTokenId],
  ])
  expect(feeds['input_ids']?.shape).toEqual([2, maxPositions])
  expect(feeds['pooled_rows']?.values).toEqual(BigInt64Array.of(BigInt(maxPositions - 1), BigInt(maxPositions + 1)))
})
