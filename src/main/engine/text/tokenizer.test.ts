// Ids, offsets and texts are those of transformers' fast tokenizers, in every style that the supported models use.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readSafetensors, readTensorBytes } from '../folder/safetensors.ts'
import { openTokenizer, type TextRange, type Tokenizer } from './tokenizer.ts'

const fixtures = join(import.meta.dirname, '../../../../tools/parity/fixtures')
const decoders = ['clip-llama', 'clip-mistral', 'siglip-qwen2']
/** In vocabularies without a token for each byte, which are no byte-level ones. */
const small = ['llava-phi3', 'llava-gemma2']
const folders = [
  ...decoders,
  ...small,
  'clip-llama-bf16',
  'clip-llama-linear',
  'smolvlm-tiles',
  'clip-encoder',
  'siglip-encoder',
]

interface Case {
  text: string
  input_ids?: number[]
  input_ids_before_expansion?: number[]
  offsets_code_points: number[][]
  tokens?: string[]
  ids_without_special_tokens?: number[]
  decoded_skipping_special?: string
}
interface Expected {
  tokenizer_cases: Case[]
  prompts?: Case[]
  responses?: string[]
  greedy_text?: string[]
}
const readExpected = (folder: string): Expected =>
  JSON.parse(readFileSync(join(fixtures, folder, 'expected.json'), 'utf8')) as Expected

const opened = new Map<string, Promise<Tokenizer>>()
function tokenizerOf(folder: string): Promise<Tokenizer> {
  const known = opened.get(folder) ?? openTokenizer(join(fixtures, folder))
  opened.set(folder, known)
  return known
}

/** Offsets in code points, as Python counts them. */
function inCodePoints(text: string, ranges: readonly TextRange[]): number[][] {
  const count = (units: number): number => [...text.slice(0, units)].length
  return ranges.map(([start, end]) => [count(start), count(end)])
}

describe.each(folders)('%s', (folder) => {
  const { tokenizer_cases: cases, prompts = [] } = readExpected(folder)

  test.each([...cases, ...prompts])('"$text" has the ids, tokens, offsets and text of transformers', async (wanted) => {
    const tokenizer = await tokenizerOf(folder)
    const { ids, offsets } = tokenizer.encode(wanted.text)
    expect(ids).toEqual(wanted.input_ids_before_expansion ?? wanted.input_ids)
    expect(inCodePoints(wanted.text, offsets)).toEqual(wanted.offsets_code_points)
    if (wanted.tokens) expect(ids.map((id) => tokenizer.tokenOf(id))).toEqual(wanted.tokens)
    if (wanted.decoded_skipping_special !== undefined) {
      expect(tokenizer.decode(ids)).toBe(wanted.decoded_skipping_special)
      expect(tokenizer.encode(wanted.text, { addSpecialTokens: false }).ids).toEqual(wanted.ids_without_special_tokens)
    }
  })
})

/** What the greedy rollout of the witness sampled, with the text that transformers decoded. */
async function greedyRows(folder: string): Promise<{ ids: number[]; text: string }[]> {
  const stored = await readSafetensors(join(fixtures, folder, 'expected.safetensors'))
  const tensor = stored.find(({ name }) => name === 'greedy.tokens')
  if (!tensor) throw new Error('the fixture holds no greedy tokens')
  const bytes = await readTensorBytes(tensor)
  const [rows = 0, steps = 0] = tensor.shape
  const idAt = (index: number): number => Number(bytes.readBigInt64LE(index * 8))
  const texts = readExpected(folder).greedy_text ?? []
  return Array.from({ length: rows }, (_, row) => ({
    ids: Array.from({ length: steps }, (__, step) => idAt(row * steps + step)),
    text: texts[row] ?? '',
  }))
}

describe.each([...decoders, ...small, 'clip-llama-bf16', 'clip-llama-linear'])('responses of %s', (folder) => {
  test('decode as in transformers, broken characters included', async () => {
    const tokenizer = await tokenizerOf(folder)
    const rows = await greedyRows(folder)
    expect(rows).toHaveLength(2)
    for (const { ids, text } of rows) expect(tokenizer.decode(ids)).toBe(text)
  })

  test('each word of a response is made by the tokens whose ranges meet it', async () => {
    const tokenizer = await tokenizerOf(folder)
    const [response = ''] = readExpected(folder).responses ?? []
    const { ids } = tokenizer.encode(response, { addSpecialTokens: false })
    const { text, ranges } = tokenizer.decodeWithOffsets([...ids, tokenizer.special.eos ?? -1])
    expect(text).toBe(response)
    const at = response.indexOf('table')
    expect(at).toBeGreaterThan(0)
    const meeting = ids.filter((_, index) => {
      const [start, end] = ranges[index] ?? [0, 0]
      return start < at + 'table'.length && end > at
    })
    expect(tokenizer.decode(meeting).trim()).toBe('table')
    expect(ranges.at(-1)).toEqual([text.length, text.length])
  })
})

