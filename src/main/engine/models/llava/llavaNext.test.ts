// How LLaVA-NeXT, LLaVA-OneVision and ViP-LLaVA cut pictures and count their rows, against transformers, and configs as the hub
// has them, read or refused. From pictures to answers, and in graphs, gradients and merging, they are compared where every
// architecture is.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { bestSize } from '../../image/anyResolution.ts'
import { defaultPinpoints, sizesOfTiles } from '../../image/gridPinpoints.ts'
import { describeVlm } from '../registry.ts'
import { changedFolder } from '../testing/changedFolder.ts'
import { fixtureRoot, readFixture } from '../testing/parityFixtures.ts'
import { openVlm } from '../vlm.ts'
import type { LlavaNextConfig } from './llavaNextConfig.ts'
import { arrangeRows, countRows, type TileRows } from './tileRows.ts'
import type { VipLlavaConfig } from './vipLlavaConfig.ts'

const scratch = mkdtempSync(join(tmpdir(), 'fisao-llava-next-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

type Counted = Readonly<Record<'width' | 'height' | 'tiles' | 'tokens', number>>

test.each([
  ['llava-next', defaultPinpoints.llavaNext, 336, 24, null],
  ['llava-onevision', defaultPinpoints.llavaOnevision, 384, 27, 9],
] as const)(
  'pictures of every shape have the tiles and tokens of transformers in the size of the published %s',
  async (name, pinpoints, tile, patches, mostTiles) => {
    const { json } = await readFixture(name)
    const layouts = json['layouts'] as Counted[]
    expect(layouts.length).toBe(29)
    const anyResolution = { sizes: sizesOfTiles('', pinpoints, tile), tile }
    for (const { tiles, tokens, ...size } of layouts) {
      expect(countRows(size, { anyResolution, patches, mostTiles }), JSON.stringify(size)).toEqual({
        tiles,
        rows: tokens,
      })
    }
  },
)

test('of sizes that keep a picture whole the one with least beside it is taken, of equal ones the first', () => {
  const square = (side: number) => ({ width: side, height: side })
  const sizes = [square(30), { width: 20, height: 10 }, { width: 10, height: 20 }, square(20)]
  expect(bestSize(square(20), { tile: 10, sizes })).toEqual(square(20))
  expect(bestSize(square(10), { tile: 10, sizes })).toBe(sizes[1])
})

describe('the rows of a picture', () => {
  /** Two tiles of two patches a side, beside each other or one above the other. */
  const anyResolution = { tile: 10, sizes: [{ width: 20, height: 10 }, { width: 10, height: 20 }] } // biome-ignore format: one line
  const tileRows: TileRows = { anyResolution, patches: 2, mostTiles: null }
  /** Overview 1 to 4, then the tiles 11 to 14 and 21 to 24. */
  const features = Float32Array.of(1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24)
  const arranged = (width: number, height: number, more: Partial<TileRows> = {}) => [
    ...arrangeRows({ width, height }, { ...tileRows, ...more }, features, Float32Array.of(9)),
  ]

  test('follow each other across tiles, each line with its end', () => {
    expect(arranged(20, 10)).toEqual([1, 2, 3, 4, 11, 12, 21, 22, 9, 13, 14, 23, 24, 9])
    expect(arranged(10, 20)).toEqual([1, 2, 3, 4, 11, 12, 9, 13, 14, 9, 21, 22, 9, 23, 24, 9])
  })

  test('lack what shows nothing but black', () => {
    // 30 x 30 is fitted as 10 x 10 into the middle of 20 x 10: of four columns the inner two.
    expect(arranged(30, 30)).toEqual([1, 2, 3, 4, 12, 21, 9, 14, 23, 9])
    // 900 x 1 is fitted as 20 x 1: none of its patches is whole.
    expect(arranged(900, 1)).toEqual([1, 2, 3, 4])
  })

  test('are shrunk where they are more than those of so many tiles', () => {
    // Eight patches where four are allowed: √2 fewer a side, so 1 line of 2; (11 + 12 + 13 + 14) / 4, halfway between all four.
    expect(arranged(20, 10, { mostTiles: 1 })).toEqual([1, 2, 3, 4, 12.5, 22.5, 9])
    // Within a tenth a side they stay.
    expect(arranged(20, 10, { mostTiles: 2 })).toHaveLength(14)
  })
})

test('a checkpoint without the ends of lines is refused by the name of their tensor', async () => {
  const folder = join(scratch, 'endless')
  await changedFolder(join(fixtureRoot, 'llava-next'), folder, { tensors: (all) => all.delete('image_newline') })
  await expect(openVlm(folder)).rejects.toMatchObject({
    code: 'weights.missing-tensor',
    message: expect.stringContaining('image_newline'),
  })
})

let number = 0
type Fields = Record<string, unknown>
/** A folder with the fixture's files but its weights, one of its JSON files changed. */
function folderWith(fixture: string, file: string, change: (fields: Fields) => void): string {
  const folder = join(scratch, `${number++}`)
  const filter = (path: string) => !/safetensors|adapter/.test(path)
  cpSync(join(fixtureRoot, fixture), folder, { recursive: true, filter })
  const path = join(folder, file)
  const fields = JSON.parse(readFileSync(path, 'utf8'))
  change(fields)
  writeFileSync(path, JSON.stringify(fields))
  return folder
}
const root = (change: Fields) => (config: Fields) => Object.assign(config, change)
const vision = (change: Fields) => (config: Fields) => Object.assign(config['vision_config'] as Fields, change)
const remedy = 'Choose a model without it: a LLaVA model with a CLIP or SigLIP tower'

describe('a config', () => {
  test('of LLaVA-1.6 that leaves its fields to the defaults', async () => {
    const folder = folderWith('llava-next', 'config.json', (config) => {
      for (const field of Object.keys(config)) if (!/^(architectures|text_config)$/.test(field)) delete config[field]
      config['image_token_index'] = 5
    })
    writeFileSync(join(folder, 'processor_config.json'), '{}')
    const path = join(folder, 'preprocessor_config.json')
    writeFileSync(path, '{"image_processor_type": "LlavaNextImageProcessor", "size": 336, "crop_size": 336}')
    const { architecture, config } = await describeVlm(folder)
    const own = config as LlavaNextConfig
    expect(own).toMatchObject({ featureLayers: [-2], featureStrategy: 'default', mostTiles: null })
    expect(own.vision).toMatchObject({ kind: 'clip', imageSize: 336, patchSize: 14, layers: 24, hiddenSize: 1024 })
    expect(own.anyResolution.sizes.map(({ height, width }) => [height, width])).toEqual(defaultPinpoints.llavaNext)
    expect(architecture.imageLayout(config, { width: 640, height: 480 })).toMatchObject({ tiles: 5, tokens: 2340 })
    expect(architecture.nearestEncoder?.(config)).toBe('openai/clip-vit-large-patch14-336')
  })

  test('of LLaVA-OneVision that leaves its fields to the defaults', async () => {
    const folder = folderWith('llava-onevision', 'config.json', (config) => {
      for (const field of Object.keys(config)) if (!/^(architectures|text_config)$/.test(field)) delete config[field]
      config['image_token_index'] = 5
    })
    writeFileSync(join(folder, 'processor_config.json'), '{}')
    writeFileSync(
      join(folder, 'preprocessor_config.json'),
      '{"image_processor_type": "LlavaOnevisionImageProcessorFast"}',
    )
    const { architecture, config } = await describeVlm(folder)
    const own = config as LlavaNextConfig
    expect(own).toMatchObject({ featureLayers: [-1], featureStrategy: 'full', mostTiles: 9 })
    expect(own.vision).toMatchObject({ kind: 'siglip', imageSize: 384, patchSize: 14, layers: 26, hiddenSize: 1152 })
    expect(own.anyResolution.sizes).toHaveLength(36)
    expect(architecture.imageLayout(config, { width: 640, height: 480 })).toMatchObject({ tiles: 5, tokens: 2929 })
    expect(architecture.nearestEncoder?.(config)).toBe('google/siglip-so400m-patch14-384')
  })

  test('of ViP-LLaVA takes its layers by the name of either version, and five by default', async () => {
    const layers = async (change: Fields) => {
      const folder = folderWith('vip-llava', 'config.json', (config) => {
        delete config['vision_feature_layers']
        vision({ num_hidden_layers: 12 })(config)
        root(change)(config)
      })
      return ((await describeVlm(folder)).config as VipLlavaConfig).featureLayers
    }
    expect(await layers({ vision_feature_layers: [-2, -5] })).toEqual([-2, -5])
    expect(await layers({ vision_feature_layer: -3 })).toEqual([-3])
    expect(await layers({})).toEqual([-2, -5, -8, -11, 6])
  })

  test.each([
    ['llava-next', 'vision_feature_select_strategy', root({ vision_feature_select_strategy: 'full' })],
    ['llava-next', 'mm_patch_merge_type', root({ mm_patch_merge_type: 'flat' })],
    ['llava-next', 'projector_hidden_act', root({ projector_hidden_act: 'mish' })],
    ['llava-onevision', 'vision_feature_select_strategy', root({ vision_feature_select_strategy: 'default' })],
    ['llava-onevision', 'vision_aspect_ratio', root({ vision_aspect_ratio: 'anyres' })],
    ['llava-onevision', 'vision_config.model_type', vision({ model_type: 'siglip2_vision_model' })],
    ['vip-llava', 'vision_config.model_type', vision({ model_type: 'siglip_vision_model' })],
    ['vip-llava', 'vision_feature_select_strategy', root({ vision_feature_select_strategy: 'full' })],
    ['vip-llava', 'multimodal_projector_bias', root({ multimodal_projector_bias: 'none' })],
  ])('of %s whose %s asks for other mathematics is refused by that name', async (fixture, field, change) => {
    await expect(describeVlm(folderWith(fixture, 'config.json', change))).rejects.toMatchObject({
      code: 'model.unknown-config-field',
      message: expect.stringContaining(`"${field}"`),
      remedy: expect.stringContaining(remedy),
    })
  })

  const [config, pictures, processor] = ['config.json', 'preprocessor_config.json', 'processor_config.json']
  test.each([
    [
      'an unknown strategy',
      'llava-next',
      config,
      { vision_feature_select_strategy: 'cls' },
      'vision_feature_select_strategy',
    ],
    ['no end of lines', 'llava-next', config, { use_image_newline_parameter: false }, 'use_image_newline_parameter'],
    ['a layer that is none', 'llava-next', config, { vision_feature_layer: 4 }, 'vision_feature_layer 4'],
    ['sizes that are no tiles', 'llava-next', config, { image_grid_pinpoints: [[21, 43]] }, '21 x 43'],
    ['sizes of too many tiles', 'llava-next', config, { image_grid_pinpoints: [[21, 357]] }, 'up to 16 tiles'],
    [
      'other sizes',
      'llava-next',
      config,
      { image_grid_pinpoints: [[21, 42]] },
      'Number 2 of its image_grid_pinpoints is 42 x 21, that of config.json is none',
    ],
    [
      'sizes in another order',
      'llava-next',
      pictures,
      { image_grid_pinpoints: [[42, 21]] },
      'is 42 x 21, that of config.json is 21 x 42',
    ],
    ['no sizes', 'llava-next', pictures, { image_grid_pinpoints: [] }, 'image_grid_pinpoints'],
    ['another crop than size', 'llava-next', pictures, { crop_size: 42 }, '21 x 21 and 42 x 42'],
    ['no square', 'llava-onevision', pictures, { size: { height: 21, width: 42 } }, '42 x 21'],
    [
      'tiles of another size',
      'llava-onevision',
      pictures,
      { size: { height: 7, width: 7 }, image_grid_pinpoints: [[7, 7]] },
      "image tower's image_size is 21",
    ],
    [
      'whole pictures',
      'llava-onevision',
      pictures,
      { image_processor_type: 'SiglipImageProcessor', image_grid_pinpoints: null, do_pad: null },
      'LlavaOnevisionImageProcessor',
    ],
    ['other patches', 'llava-next', processor, { patch_size: 14 }, 'patch_size is 14, but that of the model is 7'],
    ['other places', 'llava-onevision', processor, { num_image_tokens: 9 }, 'num_image_tokens is 9'],
    ['another shrinking', 'llava-onevision', processor, { vision_aspect_ratio: 'anyres_max_4' }, 'anyres_max_4'],
  ] as const)('with %s is a bad one', async (_what, fixture, file, change, part) => {
    await expect(describeVlm(folderWith(fixture, file, root(change)))).rejects.toMatchObject({
      code: 'model.bad-config',
      message: expect.stringContaining(part),
    })
  })
})
