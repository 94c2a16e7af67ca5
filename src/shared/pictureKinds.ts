// What an import looks into and what it leaves out, by the ending of a name or the first bytes, each kind with its reason.
// Used by the library at import; the sentences are for a person.

/** Endings of files that are read. What they hold is told by their bytes (imageSignature.ts). */
const readEndings: ReadonlySet<string> = new Set(
  '.jpg .jpeg .jpe .jfif .jif .jfi .pjpeg .pjp .png .webp .avif .tif .tiff .bmp .dib'.split(' '),
)

/** Pictures and documents that cannot be read, by what a person calls them. */
const kindsByEnding: Readonly<Record<string, string>> = {
  ...ofKind('HEIC', '.heic .heif .heics .heifs .hif'),
  ...ofKind('GIF', '.gif'),
  ...ofKind('SVG', '.svg .svgz'),
  ...ofKind('RAW', '.dng .cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .orf .rw2 .raf .pef .srw .x3f .3fr .iiq .raw'),
  ...ofKind('PDF', '.pdf'),
  ...ofKind('JPEG XL', '.jxl'),
  ...ofKind('JPEG 2000', '.jp2 .j2k .jpf .jpx'),
  ...ofKind('PSD', '.psd .psb'),
  ...ofKind('icon', '.ico .icns .cur'),
  ...ofKind('film', '.mp4 .mov .avi .mkv .webm .m4v'),
}

function ofKind(kind: string, endings: string): Record<string, string> {
  return Object.fromEntries(endings.split(' ').map((ending) => [ending, kind]))
}

const reasons: Readonly<Record<string, string>> = {
  HEIC: 'HEIC pictures cannot be read. Export them as JPEG, on an iPhone by Settings > Camera > Formats > Most Compatible.',
  GIF: 'GIF pictures cannot be read. Save the picture that you mean as PNG.',
  SVG: 'SVG files are drawings without pixels. Export them as PNG.',
  RAW: 'Raw files of cameras cannot be read. Develop them and save them as JPEG or TIFF.',
  PDF: 'PDF files are documents. Export their pages as PNG.',
  'JPEG XL': 'JPEG XL pictures cannot be read. Save them as JPEG or PNG.',
  'JPEG 2000': 'JPEG 2000 pictures cannot be read. Save them as JPEG or PNG.',
  PSD: 'Layered pictures cannot be read. Save a flat copy as PNG.',
  icon: 'Icons cannot be read. Save them as PNG.',
  film: 'Films cannot be read. Save the pictures that you mean as JPEG.',
  link: 'Links are not followed. Add the folder that holds the pictures themselves.',
  folder:
    'These folders cannot be read: you may not look into them, or something is wrong with the disk. Change their ' +
    'permissions or look after the disk, then import again.',
  'no ending': 'Files without an ending whose first bytes are those of no picture are left out.',
  other: 'Files of other kinds are no pictures.',
}

/** Why files of a kind are left out, as a sentence or two. */
export function leftOutReason(kind: string): string {
  return reasons[kind] ?? (reasons['other'] as string)
}

/** Where other programs and systems keep thumbnails, notes and what was deleted, in lower case. */
const othersOwn: ReadonlySet<string> = new Set([
  ...['thumbs.db', 'ehthumbs.db', 'desktop.ini', 'picasa.ini', 'ipod photo cache', '__macosx'],
  // Network drives of Synology and QNAP, and Windows.
  ...['@eadir', '#recycle', '@__thumb', '@recycle', '$recycle.bin', 'system volume information'],
])

/** Whether a file or folder is no business of an import: hidden, or what another program keeps beside pictures. */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || othersOwn.has(name.toLowerCase())
}

/** What to do with a file by its name: read it, look at its first bytes, or count it as a kind that is left out. */
export function pictureKind(name: string): 'read' | 'look' | { readonly leftOut: string } {
  const dot = name.lastIndexOf('.')
  if (dot < 0) return 'look'
  const ending = name.slice(dot).toLowerCase()
  if (readEndings.has(ending)) return 'read'
  return { leftOut: kindsByEnding[ending] ?? 'other' }
}

/** As many first bytes as {@link unreadableKind} looks at. */
export const kindBytes = 512

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end))
const heicBrands = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1']

/** The kind that cannot be read whose first bytes these are, whatever the name says; null for none that is known. */
export function unreadableKind(bytes: Uint8Array): string | null {
  if (ascii(bytes, 4, 8) === 'ftyp' && heicBrands.includes(ascii(bytes, 8, 12))) return 'HEIC'
  if (/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) return 'GIF'
  if (ascii(bytes, 0, 5) === '%PDF-') return 'PDF'
  if (/^\s*(<\?xml.*)?<svg/is.test(ascii(bytes, 0, kindBytes))) return 'SVG'
  if (ascii(bytes, 0, 4) === '8BPS') return 'PSD'
  return null
}