test('tokens that are bytes of one character share its range', async () => {
  for (const folder of decoders) {
    const tokenizer = await tokenizerOf(folder)
    const { ids } = tokenizer.encode('a 🐈', { addSpecialTokens: false })
    const { text, ranges } = tokenizer.decodeWithOffsets(ids)
    expect(text).toBe('a 🐈')
    expect(ranges.slice(-4)).toEqual([
      [2, 4],
      [2, 4],
      [2, 4],
      [2, 4],
    ])
  }
})

test("CLIP's ends of words are decoded as spaces", async () => {
  const tokenizer = await tokenizerOf('clip-encoder')
  const { text, ranges } = tokenizer.decodeWithOffsets(tokenizer.encode('A photo of a DOG.').ids)
  expect(text).toBe('a photo of a dog .')
  expect(ranges[0]).toEqual([0, 0])
  expect(ranges[1]).toEqual([0, 2])
})

test('special ids are those that the folder names', async () => {
  expect((await tokenizerOf('clip-llama')).special).toEqual({ bos: 1, eos: 2, pad: 401, unk: 0, image: 400 })
  expect((await tokenizerOf('siglip-qwen2')).special).toEqual({ eos: 402, pad: 400, image: 403 })
  expect((await tokenizerOf('clip-encoder')).special).toEqual({ bos: 620, eos: 621, pad: 621, unk: 621 })
  const llama = await tokenizerOf('clip-llama')
  expect([llama.size, llama.idOf('<image>'), llama.tokenOf(400), llama.tokenOf(9999)]).toEqual([
    402,
    400,
    '<image>',
    undefined,
  ])
})

describe.each(folders)('for any text and ids, %s', (folder) => {
  /** Texts with what tokenizers find hard, among them the folder's own tokens. */
  const anyText = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '<image>',
          '</s>',
          '<|im_end|>',
          ' ',
          '  ',
          '\n',
          '▁',
          '</w>',
          '<0x41>',
          'the table',
          "'s",
          'é',
          '🐈',
          '한',
          '\u0301',
          '\ud800',
        ),
        fc.string({ unit: 'binary', maxLength: 4 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''))
  const settings = { seed: 7, numRuns: 120 }

  test('offsets lie in the text and never go back', async () => {
    const tokenizer = await tokenizerOf(folder)
    fc.assert(
      fc.property(anyText, (text) => {
        let last = 0
        for (const [start, end] of tokenizer.encode(text, { addSpecialTokens: false }).offsets) {
          expect(start).toBeGreaterThanOrEqual(last)
          expect(end).toBeGreaterThanOrEqual(start)
          expect(end).toBeLessThanOrEqual(text.length)
          last = start
        }
      }),
      settings,
    )
  })

  test('ranges of tokens cover the decoded text, and a stream gives the same text', async () => {
    const tokenizer = await tokenizerOf(folder)
    const anyIds = fc.array(fc.integer({ min: 0, max: tokenizer.size + 1 }), { maxLength: 24 })
    const ids = fc.oneof(
      anyIds,
      anyText.map((text) => [...tokenizer.encode(text).ids]),
    )
    fc.assert(
      fc.property(ids, (tokens) => {
        const { text, ranges } = tokenizer.decodeWithOffsets(tokens)
        expect(text).toBe(tokenizer.decode(tokens))
        expect(ranges).toHaveLength(tokens.length)
        let covered = 0
        for (const [start, end] of ranges) {
          expect(start).toBeLessThanOrEqual(covered)
          expect(end).toBeGreaterThanOrEqual(start)
          covered = Math.max(covered, end)
        }
        expect(covered).toBe(text.length)
        const stream = tokenizer.stream()
        const parts = tokens.map((id) => stream.push(id))
        expect(parts.join('') + stream.finish()).toBe(text)
        for (const part of parts) expect(Buffer.from(part).toString()).toBe(part)
      }),
      settings,
    )
  })
})

test('special tokens are left out of the text unless they are asked for', async () => {
  const tokenizer = await tokenizerOf('clip-llama')
  const { ids } = tokenizer.encode('a <image> b', { addSpecialTokens: false })
  expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toContain('<image>')
  expect(tokenizer.decode(ids)).not.toContain('<image>')
})

test('half of a surrogate pair counts as U+FFFD', async () => {
  for (const folder of folders) {
    const tokenizer = await tokenizerOf(folder)
    expect(tokenizer.encode('a\ud800b')).toEqual(tokenizer.encode('a\ufffdb'))
  }
})

test('a stream that was finished begins anew', async () => {
  const tokenizer = await tokenizerOf('clip-llama')
  const stream = tokenizer.stream()
  const { ids } = tokenizer.encode('the table 🐈', { addSpecialTokens: false })
  // The last byte of the cat is missing.
  const spell = () =>
    ids
      .slice(0, -1)
      .map((id) => stream.push(id))
      .join('') + stream.finish()
  const first = spell()
  expect(first).toContain('the table')
  expect(spell()).toBe(first)
})

