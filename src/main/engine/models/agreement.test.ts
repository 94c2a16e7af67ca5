// Two files, one fact: what transformers makes of folders whose files disagree (tools/parity/make_folder_facts.py), and
// what is refused at the check because a run would fail or answer blindly.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openWeights } from '../folder/weights.ts'
import { floatsOf } from '../graph/tensor.ts'
import { openImageProcessor } from '../image/imageProcessor.ts'
import { openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer } from '../text/tokenizer.ts'
import { requireAgreement, requireEncoderAgreement, requirePrompt } from './agreement.ts'
import { openDualEncoder } from './companion/encoder.ts'
import { compareTowers } from './companion/towerComparison.ts'
import { describeVlm } from './registry.ts'
import { type Change, changedFolder, type Fields } from './testing/changedFolder.ts'
import { fixtureRoot, floats, maxDifference } from './testing/parityFixtures.ts'
import { at, openSequenceCase, runResponse } from './testing/sequenceCase.ts'
import { openVlm } from './vlm.ts'

interface Facts {
  readonly logits: Readonly<Record<string, number>>
  readonly table_logits: number
  readonly harmless: Readonly<Record<string, Fields>>
  readonly question: string
  readonly prompts: readonly { readonly what: string; readonly chat_template: string; readonly input_ids: number[] }[]
}
const facts = JSON.parse(readFileSync(join(fixtureRoot, 'folder-facts/expected.json'), 'utf8')) as Facts

