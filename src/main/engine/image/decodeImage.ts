// An image file as RGB, the way transformers' load_image reads one: upright by its orientation, then converted as PIL's
// `convert('RGB')` does, which drops transparency. After it stands imageProcessor.ts.
import { createHash } from 'node:crypto'
// Not sharp: inside Electron its libvips leaks every image that is decoded (docs/design.md).
import { JsColorType, Transformer } from '@napi-rs/image'
import { StudioError } from '../../../shared/errors.ts'
import {
  detectFormat,
  type ImageHeader,
  imageHeader,
  isCompleteJpeg,
  isDecoderLimit,
  largeFileWords,
  largestFileBytes,
  tooLargeWords,
} from '../../../shared/imageSignature.ts'
import { orientationOf, turnedSize } from '../../files/orientation.ts'
import { NoAnswer, NotAFile, readRegularFile } from '../../files/regularFile.ts'
import type { RgbImage } from './resample.ts'

/** How the decoder lays a pixel out, by its colour type. */
const layouts: Readonly<Partial<Record<JsColorType, { channels: number; bytesPerChannel: number }>>> = {
  [JsColorType.L8]: { channels: 1, bytesPerChannel: 1 },
  [JsColorType.La8]: { channels: 2, bytesPerChannel: 1 },
  [JsColorType.Rgb8]: { channels: 3, bytesPerChannel: 1 },
  [JsColorType.Rgba8]: { channels: 4, bytesPerChannel: 1 },
  [JsColorType.L16]: { channels: 1, bytesPerChannel: 2 },
  [JsColorType.La16]: { channels: 2, bytesPerChannel: 2 },
  [JsColorType.Rgb16]: { channels: 3, bytesPerChannel: 2 },
  [JsColorType.Rgba16]: { channels: 4, bytesPerChannel: 2 },
}

/**
 * The picture of a file, upright.
 * @param sha256 of the bytes that are expected, in hexadecimal digits; another picture must not pass under its name
 * @throws StudioError `image.missing`, `image.unreadable`, `image.changed`, `image.not-an-image`, `image.damaged`,
 *   `image.too-large`
 */
export async function decodeImage(path: string, sha256?: string): Promise<RgbImage> {
  const bytes = await readBytes(path)
  if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw imageError('changed', path, 'It is no longer the file that was added to the workspace.')
  }
  const format = detectFormat(bytes)
  if (!format) throw imageError('not-an-image', path, 'It is not an image of a supported kind, whatever its name says.')
  const header = imageHeader(bytes, format)
  if (header) refuseHuge(path, header)
  if (format === 'jpeg' && !isCompleteJpeg(bytes)) throw damaged(path)
  try {
    const picture = new Transformer(bytes)
    const { width, height, colorType } = await picture.metadata()
    const { channels = 4, bytesPerChannel = 1 } = layouts[colorType] ?? {}
    refuseHuge(path, { width, height, bytesPerPixel: channels * bytesPerChannel, format })
    const orientation = orientationOf(bytes, format)
    const raw = await (orientation === 1 ? picture : picture.rotate(orientation)).rawPixels()
    const pixels = toRgb(raw, width * height, colorType)
    if (!pixels) throw damaged(path)
    return { ...turnedSize({ width, height }, orientation), pixels }
  } catch (thrown) {
    if (thrown instanceof StudioError) throw thrown
    throw isDecoderLimit(thrown) ? tooLarge(path, 'It is too large to be decoded.', thrown) : damaged(path, thrown)
  }
}

/** [pixels, 3] in 8 bits, or null where the decoder gave something else than it said. */
function toRgb(raw: Uint8Array, pixels: number, colorType: JsColorType): Uint8Array | null {
  const layout = layouts[colorType]
  if (!layout || raw.length !== pixels * layout.channels * layout.bytesPerChannel) return null
  const { channels, bytesPerChannel } = layout
  if (channels === 3 && bytesPerChannel === 1) return raw
  const rgb = new Uint8Array(pixels * 3)
  const isGrey = channels < 3
  // Of 16 bits the upper 8 are kept, second in little-endian order. (Pillow clips grey ones to white instead.)
  const upper = bytesPerChannel - 1
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = pixel * channels * bytesPerChannel + upper
    for (let channel = 0; channel < 3; channel++) {
      rgb[pixel * 3 + channel] = raw[at + (isGrey ? 0 : channel * bytesPerChannel)] as number
    }
  }
  return rgb
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const { bytes } = await readRegularFile(path, (sizeBytes) => {
      if (sizeBytes > largestFileBytes) throw tooLarge(path, largeFileWords(sizeBytes))
    })
    return bytes
  } catch (thrown) {
    if (thrown instanceof StudioError) throw thrown
    if (thrown instanceof NotAFile) throw imageError('unreadable', path, 'It is not a file.', thrown)
    if (thrown instanceof NoAnswer) throw imageError('unreadable', path, 'The disk did not answer.', thrown)
    const code = (thrown as NodeJS.ErrnoException).code ?? 'the disk did not answer'
    if (code === 'ENOENT' || code === 'ENOTDIR') throw imageError('missing', path, 'It is no longer there.', thrown)
    throw imageError('unreadable', path, `It could not be read (${code}).`, thrown)
  }
}

function refuseHuge(path: string, header: ImageHeader): void {
  const words = tooLargeWords(header)
  if (words !== null) throw tooLarge(path, words)
}

function tooLarge(path: string, what: string, cause?: unknown): StudioError {
  return imageError('too-large', path, what, cause)
}

function damaged(path: string, cause?: unknown): StudioError {
  return imageError('damaged', path, 'It is damaged or cut short: its picture cannot be decoded to the end.', cause)
}

function imageError(problem: string, path: string, what: string, cause?: unknown): StudioError {
  const record = {
    code: `image.${problem}` as const,
    message: `This image cannot be used. ${what}`,
    remedy: 'Open it in another program to see whether it is whole, or leave it out.',
    where: path,
  }
  return new StudioError(record, { cause })
}
