// What an English text says is not there: "no dog", "without dogs or cats", "does not show any dog", "neither a dog nor a
// cat". Rewards leave such words out, since a denied object is neither right nor hallucinated. Asked by objectWords.ts.
import type { Range } from './tokenSpans.ts'
import type { Word } from './wordForms.ts'

// By words alone, without a parser: a denial holds for the noun phrase that follows and for those listed with it, up to
// the first word or mark that ends a phrase. Where that is unclear the words count as before.

/** Of lines of words. */
const wordSet = (...lines: readonly string[]) => new Set(lines.flatMap((line) => line.split(' ')))

const articles = wordSet('a an any one the single other')
/** A new noun phrase begins with them; inside a denied one they end it. */
const determiners = wordSet(
  'a an the this these those some several many few two three four five six his her its their our my',
  'your another each every all both most more',
)
/** No noun phrase goes on after them, except after "of" ("no sign of a dog"). */
const endings = wordSet(
  'but except only just instead rather however although though while whereas yet which who whom whose',
  'that because so then there it he she they we you i is are was were be been being am has have had can',
  'could will would may might must shall should do does did as than if when where also plus whether how',
  'what why unless since until in on at by near with from to into onto over under above below behind',
  'beside besides between among around across along against through during inside outside within next',
  'for about after before beneath underneath toward towards upon',
)
/** "no doubt", "no longer", "no fewer than three". */
const notAfterNo = wordSet('doubt longer less fewer matter sooner wonder later')
/** "not only a dog", "not uncommon to see a dog": what follows is there. */
const notAfterNot = wordSet(
  'only just merely simply solely unlike without necessarily uncommon unusual surprising clear sure',
  'certain far',
)
/** Words that may stand between "not" and its object: "does not seem to show a dog" has three. */
const mostBetween = 3
const linking = wordSet('to be have there')

/** Characters `[start, end)` in which objects are denied. @param words of the text */
export function deniedRanges(text: string, words: readonly Word[]): Range[] {
  const ranges: Range[] = []
  for (let at = 0; at < words.length; at++) {
    const from = deniedFrom(text, words, at)
    if (from === null) continue
    const to = phraseEnd(text, words, from)
    if (to > from) ranges.push([(words[from] as Word).start, (words[to - 1] as Word).end])
    at = Math.max(at, to - 1)
  }
  return ranges
}

/** The place of the first word that the word at a place denies; null when it denies none. */
function deniedFrom(text: string, words: readonly Word[], at: number): number | null {
  const word = lowerAt(words, at)
  const next = lowerAt(words, at + 1)
  if (next === '' || gapAfter(text, words, at) !== 'none') return null
  if (word === 'no') {
    if (notAfterNo.has(next) || (next === 'more' && lowerAt(words, at + 2) === 'than')) return null
    return next === 'more' ? at + 2 : at + 1
  }
  if (word === 'without') return lowerAt(words, at - 1) === 'not' ? null : at + 1
  if (word === 'neither') return hasNor(text, words, at) ? at + 1 : null
  if (word === 'nor') return at + 1 + leading(words, at + 1)
  return isNot(text, words, at) ? objectOfNot(text, words, at) : null
}

/** "not", "cannot", and the "t" of "isn't". */
function isNot(text: string, words: readonly Word[], at: number): boolean {
  const word = lowerAt(words, at)
  if (word === 'not' || word === 'cannot') return true
  const before = words[at - 1]
  const isApart = before !== undefined && /^['’]$/.test(text.slice(before.end, words[at]?.start))
  return word === 't' && isApart && before.lower.endsWith('n')
}

/** "not a dog", "not show any dogs": the noun phrase with an article that follows at once or after a verb. */
function objectOfNot(text: string, words: readonly Word[], at: number): number | null {
  for (let i = at + 1; i <= at + 1 + mostBetween && i < words.length; i++) {
    const word = lowerAt(words, i)
    if (gapAfter(text, words, i - 1) !== 'none' || notAfterNot.has(word)) return null
    if (['a', 'an', 'any', 'one'].includes(word)) return i
    if (beginsPhrase(word) && !linking.has(word)) return null
  }
  return null
}

/** "nor is there a cat": words before the object. */
function leading(words: readonly Word[], at: number): number {
  let count = 0
  while (
    ['is', 'are', 'was', 'were', 'does', 'do', 'has', 'have', 'there', 'it', 'show'].includes(
      lowerAt(words, at + count),
    )
  )
    count++
  return count
}

/** One past the last word of the noun phrases that begin at a place and are listed together. */
function phraseEnd(text: string, words: readonly Word[], from: number): number {
  let isBeginning = true
  for (let at = from; at < words.length; at++) {
    const word = lowerAt(words, at)
    const gap = at === from ? 'none' : gapAfter(text, words, at - 1)
    if (gap === 'end') return at
    if (gap === 'comma' && !listGoesOn(text, words, at)) return at
    if (gap === 'comma') isBeginning = true
    if (word === 'nor' && leading(words, at + 1) > 0) return at
    if (word === 'or' || word === 'nor' || word === 'of') {
      isBeginning = true
      continue
    }
    if (word === 'and') {
      if (beginsPhrase(lowerAt(words, at + 1))) return at
      isBeginning = true
      continue
    }
    if (isBeginning && (articles.has(word) || word === 'no')) continue
    if (beginsPhrase(word)) return at
    isBeginning = false
  }
  return words.length
}

/** After a comma the list goes on when "or", "nor" or "and" follows before anything else begins. */
function listGoesOn(text: string, words: readonly Word[], at: number): boolean {
  let hasArticle = false
  for (let i = at; i < words.length; i++) {
    const word = lowerAt(words, i)
    if (i > at && gapAfter(text, words, i - 1) === 'end') return false
    if (word === 'or' || word === 'nor') return true
    // "No dogs, a cat and birds" has a cat and birds.
    if (word === 'and') return !hasArticle && !beginsPhrase(lowerAt(words, i + 1))
    hasArticle ||= articles.has(word)
    if (endings.has(word) || (determiners.has(word) && !articles.has(word))) return false
  }
  return false
}

/** A word with which something else begins. */
function beginsPhrase(word: string): boolean {
  return endings.has(word) || determiners.has(word)
}

/** Whether "nor" follows in the same sentence. */
function hasNor(text: string, words: readonly Word[], at: number): boolean {
  for (let i = at + 1; i < words.length && gapAfter(text, words, i - 1) !== 'end'; i++) {
    if (lowerAt(words, i) === 'nor') return true
  }
  return false
}

/** What stands between a word and the next one: a mark that ends a phrase, a comma, or neither. */
function gapAfter(text: string, words: readonly Word[], at: number): 'end' | 'comma' | 'none' {
  const gap = text.slice(words[at]?.end, words[at + 1]?.start ?? text.length)
  if (/[.;:!?()[\]—–\n]|\s-\s/.test(gap)) return 'end'
  return gap.includes(',') ? 'comma' : 'none'
}

function lowerAt(words: readonly Word[], at: number): string {
  return words[at]?.lower ?? ''
}