const scratch = mkdtempSync(join(tmpdir(), 'fisao-agreement-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
let number = 0
async function folderOf(name: string, change: Change): Promise<string> {
  const folder = join(scratch, `${number++}`)
  await changedFolder(join(fixtureRoot, name), folder, change)
  return folder
}
const config = (change: (fields: Fields) => void): Change => ({ json: { 'config.json': change } })
const section = (name: string, change: Fields) => config((fields) => Object.assign(fields[name] as Fields, change))
const tied = config((fields) => {
  fields['tie_word_embeddings'] = true
  Object.assign(fields['text_config'] as Fields, { tie_word_embeddings: true })
})

async function check(folder: string) {
  const source = await openVlm(folder)
  const tokenizer = await openTokenizer(folder)
  const template = await openChatTemplate(folder, tokenizer)
  requireAgreement(source, { tokenizer, template, processor: await openImageProcessor(folder) })
  return { source, template }
}

describe('as transformers does', () => {
  test('a head that is stored beside a flag that ties it is used', async () => {
    expect(facts.logits['another head beside a flag that ties it']).toBe(0)
    expect(facts.table_logits).toBeGreaterThan(10)
    const { fixture, source, feeds, cells } = await openSequenceCase('clip-llama', await folderOf('clip-llama', tied))
    expect(source.config.decoder.tied).toBe(false)
    const expected = at(floats(fixture.get('sequence.response_logprobs')), cells)
    expect(maxDifference(floatsOf(await runResponse(source, feeds, {}), 'logProbs'), expected)).toBeLessThan(1e-4)
  })

  test('one that is equal to the table is tied', async () => {
    const equal: Change = {
      ...tied,
      tensors: (all) => {
        const table = all.get('language_model.model.embed_tokens.weight')!
        all.set('language_model.lm_head.weight', { ...table, name: 'language_model.lm_head.weight' })
      },
    }
    expect((await openVlm(await folderOf('clip-llama', equal))).config.decoder.tied).toBe(true)
  })

  test('fields that change nothing change nothing', async () => {
    expect(facts.logits['fields that change nothing']).toBe(0)
    const added = config((fields) => {
      Object.assign(fields, facts.harmless[''])
      Object.assign(fields['text_config'] as Fields, facts.harmless['text_config'])
    })
    const plain = await describeVlm(join(fixtureRoot, 'clip-llama'))
    expect((await describeVlm(await folderOf('clip-llama', added))).config).toEqual(plain.config)
  })

  test.each(facts.prompts)('the ids of a prompt whose template $what', async ({ chat_template, input_ids }) => {
    const folder = await folderOf('clip-llama', { files: { 'chat_template.jinja': chat_template } })
    const { source, template } = await check(folder)
    const layout = source.architecture.imageLayout(source.config, { width: 42, height: 42 })
    expect(template.promptIds(facts.question, layout)).toEqual(input_ids)
  })

  test.each([
    ['-1', -1],
    ['beyond the vocabulary', 5000],
    ['null', null],
  ])('a padding token that is %s gives way to the end token, since padding is masked', async (_what, pad_token_id) => {
    expect(facts.logits['another padding token']).toBe(0)
    const change: Change = { json: { 'generation_config.json': (fields) => Object.assign(fields, { pad_token_id }) } }
    const { config: read } = await openVlm(await folderOf('clip-llama', change))
    expect(read.padTokenId === 2 || pad_token_id === null).toBe(true)
    expect(read.padTokenId).toBeLessThan(read.decoder.vocabSize)
    const inConfig = await openVlm(
      await folderOf('clip-llama', {
        ...section('text_config', { pad_token_id }),
        files: { 'generation_config.json': null },
      }),
    )
    expect(inConfig.config.padTokenId).toBe(2)
  })
})

describe('refused at the check, with both values', () => {
  const processor = (edge: number): Change => ({
    json: { 'preprocessor_config.json': (fields) => Object.assign(fields, { size: edge, crop_size: edge }) },
    files: { 'processor_config.json': null },
  })
  const inTiles: Change = {
    json: {
      'preprocessor_config.json': (fields) =>
        Object.assign(fields, { image_processor_type: 'LlavaNextImageProcessor', image_grid_pinpoints: [[42, 84]] }),
    },
    files: { 'processor_config.json': null },
  }
  const contradiction = 'model.contradiction'
  test.each<[string, Change, string, RegExp]>([
    [
      'another image token',
      config((fields) => Object.assign(fields, { image_token_index: 399 })),
      contradiction,
      /399 .* 400 \(<image>\)/,
    ],
    ['smaller pictures', processor(28), contradiction, /28 x 28 .* 42 x 42/],
    ['larger pictures', processor(56), contradiction, /56 x 56 .* 42 x 42/],
    ['pictures in tiles', inTiles, contradiction, /makes 3 pictures of a usual image, and the model sees 1/],
    [
      'a token beyond the vocabulary',
      {
        json: {
          'tokenizer.json': (fields) =>
            (fields['added_tokens'] as Fields[]).push({
              ...(fields['added_tokens'] as Fields[])[0],
              ...{ id: 408, content: '<late>' },
            }),
        },
      },
      contradiction,
      /408 \(<late>\).* 408/,
    ],
    [
      'end tokens of which none is in the vocabulary',
      { json: { 'generation_config.json': (fields) => Object.assign(fields, { eos_token_id: [-1, 408] }) } },
      'model.bad-config',
      /^generation_config.json .*eos_token_id -1, 408 .*408 tokens/,
    ],
    [
      'an end token that is no id, in the file that has it',
      {
        ...section('text_config', { eos_token_id: '</s>' }),
        json: {
          'config.json': (fields) => Object.assign(fields['text_config'] as Fields, { eos_token_id: '</s>' }),
          'generation_config.json': (fields) => void delete fields['eos_token_id'],
        },
      },
      'model.bad-config',
      /^config.json .*eos_token_id/,
    ],
    [
      'a tensor of the tower that nothing reads',
      {
        tensors: (all) => {
          const norm = all.get('vision_tower.vision_model.encoder.layers.0.layer_norm1.weight')!
          for (const path of ['encoder.layers.0.self_attn.q_norm.weight', 'encoder.layers.9.layer_norm1.weight']) {
            const name = `vision_tower.vision_model.${path}`
            all.set(name, { ...norm, name })
          }
        },
      },
      'weights.unknown-tensor',
      /layers.0.self_attn.q_norm.*layers.9/,
    ],
    [
      'a bias of the head',
      {
        tensors: (all) => {
          const bytes = new Uint8Array(4 * 408)
          all.set('language_model.lm_head.bias', {
            name: 'language_model.lm_head.bias',
            dtype: 'F32',
            shape: [408],
            bytes,
          })
        },
      },
      'weights.unknown-tensor',
      /lm_head.bias/,
    ],
  ])('%s', async (_what, change, code, message) => {
    await expect(check(await folderOf('clip-llama', change))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  test('a companion whose pictures or end of text are others', async () => {
    const open = async (change: Change) => {
      const folder = await folderOf('clip-encoder', change)
      const tokenizer = await openTokenizer(folder)
      requireEncoderAgreement(await openDualEncoder(folder), { tokenizer, processor: await openImageProcessor(folder) })
    }
    await open({})
    await expect(open(processor(56))).rejects.toMatchObject({ code: contradiction })
    await expect(open(inTiles)).rejects.toMatchObject({
      code: contradiction,
      message: expect.stringContaining('sees 1'),
    })
    await expect(open(section('text_config', { eos_token_id: 5 }))).rejects.toMatchObject({
      code: contradiction,
      message: expect.stringMatching(/token 5 ends.*621/),
    })
    await expect(open(section('text_config', { eos_token_id: 50_000 }))).rejects.toMatchObject({
      code: 'model.bad-config',
    })
    await open(section('text_config', { pad_token_id: -1 }))
  })

  test('a prompt and a response beyond the trained length of a dynamic RoPE', async () => {
    const change = section('text_config', {
      rope_scaling: { rope_type: 'dynamic', factor: 2 },
      max_position_embeddings: 48,
    })
    const { source, template } = await check(await folderOf('clip-llama', change))
    const prompt = 'What is on the table?'
    requirePrompt(source, template, prompt, 20)
    const code = 'model.beyond-trained-length'
    expect(() => requirePrompt(source, template, prompt, 21)).toThrow(expect.objectContaining({ code }))
    // A square picture of two tiles a side has 24 places and 16 words round them; others have more places.
    const [dynamic, folder] = [{ rope_type: 'dynamic', factor: 2, rope_theta: 1e6 }, 'llava-onevision']
    const length = (max_position_embeddings: number) =>
      section('text_config', { rope_scaling: dynamic, max_position_embeddings })
    await expect(check(await folderOf(folder, length(64)))).rejects.toMatchObject({ code })
    await check(await folderOf(folder, length(128)))
    const short = section('text_config', { rope_scaling: { type: 'dynamic', factor: 2 }, max_position_embeddings: 20 })
    await expect(check(await folderOf('clip-llama', short))).rejects.toMatchObject({ code })
  })
})

describe('a model with fewer layers in its tower than its companion', () => {
  /** Without the last layer, which it does not use, and all that follows. */
  const shorter: Change = {
    ...config((fields) => {
      Object.assign(fields['vision_config'] as Fields, { num_hidden_layers: 2 })
      fields['vision_feature_layer'] = -1
    }),
    tensors: (all) => {
      for (const name of [...all.keys()])
        if (/vision_model\.(encoder\.layers\.2|post_layernorm)\./.test(name)) all.delete(name)
    },
  }

  test('has its companion’s eyes, since it leaves out what it does not use', async () => {
    const folder = await folderOf('clip-llama', shorter)
    const companion = await openDualEncoder(join(fixtureRoot, 'clip-encoder'))
    const whole = await compareTowers(await openVlm(join(fixtureRoot, 'clip-llama')), companion)
    expect(await compareTowers(await openVlm(folder), companion)).toEqual(whole)
    expect(whole).toMatchObject({
      outcome: 'identical',
      tensors: (await openWeights(folder)).names.filter((name) => name.startsWith('vision_tower.')).length,
    })
  })

  test('has other eyes when a layer that it uses differs, or when the companion lacks one', async () => {
    const change: Change = {
      tensors: (all) => {
        const weight = all.get('vision_model.encoder.layers.1.mlp.fc1.weight')!
        all.set(weight.name, {
          ...weight,
          bytes: Uint8Array.from(weight.bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte)),
        })
      },
    }
    const vlm = await openVlm(await folderOf('clip-llama', shorter))
    const other = await openDualEncoder(await folderOf('clip-encoder', change))
    expect((await compareTowers(vlm, other)).outcome).toBe('different')
    const lacking: Change = {
      ...section('vision_config', { num_hidden_layers: 1 }),
      tensors: (all) => {
        for (const name of [...all.keys()]) if (/vision_model\.encoder\.layers\.[12]\./.test(name)) all.delete(name)
      },
    }
    const short = await openDualEncoder(await folderOf('clip-encoder', lacking))
    expect(await compareTowers(vlm, short)).toMatchObject({ outcome: 'different', difference: { found: 'none' } })
  })
})
