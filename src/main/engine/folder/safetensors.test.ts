// Safetensors against the reference library's own file, round trips, and every way a file or folder can be wrong.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { StudioError } from '../../../shared/errors.ts'
import {
  readSafetensors,
  readTensorBytes,
  readTensorPieces,
  streamSafetensors,
  temporaryBeside,
  writeFailure,
  writeSafetensors,
} from './safetensors.ts'
import { openWeights } from './weights.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-weights-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const fixtures = join(import.meta.dirname, 'fixtures')

let number = 0
/** A file with this header and as many zero bytes of data. */
function fileOf(header: string | object, dataBytes: number, lengthAs?: bigint): string {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(lengthAs ?? BigInt(text.length))
  const path = join(folder, `${number++}.safetensors`)
  writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(dataBytes)]))
  return path
}

const f32 = (shape: number[], start: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [start, end] })

async function codeOf(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(
    () => 'accepted',
    (error: unknown) => error,
  )
  if (thrown instanceof StudioError) return thrown.code
  throw thrown
}

describe('a file of the reference library', () => {
  const expected: Record<string, { shape: number[]; hex: string; dtype: string }> = JSON.parse(
    readFileSync(join(fixtures, 'witness.json'), 'utf8'),
  )

  test('has the names, dtypes, shapes and bytes that were written', async () => {
    const tensors = await readSafetensors(join(fixtures, 'witness.safetensors'))
    expect(tensors.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort())
    for (const tensor of tensors) {
      const witness = expected[tensor.name]
      expect(tensor.shape).toEqual(witness?.shape)
      expect(tensor.dtype).toBe(witness?.dtype)
      expect((await readTensorBytes(tensor)).toString('hex')).toBe(witness?.hex)
    }
  })

  test('is the same after it was read and written again', async () => {
    const path = join(folder, 'again.safetensors')
    const names = {
      float64: 'F64',
      float32: 'F32',
      float16: 'F16',
      bfloat16: 'BF16',
      int64: 'I64',
      int32: 'I32',
      uint8: 'U8',
      bool: 'BOOL',
    } as const
    const tensors = await readSafetensors(join(fixtures, 'witness.safetensors'))
    const toWrite = await Promise.all(
      tensors.map(async (tensor) => ({
        ...tensor,
        dtype: names[tensor.dtype as keyof typeof names],
        bytes: await readTensorBytes(tensor),
      })),
    )
    await writeSafetensors(path, toWrite, { format: 'pt' })
    const again = await readSafetensors(path)
    const facts = (list: typeof tensors) => list.map(({ name, dtype, shape }) => ({ name, dtype, shape }))
    expect(facts(again)).toEqual(facts(tensors))
    for (const tensor of again) expect((await readTensorBytes(tensor)).toString('hex')).toBe(expected[tensor.name]?.hex)
    expect((again[0]?.slice.offsetBytes ?? 1) % 8).toBe(0)
  })
})

