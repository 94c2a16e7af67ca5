// One file of an import: hashed, decoded once, shrunk to a thumbnail, or refused with a plain reason.
// importImages.ts walks the folder and stores what this returns. Also pictures for a page that cannot lay them itself.
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
// Not sharp: on Linux its libvips and Electron's GTK share one GLib, which leaks every image that is decoded
// (about 200 kB for each of 384 x 384 pixels). This library has no such dependency.
import { JsColorType, ResizeFit, Transformer } from '@napi-rs/image'
import type { ImageFormat, ImportIssueCode } from '../../shared/domain.ts'
import {
  detectFormat,
  type ImageHeader,
  imageHeader,
  isCompleteJpeg,
  isDecoderLimit,
  largeFileWords,
  largestFileBytes,
  tooLargeWords,
} from '../../shared/imageSignature.ts'
import { leftOutReason, unreadableKind } from '../../shared/pictureKinds.ts'
import type { NewImage } from '../db/images.ts'
import { isUprightOnPage, orientationOf, turnedSize } from '../files/orientation.ts'
import { NoAnswer, NotAFile, readRegularFile } from '../files/regularFile.ts'

/** Why a file was left out; each has one sentence for a person in {@link issueText}. */
export type ReadIssueCode = Exclude<ImportIssueCode, 'duplicate' | 'changed'>

export class ReadIssue extends Error {
  readonly code: ReadIssueCode
  constructor(code: ReadIssueCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** What the workspace keeps of one image, its place apart. Width and height are as a person sees it. */
export type ReadImage = Omit<NewImage, 'importId' | 'path' | 'name'>

/** How the decoder lays pixels out that are not of the 4 bytes of RGBA. */
const decodedBytesPerPixel: Readonly<Partial<Record<JsColorType, number>>> = {
  ...{ [JsColorType.L8]: 1, [JsColorType.La8]: 2, [JsColorType.L16]: 2, [JsColorType.Rgb8]: 3 },
  ...{ [JsColorType.Rgb16]: 6, [JsColorType.Rgba16]: 8 },
}

/** Longer side of a thumbnail, in pixels. */
export const thumbnailEdge = 192

/**
 * Reads one image file.
 * @throws ReadIssue when the file cannot be used; its message is a sentence for a person.
 */
export async function readImage(path: string): Promise<ReadImage> {
  const { bytes, modifiedMs, format } = await readPictureFile(path)
  const shown = await shrunk(bytes, format)
  return { sizeBytes: bytes.length, modifiedMs, sha256: createHash('sha256').update(bytes).digest(), format, ...shown }
}

/**
 * Size and thumbnail of a picture that is not stored upright; null of any other, and of one that is not `wanted`.
 * @throws ReadIssue
 */
export async function turnedPicture(path: string, wanted: (bytes: Buffer) => boolean): Promise<Shrunk | null> {
  const { bytes, format } = await readPictureFile(path)
  return orientationOf(bytes, format) !== 1 && wanted(bytes) ? await shrunk(bytes, format) : null
}

type Shrunk = Pick<ReadImage, 'width' | 'height' | 'thumbnail'>

async function shrunk(bytes: Buffer, format: ImageFormat): Promise<Shrunk> {
  return await decoding(async () => {
    const { picture, width, height } = await openPicture(bytes, format)
    const thumbnail = await picture
      .resize({ width: thumbnailEdge, height: thumbnailEdge, fit: ResizeFit.Inside })
      .webp(78)
    freeDecoded(width * height)
    return { width, height, thumbnail }
  })
}

/** Longer side of a picture that is made for a page, in pixels: more than a screen shows. */
const pageEdge = 4096

/**
 * A picture as JPEG, upright, for a page that would lay the file itself in another way or not show it; null where the file
 * will do.
 * @throws ReadIssue
 */
export async function pagePicture(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const { bytes, format } = await readPictureFile(path)
  if (isUprightOnPage(bytes, format)) return null
  return await decoding(async () => {
    const { picture, width, height } = await openPicture(bytes, format)
    const isLarge = Math.max(width, height) > pageEdge
    const shown = isLarge ? picture.fastResize({ width: pageEdge, height: pageEdge, fit: ResizeFit.Inside }) : picture
    const jpeg = await shown.jpeg(92)
    freeDecoded(width * height)
    return new Uint8Array(jpeg)
  })
}

/** The bytes of a file that says it is a picture, and not too large a one. */
async function readPictureFile(path: string): Promise<{ bytes: Buffer; modifiedMs: number; format: ImageFormat }> {
  const { bytes, modifiedMs } = await readBytes(path)
  const format = detectFormat(bytes)
  if (!format) throw notAnImage(bytes)
  const header = imageHeader(bytes, format)
  if (header) refuseHuge(header)
  if (format === 'jpeg' && !isCompleteJpeg(bytes)) throw damaged()
  return { bytes, modifiedMs, format }
}

/** A picture that will come out upright, with its size then. */
async function openPicture(
  bytes: Buffer,
  format: ImageFormat,
): Promise<{ picture: Transformer; width: number; height: number }> {
  const picture = new Transformer(bytes)
  const { width, height, colorType } = await picture.metadata()
  refuseHuge({ width, height, bytesPerPixel: decodedBytesPerPixel[colorType] ?? 4, format })
  const orientation = orientationOf(bytes, format)
  if (orientation !== 1) picture.rotate(orientation)
  return { picture, ...turnedSize({ width, height }, orientation) }
}

/** @throws ReadIssue in the place of what a decoder throws */
async function decoding<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof ReadIssue) throw thrown
    throw isDecoderLimit(thrown) ? new ReadIssue('too-many-pixels', 'It is too large to be decoded.') : damaged(thrown)
  }
}

