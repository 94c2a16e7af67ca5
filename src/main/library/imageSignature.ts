// What the bytes of a file say it is, before a decoder is asked: its format, a PNG's size, whether a JPEG ends.
import type { ImageFormat } from '../../shared/domain.ts'

const ascii = (bytes: Buffer, start: number, end: number): string => bytes.toString('latin1', start, end)

/** The format by its signature, or null; the file's name plays no part. */
export function detectFormat(bytes: Buffer): ImageFormat | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg'
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp'
  if (ascii(bytes, 4, 8) === 'ftyp' && ['avif', 'avis'].includes(ascii(bytes, 8, 12))) return 'avif'
  if (['II*\0', 'MM\0*'].includes(ascii(bytes, 0, 4))) return 'tiff'
  return null
}

/** Width and height in a PNG's first chunk (PNG 1.2, section 4.1.1), or null when the file ends before. */
export function pngSize(bytes: Buffer): { width: number; height: number } | null {
  if (bytes.length < 24 || ascii(bytes, 12, 16) !== 'IHDR') return null
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
}

const startOfScan = 0xda
const endOfImage = 0xd9

/**
 * True when the end-of-image marker follows the picture's data (ITU-T T.81, annex B). Decoders fill what a
 * truncated JPEG lacks with grey and say nothing.
 */
export function isCompleteJpeg(bytes: Buffer): boolean {
  let position = 2
  while (position + 4 <= bytes.length && bytes[position] === 0xff) {
    const marker = bytes[position + 1] as number
    if (marker === endOfImage) return true
    if (marker === 0xff) position++
    // Within the data of a scan, 0xff is followed by 0 or a restart marker, so the next 0xffd9 ends the image;
    // the thumbnails of EXIF data, which have such markers too, lie in segments that were stepped over.
    else if (marker === startOfScan) return bytes.indexOf(Buffer.of(0xff, endOfImage), position) >= 0
    else position += 2 + bytes.readUInt16BE(position + 2)
  }
  return false
}
