// What annotations say of the words that a verifier scored. Annotated calibration, evaluations and tools ask here, so that
// all of them leave out what annotations cannot judge.
import type { LabelledScore } from './calibration.ts'
import type { ScoredMention } from './tokenReward.ts'

/**
 * The scores of mentions that annotations can judge, with their verdict. Of an object that the annotations have no
 * category of, they do not say whether it is there: it is neither right nor hallucinated.
 * @param present objects in the image
 * @param judged objects of the annotations' categories
 */
export function labelledScores(
  mentions: readonly Pick<ScoredMention, 'name' | 'score'>[],
  present: ReadonlySet<string>,
  judged: ReadonlySet<string>,
): LabelledScore[] {
  return mentions
    .filter(({ name }) => judged.has(name))
    .map(({ name, score }) => ({ score, isPresent: present.has(name) }))
}
