// One limit for pictures, of importer and engine alike, said before anything is decoded: real files at it and beyond it,
// and headers of each format against what the decoder says of the same files.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { Transformer } from '@napi-rs/image'
import { afterAll, describe, expect, test } from 'vitest'
import type { ImageFormat } from '../../shared/domain.ts'
import { detectFormat, imageHeader, largestDecodedBytes } from '../../shared/imageSignature.ts'
import { decodeImage } from '../engine/image/decodeImage.ts'
import { fixtureRoot } from '../engine/models/testing/parityFixtures.ts'
import { pictureFolder } from '../files/testing/pictureFiles.ts'
import { readImage } from './readImage.ts'
import { crc32 } from './testing/pictures.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-pixels-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const formats = join(import.meta.dirname, 'testing', 'formats')
const pictures = [formats, join(fixtureRoot, 'pictures'), pictureFolder].flatMap((place) =>
  readdirSync(place)
    .filter((name) => /\.(jpe?g|png|webp|avif|tiff?|bmp)$/.test(name))
    .map((name): [string, string] => [name, join(place, name)]),
)

function chunk(type: string, content: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  checksum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, checksum])
}

/** A black PNG of four channels of 16 bits, whole and valid. */
function blackPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([16, 6], 8)
  const rows = deflateSync(Buffer.alloc((1 + 8 * width) * height), { level: 1 })
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

const side = 8192

test('a picture exactly at the limit is taken by both, one with a row more is refused by both with its size', {
  timeout: 120_000,
}, async () => {
  expect(side * side * 8).toBe(largestDecodedBytes)
  const path = join(folder, 'at.png')
  writeFileSync(path, blackPng(side, side))
  expect(await readImage(path)).toMatchObject({ width: side, height: side })
  const { width, height, pixels } = await decodeImage(path)
  expect([width, height, pixels.length]).toEqual([side, side, side * side * 3])

  const beyond = join(folder, 'beyond.png')
  writeFileSync(beyond, blackPng(side, side + 1))
  const words = `It is too large: ${side} × ${side + 1} pixels take 537 MB in memory; the limit is 537 MB`
  await expect(readImage(beyond)).rejects.toMatchObject({
    code: 'too-many-pixels',
    message: expect.stringContaining(words),
  })
  await expect(decodeImage(beyond)).rejects.toMatchObject({
    code: 'image.too-large',
    message: expect.stringContaining(words),
  })
})

describe('the header of', () => {
  test.each(pictures)('%s says what the decoder says', async (_name, path) => {
    const bytes = readFileSync(path)
    const header = imageHeader(bytes, detectFormat(bytes) as ImageFormat)
    const picture = new Transformer(bytes)
    const { width, height } = await picture.metadata()
    expect(header).toMatchObject({ width, height })
    // What is counted is what the decoder will hold, or more where a format can come out in two ways.
    const decodedBytes = (await picture.rawPixels()).length
    expect((header?.bytesPerPixel ?? 0) * width * height).toBeGreaterThanOrEqual(decodedBytes)
    expect((header?.bytesPerPixel ?? 0) * width * height).toBeLessThanOrEqual(decodedBytes * 1.34)
  })

  test('a file that ends within it is left to the decoder', () => {
    for (const [, path] of pictures) {
      const bytes = readFileSync(path)
      const format = detectFormat(bytes) as ImageFormat
      for (let length = 12; length < Math.min(400, bytes.length); length++) {
        expect(() => imageHeader(bytes.subarray(0, length), format)).not.toThrow()
      }
    }
  })
})

describe('a picture that says it is too large is refused with its size, in each format', () => {
  const [width, height] = [16_200, 16_201]
  const enlarge: Readonly<Record<string, (bytes: Buffer) => void>> = {
    'progressive.jpg': (bytes) => {
      const at = bytes.indexOf(Buffer.of(0xff, 0xc2))
      bytes.writeUInt16BE(height, at + 5)
      bytes.writeUInt16BE(width, at + 7)
    },
    'grey.jpg': (bytes) => {
      const at = bytes.indexOf(Buffer.of(0xff, 0xc0))
      bytes.writeUInt16BE(60_000, at + 5)
      bytes.writeUInt16BE(60_000, at + 7)
    },
    'plain.webp': (bytes) => {
      bytes.writeUInt16LE(width, 26)
      bytes.writeUInt16LE(height, 28)
    },
    'plain.avif': (bytes) => {
      const at = bytes.indexOf('ispe')
      bytes.writeUInt32BE(width, at + 8)
      bytes.writeUInt32BE(height, at + 12)
    },
    'lzw.tiff': (bytes) => {
      const directory = bytes.readUInt32LE(4)
      for (let i = 0; i < bytes.readUInt16LE(directory); i++) {
        const at = directory + 2 + 12 * i
        const size = { 256: width, 257: height }[bytes.readUInt16LE(at)]
        if (size !== undefined) bytes.writeUInt16LE(size, at + 8)
      }
    },
    'plain.png': (bytes) => {
      bytes.writeUInt32BE(width, 16)
      bytes.writeUInt32BE(height, 20)
    },
  }

  test.each(Object.keys(enlarge))('%s', async (name) => {
    const bytes = readFileSync(join(formats, name))
    enlarge[name]?.(bytes)
    const path = join(folder, name)
    writeFileSync(path, bytes)
    const words = expect.stringMatching(
      /^It is too large: \d+ × \d+ pixels take \d+ MB in memory; the limit is (537|269) MB/,
    )
    const error = await readImage(path).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'too-many-pixels', message: words })
    await expect(decodeImage(path)).rejects.toMatchObject({
      code: 'image.too-large',
      message: `This image cannot be used. ${(error as Error).message}`,
    })
  })

  test('a line is too long for both', async () => {
    const bytes = readFileSync(join(formats, 'plain.png'))
    bytes.writeUInt32BE(200_000, 16)
    const path = join(folder, 'line.png')
    writeFileSync(path, bytes)
    const message = expect.stringContaining('200000 × 64 pixels; the limit is 100000 a side')
    await expect(readImage(path)).rejects.toMatchObject({ code: 'too-many-pixels', message })
    await expect(decodeImage(path)).rejects.toMatchObject({ code: 'image.too-large', message })
  })
})
