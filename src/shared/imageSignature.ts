// What the bytes of a file say it is, before a decoder is asked: its format, a PNG's size, whether a JPEG ends. Asked
// by the library at import and by the engine when it looks at an image.
import type { ImageFormat } from './domain.ts'

/** The most pixels of an image that is decoded. */
export const largestPixels = 268_402_689

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end))

/** The format by its signature, or null; the file's name plays no part. */
export function detectFormat(bytes: Uint8Array): ImageFormat | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg'
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp'
  if (ascii(bytes, 4, 8) === 'ftyp' && ['avif', 'avis'].includes(ascii(bytes, 8, 12))) return 'avif'
  if (['II*\0', 'MM\0*'].includes(ascii(bytes, 0, 4))) return 'tiff'
  return null
}

/** Width and height in a PNG's first chunk (PNG 1.2, section 4.1.1), or null when the file ends before. */
export function pngSize(bytes: Uint8Array): { width: number; height: number } | null {
  if (bytes.length < 24 || ascii(bytes, 12, 16) !== 'IHDR') return null
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { width: view.getUint32(16), height: view.getUint32(20) }
}

const startOfScan = 0xda
const endOfImage = 0xd9

/**
 * True when the end-of-image marker follows the picture's data (ITU-T T.81, annex B). Decoders fill what a
 * truncated JPEG lacks with grey and say nothing.
 */
export function isCompleteJpeg(bytes: Uint8Array): boolean {
  const byte = (at: number) => bytes[at] as number
  let position = 2
  while (position + 4 <= bytes.length && bytes[position] === 0xff) {
    const marker = bytes[position + 1] as number
    if (marker === endOfImage) return true
    if (marker === 0xff) position++
    // Within the data of a scan, 0xff is followed by 0 or a restart marker, so the next 0xffd9 ends the image;
    // the thumbnails of EXIF data, which have such markers too, lie in segments that were stepped over.
    else if (marker === startOfScan) return hasEndAfter(bytes, position)
    else position += 2 + byte(position + 2) * 256 + byte(position + 3)
  }
  return false
}

function hasEndAfter(bytes: Uint8Array, start: number): boolean {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === endOfImage) return true
  }
  return false
}
