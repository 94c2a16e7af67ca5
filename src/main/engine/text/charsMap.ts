// Sentencepiece's precompiled normalization (SigLIP's and T5's `Precompiled`): a double-array trie from byte strings to
// their replacements. textNormalizer.ts runs it as one of its steps.
// Format: builder.cc of google/sentencepiece; search: Darts-clone's common prefix search.
import { type AlignedText, Edit } from './alignedText.ts'

/** @throws Error when the map is not whole */
export function charsMapNormalizer(base64: string): (text: AlignedText) => AlignedText {
  const bytes = Buffer.from(base64, 'base64')
  const trieBytes = bytes.length >= 4 ? bytes.readUInt32LE(0) : -1
  if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw new Error('precompiled_charsmap is cut short')
  }
  const units = new Uint32Array(trieBytes / 4)
  for (let index = 0; index < units.length; index++) units[index] = bytes.readUInt32LE(4 + index * 4)
  const replacements = bytes.subarray(4 + trieBytes)
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

  const replacementOf = (text: string): string | null => {
    const start = firstPrefix(units, Buffer.from(text, 'utf8'))
    if (start === null) return null
    const end = replacements.indexOf(0, start)
    return replacements.toString('utf8', start, end < 0 ? replacements.length : end)
  }
  return (text) => {
    const edit = new Edit(text)
    const replaceAt = (at: number, old: string): boolean => {
      const replacement = replacementOf(old)
      if (replacement === null) return false
      // Characters take each other's place in order; more than there were stem from the last one.
      const units = unitsOf(old)
      let count = 0
      for (const character of replacement) edit.add(character, at + (units[count++] ?? units.at(-1) ?? 0))
      return true
    }
    for (const { segment, index } of graphemes.segment(text.text)) {
      // A whole grapheme is looked up when it is short, else each of its characters.
      if (Buffer.byteLength(segment) < 6 && replaceAt(index, segment)) continue
      let at = index
      for (const character of segment) {
        if (!replaceAt(at, character)) edit.keep(at, at + character.length)
        at += character.length
      }
    }
    return edit.done()
  }
}

/** Where each character of the text begins. */
function unitsOf(text: string): number[] {
  let at = 0
  return Array.from(text, (character) => {
    at += character.length
    return at - character.length
  })
}

/** The value of the shortest key that is a prefix of `key`, as the reference takes it; null when there is none. */
function firstPrefix(units: Uint32Array, key: Uint8Array): number | null {
  let node = offsetOf(units[0] ?? 0)
  for (const byte of key) {
    if (byte === 0) return null
    node ^= byte
    const unit = units[node]
    // A unit whose label is another byte belongs to another node.
    if (unit === undefined || (unit & 0x8000_00ff) >>> 0 !== byte) return null
    node ^= offsetOf(unit)
    if (((unit >>> 8) & 1) === 1) return (units[node] ?? 0) & 0x7fff_ffff
  }
  return null
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6)
}
