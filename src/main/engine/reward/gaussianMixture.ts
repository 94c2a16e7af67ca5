// A mixture of two normal distributions over scores, by expectation-maximisation. calibration.ts reads its baselines
// off the components when there are no annotations.
import type { Rng } from '../rng.ts'

/** One normal component. */
export interface Component {
  /** Its share of the scores, from 0 to 1. */
  readonly share: number
  readonly mean: number
  readonly standardDeviation: number
}

export interface Mixture {
  readonly lower: Component
  readonly higher: Component
  /** Natural logarithm of the likelihood of all scores. */
  readonly logLikelihood: number
  /** BIC of one normal distribution less BIC of these two: 2 (L₂ - L₁) - 3 ln n. Positive where two explain more. */
  readonly bicGain: number
}

export interface MixtureOptions {
  /** Starts from different pairs of scores; the likeliest result stands. */
  readonly starts: number
  readonly maxIterations: number
}

export const defaultMixtureOptions: MixtureOptions = { starts: 6, maxIterations: 300 }

/** A component may not shrink onto one score: its deviation is at least this share of that of all scores. */
const smallestDeviationShare = 0.02
/** The likelihood has come to rest when an iteration adds less, per score. */
const restGain = 1e-8
/** Of the second distribution: its share, mean and deviation. */
const addedParameters = 3

/**
 * Fits two components by EM (Dempster, Laird & Rubin 1977): responsibilities r = π_k N(s | μ_k, σ_k) / Σ, then shares,
 * means and deviations weighted by them, until the likelihood rests. Null when fewer than two scores differ.
 * @param scores finite
 * @param rng chooses the starts
 */
export function fitMixture(scores: ArrayLike<number>, rng: Rng, options = defaultMixtureOptions): Mixture | null {
  const sorted = Float64Array.from(Array.from(scores)).sort()
  const all = momentsOf(sorted)
  if (sorted.length === 0 || sorted[0] === sorted.at(-1)) return null
  let best: Fit | null = null
  for (let start = 0; start < options.starts; start++) {
    const fit = maximise(sorted, startFrom(sorted, all, rng), all.standardDeviation, options.maxIterations)
    if (best === null || fit.logLikelihood > best.logLikelihood) best = fit
  }
  if (best === null) return null
  const n = sorted.length
  const logLikelihoodOfOne = -n * (Math.log(all.standardDeviation) + 0.5 * Math.log(2 * Math.PI) + 0.5)
  const [lower, higher] = best.first.mean <= best.second.mean ? [best.first, best.second] : [best.second, best.first]
  const bicGain = 2 * (best.logLikelihood - logLikelihoodOfOne) - addedParameters * Math.log(n)
  return { lower, higher, logLikelihood: best.logLikelihood, bicGain }
}

interface Fit {
  readonly first: Component
  readonly second: Component
  readonly logLikelihood: number
}

/** Two different scores as means, half the deviation of all scores for both. */
function startFrom(sorted: Float64Array, all: Component, rng: Rng): Omit<Fit, 'logLikelihood'> {
  const one = pick(sorted, rng)
  const others = sorted.filter((score) => score !== one)
  const other = pick(others, rng)
  const standardDeviation = all.standardDeviation / 2
  return {
    first: { share: 0.5, mean: one, standardDeviation },
    second: { share: 0.5, mean: other, standardDeviation },
  }
}

function pick(sorted: Float64Array, rng: Rng): number {
  return sorted[rng.below(sorted.length)] as number
}

function maximise(
  scores: Float64Array,
  start: Omit<Fit, 'logLikelihood'>,
  deviation: number,
  maxIterations: number,
): Fit {
  let { first, second } = start
  let logLikelihood = Number.NEGATIVE_INFINITY
  const responsibilities = new Float64Array(scores.length)
  const complements = new Float64Array(scores.length)
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const next = expect(scores, first, second, responsibilities)
    if (next - logLikelihood < restGain * scores.length) return { first, second, logLikelihood: next }
    logLikelihood = next
    first = weightedMoments(scores, responsibilities, deviation)
    for (let i = 0; i < scores.length; i++) complements[i] = 1 - (responsibilities[i] as number)
    second = weightedMoments(scores, complements, deviation)
  }
  return { first, second, logLikelihood: expect(scores, first, second, responsibilities) }
}

