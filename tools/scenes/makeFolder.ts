// Folders of images for tests: many small pictures, no two alike, and the files that an import must refuse or find twice.
// scene.ts and draw.ts make the pictures; the end-to-end suite imports the folders.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { drawJpeg, drawScene } from './draw.ts'
import { makeScene } from './scene.ts'

const edge = 128

/** How the pictures are stored in turn; the quick settings of each format. */
const formats: readonly { readonly extension: string; readonly encode: (picture: Sharp) => Sharp }[] = [
  { extension: 'jpg', encode: (picture) => picture.jpeg({ quality: 85 }) },
  { extension: 'jpg', encode: (picture) => picture.jpeg({ quality: 85 }) },
  { extension: 'png', encode: (picture) => picture.png({ compressionLevel: 1 }) },
  { extension: 'webp', encode: (picture) => picture.webp({ effort: 0 }) },
]

/** Drawing and encoding take turns on this many pictures at once: sharp encodes on threads of its own. */
const picturesAtOnce = 8

/**
 * Writes `count` distinct JPEG, PNG and WebP pictures of 128 x 128 pixels to `folder`, the same for the same seed.
 * @returns their paths, `image-00001.jpg` and so on
 */
export async function makeImageFolder(folder: string, count: number, seed: number): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const paths: string[] = []
  const writeNext = async (): Promise<void> => {
    while (paths.length < count) {
      const index = paths.length
      const { extension, encode } = formats[index % formats.length] as (typeof formats)[number]
      const path = join(folder, `image-${String(index + 1).padStart(5, '0')}.${extension}`)
      paths.push(path)
      const pixels = await drawScene(makeScene(seed, index), edge)
      writeFileSync(path, await encode(sharp(pixels, { raw: { width: edge, height: edge, channels: 3 } })).toBuffer())
    }
  }
  await Promise.all(Array.from({ length: picturesAtOnce }, writeNext))
  return paths
}

/** The paths of the files that {@link makeBadImages} writes. */
export interface BadImages {
  /** The first half of a JPEG file. */
  readonly truncated: string
  /** No bytes at all. */
  readonly empty: string
  /** Words, under the name of a PNG file. */
  readonly text: string
  /** A PNG file whose header promises 30,000 x 30,000 pixels and that holds hardly any. */
  readonly huge: string
  /** Byte for byte the original, under another name. */
  readonly duplicate: string
}

/** Writes one file of each bad kind to `folder`; the duplicate is of the image at `original`. */
export async function makeBadImages(folder: string, original: string): Promise<BadImages> {
  mkdirSync(folder, { recursive: true })
  const paths: BadImages = {
    truncated: join(folder, 'bad-truncated.jpg'),
    empty: join(folder, 'bad-empty.jpg'),
    text: join(folder, 'bad-text.png'),
    huge: join(folder, 'bad-huge.png'),
    duplicate: join(folder, `bad-duplicate${extname(original)}`),
  }
  const whole = await drawJpeg(makeScene(0, 0), edge)
  writeFileSync(paths.truncated, whole.subarray(0, whole.length / 2))
  writeFileSync(paths.empty, '')
  writeFileSync(paths.text, 'This file is a text, whatever its name says.\n')
  writeFileSync(paths.huge, emptyPng(30_000))
  copyFileSync(original, paths.duplicate)
  return paths
}

/** A PNG file of `side` x `side` RGB pixels with a right header and next to no data. */
function emptyPng(side: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  // Eight bits a channel, colour type 2: RGB.
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  // The shortest zlib stream: it ends before the first row.
  const nothing = Buffer.from([0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', nothing), chunk('IEND', Buffer.alloc(0))])
}

/** Length, type, content and checksum (PNG specification, section 5.3). */
function chunk(type: string, content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  sum.writeUInt32BE(crc32(typed))
  return Buffer.concat([length, typed, sum])
}
