// What came of an import, in one sentence: also when nothing did, and why. Shown by the page beside the counts.
import type { ImportRecord, LeftOutKind } from './domain.ts'

/** The names of kinds that are not pictures, in the plural; the others are `HEIC files` and the like. */
const plurals: Readonly<Record<string, string>> = {
  link: 'links',
  folder: 'folders that cannot be read',
  icon: 'icons',
  film: 'films',
  'no ending': 'files without an ending',
  other: 'files of other kinds',
}

/** Numbers in the user's locale. */
const written = new Intl.NumberFormat()

/**
 * @param known files that the workspace had already, of an import that ended while the app was open; null when not known
 * @returns null while the import is not complete
 */
export function importOutcome(
  { state, added, skipped }: Pick<ImportRecord, 'state' | 'added' | 'skipped'>,
  leftOut: readonly LeftOutKind[],
  known: number | null,
): string | null {
  if (state !== 'complete') return null
  const others = leftOut.map(
    ({ kind, files }) => `${written.format(files)} ${files === 1 ? singular(kind) : plural(kind)}`,
  )
  const unread =
    skipped > 0 ? [`${written.format(skipped)} ${skipped === 1 ? 'picture' : 'pictures'} with a problem`] : []
  const parts = [...(known ? [`${written.format(known)} already in the workspace`] : []), ...unread, ...others]
  if (added > 0) {
    const rest = parts.length > 0 ? ` Left out: ${parts.join(', ')}.` : ''
    return `${written.format(added)} ${added === 1 ? 'image was' : 'images were'} added.${rest}`
  }
  if (parts.length === 0) {
    return known === 0
      ? 'Nothing was added: there is no file here. Hidden files and folders are not looked into.'
      : 'Nothing new was found here.'
  }
  return `Nothing was added. Found: ${parts.join(', ')}.`
}

function plural(kind: string): string {
  return plurals[kind] ?? `${kind} files`
}

function singular(kind: string): string {
  if (kind === 'no ending') return 'file without an ending'
  if (kind === 'other') return 'file of another kind'
  if (kind === 'folder') return 'folder that cannot be read'
  return ['link', 'icon', 'film'].includes(kind) ? kind : `${kind} file`
}
