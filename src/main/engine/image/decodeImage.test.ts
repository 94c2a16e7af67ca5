// Image files of every kind against transformers' load_image, and those that cannot be used.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { StudioError } from '../../../shared/errors.ts'
import { pictureFiles } from '../../files/testing/pictureFiles.ts'
import { readSafetensors, readTensorBytes, type StoredTensor } from '../folder/safetensors.ts'
import { fixtureRoot } from '../models/testing/parityFixtures.ts'
import { decodeImage } from './decodeImage.ts'

const witness = join(fixtureRoot, 'pictures')
const folder = mkdtempSync(join(tmpdir(), 'fisao-decode-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const scenes = join(import.meta.dirname, '../../../../resources/samples/images')
const tensors = await readSafetensors(join(witness, 'expected.safetensors'))
const under = (prefix: string) =>
  tensors
    .filter(({ name }) => name.startsWith(prefix))
    .map((tensor): [string, StoredTensor] => [tensor.name.slice(prefix.length), tensor])
const files = under('file.')

describe('a file gives the levels that load_image gives', () => {
  test.each(files)('%s', async (name, tensor) => {
    const { width, height, pixels } = await decodeImage(join(witness, name))
    expect([height, width, 3]).toEqual(tensor.shape)
    expect([...pixels]).toEqual([...(await readTensorBytes(tensor))])
  })
})

// JPEG decoders differ in how they widen colour to full size: libjpeg-turbo behind Pillow and the decoder of this app
// agree within a few levels, which the resampling afterwards evens out in part.
test.each(under('scene.'))('the JPEG %s is within 4 levels, and 0.3 on average', async (name, tensor) => {
  const { width, height, pixels } = await decodeImage(join(scenes, name))
  const [rows, columns] = tensor.shape as [number, number, number]
  const [left, top] = [(width - columns) / 2, (height - rows) / 2]
  const differences = (await readTensorBytes(tensor)).map((level, i) => {
    const at = (top + Math.floor(i / (columns * 3))) * width * 3 + left * 3 + (i % (columns * 3))
    return Math.abs(level - (pixels[at] as number))
  })
  expect(Math.max(...differences)).toBeLessThanOrEqual(4)
  expect(differences.reduce((sum, difference) => sum + difference, 0) / differences.length).toBeLessThan(0.3)
})

test('an orientation that means nothing is passed over', async () => {
  const bytes = readFileSync(join(witness, 'turned-1.jpg'))
  const tag = bytes.indexOf(Buffer.from('011200030000000100', 'hex'))
  expect(bytes[tag + 9]).toBe(1)
  bytes[tag + 9] = 9
  expect(await decodeImage(written('nine.jpg', bytes))).toEqual(await decodeImage(join(witness, 'turned-1.jpg')))
})

test('of 16 bits the upper 8 are kept, where Pillow would clip to white', async () => {
  const [deep, plain] = await Promise.all(['grey-16.png', 'grey.png'].map((name) => decodeImage(join(witness, name))))
  expect(deep).toEqual(plain)
})

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

describe('a file that cannot be used is refused', () => {
  const png = readFileSync(join(witness, 'grey.png'))
  const jpeg = readFileSync(join(witness, 'turned-1.jpg'))
  const long = Buffer.from(png)
  long.writeUInt32BE(200_000, 16)
  const huge = Buffer.from(png)
  huge.writeUInt32BE(30_000, 16)
  huge.writeUInt32BE(30_000, 20)

  test.each([
    ['nothing', new Uint8Array(0), 'image.not-an-image'],
    ['text', Buffer.from('a picture of a dog'), 'image.not-an-image'],
    ['a PNG that is cut short', png.subarray(0, 60), 'image.damaged'],
    ['a JPEG without its end', jpeg.subarray(0, jpeg.length - 2), 'image.damaged'],
    ['a PNG that says it is too long', long, 'image.too-large'],
    ['a PNG that says it has too many pixels', huge, 'image.too-large'],
  ])('%s', async (_name, bytes, code) => {
    await expect(decodeImage(written('refused', bytes))).rejects.toMatchObject({ code })
  })

  test('a file that is not there', async () => {
    await expect(decodeImage(join(folder, 'none.png'))).rejects.toMatchObject({ code: 'image.missing' })
  })

  test('mutated files are decoded or refused with a typed error (500 cases)', async () => {
    const paths = [...files.map(([name]) => join(witness, name)), ...pictureFiles.map(({ path }) => path)]
    const sources = paths.map((path) => readFileSync(path))
    const change = fc.record({ source: fc.constantFrom(...sources), places: fc.array(fc.tuple(fc.nat(), fc.nat(255))) })
    await fc.assert(
      fc.asyncProperty(change, async ({ source, places }) => {
        const bytes = Buffer.from(source)
        for (const [at, byte] of places) bytes[at % bytes.length] = byte
        try {
          const { width, height, pixels } = await decodeImage(written('mutated', bytes))
          expect(pixels.length).toBe(width * height * 3)
        } catch (thrown) {
          if (!(thrown instanceof StudioError)) throw thrown
        }
      }),
      { numRuns: 500, seed: 20260 },
    )
  })
})
