// Right and hallucinated words' scores as two groups, from labels or from how probably each word is right. Before it stand
// scores, after it calibration.ts.
import type { ScoreGroup } from '../../../shared/calibration.ts'
import { rankScores, weightedAuroc } from './auroc.ts'
import { normalCdf } from './normal.ts'

/** A score, and how probably its word is right: 0 or 1 where it is known. */
export interface SoftLabelled {
  readonly score: number
  readonly right: number
}

/** Share, weighted mean and deviation of each group; null where nothing speaks for a group. */
export function softGroups(labelled: readonly SoftLabelled[]): Record<'grounded' | 'hallucinated', ScoreGroup | null> {
  return {
    grounded: groupOf(labelled, ({ right }) => right),
    hallucinated: groupOf(labelled, ({ right }) => 1 - right),
  }
}

function groupOf(labelled: readonly SoftLabelled[], weightOf: (one: SoftLabelled) => number): ScoreGroup | null {
  const weight = labelled.reduce((sum, one) => sum + weightOf(one), 0)
  if (weight <= 0) return null
  const mean = labelled.reduce((sum, one) => sum + weightOf(one) * one.score, 0) / weight
  const squares = labelled.reduce((sum, one) => sum + weightOf(one) * (one.score - mean) ** 2, 0)
  return { share: weight / labelled.length, mean, standardDeviation: Math.sqrt(squares / weight) }
}

/**
 * AUROC of scores whose labels are probabilities: pairs count by the probability that the one is right and the other is
 * not, ties half. Null when one kind is missing.
 */
export function softAuroc(labelled: readonly SoftLabelled[]): number | null {
  const scores = labelled.map(({ score }) => score)
  const rights = labelled.map(({ right }) => right)
  return weightedAuroc(rankScores(scores, scores), [...rights, ...rights.map((right) => 1 - right)])
}

/** Φ((μ₁ - μ₀) / √(σ₁² + σ₀²)): that a score of one group is above one of the other, were both normal. */
export function groupsSeparation(grounded: ScoreGroup, hallucinated: ScoreGroup): number {
  const spread = Math.hypot(grounded.standardDeviation, hallucinated.standardDeviation)
  const apart = grounded.mean - hallucinated.mean
  return spread > 0 ? normalCdf(apart / spread) : (Math.sign(apart) + 1) / 2
}

/** ∫ min(N₀, N₁): the share that both have in common, were they normal (Weitzman 1970), by the trapezoidal rule. */
export function groupsOverlap(one: ScoreGroup, other: ScoreGroup): number {
  const parts = [one, other].map(({ mean, standardDeviation }) => ({
    ...{ mean, deviation: Math.max(standardDeviation, smallestDeviation) },
  }))
  const from = Math.min(...parts.map(({ mean, deviation }) => mean - 8 * deviation))
  const to = Math.max(...parts.map(({ mean, deviation }) => mean + 8 * deviation))
  let sum = 0
  for (let i = 0; i <= steps; i++) {
    const score = from + ((to - from) * i) / steps
    sum += Math.min(...parts.map(({ mean, deviation }) => normalDensity((score - mean) / deviation) / deviation))
  }
  return Math.min(1, (sum * (to - from)) / steps)
}

const [smallestDeviation, steps] = [1e-6, 4096]

function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
}
