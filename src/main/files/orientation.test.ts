// Where a file's orientation may stand, made byte by byte; the pictures themselves are compared with Pillow's by
// engine/image/pictureFiles.test.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { avifOrientation } from './avifOrientation.ts'
import { orientationOf, turnedSize } from './orientation.ts'
import { pictureFiles, pictureFolder } from './testing/pictureFiles.ts'

/** A little-endian TIFF of one directory entry. */
function tiff(type: number, count: number, value: number, tag = 274): Buffer {
  const bytes = Buffer.alloc(26)
  bytes.write('II*\0', 'latin1')
  bytes.writeUInt32LE(8, 4)
  bytes.writeUInt16LE(1, 8)
  bytes.writeUInt16LE(tag, 10)
  bytes.writeUInt16LE(type, 12)
  bytes.writeUInt32LE(count, 14)
  bytes.writeUInt32LE(value, 18)
  return bytes
}

test.each([
  ['a SHORT', tiff(3, 1, 6), 6],
  ['a LONG', tiff(4, 1, 8), 8],
  ['a BYTE', tiff(1, 1, 3), 3],
  ['two values', tiff(3, 2, 6), 1],
  ['a fraction', tiff(5, 1, 6), 1],
  ['another tag', tiff(3, 1, 6, 275), 1],
  ['nought', tiff(3, 1, 0), 1],
  ['nine', tiff(3, 1, 9), 1],
  ['a directory beyond the end', Buffer.concat([Buffer.from('II*\0'), Buffer.from([200, 0, 0, 0])]), 1],
  ['a header that is cut short', Buffer.from('II*\0'), 1],
])('EXIF with %s', (_name, bytes, orientation) => {
  expect(orientationOf(bytes, 'tiff')).toBe(orientation)
})

describe('AVIF', () => {
  const box = (kind: string, ...parts: Uint8Array[]): Buffer => {
    const content = Buffer.concat(parts)
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + content.length)
    head.write(kind, 4, 'latin1')
    return Buffer.concat([head, content])
  }
  const full = Buffer.alloc(4)
  /** Item 2 is the primary one and has the properties at these places; item 1 has them all. */
  const file = (properties: readonly Buffer[], places: readonly number[]): Buffer => {
    const all = properties.map((_, i) => i + 1)
    const entries = [0, 0, 0, 2, 0, 1, all.length, ...all, 0, 2, places.length, ...places.map((place) => place | 0x80)]
    return Buffer.concat([
      box('ftyp', Buffer.from('avif\0\0\0\0')),
      box(
        'meta',
        full,
        box('pitm', full, Buffer.of(0, 2)),
        box('iprp', box('ipco', ...properties), box('ipma', full, Buffer.from(entries))),
      ),
    ])
  }
  const rotated = (angle: number) => box('irot', Buffer.of(angle))
  const mirrored = (axis: number) => box('imir', Buffer.of(axis))

  // ISO/IEC 23008-12: angle in quarter turns against the clock; axis 0 swaps top and bottom. EXIF 6 is a quarter turn with
  // the clock, 5 the transpose: x and y change places.
  test.each([
    [0, null, 1],
    [1, null, 8],
    [2, null, 3],
    [3, null, 6],
    [0, 0, 4],
    [0, 1, 2],
    [1, 0, 5],
    [1, 1, 7],
    [2, 0, 2],
    [2, 1, 4],
    [3, 0, 7],
    [3, 1, 5],
  ])('turned by %d quarters and mirrored about %s is orientation %d', (angle, axis, orientation) => {
    const properties = [rotated(angle), ...(axis === null ? [] : [mirrored(axis)])]
    expect(
      avifOrientation(
        file(
          properties,
          properties.map((_, i) => i + 1),
        ),
      ),
    ).toBe(orientation)
  })

  test('what other items have is passed over, and a file without a primary one says nothing', () => {
    expect(avifOrientation(file([rotated(3)], []))).toBe(1)
    expect(orientationOf(box('ftyp', Buffer.from('avif')), 'avif')).toBe(1)
  })

  test('boxes that end beyond the file say nothing', () => {
    const whole = readFileSync(join(pictureFolder, 'turned-6.avif'))
    for (let length = 0; length < whole.length; length++) {
      expect([1, 6]).toContain(orientationOf(whole.subarray(0, length), 'avif'))
    }
  })
})

test('a file that ends anywhere within is read as far as it goes', () => {
  for (const { name, path } of pictureFiles.filter((file) => /6|late|raw|xmp|headed|intel|stray/.test(file.name))) {
    const whole = readFileSync(path)
    const format = name.endsWith('.jpg') ? 'jpeg' : (name.split('.')[1] as 'png' | 'webp' | 'avif' | 'tiff')
    for (let length = 0; length < whole.length; length++) {
      expect([1, 6]).toContain(orientationOf(whole.subarray(0, length), format))
    }
    expect(orientationOf(whole, format), name).toBe(6)
  }
})

test('a picture that lies on its side changes width and height', () => {
  expect(turnedSize({ width: 3, height: 2 }, 4)).toEqual({ width: 3, height: 2 })
  expect(turnedSize({ width: 3, height: 2 }, 5)).toEqual({ width: 2, height: 3 })
})
