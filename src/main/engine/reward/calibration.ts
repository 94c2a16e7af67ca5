// The baselines mu_gt and mu_hal of the token reward, and how well they stand apart. Before it stand the verifier's
// scores of sampled responses, after it tokenReward.ts. A verifier that cannot tell is refused with the reason.
import { type Baselines, type Calibration, type Refusal, refusalSentences } from '../../../shared/calibration.ts'
import { StudioError } from '../../../shared/errors.ts'
import { Rng } from '../rng.ts'
import { auroc } from './auroc.ts'
import { componentAuroc, componentOverlap, fitMixture, type Mixture } from './gaussianMixture.ts'

/** When a verifier counts as able to tell; no setting, since a person who knows better goes on in spite of a refusal. */
const limits = {
  /** Scores in all, and of each side. */
  leastScores: 64,
  leastScoresOfSide: 8,
  /** The smaller component's share: below it, a tail of one distribution passes for a second. */
  leastShare: 0.02,
  /** Of two components over one; above 10 the evidence is very strong (Kass & Raftery, Bayes Factors, 1995). */
  leastBicGain: 10,
  /** Estimated from the components, or measured on labels; 0.5 is chance. */
  leastAuroc: 0.75,
  /** Of words against their own image over the same words against other images; 0.5 is chance. */
  leastImageAuroc: 0.65,
} as const

export interface LabelledScore {
  readonly score: number
  /** Whether the annotations have the object in the image. */
  readonly isPresent: boolean
}

/**
 * The paper's calibration: mean scores of named objects that the annotations have, and of those that they do not have.
 * @throws StudioError `run.bad-score` when a score is not finite
 */
export function calibrateAnnotated(labelled: readonly LabelledScore[]): Calibration {
  requireFinite(labelled.map(({ score }) => score))
  const present = labelled.filter(({ isPresent }) => isPresent).map(({ score }) => score)
  const absent = labelled.filter(({ isPresent }) => !isPresent).map(({ score }) => score)
  const [grounded, hallucinated] = [sideOf(present, labelled.length), sideOf(absent, labelled.length)]
  const measured = auroc(present, absent)
  const fewest = Math.min(present.length, absent.length)
  return {
    method: 'annotated',
    scores: labelled.length,
    baselines: grounded && hallucinated ? { muGt: grounded.mean, muHal: hallucinated.mean } : null,
    grounded,
    hallucinated,
    auroc: measured,
    overlap: null,
    bicGain: null,
    imageAuroc: null,
    refusals: [
      ...below('too-few-scores', 'scores', labelled.length, limits.leastScores),
      ...below('one-sided', 'scores of each side', fewest, limits.leastScoresOfSide),
      ...(measured === null ? [] : below('overlapping', 'AUROC', measured, limits.leastAuroc)),
    ],
  }
}

export interface MixtureCalibrationOptions {
  readonly seed: number
  /**
   * Scores of the same words against images other than their own. A verifier whose text tower is broken may show two
   * groups of words, but no image makes a difference to them.
   */
  readonly otherImageScores?: readonly number[]
}

/**
 * Annotation-free calibration: the means of a two-component mixture over the scores of sampled responses. No label is
 * read; the higher component stands for the grounded mentions.
 * @throws StudioError `run.bad-score` when a score is not finite
 */
export function calibrateMixture(scores: readonly number[], options: MixtureCalibrationOptions): Calibration {
  const { seed, otherImageScores = [] } = options
  requireFinite(scores)
  requireFinite(otherImageScores)
  const mixture = scores.length >= 2 ? fitMixture(scores, new Rng({ seed })) : null
  const imageAuroc = auroc(scores, otherImageScores)
  return {
    method: 'mixture',
    scores: scores.length,
    baselines: mixture && { muGt: mixture.higher.mean, muHal: mixture.lower.mean },
    grounded: mixture && { ...mixture.higher },
    hallucinated: mixture && { ...mixture.lower },
    auroc: mixture && componentAuroc(mixture),
    overlap: mixture && componentOverlap(mixture),
    bicGain: mixture?.bicGain ?? null,
    imageAuroc,
    refusals: [
      ...below('too-few-scores', 'scores', scores.length, limits.leastScores),
      ...mixtureRefusals(mixture, scores.length),
      ...(imageAuroc === null
        ? []
        : below('blind-to-image', 'AUROC of own over other images', imageAuroc, limits.leastImageAuroc)),
    ],
  }
}

function mixtureRefusals(mixture: Mixture | null, count: number): Refusal[] {
  if (mixture === null) return below('one-component', 'BIC gain', Number.NEGATIVE_INFINITY, limits.leastBicGain)
  const share = Math.min(mixture.lower.share, mixture.higher.share)
  const leastShare = Math.max(limits.leastShare, limits.leastScoresOfSide / count)
  return [
    ...below('one-component', 'BIC gain', mixture.bicGain, limits.leastBicGain),
    ...below('component-too-small', 'share of the smaller component', share, leastShare),
    ...below('overlapping', 'estimated AUROC', componentAuroc(mixture), limits.leastAuroc),
  ]
}

/** Share that the scores are of all, mean and deviation; null when there are none. */
function sideOf(scores: readonly number[], total: number): Calibration['grounded'] {
  if (scores.length === 0) return null
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0)
  return { share: scores.length / total, mean, standardDeviation: Math.sqrt(squares / scores.length) }
}

function below(reason: Refusal['reason'], what: string, found: number, least: number): Refusal[] {
  if (found >= least) return []
  return [{ reason, expected: `${what} of at least ${brief(least)}`, found: brief(found) }]
}

function brief(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3)
}

/**
 * The baselines that training uses.
 * @param override a person has read the refusals and goes on nevertheless
 * @throws StudioError `run.verifier-cannot-tell` with the first reason, unless overridden; always when there are no
 *   baselines or they do not stand apart
 */
export function requireBaselines(calibration: Calibration, override: boolean): Baselines {
  const { baselines, refusals } = calibration
  const [refusal] = refusals
  const stand = baselines !== null && baselines.muGt > baselines.muHal
  if (stand && (refusal === undefined || override)) return baselines
  const reason = refusal ? refusalSentences[refusal.reason] : 'Right words score no higher than wrong ones.'
  throw new StudioError({
    code: 'run.verifier-cannot-tell',
    message: `The verifier cannot tell right words from hallucinated ones. ${reason}`,
    remedy: stand
      ? 'Choose the encoder that the model was made with, or more images; or go on knowingly: the errors may grow.'
      : 'Choose the encoder that the model was made with, or more images.',
    expected: refusal?.expected ?? 'mu_gt above mu_hal',
    found: refusal?.found ?? `${baselines?.muGt} and ${baselines?.muHal}`,
    where: refusal?.reason ?? 'baselines',
  })
}

function requireFinite(scores: readonly number[]): void {
  const at = scores.findIndex((score) => !Number.isFinite(score))
  if (at < 0) return
  throw new StudioError({
    code: 'run.bad-score',
    message: 'The verifier gave a score that is not a number.',
    remedy: 'Choose another device for the verifier, or check its weights.',
    expected: 'a finite number',
    found: String(scores[at]),
    where: `score ${at}`,
  })
}
