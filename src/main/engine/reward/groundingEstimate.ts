// How much of what is said is there, judged by the verifier alone: estimated hallucination rate and coverage of
// responses. No annotation is read; the stop rule and the choice of a checkpoint rest on it.
import type { Calibration, Interval } from '../../../shared/calibration.ts'
import { Rng } from '../rng.ts'
import { normalCdf } from './normal.ts'
import { quantile } from './quantile.ts'

export interface GroundingEstimate {
  /** Expected share of hallucinated mentions, with its 95 % interval over responses; 0 where nothing is named. */
  readonly hallucinationRate: Interval
  /** Expected number of different objects that are named and there, a response. */
  readonly coverage: number
  readonly mentions: number
}

/** Resamples of responses behind the interval. */
const resamples = 200

/**
 * Figures of responses, each the mentions of one. The share of hallucinated mentions is the likeliest one for these very
 * scores; of the calibration only the shapes of the two groups are taken, since its share is that of other responses.
 */
export function estimateGrounding(
  responses: readonly (readonly { readonly name: string; readonly score: number }[])[],
  calibration: Calibration,
): GroundingEstimate {
  const ratios = responses.map((mentions) => mentions.map(({ score }) => likelihoodRatio(score, calibration)))
  const rate = likeliestShare(ratios.flat())
  let grounded = 0
  for (const [i, mentions] of responses.entries()) {
    const best = new Map<string, number>()
    for (const [j, { name }] of mentions.entries()) {
      const right = 1 - hallucinationProbability(ratios[i]?.[j] as number, rate)
      best.set(name, Math.max(best.get(name) ?? 0, right))
    }
    for (const probability of best.values()) grounded += probability
  }
  return {
    hallucinationRate: { value: rate, ...intervalOverResponses(ratios) },
    coverage: responses.length === 0 ? 0 : grounded / responses.length,
    mentions: ratios.reduce((sum, { length }) => sum + length, 0),
  }
}

/** Every look draws the same resamples, so that looks differ by their responses alone. */
function intervalOverResponses(ratios: readonly (readonly number[])[]): Pick<Interval, 'low' | 'high'> {
  if (ratios.length === 0) return { low: 0, high: 0 }
  const rng = new Rng({ seed: 0 })
  const rates = Float64Array.from({ length: resamples }, () =>
    likeliestShare(ratios.flatMap(() => ratios[rng.below(ratios.length)] as readonly number[])),
  ).sort()
  return { low: quantile(rates, 0.025) ?? 0, high: quantile(rates, 0.975) ?? 0 }
}

/**
 * The share h that makes the scores likeliest: Σ ln(1 - h + h ρ) has one maximum, where Σ (ρ - 1) / (1 - h + h ρ) is 0
 * (to which expectation-maximisation converges too), or lies at an end.
 * @param ratios ρ = N_hal(s) / N_gt(s)
 * @param weightOf how often each of them counts; once when left out
 */
export function likeliestShare(ratios: ArrayLike<number>, weightOf: (i: number) => number = () => 1): number {
  const slope = (share: number) => {
    let sum = 0
    for (let i = 0; i < ratios.length; i++) {
      const ratio = ratios[i] as number
      sum += (weightOf(i) * (ratio - 1)) / (1 - share + share * ratio)
    }
    return sum
  }
  if (ratios.length === 0 || slope(0) <= 0) return 0
  if (slope(1) >= 0) return 1
  let [low, high] = [0, 1]
  for (let step = 0; step < 20; step++) {
    const middle = (low + high) / 2
    if (slope(middle) > 0) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** P(hallucinated | s) by Bayes, of a likelihood ratio and the share of hallucinated mentions. */
export function hallucinationProbability(ratio: number, share: number): number {
  return (share * ratio) / (share * ratio + 1 - share) || 0
}

/**
 * ρ = p_hal(s) / p_gt(s) by the two groups of the calibration as normal distributions. Scores beyond a mean count as
 * "beyond it" alone, by the ratio of both tails: a broad group would win again far out, where no score should count for
 * the other side, and shares stay unbiased. 0 where the calibration has no two groups.
 */
export function likelihoodRatio(score: number, { grounded, hallucinated }: Calibration): number {
  if (!grounded || !hallucinated) return 0
  const [gtDeviation, halDeviation] = [grounded, hallucinated].map((group) =>
    Math.max(group.standardDeviation, 1e-6),
  ) as [number, number]
  const gap = grounded.mean - hallucinated.mean
  if (score >= grounded.mean) return 2 * Math.max(normalCdf(-gap / halDeviation), smallestTail)
  if (score <= hallucinated.mean) return 0.5 / Math.max(normalCdf(-gap / gtDeviation), smallestTail)
  const squares = ((score - grounded.mean) / gtDeviation) ** 2 - ((score - hallucinated.mean) / halDeviation) ** 2
  return Math.exp(Math.min(700, Math.log(gtDeviation / halDeviation) + squares / 2))
}

const smallestTail = 1e-12
