// One file of an import: hashed, decoded once, shrunk to a thumbnail, or refused with a plain reason.
// importImages.ts walks the folder and stores what this returns.
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import sharp, { type Metadata } from 'sharp'

/** Why a file was left out; each has one sentence for a person in {@link issueText}. */
export type ReadIssueCode = 'empty' | 'not-an-image' | 'damaged' | 'too-many-pixels' | 'too-large-file' | 'unreadable'

export class ReadIssue extends Error {
  readonly code: ReadIssueCode
  constructor(code: ReadIssueCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** What the workspace keeps of one image. */
export interface ReadImage {
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** SHA-256 of the whole file, 32 bytes. */
  readonly sha256: Buffer
  /** Pixels as a person sees it: after the rotation that its EXIF data asks for. */
  readonly width: number
  readonly height: number
  readonly format: ImageFormat
  /** WebP, at most {@link thumbnailEdge} pixels on its longer side. */
  readonly thumbnail: Buffer
}

export const imageFormats = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const
export type ImageFormat = (typeof imageFormats)[number]

/** File extensions an import looks at; other files in the folder are not its business. */
export const imageExtensions: ReadonlySet<string> = new Set([
  '.jpg',
  '.jpeg',
  '.jpe',
  '.png',
  '.webp',
  '.gif',
  '.avif',
  '.tif',
  '.tiff',
])

export const thumbnailEdge = 192
const largestPixels = 268_402_689
const largestFileBytes = 512 * 1024 * 1024

// Files are decoded a few at a time by the importer; a cache would only hold memory.
sharp.cache(false)
sharp.concurrency(1)

/**
 * Reads one image file.
 * @throws ReadIssue when the file cannot be used; its message is a sentence for a person.
 */
export async function readImage(path: string): Promise<ReadImage> {
  const { bytes, modifiedMs } = await readBytes(path)
  const { format, width, height } = await readHeader(bytes)
  if (width * height > largestPixels) {
    throw new ReadIssue(
      'too-many-pixels',
      `It is too large: ${width} × ${height} pixels; the limit is ${Math.floor(largestPixels / 1e6)} million.`,
    )
  }
  return {
    sizeBytes: bytes.length,
    modifiedMs,
    sha256: createHash('sha256').update(bytes).digest(),
    width,
    height,
    format,
    thumbnail: await makeThumbnail(bytes),
  }
}

async function readBytes(path: string): Promise<{ bytes: Buffer; modifiedMs: number }> {
  try {
    const { size, mtimeMs } = await stat(path)
    if (size === 0) throw new ReadIssue('empty', 'The file is empty (0 bytes).')
    if (size > largestFileBytes) {
      const limit = largestFileBytes / 2 ** 20
      throw new ReadIssue(
        'too-large-file',
        `The file is too large: ${Math.round(size / 2 ** 20)} MB; the limit is ${limit} MB.`,
      )
    }
    return { bytes: await readFile(path), modifiedMs: Math.round(mtimeMs) }
  } catch (thrown) {
    if (thrown instanceof ReadIssue) throw thrown
    const { code } = thrown as NodeJS.ErrnoException
    const why = code === 'EACCES' || code === 'EPERM' ? 'permission was denied' : (code ?? 'the disk did not answer')
    throw new ReadIssue('unreadable', `The file could not be read: ${why}.`, { cause: thrown })
  }
}

async function readHeader(bytes: Buffer): Promise<{ format: ImageFormat; width: number; height: number }> {
  let metadata: Metadata
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata()
  } catch (cause) {
    throw new ReadIssue('not-an-image', 'It is not an image, whatever its name says.', { cause })
  }
  const format = metadata.format === 'heif' ? 'avif' : metadata.format
  const known = imageFormats.find((candidate) => candidate === format)
  if (!known) throw new ReadIssue('not-an-image', `It is of a kind that is not supported (${format}).`)
  // Orientations 5 to 8 lay the picture on its side.
  const turned = (metadata.orientation ?? 1) >= 5
  const height = metadata.pageHeight ?? metadata.height
  return { format: known, width: turned ? height : metadata.width, height: turned ? metadata.width : height }
}

async function makeThumbnail(bytes: Buffer): Promise<Buffer> {
  try {
    return await sharp(bytes, { failOn: 'truncated', limitInputPixels: largestPixels })
      .rotate()
      .resize(thumbnailEdge, thumbnailEdge, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 78, effort: 1 })
      .toBuffer()
  } catch (cause) {
    throw new ReadIssue('damaged', 'It is damaged or cut short: its picture cannot be decoded to the end.', { cause })
  }
}
