import { expect, test } from 'vitest'
import { dequantise } from './dequantise.ts'
import { readGguf } from './gguf.ts'
import { llamaTensorName, unpermuted } from './llamaFolder.ts'
import { type Entry, f32, ggufBytes, list, string, text, u32, u64 } from './testing/ggufBytes.ts'

test('reads metadata of every type, lists of lists included', () => {
  const double = Buffer.alloc(8)
  double.writeDoubleLE(0.1)
  const entries: Entry[] = [
    ['u8', 0, Buffer.from([200])],
    ['i8', 1, Buffer.from([200])],
    ['u16', 2, Buffer.from([1, 2])],
    ['i16', 3, Buffer.from([0xfe, 0xff])],
    ['u32', 4, u32(4_000_000_000)],
    ['i32', 5, u32(0xffffffff)],
    ['f32', 6, f32(1.5)],
    ['bool', 7, Buffer.from([1])],
    string('text', 'Ġcafé'),
    ['lists', 9, list(9, [list(8, [text('a'), text('b')]), list(0, [])])],
    ['u64', 10, u64(2n ** 60n)],
    ['i64', 11, Buffer.alloc(8, 0xff)],
    ['f64', 12, double],
  ]
  expect(Object.fromEntries(readGguf(ggufBytes(entries, []), 'here').metadata)).toEqual({
    ...{ u8: 200, i8: -56, u16: 513, i16: -2, u32: 4_000_000_000, i32: -1, f32: 1.5, bool: true, text: 'Ġcafé' },
    ...{ lists: [['a', 'b'], []], u64: 2n ** 60n, i64: -1n, f64: 0.1 },
  })
})

test('tensors begin after the header at a multiple of the alignment, their shapes turned round', () => {
  const bytes = ggufBytes(
    [['general.alignment', 4, u32(64)]],
    [
      { name: 'one', dims: [3], type: 0, bytes: f32(1, 2, 3) },
      { name: 'two', dims: [2, 1], type: 0, bytes: f32(4, 5) },
    ],
    64,
  )
  const [one, two] = readGguf(bytes, 'here').tensors
  // 4 + 4 + 8 + 8, an entry of 8 + 17 + 4 + 4, and two tensors of 8 + 3 + 4 + 8 (16) + 4 + 8: 24 + 33 + 35 + 43 = 135.
  expect(one).toEqual({ name: 'one', shape: [3], type: 0, offsetBytes: 192 })
  expect(two).toEqual({ name: 'two', shape: [1, 2], type: 0, offsetBytes: 256 })
  expect([...dequantise(bytes, two!, 'here')]).toEqual([4, 5])
})

test.each([
  ['no GGUF file', Buffer.from('PK\u0003\u0004 and so on'), 'weights.not-gguf'],
  ['a later version', Buffer.concat([Buffer.from('GGUF'), u32(4)]), 'weights.not-gguf'],
  ['a header that is cut short', ggufBytes([string('name', 'value')], []).subarray(0, 40), 'weights.truncated'],
  ['a type that is not known', ggufBytes([['name', 13, Buffer.alloc(8)]], []), 'weights.bad-header'],
])('refuses %s', (_, bytes, code) => {
  expect(() => readGguf(bytes, 'here')).toThrow(expect.objectContaining({ code }))
})

const block = (name: string, type: number) => ({ name, shape: [32], type, offsetBytes: 1 })
const at1 = (...parts: (number | Buffer)[]) =>
  Buffer.concat([Buffer.from([99]), ...parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part))])

test('Q4_1: the first 16 numbers in lower halves of bytes, the others in upper ones, times d plus m', () => {
  // d = 0.5, m = -1 as float16.
  const bytes = at1(0x00, 0x38, 0x00, 0xbc, 0x21, Buffer.alloc(14), 0xf8)
  const expected = new Array(32).fill(-1)
  expected[0] = -0.5 // 0.5 · 1 - 1
  expected[16] = 0 // 0.5 · 2 - 1
  expected[15] = 3 // 0.5 · 8 - 1
  expected[31] = 6.5 // 0.5 · 15 - 1
  expect([...dequantise(bytes, block('q4_1', 3), 'here')]).toEqual(expected)
})

test('Q8_0: signed bytes times d', () => {
  // d = 0.25 as float16.
  const bytes = at1(0x00, 0x34, 0x80, Buffer.alloc(30), 0x7f)
  const expected = new Array(32).fill(0)
  expected[0] = -32 // 0.25 · -128
  expected[31] = 31.75 // 0.25 · 127
  expect([...dequantise(bytes, block('q8_0', 8), 'here')]).toEqual(expected)
})

test('refuses other types, parts of blocks and files that end too early', () => {
  const code = (tensor: Parameters<typeof dequantise>[1]) => {
    try {
      dequantise(at1(Buffer.alloc(33)), tensor, 'here')
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect(code(block('q6_k', 14))).toBe('weights.unsupported-dtype')
  expect(code({ ...block('q4_1', 3), shape: [48] })).toBe('weights.bad-tensor')
  expect(code(block('q8_0', 8))).toBe('weights.truncated')
})

test('names tensors as Hugging Face does', () => {
  expect(
    ['token_embd', 'output_norm', 'output', 'blk.12.ffn_down'].map((name) => llamaTensorName(`${name}.weight`)),
  ).toEqual([
    ...['model.embed_tokens.weight', 'model.norm.weight', 'lm_head.weight'],
    'model.layers.12.mlp.down_proj.weight',
  ])
  // A bias, and the tables of a RoPE that is scaled, are not LLaMA's.
  expect(['blk.0.attn_q.bias', 'rope_freqs.weight', 'blk.0.token_embd.weight'].map(llamaTensorName)).toEqual([
    null,
    null,
    null,
  ])
})

test('rows of a head: neighbours in GGUF are half a head apart in Hugging Face', () => {
  // Two heads of 4, rows of two numbers: a head's rows are [x0 y0 x1 y1] for the pairs (x, y) that RoPE turns.
  const rows = [...[10, 11, 20, 21, 12, 13, 22, 23], ...[50, 51, 60, 61, 52, 53, 62, 63]]
  expect([...unpermuted(Float32Array.from(rows), 2, 4)]).toEqual([
    ...[10, 11, 12, 13, 20, 21, 22, 23],
    ...[50, 51, 52, 53, 60, 61, 62, 63],
  ])
})
