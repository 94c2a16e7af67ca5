// Pixel values against transformers' PIL image processors, and configs that ask for what is not computed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { fixtureRoot, floats, maxDifference, readFixture } from '../models/testing/parityFixtures.ts'
import { ImageProcessor, openImageProcessor, resizedSize } from './imageProcessor.ts'
import { readImageProcessorConfig } from './imageProcessorConfig.ts'
import type { RgbImage } from './resample.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-processor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let number = 0
function modelFolder(files: Readonly<Record<string, unknown>>): string {
  const made = join(folder, `${number++}`)
  mkdirSync(made)
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(made, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return made
}

const clip = { image_processor_type: 'CLIPImageProcessor' }
const siglip = { image_processor_type: 'SiglipImageProcessor' }
const configOf = (config: object) => readImageProcessorConfig(modelFolder({ 'preprocessor_config.json': config }))

describe('pixel values of the fixtures are those of transformers', () => {
  test.each([
    'clip-llama',
    'siglip-qwen2',
    'clip-mistral',
    'clip-llama-bf16',
    'clip-llama-linear',
    'clip-encoder',
    'siglip-encoder',
  ])('%s', async (name) => {
    const fixture = await readFixture(name)
    const { shape } = fixture.get('pixel_values')
    const processor = await openImageProcessor(fixture.folder)
    const perImage = 3 * processor.size.width * processor.size.height
    const batch = new Float32Array(2 * perImage)
    for (const [i, file] of ['wide.png', 'tall.png'].entries()) {
      const place = batch.subarray(i * perImage, (i + 1) * perImage)
      await processor.pixelsOfFile(join(fixtureRoot, 'images', file), { into: place })
    }
    expect([2, 3, processor.size.height, processor.size.width]).toEqual(shape)
    expect(maxDifference(batch, floats(fixture.get('pixel_values')))).toBe(0)
  })
})

describe('a config', () => {
  test('that says nothing has the defaults of its class', async () => {
    expect(await configOf(clip)).toEqual({
      resize: { shortestEdge: 224 },
      filter: 'bicubic',
      crop: { width: 224, height: 224 },
      rescale: 1 / 255,
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
      output: { width: 224, height: 224 },
    })
    expect(await configOf(siglip)).toMatchObject({
      resize: { width: 224, height: 224 },
      crop: null,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    })
    expect(await configOf({ ...siglip, size: null, do_center_crop: null })).toEqual(await configOf(siglip))
  })

  test('of Idefics3 and SmolVLM cuts into tiles, with the defaults of their class', async () => {
    const idefics3 = await configOf({ image_processor_type: 'Idefics3ImageProcessor' })
    expect(idefics3).toEqual({
      resize: { width: 364, height: 364 },
      filter: 'lanczos',
      crop: null,
      rescale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      output: { width: 364, height: 364 },
      tiling: { longestEdge: 1456, splits: true, tile: 364 },
    })
    expect(await configOf({ image_processor_type: 'SmolVLMImageProcessorFast', do_image_splitting: null })).toEqual(
      idefics3,
    )
    const given = { image_processor_type: 'SmolVLMImageProcessor', do_resize: false, resample: 3, do_normalize: false }
    expect(await configOf(given)).toMatchObject({ filter: 'bicubic', mean: null, tiling: { longestEdge: null } })
    await expect(configOf({ ...given, size: { shortest_edge: 64 } })).rejects.toMatchObject({
      code: 'model.bad-config',
    })
    await expect(configOf({ ...given, crop_pct: 1 })).rejects.toMatchObject({ code: 'model.unknown-config-field' })
  })

  test('of LLaVA-NeXT and LLaVA-OneVision fits into the best of their sizes, with the defaults of their class', async () => {
    const onevision = { image_processor_type: 'LlavaOnevisionImageProcessor' }
    expect(await configOf(onevision)).toMatchObject({
      ...{
        resize: { width: 384, height: 384 },
        filter: 'bicubic',
        crop: null,
        mean: [0.48145466, 0.4578275, 0.40821073],
      },
      output: { width: 384, height: 384 },
      anyResolution: {
        tile: 384,
        sizes: { length: 36, 1: { width: 768, height: 384 }, 35: { width: 2304, height: 2304 } },
      },
    })
    // As llava-v1.6-mistral-7b-hf has it; its class alone has tiles of 224 pixels, which its own sizes are not made of.
    const next = { image_processor_type: 'LlavaNextImageProcessorFast', aspect_ratio_setting: 'anyres', do_pad: true }
    expect(
      await configOf({ ...next, size: { shortest_edge: 336 }, crop_size: { height: 336, width: 336 } }),
    ).toMatchObject({
      anyResolution: {
        tile: 336,
        sizes: { length: 5, 0: { width: 672, height: 336 }, 4: { width: 1008, height: 336 } },
      },
    })
    await expect(configOf(next)).rejects.toMatchObject({ code: 'model.bad-config' })
    await expect(configOf({ ...onevision, aspect_ratio_setting: 'pad' })).rejects.toMatchObject({
      ...{ code: 'model.bad-config', message: expect.stringContaining('aspect_ratio_setting') },
    })
  })

  test.each([
    ['CLIPImageProcessorFast', 'CLIPImageProcessor'],
    ['CLIPImageProcessorPil', 'CLIPImageProcessor'],
    ['CLIPFeatureExtractor', 'CLIPImageProcessor'],
    ['SiglipImageProcessorFast', 'SiglipImageProcessor'],
    ['SiglipImageProcessorPil', 'SiglipImageProcessor'],
  ])('of %s is one of %s', async (spelling, name) => {
    expect(await configOf({ image_processor_type: spelling })).toEqual(await configOf({ image_processor_type: name }))
  })

  test('in the oldest spelling, with bare numbers', async () => {
    const old = { feature_extractor_type: 'CLIPFeatureExtractor', size: 336, crop_size: 336, resample: 2 }
    expect(await configOf(old)).toMatchObject({
      resize: { shortestEdge: 336 },
      crop: { width: 336, height: 336 },
      filter: 'bilinear',
    })
    expect(await configOf({ ...old, default_to_square: true })).toMatchObject({ resize: { width: 336, height: 336 } })
  })

  test('of transformers 5, inside processor_config.json, comes before preprocessor_config.json', async () => {
    const both = modelFolder({
      'processor_config.json': { processor_class: 'LlavaProcessor', image_processor: { ...siglip, resample: 0 } },
      'preprocessor_config.json': clip,
    })
    expect(await readImageProcessorConfig(both)).toMatchObject({ filter: 'nearest', crop: null })
    const older = modelFolder({ 'processor_config.json': { patch_size: 14 }, 'preprocessor_config.json': clip })
    expect((await readImageProcessorConfig(older)).crop).toEqual({ width: 224, height: 224 })
  })

  test('without rescaling or normalising leaves the levels', async () => {
    const white: RgbImage = { width: 2, height: 1, pixels: Uint8Array.of(255, 255, 255, 10, 20, 30) }
    const plain = { ...siglip, size: { height: 1, width: 2 }, do_normalize: false }
    const levels = new ImageProcessor(await configOf({ ...plain, do_rescale: false }))
    expect([...levels.pixelValues(white)]).toEqual([255, 10, 255, 20, 255, 30])
    const shares = new ImageProcessor(await configOf({ ...plain, rescale_factor: 0.5 }))
    expect([...shares.pixelValues(white)]).toEqual([127.5, 5, 127.5, 10, 127.5, 15])
  })
})

test('a picture that is fitted into tiles stands in their middle, black around it', async () => {
  const config = {
    ...{ image_processor_type: 'LlavaOnevisionImageProcessor', do_normalize: false, do_rescale: false },
    ...{ size: { height: 2, width: 2 }, image_grid_pinpoints: [[6, 6]] },
  }
  const processor = new ImageProcessor(await configOf(config))
  const white: RgbImage = { width: 6, height: 1, pixels: new Uint8Array(18).fill(255) }
  // 6 x 1 into 6 x 6: its line is the third of six, the first of the second row of tiles.
  const [black, line] = [new Array(12).fill(0), [255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0]]
  const rows = [black, line, black].flatMap((tile) => [tile, tile, tile])
  expect([...processor.pixelValues(white)]).toEqual([new Array(12).fill(255), ...rows].flat())
})

describe('a config that asks for other pixels is refused by the name of its field', () => {
  test.each([
    ['image_processor_type', { image_processor_type: 'ViTImageProcessor' }],
    ['image_processor_type', { image_processor_type: 'LlavaNextVideoImageProcessor' }],
    ['do_pad', { ...clip, do_pad: true }],
    ['image_grid_pinpoints', { ...clip, image_grid_pinpoints: [[336, 672]] }],
    ['do_flip_channel_order', { ...clip, do_flip_channel_order: true }],
    ['rescale_offset', { ...clip, rescale_offset: true }],
    ['size', { ...siglip, size: 384 }],
    ['do_center_crop', { ...clip, do_center_crop: false }],
  ])('%s', async (field, config) => {
    await expect(configOf(config)).rejects.toMatchObject({
      code: 'model.unknown-config-field',
      message: expect.stringContaining(field),
    })
  })

  test.each([
    ['size', { ...clip, size: { shortest_edge: 1e9 } }],
    ['size', { ...clip, size: { longest_edge: 336 } }],
    ['size', { ...clip, size: { height: 0, width: 4 } }],
    ['crop_size', { ...clip, crop_size: 'large' }],
    ['crop_size', { ...siglip, do_center_crop: true }],
    ['resample', { ...clip, resample: 6 }],
    ['image_mean', { ...clip, image_mean: [0.5, 0.5] }],
    ['image_std', { ...clip, image_std: 0 }],
    ['rescale_factor', { ...clip, rescale_factor: -1 }],
    ['do_resize', { ...clip, do_resize: 'yes' }],
    ['data_format', { ...clip, data_format: 'channels_last' }],
  ])('%s of a wrong kind', async (field, config) => {
    await expect(configOf(config)).rejects.toMatchObject({
      code: 'model.bad-config',
      message: expect.stringContaining(field),
    })
  })

  test.each([
    ['a list', '[]'],
    ['no JSON', '{'],
  ])('%s', async (_name, text) => {
    const made = modelFolder({ 'preprocessor_config.json': text })
    await expect(readImageProcessorConfig(made)).rejects.toMatchObject({ code: 'model.bad-config' })
    const nested = modelFolder({ 'processor_config.json': { image_processor: 7 }, 'preprocessor_config.json': clip })
    await expect(readImageProcessorConfig(nested)).rejects.toMatchObject({ code: 'model.bad-config' })
  })

  test('an empty file, as a download leaves it that did not finish', async () => {
    const made = modelFolder({ 'preprocessor_config.json': '' })
    await expect(readImageProcessorConfig(made)).rejects.toMatchObject({ code: 'model.stand-in' })
  })

  test('a folder without any', async () => {
    await expect(readImageProcessorConfig(modelFolder({}))).rejects.toMatchObject({ code: 'model.missing-file' })
  })
})

test('a picture that is smaller than the crop lies in its middle, on black as normalised', async () => {
  const grey = (width: number, height: number): RgbImage => ({
    width,
    height,
    pixels: new Uint8Array(width * height * 3).fill(255),
  })
  const config = { ...clip, do_resize: false, crop_size: { height: 4, width: 5 }, image_mean: 0.5, image_std: 0.5 }
  const processor = new ImageProcessor(await configOf(config))
  const rows = (values: Float32Array) =>
    [0, 1, 2, 3].map((y) => [...values.subarray(y * 5, y * 5 + 5)].map((x) => (x > 0 ? 1 : x)))
  // Of an odd border the larger part stands before the picture.
  expect(rows(processor.pixelValues(grey(2, 1)))).toEqual([
    [-1, -1, -1, -1, -1],
    [-1, -1, -1, -1, -1],
    [-1, -1, 1, 1, -1],
    [-1, -1, -1, -1, -1],
  ])
  // As wide as the crop and not as high: the border is black whatever the array held before.
  const into = new Float32Array(60).fill(7)
  expect(rows(processor.pixelValues(grey(5, 2), into))).toEqual([
    [-1, -1, -1, -1, -1],
    [1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1],
    [-1, -1, -1, -1, -1],
  ])
})

test('a file that is not the one that was registered is refused', async () => {
  const processor = new ImageProcessor(await configOf(clip))
  const file = join(fixtureRoot, 'images', 'wide.png')
  await expect(processor.pixelsOfFile(file, { sha256: '0'.repeat(64) })).rejects.toMatchObject({
    name: 'StudioError',
  })
})

test('the long side is cut to whole pixels', () => {
  expect(resizedSize({ width: 640, height: 480 }, { shortestEdge: 224 })).toEqual({ width: 298, height: 224 })
  expect(resizedSize({ width: 90, height: 60 }, { shortestEdge: 42 })).toEqual({ width: 63, height: 42 })
  expect(resizedSize({ width: 40, height: 75 }, { shortestEdge: 50 })).toEqual({ width: 50, height: 93 })
})

test('a picture of one colour stays of that colour under any resize and crop that it fills (100 cases)', async () => {
  const side = fc.integer({ min: 1, max: 60 })
  await fc.assert(
    fc.asyncProperty(side, side, side, fc.nat(5), fc.nat(255), async (width, height, edge, resample, level) => {
      const config = { ...clip, size: { shortest_edge: edge }, crop_size: edge, resample, do_normalize: false }
      const processor = new ImageProcessor(await configOf({ ...config, do_rescale: false }))
      const values = processor.pixelValues({ width, height, pixels: new Uint8Array(width * height * 3).fill(level) })
      expect(new Set(values)).toEqual(new Set([level]))
    }),
    { numRuns: 100, seed: 20260 },
  )
})

describe('where the result lies over the picture', () => {
  const cropped = { ...clip, do_normalize: false }
  const padded = { ...clip, do_resize: false, do_normalize: false, crop_size: { height: 8, width: 8 } }

  test.each([
    // 400 x 200 becomes 448 x 224, of which the middle 224 are seen.
    ['a wide picture, cut at both sides', cropped, [400, 200], [0.25, 0, 0.5, 1]],
    ['a tall picture, cut above and below', cropped, [200, 400], [0, 0.25, 1, 0.5]],
    // 224 x 225: of one line too many the last is cut off.
    ['a picture a little too tall', cropped, [224, 225], [0, 0, 1, 224 / 225]],
    ['a picture that is squeezed into the square', siglip, [400, 200], [0, 0, 1, 1]],
    ['a picture with black bars above and below', padded, [8, 4], [0, -0.5, 1, 2]],
    ['a picture smaller than the square', padded, [4, 2], [-0.5, -1.5, 2, 4]],
  ])('%s', async (_, config, [width, height], [x, y, wide, high]) => {
    const processor = new ImageProcessor(await configOf(config))
    const frame = processor.frameOf({ width: width as number, height: height as number })
    expect(frame).toEqual({ x, y, width: wide, height: high })
  })

  test.each([
    [cropped, 300, 201],
    [cropped, 97, 260],
    [siglip, 300, 120],
    [padded, 7, 5],
    [padded, 20, 9],
  ])('a bright spot is found again where the frame of %j says, in %i x %i pixels', async (config, width, height) => {
    const processor = new ImageProcessor(await configOf(config))
    const frame = processor.frameOf({ width, height })
    const spot = { x: Math.floor(width * 0.55), y: Math.floor(height * 0.45) }
    const pixels = new Uint8Array(3 * width * height)
    // A spot of some pixels, so that no filter loses it.
    for (const [dx, dy] of [-1, 0, 1].flatMap((a) => [-1, 0, 1].map((b) => [a, b] as const))) {
      pixels.fill(255, 3 * ((spot.y + dy) * width + spot.x + dx), 3 * ((spot.y + dy) * width + spot.x + dx) + 3)
    }
    const values = processor.pixelValues({ width, height, pixels })
    const { width: side, height: rows } = processor.size
    const plane = values.subarray(0, side * rows)
    const darkest = Math.min(...plane)
    let [sum, sumX, sumY] = [0, 0, 0]
    plane.forEach((value, at) => {
      const weight = Math.max(0, value - darkest - 1e-3)
      sum += weight
      sumX += weight * ((at % side) + 0.5)
      sumY += weight * (Math.floor(at / side) + 0.5)
    })
    const foundX = (frame.x + (frame.width * sumX) / sum / side) * width
    const foundY = (frame.y + (frame.height * sumY) / sum / rows) * height
    expect(Math.abs(foundX - spot.x - 0.5)).toBeLessThan(0.6)
    expect(Math.abs(foundY - spot.y - 0.5)).toBeLessThan(0.6)
  })
})
