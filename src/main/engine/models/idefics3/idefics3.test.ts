// How SmolVLM cuts pictures and writes prompts, against transformers, and configs as the hub has them, read or refused. From
// pictures to answers, and in graphs, gradients and merging, it is compared where every architecture is.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { tileGrid } from '../../image/tiling.ts'
import { describeVlm } from '../registry.ts'
import { fixtureRoot, readFixture } from '../testing/parityFixtures.ts'
import type { Idefics3Config } from './config.ts'

const scratch = mkdtempSync(join(tmpdir(), 'fisao-idefics3-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

type Grid = Readonly<Record<'tile' | 'longest' | 'width' | 'height' | 'rows' | 'columns', number>>

test('pictures of every shape have the rows and columns of transformers, in the sizes of the published models', async () => {
  const { json } = await readFixture('smolvlm-tiles')
  const grids = json['grids'] as Grid[]
  expect(grids).toHaveLength(39)
  for (const { tile, longest, rows, columns, ...size } of grids) {
    expect(tileGrid(size, { tile, longestEdge: longest, splits: true }), JSON.stringify(size)).toEqual({
      rows,
      columns,
    })
    expect(tileGrid(size, { tile, longestEdge: longest, splits: false })).toEqual({ rows: 0, columns: 0 })
  }
})

test('a prompt names the place of each tile and ends in the overview', async () => {
  const { architecture, config } = await describeVlm(join(fixtureRoot, 'smolvlm-tiles'))
  const layout = architecture.imageLayout(config, { width: 96, height: 24 })
  expect(layout).toMatchObject({ tiles: 4, rows: 16, tokens: 16 })
  const edge = '<fake_token_around_image>'
  expect(layout.promptText('.')).toBe(
    `${edge}<row_1_col_1>....${edge}<row_1_col_2>....${edge}<row_1_col_3>....\n\n${edge}<global-img>....${edge}`,
  )
  const one = architecture.imageLayout(
    { ...config, tiling: { tile: 28, longestEdge: 28, splits: true } } as typeof config,
    {
      ...{ width: 20, height: 20 },
    },
  )
  expect(one.promptText('.')).toBe(`${edge}<global-img>....${edge}`)
})

let number = 0
type Fields = Record<string, unknown>
/** A folder with the fixture's files but its weights, one of its JSON files changed. */
function folderWith(file: string, change: (fields: Fields) => void): string {
  const folder = join(scratch, `${number++}`)
  const filter = (path: string) => !/safetensors|adapter/.test(path)
  cpSync(join(fixtureRoot, 'smolvlm-tile'), folder, { recursive: true, filter })
  const path = join(folder, file)
  const fields = JSON.parse(readFileSync(path, 'utf8'))
  change(fields)
  writeFileSync(path, JSON.stringify(fields))
  return folder
}
const root = (change: Fields) => (config: Fields) => Object.assign(config, change)
const replaced = (fields: Fields) => (config: Fields) => {
  for (const field of Object.keys(config)) delete config[field]
  Object.assign(config, fields)
}
const vision = (change: Fields) => (config: Fields) => Object.assign(config['vision_config'] as Fields, change)
const text = (change: Fields) => (config: Fields) => Object.assign(config['text_config'] as Fields, change)

describe('a config', () => {
  test.each([
    [
      'SmolVLM-500M',
      vision({ hidden_size: 768, num_attention_heads: 12, image_size: 512, patch_size: 16 }),
      4,
      512,
      64,
    ],
    [
      'SmolVLM-2.2B',
      vision({ hidden_size: 1152, num_attention_heads: 16, image_size: 384, patch_size: 14 }),
      3,
      384,
      81,
    ],
  ])('of the shape of %s', async (_name, change, scale_factor, tile, rows) => {
    const folder = folderWith('config.json', (config) => {
      change(config)
      root({ scale_factor })(config)
      for (const field of ['intermediate_size', 'num_hidden_layers']) delete (config['vision_config'] as Fields)[field]
    })
    const processor = join(folder, 'preprocessor_config.json')
    const fields = JSON.parse(readFileSync(processor, 'utf8'))
    const pictures = {
      max_image_size: { longest_edge: tile },
      size: { longest_edge: 4 * tile },
      do_image_splitting: true,
    }
    writeFileSync(processor, JSON.stringify({ ...fields, ...pictures }))
    writeFileSync(join(folder, 'processor_config.json'), JSON.stringify({ image_seq_len: rows }))
    const { architecture, config } = await describeVlm(folder)
    expect(config.vision).toMatchObject({ kind: 'siglip', layers: 12, intermediateSize: 3072, activation: 'geluTanh' })
    expect((config as Idefics3Config).tiling).toEqual({ longestEdge: 4 * tile, splits: true, tile })
    const layout = architecture.imageLayout(config, { width: 640, height: 480 })
    expect(layout).toMatchObject({ tiles: 13, tokens: 13 * rows })
  })

  test.each([
    [
      'without an epsilon has that of LLaMA',
      (config: Fields) => delete (config['text_config'] as Fields)['rms_norm_eps'],
      1e-6,
    ],
    ['without a decoder has that of Idefics3', root({ text_config: null, image_token_id: 5 }), 1e-5],
  ])('%s', async (_what, change, epsilon) => {
    const { config } = await describeVlm(folderWith('config.json', change))
    expect(config.decoder).toMatchObject({ kind: 'llama', epsilon })
  })

  test.each([
    ['vision_config.model_type', vision({ model_type: 'siglip_vision_model' })],
    ['vision_config.image_size', vision({ image_size: 76 })],
    ['text_config.model_type', text({ model_type: 'gemma' })],
    ['text_config.use_resampler', text({ use_resampler: true })],
    ['text_config.qk_layer_norms', text({ qk_layer_norms: true })],
    ['text_config.rope_interleaved', text({ rope_interleaved: true })],
    ['new_field', root({ new_field: 1 })],
  ])('whose %s asks for other mathematics is refused by that name', async (field, change) => {
    await expect(describeVlm(folderWith('config.json', change))).rejects.toMatchObject({
      code: 'model.unknown-config-field',
      message: expect.stringContaining(`"${field}"`),
      remedy: 'Choose a model without it: a SmolVLM or Idefics3 model with a LLaMA decoder.',
    })
  })

  test.each([
    ['squares that the patches do not fill', 'config.json', root({ scale_factor: 2 }), 'scale_factor 2'],
    ['an image token beyond the vocabulary', 'config.json', root({ image_token_id: 392 }), 'image_token_id'],
    ['tiles of another size', 'preprocessor_config.json', root({ max_image_size: { longest_edge: 40 } }), '40'],
    ['no tiles', 'preprocessor_config.json', replaced({ crop_size: 36 }), 'Idefics3ImageProcessor'],
    ['other rows of a tile', 'processor_config.json', root({ image_seq_len: 64 }), 'image_seq_len is 64'],
    ['endless tiles', 'preprocessor_config.json', root({ size: { longest_edge: 577 } }), '16 tiles'],
  ])('with %s is a bad one', async (_what, file, change, part) => {
    await expect(describeVlm(folderWith(file, change))).rejects.toMatchObject({
      code: 'model.bad-config',
      message: expect.stringContaining(part),
    })
  })
})
