// How much of what is said is there, judged by the verifier alone: estimated hallucination rate and coverage of
// responses. No annotation is read; the stop rule and the choice of a checkpoint rest on it.
import type { Calibration } from '../../../shared/calibration.ts'

export interface GroundingEstimate {
  /** Expected share of hallucinated mentions; 0 where nothing is named. */
  readonly hallucinationRate: number
  /** Expected number of different objects that are named and there, a response. */
  readonly coverage: number
  readonly mentions: number
}

/** Means over responses, each the mentions of one. */
export function estimateGrounding(
  responses: readonly (readonly { readonly name: string; readonly score: number }[])[],
  calibration: Calibration,
): GroundingEstimate {
  let [hallucinated, mentions, grounded] = [0, 0, 0]
  for (const response of responses) {
    const best = new Map<string, number>()
    for (const { name, score } of response) {
      const probability = hallucinationProbability(score, calibration)
      hallucinated += probability
      mentions++
      best.set(name, Math.max(best.get(name) ?? 0, 1 - probability))
    }
    for (const probability of best.values()) grounded += probability
  }
  return {
    hallucinationRate: mentions === 0 ? 0 : hallucinated / mentions,
    coverage: responses.length === 0 ? 0 : grounded / responses.length,
    mentions,
  }
}

/**
 * P(hallucinated | s) = π₀ N₀(s) / (π₀ N₀(s) + π₁ N₁(s)), by the two components of the calibration. Beyond the means it
 * stays as it is there: a broad component would win again far out, where no score should count for the other side.
 */
export function hallucinationProbability(score: number, { grounded, hallucinated }: Calibration): number {
  if (!grounded || !hallucinated) return 0
  const within = Math.min(Math.max(score, hallucinated.mean), grounded.mean)
  const log = ({ share, mean, standardDeviation }: typeof grounded) => {
    const deviation = Math.max(standardDeviation, 1e-6)
    return Math.log(share) - Math.log(deviation) - 0.5 * ((within - mean) / deviation) ** 2
  }
  return 1 / (1 + Math.exp(log(grounded) - log(hallucinated)))
}
