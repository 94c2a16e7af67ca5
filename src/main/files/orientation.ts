// Which way up a picture is stored, as Pillow's exif_transpose takes it: by EXIF, by XMP where EXIF says nothing, of AVIF
// by its own transformations. Before it stand engine/image/decodeImage.ts and library/readImage.ts, which have it turned.
import { inflateSync } from 'node:zlib'
import type { ImageFormat } from '../../shared/domain.ts'
import { overSegments } from '../../shared/imageSignature.ts'
import { avifOrientation } from './avifOrientation.ts'

/** 1 is upright; 5 to 8 lie on their side (EXIF 2.32, section 4.6.4, tag 274). */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

/** The orientation of a picture; 1 where its file says none, or one that means nothing. */
export function orientationOf(bytes: Uint8Array, format: ImageFormat): Orientation {
  const orientation = format === 'avif' ? avifOrientation(bytes) : taggedOrientation(metadataOf[format](bytes))
  return isOrientation(orientation) ? orientation : 1
}

/**
 * Whether a page that is given the file itself lays the picture so. Chromium turns JPEGs by their EXIF and AVIFs; WebPs it
 * never turns, PNGs only by a chunk before the data, and TIFFs it does not show.
 */
export function isUprightOnPage(bytes: Uint8Array, format: ImageFormat): boolean {
  if (format === 'tiff' || format === 'avif') return format === 'avif'
  const orientation = orientationOf(bytes, format)
  return (
    orientation === 1 || (format === 'jpeg' && taggedOrientation({ exif: jpegMetadata(bytes).exif }) === orientation)
  )
}

/** Width and height after turning. */
export function turnedSize(
  { width, height }: { readonly width: number; readonly height: number },
  orientation: Orientation,
): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}

function isOrientation(value: number | undefined): value is Orientation {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= 8
}

/** What a file holds beside its picture. */
interface Metadata {
  /** With or without the six bytes `Exif\0\0` before it. */
  readonly exif?: Uint8Array | undefined
  readonly xmp?: Uint8Array | undefined
}

const metadataOf: Readonly<Record<Exclude<ImageFormat, 'avif'>, (bytes: Uint8Array) => Metadata>> = {
  jpeg: jpegMetadata,
  png: pngMetadata,
  webp: webpMetadata,
  tiff: (bytes) => ({ exif: bytes }),
  bmp: () => ({}),
}

function taggedOrientation({ exif, xmp }: Metadata): number | undefined {
  return (exif && exifOrientation(exif)) ?? (xmp && xmpOrientation(xmp))
}

/** Bytes of a value by its field type (TIFF 6.0, section 2): BYTE, SHORT and LONG. */
const valueBytes: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4 }
const orientationTag = 274

/** Of a TIFF or of EXIF data, which is a TIFF without a picture; of several in its first directory, the last. */
function exifOrientation(bytes: Uint8Array): number | undefined {
  let tiff = bytes
  while (latin(tiff, 0, 6) === 'Exif\0\0') tiff = tiff.subarray(6)
  const order = latin(tiff, 0, 4)
  if (order !== 'II*\0' && order !== 'MM\0*') return undefined
  const little = order === 'II*\0'
  const view = viewOf(tiff)
  if (tiff.length < 8) return undefined
  const directory = view.getUint32(4, little)
  if (directory + 2 > tiff.length) return undefined
  let found: number | undefined
  const count = view.getUint16(directory, little)
  for (let at = directory + 2; at < directory + 2 + 12 * count && at + 12 <= tiff.length; at += 12) {
    if (view.getUint16(at, little) !== orientationTag || view.getUint32(at + 4, little) !== 1) continue
    const width = valueBytes[view.getUint16(at + 2, little)]
    if (width === 1) found = tiff[at + 8]
    else if (width === 2) found = view.getUint16(at + 8, little)
    else if (width === 4) found = view.getUint32(at + 8, little)
  }
  return found
}

