// From the category of a data set to the object of the lexicon: "stop_sign", "tvmonitor" and "Cell Phone" are objects
// that the lexicon spells otherwise. Before it stands a file of annotations, after it cocoAnnotations.ts.
import type { Lexicon } from '../reward/lexicon.ts'
import { chairFinderOptions, findObjects } from '../reward/objectWords.ts'
import { wordsOf } from '../reward/wordForms.ts'

/** Names of PASCAL VOC (Everingham et al. 2010) that are other words than COCO's and not only other spellings. */
const otherWords: Readonly<Record<string, string>> = { aeroplane: 'airplane', tvmonitor: 'tv' }

/** Finds the object that a category names; made once for a lexicon. */
export function categoryReader(lexicon: Lexicon): (category: string) => string | null {
  const spellings = runTogether(lexicon)
  const read = (category: string): string | null => {
    if (lexicon.names.has(category)) return category
    return spellings.get(squeezed(category)) ?? wholeMention(category, lexicon)
  }
  return (category) => {
    const other = otherWords[squeezed(category)]
    return read(category) ?? (other === undefined ? null : read(other))
  }
}

/** The phrases of the lexicon without what parts their words; one that stands for two objects is left out. */
function runTogether(lexicon: Lexicon): Map<string, string> {
  const names = new Map<string, string>()
  const unclear = new Set<string>()
  for (const phrases of lexicon.phrases.values()) {
    for (const { words, name } of phrases) {
      if (name === null) continue
      const key = words.join('')
      if (names.has(key) && names.get(key) !== name) unclear.add(key)
      names.set(key, name)
    }
  }
  for (const key of unclear) names.delete(key)
  return names
}

function squeezed(category: string): string {
  return wordsOf(category)
    .map(({ lower }) => lower)
    .join('')
}

/** The one object that all words of a category name: plurals, and "Monitor/TV". */
function wholeMention(written: string, lexicon: Lexicon): string | null {
  const category = written.replaceAll('_', ' ')
  const mentions = findObjects(category, lexicon, chairFinderOptions)
  const [first] = mentions
  const isWhole = wordsOf(category).every((word) =>
    mentions.some(({ start, end }) => start <= word.start && word.end <= end),
  )
  return first && isWhole && mentions.every(({ name }) => name === first.name) ? first.name : null
}
