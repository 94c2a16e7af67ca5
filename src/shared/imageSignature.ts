// What the bytes of a file say it is, before a decoder is asked: its format, its size, what it will take in memory, and
// whether a JPEG ends. Asked by the library at import and by the engine when it looks at an image, so that both take and
// refuse the same files in the same words.
import type { ImageFormat } from './domain.ts'

/** Of a file. */
export const largestFileBytes = 512 * 1024 * 1024
/** Of a decoded picture. These are the decoder's own limits: beyond them a picture fails as a damaged one does. */
export const largestDecodedBytes = 512 * 1024 * 1024
const largestDecodedTiffBytes = 256 * 1024 * 1024
/** A line longer than this is not a picture, and its resampling would take gigabytes. */
export const longestSide = 100_000

/** What a file's header says of its picture. */
export interface ImageHeader {
  readonly width: number
  readonly height: number
  /** As the decoder lays it out. */
  readonly bytesPerPixel: number
  readonly format: ImageFormat
}

/** Why a picture is too large, as a sentence for a person, or null when it is not. */
export function tooLargeWords({ width, height, bytesPerPixel, format }: ImageHeader): string | null {
  const size = `${width} × ${height} pixels`
  if (Math.max(width, height) > longestSide) return `It is too large: ${size}; the limit is ${longestSide} a side.`
  const decodedBytes = width * height * bytesPerPixel
  const limitBytes = format === 'tiff' ? largestDecodedTiffBytes : largestDecodedBytes
  if (decodedBytes <= limitBytes) return null
  const millions = (bytes: number) => Math.ceil(bytes / 1e6)
  return (
    `It is too large: ${size} take ${millions(decodedBytes)} MB in memory; the limit is ${millions(limitBytes)} MB, ` +
    `${Math.floor(limitBytes / 3e6)} million pixels in usual colour.`
  )
}

/** Why a file is too large, as a sentence for a person. */
export function largeFileWords(sizeBytes: number): string {
  const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20)
  return `The file is too large: ${mebibytes(sizeBytes)} MB; the limit is ${mebibytes(largestFileBytes)} MB.`
}

/** Whether a decoder gave up because of its own limit, on a picture whose header said less than it held. */
export function isDecoderLimit(thrown: unknown): boolean {
  return thrown instanceof Error && /limit exceeded|limits? (are|is) exceeded|too large/i.test(thrown.message)
}

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end))

/** The format by its signature, or null; the file's name plays no part. */
export function detectFormat(bytes: Uint8Array): ImageFormat | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg'
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp'
  if (ascii(bytes, 4, 8) === 'ftyp' && ['avif', 'avis'].includes(ascii(bytes, 8, 12))) return 'avif'
  if (['II*\0', 'MM\0*'].includes(ascii(bytes, 0, 4))) return 'tiff'
  if (ascii(bytes, 0, 2) === 'BM' && isBmpHeader(bytes)) return 'bmp'
  return null
}

/** Lengths of the headers that may follow the one of the file, by which a BMP is told from a text that begins with BM. */
const bmpHeaderLengths: ReadonlySet<number> = new Set([12, 40, 52, 56, 64, 108, 124])

function isBmpHeader(bytes: Uint8Array): boolean {
  return bytes.length >= 18 && bmpHeaderLengths.has(new DataView(bytes.buffer, bytes.byteOffset).getUint32(14, true))
}

/** The header of an image, or null where there is none to be read: the decoder then says what is wrong. */
export function imageHeader(bytes: Uint8Array, format: ImageFormat): ImageHeader | null {
  const header = headerReaders[format](bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  return header && header.width > 0 && header.height > 0 ? { ...header, format } : null
}

type Size = Omit<ImageHeader, 'format'>
type HeaderReader = (bytes: Uint8Array, view: DataView) => Size | null

const headerReaders: Readonly<Record<ImageFormat, HeaderReader>> = {
  png: pngHeader,
  jpeg: jpegHeader,
  webp: webpHeader,
  avif: avifHeader,
  tiff: tiffHeader,
  bmp: bmpHeader,
}

/** Channels by the colour type of PNG 1.2, section 4.1.1; palettes come out in colour. */
const pngChannels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 }

function pngHeader(bytes: Uint8Array, view: DataView): Size | null {
  if (bytes.length < 33 || ascii(bytes, 12, 16) !== 'IHDR') return null
  const channels = pngChannels[bytes[25] as number] ?? 4
  let hasTransparency = false
  for (let at = 33; at + 12 <= bytes.length && !hasTransparency; at += 12 + view.getUint32(at)) {
    const type = ascii(bytes, at + 4, at + 8)
    if (type === 'IDAT') break
    hasTransparency = type === 'tRNS'
  }
  const bytesPerChannel = bytes[24] === 16 ? 2 : 1
  const bytesPerPixel = (channels + (hasTransparency ? 1 : 0)) * bytesPerChannel
  return { width: view.getUint32(16), height: view.getUint32(20), bytesPerPixel }
}

const startOfScan = 0xda
const endOfImage = 0xd9
/** SOF0 to SOF15 without DHT, JPG and DAC, which lie among them (ITU-T T.81, table B.1). */
const isStartOfFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

/** RST0 to RST7, SOI, TEM and the zero of an escaped 0xff: no length follows them (ITU-T T.81, B.1.1.3). */
const standsAlone = (marker: number) => (marker >= 0xd0 && marker <= 0xd8) || marker <= 1

/**
 * Calls `visit` with each marker before the data and where it stands, until one is answered with a value. Bytes between
 * segments that belong to none are passed over, as libjpeg and Pillow do.
 */
