// Words of a text with their places, and the singular forms that an English word may be the plural of. Before it stand
// responses and lexicons, after it lexicon.ts and objectWords.ts, which keep the forms that they know.

/** A run of letters and digits; `[start, end)` are UTF-16 units of the text. */
export interface Word {
  readonly start: number
  readonly end: number
  readonly lower: string
}

/** The words of a text. Hyphens and apostrophes part words: "teddy-bear" is two, "dog's" begins with "dog". */
export function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(/[\p{L}\p{M}\p{N}]+/gu), ({ 0: match, index }) => ({
    start: index,
    end: index + match.length,
    lower: match.toLowerCase(),
  }))
}

/** Plurals that no rule gives; compounds in -man, -woman and -child follow theirs. */
const irregular: Readonly<Record<string, string>> = {
  men: 'man',
  women: 'woman',
  children: 'child',
  mice: 'mouse',
  geese: 'goose',
  feet: 'foot',
  teeth: 'tooth',
  people: 'person',
}
const compoundEndings = ['women', 'men', 'children'] as const

/**
 * The word itself, then what it may be the plural of, by the spelling rules of English (-s, -es, -ies, -ves and the
 * irregular ones). Some are no words: whoever asks keeps those that a lexicon has, so a wrong guess is harmless, where
 * a singulariser that gives one answer would have to be right about "buses", "shoes", "knives" and "caves" alike.
 */
export function singularForms(word: string): string[] {
  const forms = [word]
  if (Object.hasOwn(irregular, word)) forms.push(irregular[word] as string)
  else
    for (const ending of compoundEndings) {
      if (!word.endsWith(ending)) continue
      forms.push(word.slice(0, -ending.length) + irregular[ending])
      break
    }
  if (word.length < 3 || !word.endsWith('s') || word.endsWith('ss')) return forms
  forms.push(word.slice(0, -1))
  if (word.endsWith('es')) forms.push(word.slice(0, -2))
  if (word.endsWith('ies')) forms.push(`${word.slice(0, -3)}y`)
  if (word.endsWith('ves')) forms.push(`${word.slice(0, -3)}f`, `${word.slice(0, -3)}fe`)
  return forms
}
