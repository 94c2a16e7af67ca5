// Names of files and folders that come from what a person typed, as every file system takes them. Used where something
// leaves the workspace under a run's name.

/** Most bytes of a name in UTF-8 on the strictest of common file systems. */
const mostBytes = 255

/** What Windows keeps for devices, whatever follows a dot. */
const reserved = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])$/i

/**
 * A name that Windows, macOS and Linux all take, as close to the text as can be: without separators, control and
 * direction characters and halves of characters, no device's name, no hidden one, and cut between whole characters.
 * @param text as a person typed it
 * @param roomBytes for what is written behind it, in UTF-8
 * @param fallback where nothing is left of the text
 */
export function fileNameOf(text: string, roomBytes: number, fallback: string): string {
  const plain = text
    .normalize('NFC')
    .replace(/[\p{Surrogate}\p{Noncharacter_Code_Point}]/gu, '')
    .replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .replace(/[\\/:*?"<>|]/g, '-')
    .replace(/\s+/g, ' ')
  const cut = cutTo(withoutEdges(plain), mostBytes - roomBytes)
  const name = withoutEdges(cut) || fallback
  return reserved.test(name.split('.')[0]?.trim() ?? '') ? `_${name}` : name
}

/** Windows drops dots and spaces at the end; a dot at the beginning hides. */
function withoutEdges(name: string): string {
  return name.replace(/^[.\s]+|[.\s]+$/g, '')
}

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function cutTo(name: string, bytes: number): string {
  // One byte is kept for the mark before a device's name.
  if (utf8Bytes(name) < bytes) return name
  let cut = ''
  let used = utf8Bytes('…') + 1
  for (const { segment } of characters.segment(name)) {
    used += utf8Bytes(segment)
    if (used > bytes) break
    cut += segment
  }
  return `${cut.trimEnd()}…`
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0
  for (const character of text) {
    const code = character.codePointAt(0) as number
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/** Ends the name of an export that is being written, or whose writing was ended from outside. */
export const unfinishedSuffix = '.unfinished'

/** The `number`th choice of a name for the folder of an export. */
export function exportFolderName(runName: string, step: number, number: number): string {
  const suffix = ` step ${step}${number === 1 ? '' : ` (${number})`}`
  return `${fileNameOf(runName, utf8Bytes(suffix) + unfinishedSuffix.length, 'Run')}${suffix}`
}
