// Whether a verifier knows what is in an image, without a label: words on their own image against the same words on others
// (otherImages.ts). Before it stand centred scores, after it calibration.ts.
import type { Interval } from '../../../shared/calibration.ts'
import type { Rng } from '../rng.ts'
import { aurocVariance, rankScores, type ScoreRanking, weightedAuroc } from './auroc.ts'
import type { CentredScores } from './otherImages.ts'
import { quantile } from './quantile.ts'
import { type RankHypotheses, rankHypotheses, rankParts } from './rankHypotheses.ts'

/** Intervals are of 95 %. */
export interface Knowledge {
  /** That a right word scores above a hallucinated one, each less its word's level. */
  readonly auroc: Interval
  readonly hallucinatedShare: Interval
  /** That a word scores higher on its own image than on another; 0.5 for a verifier that does not look. */
  readonly ownOverOther: Interval
  /** Of each own score, in their order: how probably its word is right. */
  readonly rightness: Float64Array
}

export interface KnowledgeOptions {
  readonly rng: Rng
  /** Of the bootstrap by image. */
  readonly resamples: number
}

/** Scores count for at most twice their number: other scores are several to each own one. */
const mostInformation = 2

/**
 * Weighs hypotheses on the verifier by the ranks of own scores among scores of other images (Bayes), so that the interval holds
 * what ranks cannot settle too. How much the scores count for is told by a bootstrap over images, whose words depend on
 * each other: the likelihood is raised to the power of the variance that independent scores would have over the one
 * that resampling shows. Null without scores of both kinds.
 */
export function estimateKnowledge(scores: CentredScores, { rng, resamples }: KnowledgeOptions): Knowledge | null {
  const { own, other, otherWeight } = scores
  if (own.length === 0 || other.length === 0) return null
  const ranking = rankScores(own, other)
  const weights = new Float64Array(own.length + other.length).fill(1)
  weights.set(otherWeight, own.length)
  const value = weightedAuroc(ranking, weights) ?? 0.5
  const drawn = resampledByImage(scores, ranking, rng, resamples)
  const variance = varianceOf(drawn)
  const information = Math.min(mostInformation, aurocVariance(ranking, weights, own.length) / Math.max(variance, 1e-12))
  const table = rankHypotheses()
  const { cells, rankOf } = rankCells(ranking, weights)
  const posterior = weigh(table, cells, own.length * information)
  return {
    auroc: summarise(table.auroc, posterior),
    hallucinatedShare: summarise(table.hallucinated, posterior),
    ownOverOther: { value, low: quantile(drawn, 0.025) ?? 0.5, high: quantile(drawn, 0.975) ?? 0.5 },
    rightness: rightnessOf(table, posterior, rankOf),
  }
}

/** Own over other on images drawn with replacement, ascending. Levels of images count for both kinds alike. */
function resampledByImage(scores: CentredScores, ranking: ScoreRanking, rng: Rng, resamples: number): Float64Array {
  const { own, ownImage, otherImage, otherWeight } = scores
  const images =
    1 + Math.max(...[ownImage, otherImage].map((list) => list.reduce((most, image) => Math.max(most, image), 0)))
  const counts = new Float64Array(images)
  const weights = new Float64Array(own.length + otherImage.length)
  const drawn: number[] = []
  for (let resample = 0; resample < resamples; resample++) {
    counts.fill(0)
    for (let i = 0; i < images; i++) {
      const image = rng.below(images)
      counts[image] = (counts[image] as number) + 1
    }
    for (let i = 0; i < own.length; i++) weights[i] = counts[ownImage[i] as number] as number
    for (let j = 0; j < otherImage.length; j++)
      weights[own.length + j] = (otherWeight[j] as number) * (counts[otherImage[j] as number] as number)
    const one = weightedAuroc(ranking, weights)
    if (one !== null) drawn.push(one)
  }
  return Float64Array.from(drawn).sort()
}

/** Successive parts of the ranks, none of which parts a tie: their ends, and the shares of own and of other scores. */
interface RankCells {
  readonly ends: Float64Array
  readonly own: Float64Array
  readonly other: Float64Array
}

