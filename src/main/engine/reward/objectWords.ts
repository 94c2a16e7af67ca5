// Finds the words of a response that name objects: the lexicon's first, then other nouns. After it come tokenSpans.ts,
// the verifier's scores and the token reward; CHAIR counts the same mentions.
import type { Lexicon, LexiconPhrase } from './lexicon.ts'
import { deniedRanges } from './negation.ts'
import { type TaggedWord, tagWords } from './nounTagger.ts'
import { singularForms, type Word, wordsOf } from './wordForms.ts'

/** A place of a response that names an object; `[start, end)` are UTF-16 units of the response. */
export interface ObjectMention {
  readonly start: number
  readonly end: number
  /** The object's name in the lexicon, or the noun itself in singular where the lexicon has none. */
  readonly name: string
  /** What was said, in lower case and singular: "sofa" of the object "couch". The verifier is asked about it. */
  readonly word: string
  readonly inLexicon: boolean
}

export interface ObjectFinderOptions {
  /** Nouns outside the lexicon are mentions too, runs of them ("coffee maker") as one; generic ones are not. */
  readonly otherNouns: boolean
  /** A single word of the lexicon counts only where it is a noun: not the colour of "an orange shirt". */
  readonly nounsOnly: boolean
  /** The response ended by its length: a word that touches its end may be unfinished ("car" of "carpet") and is none. */
  readonly isCut?: boolean
  /** What the response says is not there ("no dog") is no mention; English only, see negation.ts. */
  readonly affirmedOnly?: boolean
}

/**
 * What the published CHAIR script counts: each word of the lexicon, whatever its part of speech, and no other; also what
 * is said not to be there.
 */
export const chairFinderOptions: ObjectFinderOptions = { otherNouns: false, nounsOnly: false, affirmedOnly: false }

interface Match {
  readonly phrase: LexiconPhrase
  readonly from: number
  readonly to: number
}

/**
 * The objects that a text names, in the order of their mention. At each word the longest phrase of the lexicon wins,
 * each of its words as it stands or in plural; phrases never reach across punctuation other than a hyphen.
 */
export function findObjects(text: string, lexicon: Lexicon, options: ObjectFinderOptions): ObjectMention[] {
  const words = wordsOf(text)
  const forms = words.map(({ lower }) => singularForms(lower))
  const matches = matchPhrases(text, words, forms, lexicon)
  const suppressed = suppressedWords(forms, lexicon)
  const tagged = options.otherNouns || options.nounsOnly ? tagWords(text) : []
  const partOfSpeech = new Map(tagged.map((one) => [one.start, one.partOfSpeech]))
  const openFrom = options.isCut ? unfinishedFrom(text, words, forms, lexicon) : text.length
  const denied = options.affirmedOnly ? deniedRanges(text, words) : []
  const counts = ({ start, end }: Pick<ObjectMention, 'start' | 'end'>) =>
    end <= openFrom && !denied.some(([from, to]) => from <= start && start < to)

  const mentions: ObjectMention[] = []
  for (const { phrase, from, to } of matches) {
    const [first, last] = [words[from + phrase.mentionFrom] as Word, words[to - 1] as Word]
    const said = phrase.words.slice(phrase.mentionFrom)
    if (phrase.name === null || (said.length === 1 && suppressed.has(said[0] as string))) continue
    const tag = partOfSpeech.get(first.start)
    if (options.nounsOnly && said.length === 1 && (tag === 'ADJ' || tag === 'VERB')) continue
    mentions.push({ start: first.start, end: last.end, name: phrase.name, word: said.join(' '), inLexicon: true })
  }
  if (!options.otherNouns) return mentions.filter(counts)
  const taken = matches.map(({ from, to }) => [(words[from] as Word).start, (words[to - 1] as Word).end] as const)
  return [...mentions, ...otherNouns(text, tagged, taken, lexicon)].filter(counts).sort((a, b) => a.start - b.start)
}

