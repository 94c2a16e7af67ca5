// What a word of a given score earns, by the calibration and the variant that the config names. Before it stands
// calibration.ts, after it tokenReward.ts, which lays the rewards on tokens.
import type { Baselines, Calibration } from '../../../shared/calibration.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { hallucinationProbability, likelihoodRatio } from './groundingEstimate.ts'

/**
 * `paper` and `first-mention` follow the paper's piecewise rule, `linear` and `posterior` our own ones. `margin` is λ in
 * units of the score; `baseline-gap` scales by 1 / (mu_gt - mu_hal), which makes verifiers comparable.
 */
export type RewardRuleSettings = Pick<RunConfig['reward'], 'variant' | 'margin' | 'scale'>

/** The reward of a word of this score s = <f_img(x_v), f_txt(o)>; its sign is the verdict on the word. */
export type RewardRule = (score: number) => number

/** @throws StudioError `run.baselines` when `baseline-gap` is asked for and mu_gt is not above mu_hal */
export function rewardRule(
  calibration: Calibration,
  baselines: Baselines,
  { variant, margin, scale }: RewardRuleSettings,
): RewardRule {
  const factor = scaleOf(baselines, scale)
  // The rules that end at 1 measure in gaps of the baselines.
  const perGap = factor * (baselines.muGt - baselines.muHal)
  const share = calibration.hallucinated?.share ?? 0
  switch (variant) {
    case 'paper':
    case 'first-mention':
      return (score) => factor * piecewiseReward(score, baselines, margin)
    case 'linear':
      return (score) => perGap * linearReward(score, baselines, margin)
    case 'posterior':
      return (score) => perGap * (1 - 2 * hallucinationProbability(likelihoodRatio(score, calibration), share))
  }
}

/**
 * The paper's piecewise rule (arXiv 2410.14148; our reading of its description, see PAPER.md), before scaling:
 *
 *   r = s - mu_gt    if s > mu_gt + λ
 *       s - mu_hal   if s < mu_hal - λ
 *       0            otherwise
 */
export function piecewiseReward(score: number, { muGt, muHal }: Baselines, margin: number): number {
  if (score > muGt + margin) return score - muGt
  if (score < muHal - margin) return score - muHal
  return 0
}

/**
 * On which side of the middle between the baselines a word lies, and how far, in gaps of the baselines up to 1:
 *
 *   r = clip((s - (mu_gt + mu_hal) / 2) / (mu_gt - mu_hal), -1, 1)    beyond λ of the middle, else 0
 *
 * The piecewise rule gives nothing to every word between the baselines, which is half of the right and half of the
 * hallucinated ones; this one tells each word where it stands.
 */
export function linearReward(score: number, { muGt, muHal }: Baselines, margin: number): number {
  const fromMiddle = score - (muGt + muHal) / 2
  if (Math.abs(fromMiddle) <= margin) return 0
  return Math.min(1, Math.max(-1, fromMiddle / (muGt - muHal)))
}

/** The factor on differences of scores, in 1 / score. @throws StudioError `run.baselines` */
export function scaleOf({ muGt, muHal }: Baselines, scale: RewardRuleSettings['scale']): number {
  if (scale !== 'baseline-gap') return scale
  if (muGt > muHal) return 1 / (muGt - muHal)
  throw new StudioError({
    code: 'run.baselines',
    message: 'The reward cannot be scaled: right words score no higher than hallucinated ones.',
    remedy: 'Calibrate again with the encoder that the model was made with, or set the scale as a number.',
    expected: `mu_gt above ${muHal}`,
    found: String(muGt),
    where: 'baselines',
  })
}
