// UTF-8 to characters, each with the bytes that it came from: what TextDecoder does, but with positions.
// tokenDecoder.ts maps the bytes of tokens with it. Reference: The Unicode Standard, table 3-7 and U+FFFD substitution of
// maximal subparts.

/** A character, or U+FFFD for bytes that are none, and the bytes `[from, to)` that it came from. */
export interface Utf8Character {
  readonly text: string
  readonly from: number
  readonly to: number
  /** The text ended inside of this character. */
  readonly isCutShort: boolean
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** All characters of the bytes; together their ranges cover every byte once. */
export function decodeUtf8(bytes: Uint8Array): Utf8Character[] {
  const characters: Utf8Character[] = []
  for (let from = 0; from < bytes.length; ) {
    const lead = bytes[from] ?? 0
    const length = lengthOf(lead)
    let to = from + 1
    while (to < from + length && to < bytes.length && isContinuation(bytes[to] ?? 0, lead, to - from)) to++
    const isWhole = length > 0 && to === from + length
    const text = isWhole ? strict.decode(bytes.subarray(from, to)) : '\ufffd'
    characters.push({ text, from, to, isCutShort: !isWhole && length > 0 && to === bytes.length })
    from = to
  }
  return characters
}

export function isUtf8Whole(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** How many bytes a character with this first byte has; 0 when none begins with it. */
function lengthOf(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

/** The second byte is restricted after some first bytes: no overlong forms, no surrogates, nothing above U+10FFFF. */
function isContinuation(byte: number, lead: number, index: number): boolean {
  if (index === 1) {
    if (lead === 0xe0) return byte >= 0xa0 && byte <= 0xbf
    if (lead === 0xed) return byte >= 0x80 && byte <= 0x9f
    if (lead === 0xf0) return byte >= 0x90 && byte <= 0xbf
    if (lead === 0xf4) return byte >= 0x80 && byte <= 0x8f
  }
  return byte >= 0x80 && byte <= 0xbf
}