export function overSegments<T>(
  bytes: Uint8Array,
  visit: (marker: number, at: number) => T | undefined,
): T | undefined {
  const byte = (at: number) => bytes[at] as number
  let position = 2
  while (position + 4 <= bytes.length) {
    const marker = byte(position + 1)
    if (byte(position) !== 0xff || marker === 0xff) position++
    else if (standsAlone(marker)) position += 2
    else {
      const answer = visit(marker, position)
      if (answer !== undefined) return answer
      position += 2 + byte(position + 2) * 256 + byte(position + 3)
    }
  }
  return undefined
}

function jpegHeader(bytes: Uint8Array, view: DataView): Size | null {
  const header = overSegments(bytes, (marker, at): Size | null | undefined => {
    if (marker === startOfScan || marker === endOfImage) return null
    if (!isStartOfFrame(marker)) return undefined
    if (at + 10 > bytes.length) return null
    // Grey stays grey, all else comes out in colour; CMYK is counted as it is stored.
    const components = bytes[at + 9] as number
    const bytesPerPixel = components === 1 ? 1 : Math.max(3, components)
    return { width: view.getUint16(at + 7), height: view.getUint16(at + 5), bytesPerPixel }
  })
  return header ?? null
}

/** RFC 9649, sections 2.5 to 2.7. */
function webpHeader(bytes: Uint8Array, view: DataView): Size | null {
  if (bytes.length < 30) return null
  const kind = ascii(bytes, 12, 16)
  if (kind === 'VP8 ') {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, bytesPerPixel: 3 }
  }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true)
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff), bytesPerPixel: bits & (1 << 28) ? 4 : 3 }
  }
  if (kind !== 'VP8X') return null
  const uint24 = (at: number) => view.getUint16(at, true) + ((bytes[at + 2] as number) << 16)
  return { width: 1 + uint24(24), height: 1 + uint24(27), bytesPerPixel: (bytes[20] as number) & 0x10 ? 4 : 3 }
}

/** The largest of its image spatial extents (ISO/IEC 23008-12, 6.5.3), which stand before the data. */
function avifHeader(bytes: Uint8Array, view: DataView): Size | null {
  let found: Size | null = null
  for (let at = 0; at + 20 <= Math.min(bytes.length, longestAvifHeader); at++) {
    if (bytes[at] !== 0x69 || ascii(bytes, at, at + 4) !== 'ispe') continue
    // The decoder always gives an alpha channel.
    const header = { width: view.getUint32(at + 8), height: view.getUint32(at + 12), bytesPerPixel: 4 }
    if (!found || header.width * header.height > found.width * found.height) found = header
  }
  return found
}
const longestAvifHeader = 64 * 1024

/** Bytes of a value by its field type (TIFF 6.0, section 2): BYTE, SHORT and LONG are what sizes are stored as. */
const tiffValueBytes: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4 }

function tiffHeader(bytes: Uint8Array, view: DataView): Size | null {
  const little = bytes[0] === 0x49
  const within = (at: number, length: number) => at >= 0 && at + length <= bytes.length
  if (!within(4, 4)) return null
  const directory = view.getUint32(4, little)
  if (!within(directory, 2)) return null
  const fields = new Map<number, number>()
  const count = view.getUint16(directory, little)
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + 12 * i
    if (!within(at, 12)) return null
    const valueBytes = tiffValueBytes[view.getUint16(at + 2, little)]
    if (valueBytes === undefined) continue
    // The first of several, which lie elsewhere when they do not fit into the entry.
    const place = view.getUint32(at + 4, little) * valueBytes <= 4 ? at + 8 : view.getUint32(at + 8, little)
    if (!within(place, valueBytes)) continue
    const value =
      valueBytes === 1 ? bytes[place] : valueBytes === 2 ? view.getUint16(place, little) : view.getUint32(place, little)
    fields.set(view.getUint16(at, little), value as number)
  }
  const [width, height] = [fields.get(256), fields.get(257)]
  if (width === undefined || height === undefined) return null
  const bytesPerChannel = Math.max(1, (fields.get(258) ?? 1) / 8)
  // A palette (photometric interpretation 3) comes out in colour.
  const channels = fields.get(262) === 3 ? 3 : (fields.get(277) ?? 1)
  return { width, height, bytesPerPixel: channels * bytesPerChannel }
}

/** The height is negative where the rows begin at the top. Of 16 and 32 bits some may be for transparency. */
function bmpHeader(bytes: Uint8Array, view: DataView): Size | null {
  if (bytes.length < 30) return null
  const isOld = view.getUint32(14, true) === 12
  const bits = view.getUint16(isOld ? 24 : 28, true)
  const bytesPerPixel = bits === 16 || bits === 32 ? 4 : 3
  if (isOld) return { width: view.getUint16(18, true), height: view.getUint16(20, true), bytesPerPixel }
  return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), bytesPerPixel }
}

/**
 * True when the end-of-image marker follows the picture's data (ITU-T T.81, annex B). Decoders fill what a
 * truncated JPEG lacks with grey and say nothing.
 */
export function isCompleteJpeg(bytes: Uint8Array): boolean {
  // Within the data of a scan, 0xff is followed by 0 or a restart marker, so the next 0xffd9 ends the image;
  // the thumbnails of EXIF data, which have such markers too, lie in segments that were stepped over.
  const isComplete = overSegments(bytes, (marker, at) => {
    if (marker === endOfImage) return true
    return marker === startOfScan ? hasEndAfter(bytes, at) : undefined
  })
  return isComplete ?? false
}

function hasEndAfter(bytes: Uint8Array, start: number): boolean {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === endOfImage) return true
  }
  return false
}