function matchPhrases(text: string, words: readonly Word[], forms: readonly string[][], lexicon: Lexicon): Match[] {
  const matches: Match[] = []
  for (let at = 0; at < words.length; ) {
    const phrase = longestPhrase(text, words, forms, at, lexicon)
    if (phrase) matches.push({ phrase, from: at, to: at + phrase.words.length })
    at += phrase?.words.length ?? 1
  }
  return matches
}

function longestPhrase(
  text: string,
  words: readonly Word[],
  forms: readonly string[][],
  at: number,
  lexicon: Lexicon,
): LexiconPhrase | undefined {
  const candidates = (forms[at] as string[]).flatMap((form) => lexicon.phrases.get(form) ?? [])
  let longest: LexiconPhrase | undefined
  for (const phrase of candidates) {
    if (phrase.words.length <= (longest?.words.length ?? 0)) continue
    const fits = phrase.words.every(
      (word, i) => forms[at + i]?.includes(word) && (i === 0 || isJoined(text, words[at + i - 1], words[at + i])),
    )
    if (fits) longest = phrase
  }
  return longest
}

/**
 * From where on a text that was cut may have been about to say something else: its last word, when it touches the end, and
 * what stands before it as the beginning of a longer phrase ("train" before "tra", since a train track is no train).
 */
function unfinishedFrom(text: string, words: readonly Word[], forms: readonly string[][], lexicon: Lexicon): number {
  const last = words.at(-1)
  // Bytes of an unfinished character are shown as replacement characters.
  if (!last || !/^\uFFFD*$/.test(text.slice(last.end))) return text.length
  let first = words.length - 1
  for (let at = first - 1; at >= 0 && isJoined(text, words[at], words[at + 1]); at--) {
    const isBeginning = ({ words: phrase }: LexiconPhrase) =>
      phrase[words.length - 1 - at]?.startsWith(last.lower) === true &&
      phrase.slice(0, words.length - 1 - at).every((word, i) => forms[at + i]?.includes(word))
    if ((forms[at] as string[]).some((form) => lexicon.phrases.get(form)?.some(isBeginning))) first = at
  }
  return (words[first] as Word).start
}

/** Only white space or one hyphen lies between the words. */
function isJoined(text: string, left: Word | undefined, right: Word | undefined): boolean {
  return left !== undefined && right !== undefined && /^(\s+|\s?-\s?)$/.test(text.slice(left.end, right.start))
}

function suppressedWords(forms: readonly string[][], lexicon: Lexicon): Set<string> {
  const said = new Set(forms.flat())
  return new Set(lexicon.suppressed.filter(({ when }) => said.has(when)).map(({ word }) => word))
}

/** Runs of nouns that no match touches; one that leads up to a match ("kitchen table") only describes it. */
function otherNouns(
  text: string,
  tagged: readonly TaggedWord[],
  taken: readonly (readonly [start: number, end: number])[],
  lexicon: Lexicon,
): ObjectMention[] {
  const mentions: ObjectMention[] = []
  const isTaken = (start: number, end: number) => taken.some(([from, to]) => start < to && end > from)
  for (let i = 0; i < tagged.length; i++) {
    const run: TaggedWord[] = []
    for (; i < tagged.length && isNoun(text, tagged[i] as TaggedWord); i++) {
      const next = tagged[i] as TaggedWord
      if (run.length > 0 && !/^\s+$/.test(text.slice(run.at(-1)?.end, next.start))) break
      run.push(next)
    }
    if (run.length === 0) continue
    i--
    const free = run.filter(({ start, end }) => !isTaken(start, end))
    const head = run.at(-1) as TaggedWord
    if (free.length !== run.length || lexicon.genericNouns.has(head.lemma)) continue
    const modifiers = run.slice(0, -1).map(({ start, end }) => text.slice(start, end).toLowerCase())
    const word = [...modifiers, head.lemma].join(' ')
    if (lexicon.genericNouns.has(word)) continue
    mentions.push({ start: (run[0] as TaggedWord).start, end: head.end, name: word, word, inLexicon: false })
  }
  return mentions
}

function isNoun(text: string, { start, end, partOfSpeech }: TaggedWord): boolean {
  return partOfSpeech === 'NOUN' && end - start > 1 && /^\p{L}+$/u.test(text.slice(start, end))
}