function rankCells(
  { order, isTied, higherCount }: ScoreRanking,
  weights: Float64Array,
): { cells: RankCells; rankOf: Float64Array } {
  let [ownTotal, otherTotal] = [0, 0]
  for (const [i, weight] of weights.entries()) {
    if (i < higherCount) ownTotal += weight
    else otherTotal += weight
  }
  const [ends, owns, others]: [number[], number[], number[]] = [[], [], []]
  const rankOf = new Float64Array(higherCount)
  let [own, other, below] = [0, 0, 0]
  for (let i = 0; i < order.length; ) {
    const start = i
    const [ownBefore, otherBefore] = [own, other]
    do {
      const index = order[i] as number
      if (index < higherCount) own += (weights[index] as number) / ownTotal
      else other += (weights[index] as number) / otherTotal
      i++
    } while (i < order.length && isTied[i] === 1)
    const middle = below + (own + ownBefore + other + otherBefore) / 4
    for (let j = start; j < i; j++) if ((order[j] as number) < higherCount) rankOf[order[j] as number] = middle
    const reached = (own + other) / 2
    if (reached < 1 / rankParts && i < order.length) continue
    below += reached
    ends.push(Math.min(1, below))
    owns.push(own)
    others.push(other)
    own = 0
    other = 0
  }
  return {
    cells: { ends: Float64Array.from(ends), own: Float64Array.from(owns), other: Float64Array.from(others) },
    rankOf,
  }
}

/** Of a score whose hypothesis does not expect it at all, so that a few strays decide nothing. */
const leastShare = 1e-4

/** Weights of the hypotheses, the highest 1: prior times likelihood that scores of these ranks are own or other ones. */
function weigh(table: RankHypotheses, { ends, own, other }: RankCells, count: number): Float64Array {
  const at = Int32Array.from(ends, (end) => Math.min(rankParts - 1, Math.floor(end * rankParts)))
  const part = Float64Array.from(ends, (end, k) => end * rankParts - (at[k] as number))
  const widths = Float64Array.from(ends, (end, k) => end - (k === 0 ? 0 : (ends[k - 1] as number)))
  const logs = new Float64Array(table.count)
  let highest = Number.NEGATIVE_INFINITY
  for (let hypothesis = 0; hypothesis < table.count; hypothesis++) {
    const base = hypothesis * (rankParts + 1)
    let [before, sum] = [0, 0]
    for (let k = 0; k < ends.length; k++) {
      const i = base + (at[k] as number)
      const [low, high] = [table.own[i] as number, table.own[i + 1] as number]
      const here = low + (part[k] as number) * (high - low)
      const share = Math.min(1 - leastShare, Math.max(leastShare, (here - before) / (widths[k] as number)))
      sum += (own[k] as number) * Math.log(share) + (other[k] as number) * Math.log(1 - share)
      before = here
    }
    const log = (table.logPrior[hypothesis] as number) + count * sum
    logs[hypothesis] = log
    if (log > highest) highest = log
  }
  return logs.map((log) => Math.exp(log - highest))
}

/** Mean and 95 % interval of a grid's values by their weights, each value standing for what is nearest to it. */
function summarise(values: Float64Array, weights: Float64Array): Interval {
  const byValue = new Map<number, number>()
  let [sum, mean] = [0, 0]
  for (const [i, value] of values.entries()) {
    const weight = weights[i] as number
    sum += weight
    mean += weight * value
    byValue.set(value, (byValue.get(value) ?? 0) + weight)
  }
  const grid = [...byValue.keys()].sort((a, b) => a - b)
  const at = (share: number): number => {
    let below = 0
    for (const [i, value] of grid.entries()) {
      const weight = (byValue.get(value) ?? 0) / sum
      if (below + weight < share) {
        below += weight
        continue
      }
      const [before, after] = [grid[i - 1] ?? value, grid[i + 1] ?? value]
      return (before + value) / 2 + (((share - below) / weight) * (after - before)) / 2
    }
    return grid.at(-1) as number
  }
  return { value: mean / sum, low: at(0.025), high: at(0.975) }
}

/** P(right | own score, rank), over the hypotheses. */
function rightnessOf({ own, right }: RankHypotheses, weights: Float64Array, rankOf: Float64Array): Float64Array {
  const byPart = new Float64Array(rankParts)
  let sum = 0
  for (const [hypothesis, weight] of weights.entries()) {
    if (weight < 1e-6) continue
    sum += weight
    const base = hypothesis * (rankParts + 1)
    for (let k = 0; k < rankParts; k++) {
      const all = (own[base + k + 1] as number) - (own[base + k] as number)
      const rights = (right[base + k + 1] as number) - (right[base + k] as number)
      byPart[k] = (byPart[k] as number) + (all > 1e-7 ? (weight * rights) / all : 0)
    }
  }
  return rankOf.map((rank) => (byPart[Math.min(rankParts - 1, Math.floor(rank * rankParts))] as number) / sum)
}

function varianceOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1)
}
