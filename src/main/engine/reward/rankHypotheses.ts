// What own and other scores would look like, by rank, under many hypotheses on the verifier. knowledge.ts weighs them
// by the ranks that it finds. Ranks alone, since scores of any unit and shape have them.
import { normalCdf, normalQuantile } from './normal.ts'

/** Equal parts of the ranks of all scores, own and other ones counting half each. */
export const rankParts = 32

/** A grid of hypotheses; curves are rows of `rankParts + 1` numbers. */
export interface RankHypotheses {
  readonly count: number
  /** That a right word scores above a hallucinated one. */
  readonly auroc: Float64Array
  /** Share of own scores whose word is hallucinated. */
  readonly hallucinated: Float64Array
  readonly logPrior: Float64Array
  /** Share of all scores that are own ones and among the lowest k / `rankParts`; from 0 to 1/2. */
  readonly own: Float32Array
  /** That are own ones of right words. */
  readonly right: Float32Array
}

const aurocs = [
  ...[0.35, 0.42, 0.46, 0.48, 0.5, 0.52, 0.54, 0.56, 0.58, 0.6, 0.625, 0.65, 0.675, 0.7, 0.725, 0.75, 0.775],
  ...[0.8, 0.82, 0.84, 0.86, 0.88, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99, 0.997],
] as const
const hallucinatedShares = [0.01, 0.04, 0.08, 0.13, 0.19, 0.26, 0.34, 0.43] as const
/** Shares of other scores whose word is there after all, unnamed. */
const unnoticedShares = [0, 0.04, 0.09, 0.15, 0.22, 0.3] as const
/** Deviation of right words' scores over that of absent ones', with the prior weight of each. */
const deviations = [0.55, 0.75, 1, 1.35, 1.8].map(
  (ratio) => [ratio, Math.exp(-0.5 * (Math.log(ratio) / 0.35) ** 2)] as const,
)
/** How far hallucinated words lie from absent ones towards right ones, since what takes the model in may take the verifier in. */
const confusions = [
  [0, 0.6],
  [0.2, 0.4],
] as const
/** Prior weight of verifiers with two levels, and of absent words that are on the higher one, of those that may be. */
const twoLevelWeight = 0.25
const falseAlarms = [0.1, 0.3, 0.5, 0.7] as const
/** Of two levels, in deviations: hardly anything lies between. */
const levelGap = 3.5
/** Exponents of (1 - share): the prior means of both shares are 1/7 and 1/9. */
const [hallucinatedExponent, unnoticedExponent] = [5, 7]
const steps = 160

let made: RankHypotheses | null = null

/**
 * The grid: right words N(a, b), absent ones N(0, 1), hallucinated ones N(κa, 1) in a unit that ranks do not show (the
 * binormal model of ROC curves; Hanley 1988), or both on two levels. Own scores are right or hallucinated ones; other
 * scores are absent ones but for a few that are there (mutual contamination; Menon et al. 2015).
 */
export function rankHypotheses(): RankHypotheses {
  made ??= makeHypotheses()
  return made
}

function makeHypotheses(): RankHypotheses {
  const kinds = deviations.length * confusions.length + falseAlarms.length
  const count = aurocs.length * kinds * hallucinatedShares.length * unnoticedShares.length
  const made = {
    ...{ count, auroc: new Float64Array(count), hallucinated: new Float64Array(count) },
    logPrior: new Float64Array(count),
    own: new Float32Array(count * (rankParts + 1)),
    right: new Float32Array(count * (rankParts + 1)),
  }
  const deviationWeights = deviations.reduce((sum, [, weight]) => sum + weight, 0)
  let next = 0
  for (const [i, auroc] of aurocs.entries()) {
    for (const [ratio, weight] of deviations) {
      for (const [confusion, confused] of confusions) {
        const mean = (normalQuantile(auroc) * Math.hypot(1, ratio)) / (1 - confusion)
        const [low, high] = [Math.min(-6, mean - 6 * ratio), Math.max(6, mean + 6 * ratio)]
        const prior = ((1 - twoLevelWeight) * confused * weight) / deviationWeights
        add(i, prior, low, high, {
          right: (t) => normalCdf((t - mean) / ratio),
          hallucinated: (t) => normalCdf(t - confusion * mean),
          absent: normalCdf,
        })
      }
    }
    const apart = Math.min(0.99, Math.max(-0.99, (2 * auroc - 1) / (2 * normalCdf(levelGap / Math.SQRT2) - 1)))
    for (const part of falseAlarms) {
      const high = Math.max(0, -apart) + (1 - Math.abs(apart)) * part
      const levels = (share: number) => (t: number) => share * normalCdf(t - levelGap) + (1 - share) * normalCdf(t)
      const absent = levels(high)
      const distributions = { right: levels(high + apart), hallucinated: absent, absent }
      add(i, twoLevelWeight / falseAlarms.length, -6, 6 + levelGap, distributions)
    }
  }
  return made

  /** All shares of hallucinated and of unnoticed words for three distributions, given by their cumulative functions. */
  function add(
    i: number,
    weight: number,
    low: number,
    high: number,
    of: Readonly<Record<'right' | 'hallucinated' | 'absent', (t: number) => number>>,
  ): void {
    const points = Float64Array.from({ length: steps + 1 }, (_, at) => low + ((high - low) * at) / steps)
    const [right, wrong, absent] = [points.map(of.right), points.map(of.hallucinated), points.map(of.absent)]
    for (const [j, h] of hallucinatedShares.entries()) {
      for (const [k, c] of unnoticedShares.entries()) {
        made.auroc[next] = aurocs[i] as number
        made.hallucinated[next] = h
        made.logPrior[next] =
          Math.log(weight * widthOf(aurocs, i) * widthOf(hallucinatedShares, j) * widthOf(unnoticedShares, k)) +
          hallucinatedExponent * Math.log(1 - h) +
          unnoticedExponent * Math.log(1 - c)
        fillCurves(made, next++, { right, wrong, absent }, h, c)
      }
    }
  }
}

function fillCurves(
  { own, right }: Pick<RankHypotheses, 'own' | 'right'>,
  hypothesis: number,
  at: Readonly<Record<'right' | 'wrong' | 'absent', Float64Array>>,
  h: number,
  c: number,
): void {
  const base = hypothesis * (rankParts + 1)
  const all = at.right.map(
    (value, i) => ((1 - h + c) * value + h * (at.wrong[i] as number) + (1 - c) * (at.absent[i] as number)) / 2,
  )
  let below = 0
  for (let k = 1; k < rankParts; k++) {
    while (below < steps - 1 && (all[below + 1] as number) < k / rankParts) below++
    const [from, to] = [all[below] as number, all[below + 1] as number]
    const part = (k / rankParts - from) / (to - from)
    const between = (of: Float64Array) =>
      (of[below] as number) + part * ((of[below + 1] as number) - (of[below] as number))
    right[base + k] = ((1 - h) * between(at.right)) / 2
    own[base + k] = (right[base + k] as number) + (h * between(at.wrong)) / 2
  }
  right[base + rankParts] = (1 - h) / 2
  own[base + rankParts] = 0.5
}

/** Of the part of the axis that a grid point stands for. */
function widthOf(grid: readonly number[], i: number): number {
  return ((grid[i + 1] ?? (grid[i] as number)) - (grid[i - 1] ?? (grid[i] as number))) / 2
}