function notAnImage(bytes: Buffer): ReadIssue {
  const kind = unreadableKind(bytes)
  return kind === null
    ? new ReadIssue('not-an-image', 'It is not an image of a supported kind, whatever its name says.')
    : new ReadIssue('unsupported', leftOutReason(kind))
}

function refuseHuge(header: ImageHeader): void {
  const words = tooLargeWords(header)
  if (words !== null) throw new ReadIssue('too-many-pixels', words)
}

function damaged(cause?: unknown): ReadIssue {
  return new ReadIssue('damaged', 'It is damaged or cut short: its picture cannot be decoded to the end.', { cause })
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const pixelsPerCollection = 64e6
let decodedPixels = 0

/** The decoded pictures wait for the garbage collector, which does not see their size: it is called by hand. */
function freeDecoded(pixels: number): void {
  decodedPixels += pixels
  if (decodedPixels < pixelsPerCollection) return
  decodedPixels = 0
  collectGarbage()
}

function refuseSize(sizeBytes: number): void {
  if (sizeBytes === 0) throw new ReadIssue('empty', 'The file is empty (0 bytes).')
  if (sizeBytes <= largestFileBytes) return
  throw new ReadIssue('too-large-file', largeFileWords(sizeBytes))
}

async function readBytes(path: string): Promise<{ bytes: Buffer; modifiedMs: number }> {
  try {
    const { bytes, stats } = await readRegularFile(path, refuseSize)
    return { bytes, modifiedMs: Math.round(stats.mtimeMs) }
  } catch (thrown) {
    if (thrown instanceof ReadIssue) throw thrown
    if (thrown instanceof NotAFile) throw new ReadIssue('unreadable', 'It is no file, but a pipe or a device.')
    if (thrown instanceof NoAnswer) {
      throw new ReadIssue('unreadable', 'The file could not be read: the disk did not answer.', { cause: thrown })
    }
    const { code } = thrown as NodeJS.ErrnoException
    const why = code === 'EACCES' || code === 'EPERM' ? 'permission was denied' : (code ?? 'the disk did not answer')
    throw new ReadIssue('unreadable', `The file could not be read: ${why}.`, { cause: thrown })
  }
}