/** Fills in the first component's responsibilities and gives the log-likelihood; both by way of log-sum-exp. */
function expect(scores: Float64Array, first: Component, second: Component, responsibilities: Float64Array): number {
  const [constantOfFirst, constantOfSecond] = [logConstant(first), logConstant(second)]
  let logLikelihood = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number
    const one = constantOfFirst - 0.5 * ((score - first.mean) / first.standardDeviation) ** 2
    const other = constantOfSecond - 0.5 * ((score - second.mean) / second.standardDeviation) ** 2
    const ratio = Math.exp(-Math.abs(one - other))
    responsibilities[i] = (one > other ? 1 : ratio) / (1 + ratio)
    logLikelihood += Math.max(one, other) + Math.log(1 + ratio)
  }
  return logLikelihood
}

/** ln(π / (σ √(2π))). */
function logConstant({ share, standardDeviation }: Component): number {
  return Math.log(share / standardDeviation) - 0.5 * Math.log(2 * Math.PI)
}

function weightedMoments(scores: Float64Array, weightOf: Float64Array, deviation: number): Component {
  let [weights, sum, squares] = [0, 0, 0]
  for (let i = 0; i < scores.length; i++) {
    weights += weightOf[i] as number
    sum += (weightOf[i] as number) * (scores[i] as number)
  }
  // A component that lost all its scores keeps a share too small to matter, so that its logarithm stays finite.
  const share = Math.max(weights / scores.length, Number.EPSILON)
  const mean = weights > 0 ? sum / weights : (scores[0] as number)
  for (let i = 0; i < scores.length; i++) squares += (weightOf[i] as number) * ((scores[i] as number) - mean) ** 2
  const spread = weights > 0 ? Math.sqrt(squares / weights) : deviation
  return { share, mean, standardDeviation: Math.max(spread, smallestDeviationShare * deviation) }
}

/** Mean and deviation (over n) of all scores. */
function momentsOf(scores: Float64Array): Component {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0)
  return { share: 1, mean, standardDeviation: Math.sqrt(squares / scores.length) }
}

/** Φ((μ₁ - μ₀) / √(σ₁² + σ₀²)): the AUROC between two normal distributions. */
export function componentAuroc({ lower, higher }: Pick<Mixture, 'lower' | 'higher'>): number {
  return normalCdf((higher.mean - lower.mean) / Math.hypot(higher.standardDeviation, lower.standardDeviation))
}

/** ∫ min(N₀, N₁): the share that the two distributions have in common (Weitzman 1970), by the trapezoidal rule. */
export function componentOverlap({ lower, higher }: Pick<Mixture, 'lower' | 'higher'>): number {
  const parts = [lower, higher].map((one) => ({ ...one, share: 1 }))
  const from = Math.min(...parts.map(({ mean, standardDeviation }) => mean - 8 * standardDeviation))
  const to = Math.max(...parts.map(({ mean, standardDeviation }) => mean + 8 * standardDeviation))
  const steps = 4096
  let sum = 0
  for (let i = 0; i <= steps; i++) {
    const score = from + ((to - from) * i) / steps
    sum += Math.min(...parts.map((part) => density(score, part)))
  }
  return Math.min(1, (sum * (to - from)) / steps)
}

/** π N(s | μ, σ). */
function density(score: number, component: Component): number {
  const z = (score - component.mean) / component.standardDeviation
  return Math.exp(logConstant(component) - 0.5 * z * z)
}

/** Φ(z) by the Taylor series of Marsaglia, "Evaluating the Normal Distribution" (2004); absolute error about 1e-15. */
export function normalCdf(z: number): number {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0
  let [sum, term] = [z, z]
  for (let i = 3; sum !== sum + term; i += 2) {
    term *= (z * z) / i
    sum += term
  }
  return 0.5 + sum * Math.exp(-0.5 * z * z - 0.5 * Math.log(2 * Math.PI))
}