describe('a file that is wrong is refused for what is wrong with it', () => {
  test.each([
    ['a header of no bytes', () => fileOf('', 0), 'weights.bad-header'],
    ['a header of 200 MB', () => fileOf('{}', 0, 200_000_000n), 'weights.not-safetensors'],
    ['a header beyond the end', () => fileOf('{}', 0, 1000n), 'weights.truncated'],
    ['a header that is no JSON', () => fileOf('{"a":', 0), 'weights.bad-header'],
    ['a header that is a list', () => fileOf('[]', 0), 'weights.bad-header'],
    ['data that are cut short', () => fileOf({ a: f32([4], 0, 16) }, 8), 'weights.truncated'],
    ['data that nobody owns', () => fileOf({ a: f32([4], 0, 16) }, 20), 'weights.bad-header'],
    ['a hole', () => fileOf({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), 'weights.bad-tensor'],
    ['an overlap', () => fileOf({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), 'weights.bad-tensor'],
    [
      'a name that comes twice',
      () => fileOf(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 4, 8))}}`, 8),
      'weights.bad-tensor',
    ],
    ['a shape that does not fit', () => fileOf({ a: f32([3], 0, 16) }, 16), 'weights.bad-tensor'],
    ['a shape whose product overflows', () => fileOf({ a: f32([2 ** 52, 2 ** 52], 0, 16) }, 16), 'weights.bad-tensor'],
    ['a negative offset', () => fileOf({ a: f32([1], -4, 0) }, 4), 'weights.bad-tensor'],
    ['offsets the wrong way round', () => fileOf({ a: f32([1], 4, 0) }, 4), 'weights.bad-tensor'],
    [
      'a dtype of tomorrow',
      () => fileOf({ a: { dtype: 'F4', shape: [1], data_offsets: [0, 4] } }, 4),
      'weights.unsupported-dtype',
    ],
    [
      'a dtype that every object has',
      () => fileOf({ a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4),
      'weights.unsupported-dtype',
    ],
    ['a shape of 17 axes', () => fileOf({ a: f32(new Array(17).fill(1), 0, 4) }, 4), 'weights.bad-tensor'],
    ['a field nobody knows', () => fileOf({ a: { ...f32([1], 0, 4), stride: [1] } }, 4), 'weights.bad-tensor'],
    ['a file that is not there', () => join(folder, 'no such.safetensors'), 'weights.unreadable'],
  ])('%s', async (_name, make, code) => {
    expect(await codeOf(readSafetensors(make()))).toBe(code)
  })

  test('a header of broken UTF-8', async () => {
    const path = fileOf({ a_: f32([1], 0, 4) }, 4)
    const bytes = readFileSync(path)
    bytes[bytes.indexOf('a_') + 1] = 0xff
    writeFileSync(path, bytes)
    expect(await codeOf(readSafetensors(path))).toBe('weights.bad-header')
  })

  test('but not for a tensor without bytes, wherever its header has it', async () => {
    const path = fileOf({ a: f32([1], 0, 4), none: f32([0], 0, 0), b: f32([1], 4, 8) }, 8)
    expect((await readSafetensors(path)).map(({ name }) => name)).toEqual(['none', 'a', 'b'])
  })

  test('an empty file', async () => {
    const path = join(folder, 'empty.safetensors')
    writeFileSync(path, '')
    expect(await codeOf(readSafetensors(path))).toBe('weights.stand-in')
  })

  test('a tensor whose bytes do not fit is not written, and leaves nothing behind', async () => {
    const path = join(folder, 'never.safetensors')
    const tensor = { name: 'a', dtype: 'F32' as const, shape: [3], bytes: new Uint8Array(4) }
    expect(await codeOf(writeSafetensors(path, [tensor]))).toBe('weights.bad-tensor')
    expect(await codeOf(readSafetensors(path))).toBe('weights.unreadable')
  })
})

test('two tensors of one name are not written', async () => {
  const path = join(folder, 'never twice.safetensors')
  const tensor = { name: 'a', dtype: 'F32' as const, shape: [1], bytes: new Uint8Array(4) }
  expect(await codeOf(writeSafetensors(path, [tensor, tensor]))).toBe('weights.bad-tensor')
})

test.each([
  ['ENOSPC', 'weights.disk-full'],
  ['EDQUOT', 'weights.disk-full'],
  ['EACCES', 'weights.cannot-write'],
])('%s while writing is %s', (code, expected) => {
  expect(writeFailure('/a', Object.assign(new Error(code), { code })).code).toBe(expected)
})

describe('a file that is written piece by piece', () => {
  const whole = Uint8Array.from({ length: 40 }, (_, i) => i)
  const streamed = (pieces: () => Iterable<Uint8Array>) => [{ name: 'a', dtype: 'F32' as const, shape: [10], pieces }]

  test('is the one that is written at once, and is read piece by piece', async () => {
    const [atOnce, inPieces] = [join(folder, 'at once.safetensors'), join(folder, 'in pieces.safetensors')]
    await writeSafetensors(atOnce, [{ name: 'a', dtype: 'F32', shape: [10], bytes: whole }], { format: 'pt' })
    const pieces = () => [whole.subarray(0, 7), whole.subarray(7, 7), whole.subarray(7)]
    await streamSafetensors(inPieces, streamed(pieces), { format: 'pt' })
    expect(readFileSync(inPieces).equals(readFileSync(atOnce))).toBe(true)
    const [tensor] = await readSafetensors(inPieces)
    const read: number[][] = []
    for await (const piece of readTensorPieces(tensor as NonNullable<typeof tensor>, 16)) read.push([...piece])
    expect(read.map(({ length }) => length)).toEqual([16, 16, 8])
    expect(read.flat()).toEqual([...whole])
  })

  test.each([39, 41])('of %i bytes for 40 is refused and leaves nothing behind', async (length) => {
    const path = join(folder, 'never streamed.safetensors')
    expect(
      await codeOf(
        streamSafetensors(
          path,
          streamed(() => [new Uint8Array(length)]),
        ),
      ),
    ).toBe('weights.bad-tensor')
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([])
  })
})

describe('a file that cannot be written', () => {
  const tensor = { name: 'a', dtype: 'F32' as const, shape: [2], bytes: new Uint8Array(8) }

  test('because its folder is not there', async () => {
    const path = join(folder, 'no folder', 'a.safetensors')
    expect(await codeOf(writeSafetensors(path, [tensor]))).toBe('weights.cannot-write')
  })

  // Linux has a device that is always full.
  test.runIf(process.platform === 'linux')('because the disk is full', async () => {
    const path = join(folder, 'full.safetensors')
    symlinkSync('/dev/full', temporaryBeside(path))
    expect(await codeOf(writeSafetensors(path, [tensor]))).toBe('weights.disk-full')
    expect(readdirSync(folder).filter((name) => name.startsWith('full'))).toEqual([])
  })
})

describe('mutated files', () => {
  test('are read or refused with a typed error, never anything else (2,000 cases)', async () => {
    const whole = readFileSync(join(fixtures, 'witness.safetensors'))
    const path = join(folder, 'mutated.safetensors')
    const place = fc.nat(whole.length - 1)
    const mutation = fc.record({
      cutAt: fc.option(place),
      bytes: fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 6 }),
    })
    let refused = 0
    await fc.assert(
      fc.asyncProperty(mutation, async ({ cutAt, bytes }) => {
        const mutated = Buffer.from(whole)
        for (const [at, byte] of bytes) mutated[at] = byte
        writeFileSync(path, mutated.subarray(0, cutAt ?? whole.length))
        try {
          for (const { slice } of await readSafetensors(path))
            expect(slice.offsetBytes + slice.sizeBytes).toBeLessThanOrEqual(mutated.length)
        } catch (thrown) {
          if (!(thrown instanceof StudioError)) throw thrown
          refused++
        }
      }),
      { numRuns: 2000, seed: 20260 },
    )
    expect(refused).toBeGreaterThan(1000)
  })
})

describe('a model folder', () => {
  const tensor = (name: string) => ({ name, dtype: 'F32' as const, shape: [2], bytes: new Uint8Array(8) })
  function newFolder(...path: string[]): string {
    const made = join(folder, `model ${number++}`, ...path)
    mkdirSync(made, { recursive: true })
    return made
  }
  async function sharded(map: Record<string, string>, shards: Record<string, string[]>): Promise<string> {
    const made = newFolder()
    for (const [name, names] of Object.entries(shards)) await writeSafetensors(join(made, name), names.map(tensor))
    writeFileSync(join(made, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }))
    return made
  }

  test('of one file', async () => {
    const made = newFolder()
    await writeSafetensors(join(made, 'model.safetensors'), [tensor('a')])
    const weights = await openWeights(made)
    expect(weights.names).toEqual(['a'])
    expect((await weights.bytes('a')).length).toBe(8)
    expect(() => weights.get('b')).toThrow('The tensor b is not in it.')
  })

  test('of shards', async () => {
    const made = await sharded(
      { a: '1.safetensors', b: '2.safetensors' },
      { '1.safetensors': ['a'], '2.safetensors': ['b'] },
    )
    expect((await openWeights(made)).names.sort()).toEqual(['a', 'b'])
  })

  test.each([
    ['a shard is missing', { a: '1.safetensors', b: '2.safetensors' }, 'weights.missing-shard'],
    ['a shard of another folder', { a: '1.safetensors', b: '../2.safetensors' }, 'weights.missing-shard'],
    ['a tensor that no shard holds', { a: '1.safetensors', b: '1.safetensors' }, 'weights.missing-tensor'],
    ['an index that is none', 7 as unknown as Record<string, string>, 'weights.bad-index'],
  ])('%s', async (_name, map, code) => {
    expect(await codeOf(openWeights(await sharded(map, { '1.safetensors': ['a'] })))).toBe(code)
  })

  test('with pickled weights only, or none', async () => {
    const made = newFolder()
    expect(await codeOf(openWeights(made))).toBe('weights.none')
    writeFileSync(join(made, 'pytorch_model.bin'), 'x')
    expect(await codeOf(openWeights(made))).toBe('weights.pickle')
  })

  test('a link out of the folder is not followed; one into the cache of its own repository is', async () => {
    const secret = join(folder, 'secret.safetensors')
    await writeSafetensors(secret, [tensor('secret')])
    const made = newFolder()
    symlinkSync(secret, join(made, 'model.safetensors'))
    expect(await codeOf(openWeights(made))).toBe('weights.outside')

    const snapshot = newFolder('models--a--b', 'snapshots', 'abc')
    const blobs = join(snapshot, '..', '..', 'blobs')
    mkdirSync(blobs)
    await writeSafetensors(join(blobs, 'f00d'), [tensor('a')])
    symlinkSync('../../blobs/f00d', join(snapshot, 'model.safetensors'))
    expect((await openWeights(snapshot)).names).toEqual(['a'])
  })
})

describe('checkpoints as transformers writes them', () => {
  const checkpoints = join(import.meta.dirname, '../../../../tools/parity/fixtures')

  test.each([
    ['clip-llama', 'float32', 1],
    ['clip-llama-bf16', 'bfloat16', 1],
    ['clip-mistral', 'float32', 4],
    ['siglip-qwen2', 'float32', 1],
  ])('%s opens, %s in %i files', async (name, dtype, files) => {
    const weights = await openWeights(join(checkpoints, name))
    const tensors = weights.names.map((tensor) => weights.get(tensor))
    expect(new Set(tensors.map((tensor) => tensor.dtype))).toEqual(new Set([dtype]))
    expect(new Set(tensors.map(({ slice }) => slice.file)).size).toBe(files)
    expect(weights.names.some((tensor) => tensor.endsWith('self_attn.q_proj.weight'))).toBe(true)
    expect(weights.names.some((tensor) => tensor.includes('multi_modal_projector'))).toBe(true)
  })
})