test('byte-level text comes back as its NFC form', async () => {
  const tokenizer = await tokenizerOf('siglip-qwen2')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const { ids } = tokenizer.encode(text)
      expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(text.normalize('NFC'))
    }),
    { seed: 3, numRuns: 150 },
  )
})

describe('what cannot be used is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-tokenizer-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let number = 0
  /** A copy of a fixture's tokenizer with this change. */
  function changed(fixture: string, change: (file: Record<string, Record<string, unknown>>) => unknown): string {
    const copy = join(folder, `${number++}`)
    mkdirSync(copy)
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
      copyFileSync(join(fixtures, fixture, name), join(copy, name))
    }
    const file = JSON.parse(readFileSync(join(copy, 'tokenizer.json'), 'utf8'))
    change(file)
    writeFileSync(join(copy, 'tokenizer.json'), JSON.stringify(file))
    return copy
  }

  test.each<[string, string, (file: Record<string, Record<string, unknown>>) => unknown]>([
    [
      'tokenizer.unsupported',
      'BertPreTokenizer',
      (file) => Object.assign(file, { pre_tokenizer: { type: 'BertPreTokenizer' } }),
    ],
    ['tokenizer.unsupported', 'WordPiece', (file) => Object.assign(file.model ?? {}, { type: 'WordPiece' })],
    ['tokenizer.unsupported', 'stride', (file) => Object.assign(file.decoder ?? {}, { stride: 1 })],
    ['tokenizer.bad-file', 'model.dropout', (file) => Object.assign(file.model ?? {}, { dropout: 0.1 })],
    ['tokenizer.bad-file', 'model.vocab', (file) => Object.assign(file.model ?? {}, { vocab: { a: -1 } })],
    ['tokenizer.bad-file', 'model.merges', (file) => Object.assign(file.model ?? {}, { merges: [1] })],
    ['tokenizer.bad-file', 'not in the vocabulary', (file) => Object.assign(file.model ?? {}, { merges: ['no such'] })],
    ['tokenizer.bad-file', 'added_tokens', (file) => Object.assign(file, { added_tokens: { '0': 'a' } })],
    [
      'tokenizer.bad-file',
      'its vocabulary disagree',
      // The id of another token.
      (file) => Object.assign(file, { added_tokens: [{ id: 1, content: '<new>', special: true }] }),
    ],
    [
      'tokenizer.bad-file',
      'regular expression',
      (file) =>
        Object.assign(file, { pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } }),
    ],
    [
      'tokenizer.too-slow',
      'too long',
      (file) => {
        const pattern = { Regex: '(?:(?:[^!]+)+)+$' }
        return Object.assign(file, {
          pre_tokenizer: { type: 'Split', pattern: { Regex: `${pattern.Regex}!` }, behavior: 'Isolated' },
        })
      },
    ],
    [
      'tokenizer.text-too-long',
      'too long',
      (file) => {
        const normalizer = { type: 'Replace', pattern: { String: 'e' }, content: 'e'.repeat(64) }
        return Object.assign(file, { normalizer: { type: 'Sequence', normalizers: new Array(64).fill(normalizer) } })
      },
    ],
  ])('%s: %s', async (code, sentence, change) => {
    const refusal = openTokenizer(changed('siglip-qwen2', change))
    await expect(refusal).rejects.toMatchObject({
      name: 'StudioError',
      code,
      message: expect.stringContaining(sentence),
    })
  })

  test('no file, no JSON, a link out of the folder, a special token that does not exist', async () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    await expect(openTokenizer(empty)).rejects.toMatchObject({ code: 'tokenizer.missing-file' })
    writeFileSync(join(empty, 'tokenizer.json'), '{"version"')
    await expect(openTokenizer(empty)).rejects.toMatchObject({ code: 'tokenizer.bad-file' })
    rmSync(join(empty, 'tokenizer.json'))
    symlinkSync(join(fixtures, 'clip-llama/tokenizer.json'), join(empty, 'tokenizer.json'))
    await expect(openTokenizer(empty)).rejects.toMatchObject({ code: 'tokenizer.outside' })
    const copy = changed('clip-llama', () => undefined)
    for (const [settings, code] of [
      [{ eos_token: '</s>', add_eos_token: true }, 'tokenizer.unsupported'],
      [{ bos_token: '<s>', add_bos_token: false }, 'tokenizer.unsupported'],
      [{ split_special_tokens: true }, 'tokenizer.bad-file'],
    ] as const) {
      writeFileSync(join(copy, 'tokenizer_config.json'), JSON.stringify(settings))
      await expect(openTokenizer(copy)).rejects.toMatchObject({ code })
    }
    writeFileSync(join(copy, 'tokenizer_config.json'), JSON.stringify({ eos_token: { content: '<nothing>' } }))
    await expect(openTokenizer(copy)).rejects.toMatchObject({ code: 'tokenizer.bad-file' })
  })
})
