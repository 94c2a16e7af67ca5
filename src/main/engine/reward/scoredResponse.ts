// A response with the object words that it names, their tokens and the verifier's scores: what calibration, rewards,
// evaluation and the Inspector read. Before it stand rollouts, after it tokenReward.ts.
import type { Tokenizer } from '../models/tokenizer.ts'
import type { Lexicon } from './lexicon.ts'
import { findObjects, type ObjectFinderOptions, type ObjectMention } from './objectWords.ts'
import type { ScoredMention } from './tokenReward.ts'
import { type Range, tokenSpan } from './tokenSpans.ts'
import type { VerifiedImage, Verifier } from './verifier.ts'

export interface ScoredResponse {
  readonly text: string
  /** Of each token, the UTF-16 units of the text that it contributed. */
  readonly ranges: readonly Range[]
  readonly mentions: readonly (ScoredMention & ObjectMention)[]
}

export interface ScoringOptions {
  readonly tokenizer: Tokenizer
  readonly verifier: Verifier
  readonly lexicon: Lexicon
  readonly finder: ObjectFinderOptions
}

/**
 * Finds the object words of a response and scores them.
 * @param tokens of the response, an end token included
 * @throws StudioError `run.token-span` when text and tokens do not fit each other
 */
export async function scoreResponse(
  tokens: readonly number[],
  image: VerifiedImage,
  { tokenizer, verifier, lexicon, finder }: ScoringOptions,
): Promise<ScoredResponse> {
  const { text, ranges } = tokenizer.decodeWithOffsets(tokens)
  const mentions: (ScoredMention & ObjectMention)[] = []
  for (const mention of findObjects(text, lexicon, finder)) {
    const score = await verifier.score(image, mention.word)
    mentions.push({ ...mention, tokens: tokenSpan(ranges, [mention.start, mention.end]), score })
  }
  return { text, ranges, mentions }
}
