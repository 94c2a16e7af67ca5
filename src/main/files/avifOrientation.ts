// The orientation of an AVIF by the transformations of its primary item (ISO/IEC 23008-12, 6.5.10 and 6.5.12). Its EXIF
// plays no part, as in Pillow and browsers. Before it stands orientation.ts.

/** A box of ISO/IEC 14496-12, section 4.2, and where its content lies. */
interface Box {
  readonly kind: string
  readonly start: number
  readonly end: number
}

/** 1 to 8 as in EXIF; undefined where there is no primary item. */
export function avifOrientation(bytes: Uint8Array): number | undefined {
  try {
    return orientationOfItem(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (thrown) {
    // Boxes that say they are longer than the file; the decoder then says what is wrong.
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

function orientationOfItem(bytes: Buffer): number | undefined {
  const meta = child(bytes, { kind: 'file', start: 0, end: bytes.length }, 'meta')
  // Of a box with version and flags, these four bytes come first.
  const inside = meta && { ...meta, start: meta.start + 4 }
  const primary = inside && child(bytes, inside, 'pitm')
  const properties = inside && child(bytes, inside, 'iprp')
  const container = properties && child(bytes, properties, 'ipco')
  if (!primary || !properties || !container) return undefined
  const wide = bytes[primary.start] !== 0
  const itemId = wide ? bytes.readUInt32BE(primary.start + 4) : bytes.readUInt16BE(primary.start + 4)
  const known = boxes(bytes, container)
  let angle = 0
  let axis: number | null = null
  for (const box of boxes(bytes, properties).filter(({ kind }) => kind === 'ipma')) {
    for (const index of associated(bytes, box, itemId)) {
      const property = known[index - 1]
      if (property?.kind === 'irot') angle = bytes.readUInt8(property.start) & 3
      else if (property?.kind === 'imir') axis = bytes.readUInt8(property.start) & 1
    }
  }
  return orientations[angle]?.[axis === null ? 0 : 1 + axis]
}

/**
 * By quarter turns against the clock, then by mirror: none, top to bottom (axis 0), left to right (axis 1). Turned first,
 * then mirrored, as libavif's writers and Pillow take it.
 */
const orientations: readonly (readonly [number, number, number])[] = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
]

/** The places in the container, from 1, of the properties that an item has. */
function associated(bytes: Buffer, box: Box, itemId: number): number[] {
  const version = bytes.readUInt8(box.start)
  const isWide = (bytes.readUInt8(box.start + 3) & 1) === 1
  let at = box.start + 8
  for (let entry = bytes.readUInt32BE(box.start + 4); entry > 0 && at < box.end; entry--) {
    const id = version < 1 ? bytes.readUInt16BE(at) : bytes.readUInt32BE(at)
    at += version < 1 ? 2 : 4
    const count = bytes.readUInt8(at)
    at += 1
    // The uppermost bit says whether a reader has to know the property.
    const places = Array.from({ length: count }, (_, i) =>
      isWide ? bytes.readUInt16BE(at + 2 * i) & 0x7fff : bytes.readUInt8(at + i) & 0x7f,
    )
    if (id === itemId) return places
    at += isWide ? 2 * count : count
  }
  return []
}

function child(bytes: Buffer, parent: Box, kind: string): Box | undefined {
  return boxes(bytes, parent).find((box) => box.kind === kind)
}

function boxes(bytes: Buffer, { start, end }: Box): Box[] {
  const found: Box[] = []
  for (let at = start; at + 8 <= end; ) {
    const short = bytes.readUInt32BE(at)
    const isLong = short === 1
    const length = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short
    const header = isLong ? 16 : 8
    if (length < header) break
    found.push({ kind: bytes.toString('latin1', at + 4, at + 8), start: at + header, end: Math.min(end, at + length) })
    at += length
  }
  return found
}
