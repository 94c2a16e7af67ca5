// The file that says which words name which object, and its form for fast look-up. People can replace it:
// resources/lexicons holds ours. objectWords.ts finds its words in responses; CHAIR and the token reward count them.
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { wordsOf } from './wordForms.ts'

const words = z.string().trim().min(1).max(100)

/** A lexicon file, all of it in singular form; the case of letters does not matter. */
export const lexiconFileSchema = z.strictObject({
  format: z.literal('fisao-object-lexicon'),
  version: z.literal(1),
  /** Where the words come from. */
  source: z.string(),
  objects: z.array(z.strictObject({ name: words, synonyms: z.array(words).max(10_000) })).max(100_000),
  /** Phrases that name no object although their words do: "home plate". */
  excluded: z.array(words).max(10_000).default([]),
  /** Words that name no object directly before certain nouns, which they leave as they are: "baby" before "bear". */
  qualifiers: z.array(z.strictObject({ words: z.array(words), before: z.array(words) })).default([]),
  /** `word` names no object in a response that says `when`: "the seat of the toilet". */
  suppressed: z.array(z.strictObject({ word: words, when: words })).default([]),
  /** Nouns outside the lexicon that name nothing a verifier could see: "background". */
  genericNouns: z.array(words).max(10_000).default([]),
})
export type LexiconFile = z.infer<typeof lexiconFileSchema>

/** A sequence of words to look for. */
export interface LexiconPhrase {
  readonly words: readonly string[]
  /** The words before this one belong to the phrase and not to the mention. */
  readonly mentionFrom: number
  /** The object's name, or null when the phrase names none. */
  readonly name: string | null
}

/** Phrases by their first word, longest first. */
export interface Lexicon {
  readonly phrases: ReadonlyMap<string, readonly LexiconPhrase[]>
  readonly names: ReadonlySet<string>
  readonly suppressed: readonly { readonly word: string; readonly when: string }[]
  readonly genericNouns: ReadonlySet<string>
}

/**
 * The lexicon that a file's JSON holds.
 * @throws StudioError `run.lexicon` when it is no lexicon, or gives a word to two objects
 */
export function lexiconOf(json: unknown, where: string): Lexicon {
  const file = lexiconFileSchema.safeParse(json)
  if (file.success) return compileLexicon(file.data, where)
  const [issue] = file.error.issues
  throw lexiconError('The file is not a lexicon of object words.', where, {
    expected: 'fields as in resources/lexicons/coco-objects.json',
    found: `${issue?.path.join('.')}: ${issue?.message}`,
  })
}

/** @throws StudioError `run.lexicon` when a word belongs to two objects */
export function compileLexicon(file: LexiconFile, where = 'lexicon'): Lexicon {
  const phrases = new Map<string, LexiconPhrase>()
  const add = (text: string, name: string | null, mentionFrom = 0) => {
    const sequence = wordsOf(text).map(({ lower }) => lower)
    const key = sequence.join(' ')
    const known = phrases.get(key)
    if (known && known.name !== name) {
      throw lexiconError(`The word "${text}" stands for two objects.`, where, {
        expected: known.name ?? 'no object',
        found: name ?? 'no object',
      })
    }
    if (sequence.length > 0) phrases.set(key, { words: sequence, mentionFrom, name })
  }
  for (const { name, synonyms } of file.objects) for (const word of [name, ...synonyms]) add(word, name)
  for (const phrase of file.excluded) add(phrase, null)
  for (const { words: qualifiers, before } of file.qualifiers) {
    for (const qualifier of qualifiers) {
      for (const noun of before) {
        const qualified = phrases.get(
          wordsOf(noun)
            .map(({ lower }) => lower)
            .join(' '),
        )
        add(`${qualifier} ${noun}`, qualified?.name ?? null, wordsOf(qualifier).length)
      }
    }
  }
  const byFirstWord = new Map<string, LexiconPhrase[]>()
  for (const phrase of phrases.values()) {
    const first = phrase.words[0] as string
    byFirstWord.set(first, [...(byFirstWord.get(first) ?? []), phrase])
  }
  for (const list of byFirstWord.values()) list.sort((a, b) => b.words.length - a.words.length)
  return {
    phrases: byFirstWord,
    names: new Set(file.objects.map(({ name }) => name)),
    suppressed: file.suppressed.map(({ word, when }) => ({ word: word.toLowerCase(), when: when.toLowerCase() })),
    genericNouns: new Set(file.genericNouns.map((noun) => noun.toLowerCase())),
  }
}

export function lexiconError(
  message: string,
  where: string,
  facts: { expected?: string; found?: string },
  cause?: unknown,
): StudioError {
  const remedy = 'Correct the file, or go back to the lexicon that comes with the program.'
  return new StudioError({ code: 'run.lexicon', message, remedy, where, ...facts }, { cause })
}