function xmpOrientation(xmp: Uint8Array): number | undefined {
  const digit = /tiff:Orientation(?:="|>)([0-9])/.exec(latin(xmp, 0, xmp.length))?.[1]
  return digit === undefined ? undefined : Number(digit)
}

const app1 = 0xe1
const startOfScan = 0xda
const xmpName = 'http://ns.adobe.com/xap/1.0/\0'

function jpegMetadata(bytes: Uint8Array): Metadata {
  let exif: Uint8Array | undefined
  let xmp: Uint8Array | undefined
  overSegments(bytes, (marker, at) => {
    if (marker === startOfScan) return true
    if (marker !== app1) return undefined
    const content = bytes.subarray(at + 4, at + 2 + viewOf(bytes).getUint16(at + 2))
    if (latin(content, 0, 6) === 'Exif\0\0') exif ??= content
    else if (latin(content, 0, xmpName.length) === xmpName) xmp = content.subarray(xmpName.length)
    return undefined
  })
  return { exif, xmp }
}

/** PNG 3, section 11.3: its own chunk for EXIF, wherever it stands, or the text that ImageMagick wrote before there was one. */
function pngMetadata(bytes: Uint8Array): Metadata {
  let [exif, profile, xmp]: (Uint8Array | undefined)[] = []
  const view = viewOf(bytes)
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const kind = latin(bytes, at + 4, at + 8)
    const content = bytes.subarray(at + 8, at + 8 + view.getUint32(at))
    if (kind === 'eXIf') exif = content
    else if (kind === 'tEXt' || kind === 'zTXt' || kind === 'iTXt') {
      if (pngKeyword(content) === 'Raw profile type exif') profile = rawProfile(pngText(kind, content))
      else if (pngKeyword(content) === 'XML:com.adobe.xmp') xmp = pngText(kind, content)
    }
  }
  return { exif: exif ?? profile, xmp }
}

const longestKeyword = 80

function pngKeyword(content: Uint8Array): string {
  const end = content.indexOf(0)
  return end < 0 || end > longestKeyword ? '' : latin(content, 0, end)
}

function pngText(kind: 'tEXt' | 'zTXt' | 'iTXt', content: Uint8Array): Uint8Array | undefined {
  const start = content.indexOf(0) + 1
  if (kind === 'tEXt') return content.subarray(start)
  if (kind === 'zTXt') return inflated(content.subarray(start + 1))
  // Whether it is compressed, by what, its language, its name in that language.
  const language = content.indexOf(0, start + 2)
  const text = content.subarray(content.indexOf(0, language + 1) + 1)
  return content[start] === 1 ? inflated(text) : text
}

/** Pillow reads no longer text either. */
const longestText = 1024 * 1024

function inflated(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: longestText })
  } catch {
    // A text that cannot be read says nothing; the picture itself may be whole.
    return undefined
  }
}

/** A line break, the profile's name, its length, then its bytes in hexadecimal digits. */
function rawProfile(text: Uint8Array | undefined): Uint8Array | undefined {
  if (!text) return undefined
  const digits = latin(text, 0, text.length).split('\n').slice(3).join('').replace(/\s/g, '')
  return Buffer.from(digits, 'hex')
}

/** Bits of the extended header that say which chunks count (RFC 9649, section 2.7). */
const [hasExif, hasXmp] = [0x08, 0x04]

function webpMetadata(bytes: Uint8Array): Metadata {
  if (latin(bytes, 12, 16) !== 'VP8X') return {}
  let [exif, xmp]: (Uint8Array | undefined)[] = []
  const flags = bytes[20] ?? 0
  const view = viewOf(bytes)
  for (let at = 12, length = 0; at + 8 <= bytes.length; at += 8 + length + (length % 2)) {
    length = view.getUint32(at + 4, true)
    const kind = latin(bytes, at, at + 4)
    const content = bytes.subarray(at + 8, at + 8 + length)
    if (kind === 'EXIF' && flags & hasExif) exif ??= content
    else if (kind === 'XMP ' && flags & hasXmp) xmp ??= content
  }
  return { exif, xmp }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function latin(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end)
}
