// Adapters that peft wrote are read, written ones read back, and variants that compute something else are refused.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loraScale, readAdapter, writeAdapter } from './peft.ts'
import { readSafetensors, readTensorBytes, type TensorToWrite, writeSafetensors } from './safetensors.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-peft-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const witness = join(import.meta.dirname, '../../../../tools/parity/fixtures/clip-llama/adapter')

let number = 0
/** A copy of peft's adapter with this change of its config. */
function changed(change: object): string {
  const copy = join(folder, `${number++}`)
  cpSync(witness, copy, { recursive: true })
  const path = join(copy, 'adapter_config.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
  return copy
}

test("peft's own adapter has its rank, scale and factors", async () => {
  const adapter = await readAdapter(witness)
  expect([adapter.rank, adapter.alpha, loraScale(adapter)]).toEqual([4, 8, 2])
  // Two layers of seven projections, none of the vision tower's.
  expect(adapter.layers.size).toBe(14)
  const factors = adapter.layers.get('model.language_model.layers.0.mlp.down_proj')
  expect([factors?.inFeatures, factors?.outFeatures]).toEqual([80, 48])
  const stored = await readSafetensors(join(witness, 'adapter_model.safetensors'))
  const a = stored.find(({ name }) => name.endsWith('layers.0.mlp.down_proj.lora_A.weight'))
  const bytes = a && (await readTensorBytes(a))
  expect(factors?.a[5]).toBe(bytes?.readFloatLE(20))
})

test('what is written is read back bit for bit, also a second time over', async () => {
  const adapter = await readAdapter(witness)
  const written = join(folder, 'written')
  for (let time = 0; time < 2; time++) await writeAdapter(written, adapter, '/models/llava')
  expect(await readAdapter(written)).toEqual(adapter)
  expect(JSON.parse(readFileSync(join(written, 'adapter_config.json'), 'utf8'))).toMatchObject({
    peft_type: 'LORA',
    ...{ r: 4, lora_alpha: 8, base_model_name_or_path: '/models/llava' },
    target_modules: [...adapter.layers.keys()],
  })
})

describe('factors', () => {
  const layer = 'base_model.model.model.layers.0.mlp.up_proj'
  const factor = (name: string, shape: number[], dtype: TensorToWrite['dtype'] = 'F32', bytes?: Uint8Array) => ({
    ...{ name, dtype, shape },
    bytes: bytes ?? new Uint8Array(shape.reduce((product, dim) => product * dim, 4)),
  })
  const [a, b] = [`${layer}.lora_A.weight`, `${layer}.lora_B.weight`]
  /** An adapter of rank 4 of these tensors. */
  async function adapterOf(tensors: readonly TensorToWrite[]): Promise<string> {
    const made = changed({})
    await writeSafetensors(join(made, 'adapter_model.safetensors'), tensors)
    return made
  }

  test.each([
    ['A has another rank', [factor(a, [3, 5]), factor(b, [6, 4])], 'have the ranks 3 and 4'],
    ['B has another rank', [factor(a, [4, 5]), factor(b, [6, 3])], 'have the ranks 4 and 3'],
    ['B is missing', [factor(a, [4, 5])], 'One of the two factors'],
    ['A is missing', [factor(b, [6, 4])], 'One of the two factors'],
    ['A is no matrix', [factor(a, [4, 5, 1]), factor(b, [6, 4])], 'is not a matrix'],
    ['there are others', [factor(a, [4, 5]), factor(b, [6, 4]), factor('lora.bias', [2])], 'lora.bias'],
    ['there are none', [], 'adapts no layer'],
    ['they are whole numbers', [factor(a, [4, 5], 'I32'), factor(b, [6, 4])], 'made of int32'],
  ] as const)('are refused where %s', async (_, tensors, sentence) => {
    await expect(readAdapter(await adapterOf(tensors))).rejects.toMatchObject({
      ...{ code: 'model.bad-adapter', message: expect.stringContaining(sentence) },
    })
  })

  test.each([
    ['F64', new Float64Array(4).fill(1.5)],
    ['F32', new Float32Array(4).fill(1.5)],
    ['F16', new Uint16Array(4).fill(0x3e00)],
    ['BF16', new Uint16Array(4).fill(0x3fc0)],
  ] as const)('of %s become float32', async (dtype, { buffer }) => {
    const bytes = new Uint8Array(buffer)
    const made = await adapterOf([factor(a, [4, 1], dtype, bytes), factor(b, [1, 4], dtype, bytes)])
    const { layers } = await readAdapter(made)
    expect([...layers.values()]).toEqual([
      { a: new Float32Array(4).fill(1.5), b: new Float32Array(4).fill(1.5), inFeatures: 1, outFeatures: 1 },
    ])
  })
})

describe('an adapter that computes something else is refused by the name of its field', () => {
  test.each([
    ['use_dora', true],
    ['use_rslora', true],
    ['rank_pattern', { q_proj: 8 }],
    ['alpha_pattern', { q_proj: 8 }],
    ['bias', 'all'],
    ['modules_to_save', ['lm_head']],
    ['fan_in_fan_out', true],
    ['lora_of_tomorrow', { strength: 2 }],
  ])('%s', async (field, value) => {
    await expect(readAdapter(changed({ [field]: value }))).rejects.toMatchObject({
      code: 'model.unknown-config-field',
      message: expect.stringContaining(field),
    })
  })
})

test.each([
  ['another method', { peft_type: 'IA3' }],
  ['a rank that the factors do not have', { r: 8 }],
  ['no rank', { r: null }],
])('%s is a bad adapter', async (_name, change) => {
  await expect(readAdapter(changed(change))).rejects.toMatchObject({ code: 'model.bad-adapter' })
})
