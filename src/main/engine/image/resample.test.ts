// Resized pictures against Pillow's own bytes, for every filter; windows, crops and whole processors besides.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readSafetensors, readTensorBytes, type StoredTensor } from '../folder/safetensors.ts'
import { fixtureRoot } from '../models/testing/parityFixtures.ts'
import { openImageProcessor } from './imageProcessor.ts'
import { filters, type RgbImage, resizeRgb, type Size } from './resample.ts'

const witness = join(fixtureRoot, 'pictures')
const expected: { resized_sha256: Record<string, string>; processors: Record<string, object> } = JSON.parse(
  readFileSync(join(witness, 'expected.json'), 'utf8'),
)
const tensors = await readSafetensors(join(witness, 'expected.safetensors'))
const under = (prefix: string) =>
  tensors
    .filter(({ name }) => name.startsWith(prefix))
    .map((tensor) => [tensor.name.slice(prefix.length), tensor] as [string, StoredTensor])

/** The upper byte of (i · 2654435761) mod 2³², as tools/parity/parity_kit/pictures.py makes it. */
function noise({ width, height }: Size): RgbImage {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24)
  return { width, height, pixels }
}

function sizeOf(text: string): Size {
  const [width, height] = text.split('x').map(Number)
  return { width: width as number, height: height as number }
}

const isFilter = (name: string): name is (typeof filters)[number] => (filters as readonly string[]).includes(name)

describe('a small picture has the bytes that Pillow gives it', () => {
  test.each(under('resize.'))('%s', async (name, tensor) => {
    const [filter = '', target = ''] = name.split('.')
    if (!isFilter(filter)) throw new Error(filter)
    const resized = resizeRgb(noise({ width: 13, height: 11 }), sizeOf(target), filter)
    expect([resized.height, resized.width, 3]).toEqual(tensor.shape)
    expect([...resized.pixels]).toEqual([...(await readTensorBytes(tensor))])
  })
})

describe('a larger picture has the digest that Pillow gives it', () => {
  test.each(Object.entries(expected.resized_sha256))('%s', (name, digest) => {
    const [filter = '', from = '', to = ''] = name.split('.')
    if (!isFilter(filter)) throw new Error(filter)
    const { pixels } = resizeRgb(noise(sizeOf(from)), sizeOf(to), filter)
    expect(createHash('sha256').update(pixels).digest('hex')).toBe(digest)
  })
})

test('a window is that part of the whole (300 cases)', () => {
  const side = fc.integer({ min: 1, max: 24 })
  const part = (length: number) =>
    fc.integer({ min: 0, max: length - 1 }).chain((start) => fc.tuple(fc.constant(start), fc.nat(length - 1 - start)))
  const cases = fc.tuple(side, side, side, side, fc.constantFrom(...filters)).chain(([w, h, width, height, filter]) =>
    fc.record({
      image: fc.constant(noise({ width: w, height: h })),
      target: fc.constant({ width, height }),
      filter: fc.constant(filter),
      across: part(width),
      down: part(height),
    }),
  )
  fc.assert(
    fc.property(cases, ({ image, target, filter, across: [left, right], down: [top, bottom] }) => {
      const window = { left, top, width: right + 1, height: bottom + 1 }
      const whole = resizeRgb(image, target, filter)
      const found = resizeRgb(image, target, filter, window)
      const cut = Array.from({ length: window.height }, (_, y) => {
        const start = ((top + y) * target.width + left) * 3
        return [...whole.pixels.subarray(start, start + window.width * 3)]
      }).flat()
      expect([...found.pixels]).toEqual(cut)
    }),
    { numRuns: 300, seed: 20260 },
  )
})

describe('a whole processor makes the values that transformers makes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-resample-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(under('pixel_values.'))('%s', async (name, tensor) => {
    writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(expected.processors[name]))
    const processor = await openImageProcessor(folder)
    const values = processor.pixelValues(noise({ width: 13, height: 11 }))
    const bytes = new Uint8Array(await readTensorBytes(tensor))
    const wanted = tensor.dtype === 'uint8' ? bytes : new Float32Array(bytes.buffer)
    expect([1, 3, processor.size.height, processor.size.width]).toEqual(tensor.shape)
    expect([...values]).toEqual([...wanted])
  })
})
