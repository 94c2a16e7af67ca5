// Nouns of a text by wink-nlp, in process and offline. objectWords.ts asks it for what its lexicon does not have.
import winkModel from 'wink-eng-lite-web-model'
import winkNLP, { type ItsFunction, type WinkMethods } from 'wink-nlp'

/** A word with its part of speech in Universal Dependencies' tags; `[start, end)` are UTF-16 units of the text. */
export interface TaggedWord {
  readonly start: number
  readonly end: number
  readonly partOfSpeech: string
  /** Lower case, singular for nouns. */
  readonly lemma: string
}

let loaded: WinkMethods | undefined

/** Words of the text in order. The first call loads the language model, which takes a quarter of a second. */
export function tagWords(text: string): TaggedWord[] {
  loaded ??= winkNLP(winkModel, ['sbd', 'pos'])
  const { its } = loaded
  const tokens = loaded.readDoc(text).tokens()
  const values = tokens.out(its.value) as string[]
  const tags = tokens.out(its.pos) as string[]
  // Its type asks for add-ons that this model has without being told.
  const lemmas = tokens.out(its.lemma as unknown as ItsFunction<string>) as string[]
  const tagged: TaggedWord[] = []
  let cursor = 0
  for (const [i, value] of values.entries()) {
    // wink-nlp tells no offsets; its tokens are pieces of the text in order, apart from white space.
    const start = text.indexOf(value, cursor)
    if (start < 0) continue
    cursor = start + value.length
    tagged.push({ start, end: cursor, partOfSpeech: tags[i] as string, lemma: lemmas[i] as string })
  }
  return tagged
}
