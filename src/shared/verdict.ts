// The verdict on an object word in the words and bounds that a person reads. The engine finds it (reward/rewardRule.ts);
// screens and reports say it, all by these words.
import type { Baselines } from './calibration.ts'
import type { SpanLabel } from './domain.ts'
import type { RunConfig } from './runConfig.ts'

export const verdictNames: Readonly<Record<SpanLabel, string>> = {
  grounded: 'grounded',
  hallucinated: 'hallucinated',
  neutral: 'neutral',
}

/** What each verdict means, as a sentence. */
export const verdictSentences: Readonly<Record<SpanLabel, string>> = {
  grounded: 'The model’s own encoder finds it in the image.',
  hallucinated: 'The model’s own encoder does not find it in the image.',
  neutral: 'Its score lies between the two baselines: too close to call.',
}

export const unjudgedSentence = 'Not judged: no verifier has scored this word.'

/** Where the axis of scores changes its verdict: hallucinated below `low`, grounded above `high`. */
export interface VerdictBounds {
  readonly low: number
  readonly high: number
}

/** Null for `posterior`, whose bounds depend on the fitted groups and not on the baselines. */
export function verdictBounds(
  { muGt, muHal }: Baselines,
  { variant, margin }: Pick<RunConfig['reward'], 'variant' | 'margin'>,
): VerdictBounds | null {
  if (variant === 'posterior') return null
  const middle = (muGt + muHal) / 2
  if (variant === 'linear') return { low: middle - margin, high: middle + margin }
  return { low: muHal - margin, high: muGt + margin }
}
