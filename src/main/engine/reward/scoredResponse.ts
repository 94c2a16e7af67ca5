// A response with the object words that it names, their tokens and the verifier's scores: what calibration, rewards,
// evaluation and the Inspector read. Before it stand rollouts, after it tokenReward.ts.

import type { Tokenizer } from '../text/tokenizer.ts'
import type { Lexicon } from './lexicon.ts'
import { findObjects, type ObjectFinderOptions, type ObjectMention } from './objectWords.ts'
import type { ScoredMention } from './tokenReward.ts'
import { type Range, tokenSpan } from './tokenSpans.ts'

export interface ScoredResponse {
  readonly text: string
  /** Of each token, the UTF-16 units of the text that it contributed. */
  readonly ranges: readonly Range[]
  readonly mentions: readonly (ScoredMention & ObjectMention)[]
}

export interface ScoringOptions {
  readonly tokenizer: Tokenizer
  readonly lexicon: Lexicon
  readonly finder: ObjectFinderOptions
}

/**
 * Finds the object words of a response and scores them.
 * @param tokens of the response, an end token included
 * @param scoreWord the verifier's score of a word for the image
 * @throws StudioError `run.token-span` when text and tokens do not fit each other
 */
export async function scoreResponse(
  tokens: readonly number[],
  scoreWord: (word: string) => Promise<number>,
  { tokenizer, lexicon, finder }: ScoringOptions,
): Promise<ScoredResponse> {
  const { text, ranges } = tokenizer.decodeWithOffsets(tokens)
  const mentions: (ScoredMention & ObjectMention)[] = []
  for (const mention of findObjects(text, lexicon, finder)) {
    const score = await scoreWord(mention.word)
    mentions.push({ ...mention, tokens: tokenSpan(ranges, [mention.start, mention.end]), score })
  }
  return { text, ranges, mentions }
}
