// Which file is which annotated image, by their names: folders, slashes, case and the ways to write an accent differ
// between a file of annotations and the disk. Before it stand both lists of names, after it whoever joins them.

/** A file by its place in the list, whether it lies in another folder than its name says; or why there is none. */
export type ImageMatch = { readonly file: number; readonly isElsewhere: boolean } | 'missing' | 'ambiguous'

interface Name {
  /** Folders and the file's own name, as they are written, accents composed. */
  readonly written: readonly string[]
  /** The same without case. */
  readonly folded: readonly string[]
}

/**
 * The file of each listed image. A file name decides; where it stands several times on either side, the folders before it
 * do, from the last one backwards, then a path that is the same as a whole, then the case of the letters. What is left
 * open is `ambiguous` and never guessed.
 * @param listed as in annotations: "x.jpg", "val2014/x.jpg", "/data/x.jpg", ".\\x.JPG"
 * @param files paths, full ones or all from one folder
 */
export function matchImages(listed: readonly string[], files: readonly string[]): ImageMatch[] {
  const fileNames = files.map(nameOf)
  const byFileName = new Map<string, number[]>()
  for (const [file, { folded }] of fileNames.entries()) {
    const last = folded.at(-1) ?? ''
    const alike = byFileName.get(last)
    if (alike) alike.push(file)
    else byFileName.set(last, [file])
  }
  const names = listed.map(nameOf)
  const wanted = names.map((name) => {
    const last = name.folded.at(-1)
    const candidates = last === undefined ? [] : (byFileName.get(last) ?? [])
    return best(candidates, (file) => likeness(name, fileNames[file] as Name))
  })
  const claims = new Map<number, number[]>()
  for (const [image, files] of wanted.entries()) {
    const [file] = files
    if (file !== undefined && files.length === 1) claims.set(file, [...(claims.get(file) ?? []), image])
  }
  return wanted.map((files, image) => {
    const [file] = files
    if (file === undefined) return 'missing'
    if (files.length > 1) return 'ambiguous'
    const fileName = fileNames[file] as Name
    const claimants = best(claims.get(file) ?? [], (other) => likeness(names[other] as Name, fileName))
    if (!claimants.includes(image)) return 'missing'
    return claimants.length > 1 ? 'ambiguous' : { file, isElsewhere: isElsewhere(names[image] as Name, fileName) }
  })
}

/** The folders and the file name of a path, without "." and "..". */
export function segmentsOf(path: string): string[] {
  return path.split(/[\\/]/).filter((segment) => !['', '.', '..'].includes(segment))
}

function nameOf(path: string): Name {
  const written = segmentsOf(path.normalize('NFC'))
  return { written, folded: written.map((segment) => segment.toLowerCase()) }
}

/** Common parts from the end, by folded and by written names; the whole path in between. Later ones break ties. */
function likeness(a: Name, b: Name): readonly number[] {
  const common = commonEnd(a.folded, b.folded)
  const isWhole = common === a.folded.length && common === b.folded.length
  return [common, isWhole ? 1 : 0, commonEnd(a.written, b.written)]
}

function commonEnd(a: readonly string[], b: readonly string[]): number {
  let length = 0
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length++
  return length
}

/** All of the best, by the first number that differs. */
function best(candidates: readonly number[], rankOf: (candidate: number) => readonly number[]): number[] {
  let top: number[] = []
  let topRank: readonly number[] = []
  for (const candidate of candidates) {
    const rank = rankOf(candidate)
    const at = rank.findIndex((value, i) => value !== topRank[i])
    if (top.length > 0 && at < 0) top.push(candidate)
    else if (top.length === 0 || (rank[at] as number) > (topRank[at] as number)) [top, topRank] = [[candidate], rank]
  }
  return top
}

/** Both say in which folder they lie, and say different ones. */
function isElsewhere({ folded: listed }: Name, { folded: file }: Name): boolean {
  const common = commonEnd(listed, file)
  return common < listed.length && common < file.length
}
