// Numbers in blocks against those that numpy makes by ONNX's rule (tools/parity/make_block_quantisation.py), byte for byte.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blockFormatFor, emptyRows, quantise } from './blockQuantisation.ts'
import { readSafetensors, readTensorBytes } from './safetensors.ts'

const stored = new Map<string, Uint8Array>()
for (const tensor of await readSafetensors(join(import.meta.dirname, 'fixtures/blocks.safetensors'))) {
  stored.set(tensor.name, new Uint8Array(await readTensorBytes(tensor)))
}
const get = (name: string) => stored.get(name) as Uint8Array
const weight = new Float32Array(get('weight').buffer)

describe.each([8, 4] as const)('%i bits', (bits) => {
  test('are numpy’s, byte for byte: zeros, one sign, an outlier and halves among them', () => {
    const format = blockFormatFor(bits, 256)
    expect(format).toEqual({ bits, block: bits === 8 ? 128 : 32 })
    const rows = emptyRows(format!, 5, 256)
    quantise(format!, weight, rows, 'weight')
    expect(rows.q).toEqual(get(`q.${bits}`))
    expect(new Uint8Array(rows.scales.buffer)).toEqual(get(`scales.${bits}`))
    expect(rows.zeros).toEqual(get(`zeros.${bits}`))
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%d in a weight is refused by its name', (value) => {
    const format = { bits, block: 32 }
    const values = new Float32Array(64)
    values[40] = value
    expect(() => quantise(format, values, emptyRows(format, 1, 64), 'layers.0.q_proj.weight')).toThrow(
      /layers\.0\.q_proj\.weight/,
    )
  })
})

test('a row takes the largest block that divides it, at 4 bits an even number of them, or stays as it is', () => {
  // 576 = 9 · 64 = 9 · 2 · 32; 352 = 11 · 32 = 11 · 2 · 16; 72 = 4.5 · 16
  const blocks = (inputs: number) => [8, 4].map((bits) => blockFormatFor(bits as 8 | 4, inputs)?.block ?? null)
  expect([4096, 576, 352, 72].map(blocks)).toEqual([
    [128, 32],
    [64, 32],
    [32, 16],
    [null, null],
  ])
})
