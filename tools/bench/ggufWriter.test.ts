// GGUF files of the bench, read back by the reader that convert.ts has.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readFloatPieces } from '../../src/main/engine/folder/floatPieces.ts'
import type { VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { dequantise } from '../smollm2/dequantise.ts'
import { readGguf } from '../smollm2/gguf.ts'
import { llamaConfig, Metadata, unpermuted } from '../smollm2/llamaFolder.ts'
import { writeDecoderCheckpoint } from './checkpoint.ts'
import { ggufFormats, permuted, writeGguf } from './ggufWriter.ts'
import { readSettings, sharedSettingsFile } from './settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-gguf-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a block of 8 bits: the farthest number becomes 127, as float16 has its scale', () => {
  // d = 254 / 127 = 2, float16 0x4000; 5 / 2 = 2.5 goes up.
  const numbers = new Float32Array(32)
  numbers.set([-254, 5, 100])
  const bytes = Buffer.alloc(35)
  ggufFormats.Q8_0.write(numbers, 0, bytes, 1)
  expect([...bytes.subarray(0, 6)]).toEqual([0, 0x00, 0x40, 256 - 127, 3, 50])
})

test('a block of 4 bits: the farthest number becomes 0, its opposite 15', () => {
  // d = -16 / -8 = 2; 6 / 2 + 8 = 11, 16 / 2 + 8 = 16, of which 15 is left; the second half stands in upper halves.
  const numbers = new Float32Array(32)
  numbers.set([-16, 6])
  numbers.set([16], 16)
  const bytes = Buffer.alloc(18)
  ggufFormats.Q4_0.write(numbers, 0, bytes, 0)
  expect([...bytes.subarray(0, 5)]).toEqual([0x00, 0x40, 0xf0, 0x8b, 0x88])
  ggufFormats.Q4_0.write(new Float32Array(32), 0, bytes, 0)
  // A scale of -0, as ggml has it.
  expect([...bytes.subarray(0, 3)]).toEqual([0, 0x80, 0x88])
})

test('rows of queries and keys go to where convert.ts takes them back from', () => {
  const rows = Float32Array.from({ length: 2 * 6 * 3 }, (_, i) => i)
  expect([...permuted(rows, 6, 3).filter((_, i) => i % 3 === 0)].slice(0, 6)).toEqual([0, 9, 3, 12, 6, 15])
  expect(unpermuted(permuted(rows, 6, 3), 2, 6)).toEqual(rows)
})

test('a model comes back from its file: sizes, every name, weights of 32 bits as they were, of 8 within half a step', async () => {
  const settings = readSettings(sharedSettingsFile)
  const scale = {
    ...{ hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 },
    intermediate_size: 96,
  }
  const source = await writeDecoderCheckpoint(join(folder, 'model'), { ...settings, vocab_size: 288 }, scale)
  for (const type of ['F32', 'Q8_0'] as const) {
    const path = join(folder, `${type}.gguf`)
    await writeGguf(path, source, type)
    const bytes = readFileSync(path)
    const file = readGguf(bytes, path)
    expect(llamaConfig(file, new Metadata(file, path))).toMatchObject({
      ...{ ...scale, vocab_size: 288, head_dim: 16, rms_norm_eps: 1e-5, rope_theta: 10_000 },
      tie_word_embeddings: false,
    })
    // Embedding, norm and head, and nine a layer.
    expect(file.tensors).toHaveLength(3 + 2 * 9)
    for (const tensor of file.tensors) {
      const { name, shape } = tensor
      const read = dequantise(bytes, tensor, path)
      const heads = name.endsWith('attn_q.weight') ? 4 : name.endsWith('attn_k.weight') ? 2 : null
      const found = heads === null ? read : unpermuted(read, heads, 16)
      const expected = await floats(source, name)
      expect(expected.length, name).toBe(shape.reduce((product, size) => product * size, 1))
      const farthest = found.reduce((most, x, i) => Math.max(most, Math.abs(x - (expected[i] as number))), 0)
      // The largest weight is 0.02 √3, a step of 8 bits a 127th of it, and float16 rounds it by 2^-11.
      const bound = type === 'F32' || shape.length === 1 ? 0 : 0.02 * Math.sqrt(3) * (0.5 / 127 + 2 ** -11)
      expect(farthest, name).toBeLessThanOrEqual(bound)
    }
  }
})

async function floats({ weights }: VlmSource, gguf: string): Promise<number[]> {
  const parts = {
    ...{ token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
    ...{ attn_norm: 'input_layernorm', ffn_norm: 'post_attention_layernorm', attn_q: 'self_attn.q_proj' },
    ...{ attn_k: 'self_attn.k_proj', attn_v: 'self_attn.v_proj', attn_output: 'self_attn.o_proj' },
    ...{ ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj' },
  }
  const [, layer, part] = /^(?:blk\.(\d+)\.)?(\w+)\.weight$/.exec(gguf) as RegExpExecArray
  const module = parts[part as keyof typeof parts]
  const name = layer === undefined ? module : `model.layers.${layer}.${module}`
  const found: number[] = []
  for await (const piece of readFloatPieces(weights.get(`language_model.${name}.weight`), 1 << 20)) found.push(...piece)
  return found
}
