// Configs as transformers wrote them give the sizes and variants they mean; what is not computed is refused by name.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readDualEncoderConfig } from '../companion/config.ts'
import { describeVlm } from '../registry.ts'
import { fixtureRoot } from '../testing/parityFixtures.ts'
import type { LlavaConfig } from './config.ts'
import { llava } from './llava.ts'

const readVlmConfig = async (folder: string) => (await describeVlm(folder)).config as LlavaConfig

const tokensOf = (config: LlavaConfig) => llava.imageLayout(config, { width: 1, height: 1 }).tokens

const scratch = mkdtempSync(join(tmpdir(), 'fisao-config-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let number = 0
type Fields = Record<string, unknown>
/** A folder with the fixture's configs, config.json changed; `undefined` takes a field away. */
function folderWith(name: string, change: (config: Fields) => void): string {
  const folder = join(scratch, `${number++}`)
  cpSync(join(fixtureRoot, name), folder, { recursive: true, filter: (path) => !path.endsWith('.safetensors') })
  const path = join(folder, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  change(config)
  writeFileSync(path, JSON.stringify(config))
  return folder
}
const section = (name: string) => (change: Fields) => (config: Fields) => {
  Object.assign(config[name] as Fields, change)
  return config
}
const [text, vision] = [section('text_config'), section('vision_config')]
const root = (change: Fields) => (config: Fields) => Object.assign(config, change)

test('a LLaMA of transformers 4 with defaults left out', async () => {
  const config = await readVlmConfig(join(fixtureRoot, 'clip-llama'))
  expect(config.decoder).toMatchObject({ kind: 'llama', heads: 4, kvHeads: 2, headDim: 12, tied: false })
  expect(config.decoder.biases).toEqual({ qkv: false, o: false, mlp: false })
  expect(config.vision).toMatchObject({ kind: 'clip', activation: 'quickGelu', epsilon: 1e-5 })
  expect(tokensOf(config)).toBe(9)
  expect(config).toMatchObject({ featureLayers: [-2], imageTokenId: 400, endTokenIds: [2] })
})

test('a Qwen2 of transformers 5: biases, tied embeddings, two end tokens', async () => {
  const config = await readVlmConfig(join(fixtureRoot, 'siglip-qwen2'))
  expect(config.decoder).toMatchObject({ kind: 'qwen2', tied: true, rope: { type: 'default', theta: 1e6 } })
  expect(config.decoder.biases).toEqual({ qkv: true, o: false, mlp: false })
  expect(config.decoder.windows).toEqual([null, null])
  expect(tokensOf(config)).toBe(16)
  expect(config).toMatchObject({ featureStrategy: 'full', endTokenIds: [402, 400] })
})

test('a Mistral keeps its window in every layer; a Qwen2 with windows keeps them in the upper ones', async () => {
  expect((await readVlmConfig(join(fixtureRoot, 'clip-mistral'))).decoder.windows).toEqual([11, 11])
  const change = { use_sliding_window: true, sliding_window: 8, max_window_layers: 1, layer_types: null }
  expect((await readVlmConfig(folderWith('siglip-qwen2', text(change)))).decoder.windows).toEqual([null, 8])
})

test('several feature layers, and the class token kept', async () => {
  const folder = folderWith(
    'clip-llama',
    root({ vision_feature_layer: [-2, 1], vision_feature_select_strategy: 'full' }),
  )
  const config = await readVlmConfig(folder)
  expect(config).toMatchObject({ featureLayers: [-2, 1] })
  expect(tokensOf(config)).toBe(10)
})

test('companions', async () => {
  expect(await readDualEncoderConfig(join(fixtureRoot, 'clip-encoder'))).toMatchObject({
    kind: 'clip',
    projectionSize: 24,
    text: { maxPositions: 16, endTokenId: 621 },
  })
  expect(await readDualEncoderConfig(join(fixtureRoot, 'siglip-encoder'))).toMatchObject({
    kind: 'siglip',
    projectionSize: 40,
    vision: { hasHead: true },
  })
})

describe('what would change the mathematics is refused by the name of its field', () => {
  test.each([
    ['clip-llama', 'model_type', root({ model_type: 'llava_next' })],
    ['clip-llama', 'image_grid_pinpoints', root({ image_grid_pinpoints: [[336, 672]] })],
    ['clip-llama', 'text_config.model_type', text({ model_type: 'gemma' })],
    ['clip-llama', 'text_config.attn_logit_softcapping', text({ attn_logit_softcapping: 50 })],
    ['clip-llama', 'text_config.hidden_act', text({ hidden_act: 'xielu' })],
    ['clip-llama', 'text_config.residual_multiplier', text({ residual_multiplier: 0.22 })],
    ['clip-llama', 'text_config.partial_rotary_factor', text({ partial_rotary_factor: 0.5 })],
    ['clip-llama', 'text_config.num_local_experts', text({ num_local_experts: 8 })],
    ['clip-llama', 'unslothed', root({ unslothed: true })],
    ['clip-llama', 'text_config.my_attn_', text({ my_attn_: 'x' })],
    ['clip-llama', 'vision_config.model_type', vision({ model_type: 'dinov2' })],
    ['clip-llama', 'vision_config.num_registers', vision({ num_registers: 4 })],
    ['siglip-qwen2', 'vision_feature_select_strategy', root({ vision_feature_select_strategy: 'default' })],
  ])('%s: %s', async (name, field, change) => {
    await expect(readVlmConfig(folderWith(name, change))).rejects.toMatchObject({
      code: 'model.unknown-config-field',
      message: expect.stringContaining(`"${field}"`),
    })
  })
})

// Each was written by a tool that people use, or is what transformers writes where nothing is meant; transformers 5.24 gives
// the same logits with it as without.
describe('what changes nothing is passed over', () => {
  test.each([
    ['unsloth', root({ unsloth_fixed: true, unsloth_version: '2025.1.1' })],
    ['how attention is carried out', root({ _attn_implementation: 'flash_attention_2' })],
    ['the same in a section', text({ _flash_attn_2_enabled: true, _attn_implementation_internal: 'sdpa' })],
    ['code of its own', root({ auto_map: { AutoConfig: 'configuration_x.X' } })],
    ['for the browser', root({ 'transformers.js_config': { dtype: 'q4' } })],
    ['what a training noted', text({ max_sequence_length: 4096, tokenizer_padding_side: 'right' })],
    ['dropout', text({ resid_pdrop: 0.1, hidden_dropout_prob: 0.1, ffn_dropout: 0.2 })],
    ['factors of 1', text({ residual_multiplier: 1, embedding_multiplier: 1.0, logits_scaling: 1 })],
    ['a rotation of all numbers', text({ partial_rotary_factor: 1.0 })],
    ['no experts and no registers', (config: Fields) => vision({ num_registers: 0 })(text({ num_experts: 0 })(config))],
  ])('%s', async (_what, change) => {
    const plain = await readVlmConfig(folderWith('clip-llama', () => undefined))
    expect(await readVlmConfig(folderWith('clip-llama', (config) => void change(config)))).toEqual(plain)
  })
})

describe('a quantised model says so and by whom', () => {
  test.each([
    ['bitsandbytes to 4 bits', root({ quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } })],
    ['AWQ to 4 bits', root({ quantization_config: { quant_method: 'awq', bits: 4 } })],
    ['GPTQ to 8 bits', text({ quantization_config: { quant_method: 'gptq', bits: 8 } })],
    ['MLX to 4 bits', root({ quantization: { group_size: 64, bits: 4 } })],
    ['compressed-tensors', root({ quantization_config: { quant_method: 'compressed-tensors' } })],
    ['quantised to 4 bits', text({ quantization_config: { bits: 4 } })],
  ])('%s', async (words, change) => {
    await expect(readVlmConfig(folderWith('clip-llama', change))).rejects.toMatchObject({
      code: 'model.quantised',
      message: expect.stringContaining(words),
      remedy: expect.stringContaining('the model that it was made of'),
    })
  })
})

describe('sizes that cannot be are a bad config', () => {
  test.each([
    ['heads that share no key', text({ num_key_value_heads: 3 })],
    ['a width of an odd head', text({ head_dim: 7 })],
    ['no layers', text({ num_hidden_layers: 0 })],
    ['a vocabulary of text', text({ vocab_size: 'many' })],
    ['a hidden width beyond any model', text({ hidden_size: 1e9 })],
    ['an image token outside of the vocabulary', root({ image_token_index: 5000 })],
    ['a feature layer that the tower lacks', root({ vision_feature_layer: -9 })],
    ['patches larger than the image', vision({ patch_size: 64 })],
    ['a width that heads do not divide', vision({ hidden_size: 33 })],
  ])('%s', async (_name, change) => {
    await expect(readVlmConfig(folderWith('clip-llama', change))).rejects.toMatchObject({ code: 'model.bad-config' })
  })

  test('a file that is not there, or not JSON', async () => {
    await expect(readVlmConfig(join(scratch, 'none'))).rejects.toMatchObject({ code: 'model.missing-file' })
    const folder = folderWith('clip-llama', () => undefined)
    writeFileSync(join(folder, 'config.json'), '{"model_type": "llava", ')
    await expect(readVlmConfig(folder)).rejects.toMatchObject({ code: 'model.bad-config' })
  })
})
