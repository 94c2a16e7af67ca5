// The baselines mu_gt and mu_hal of the token reward, and whether the verifier can tell right words from hallucinated ones.
// Before it stand the verifier's scores of sampled responses, after it tokenReward.ts. A verifier that cannot tell is
// refused with the reason.
import { type Baselines, type Calibration, type Refusal, refusalSentences } from '../../../shared/calibration.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { Rng } from '../rng.ts'
import { auroc } from './auroc.ts'
import { estimateKnowledge, type Knowledge } from './knowledge.ts'
import { type ComparedMention, centreScores } from './otherImages.ts'
import { groupsOverlap, groupsSeparation, type SoftLabelled, softAuroc, softGroups } from './scoreGroups.ts'

/** When a verifier counts as able to tell. */
export type CalibrationLimits = Pick<
  RunConfig['calibration'],
  'leastScores' | 'leastScoresOfSide' | 'leastAuroc' | 'leastOwnOverOther'
>

export interface LabelledScore {
  readonly score: number
  /** Whether the annotations have the object in the image. */
  readonly isPresent: boolean
}

/**
 * The paper's calibration: mean scores of named objects that the annotations have, and of those that they do not have.
 * @throws StudioError `run.bad-score` when a score is not finite
 */
export function calibrateAnnotated(labelled: readonly LabelledScore[], limits: CalibrationLimits): Calibration {
  requireFinite(labelled.map(({ score }) => score))
  const present = labelled.filter(({ isPresent }) => isPresent).map(({ score }) => score)
  const absent = labelled.filter(({ isPresent }) => !isPresent).map(({ score }) => score)
  const measured = auroc(present, absent)
  const fewest = Math.min(present.length, absent.length)
  return {
    method: 'annotated',
    scores: labelled.length,
    ...groupFigures(labelled.map(({ score, isPresent }) => ({ score, right: isPresent ? 1 : 0 }))),
    auroc: measured,
    bicGain: null,
    imageAuroc: null,
    estimate: null,
    refusals: [
      ...below('too-few-scores', 'scores', labelled.length, limits.leastScores),
      ...below('one-sided', 'scores of each side', fewest, limits.leastScoresOfSide),
      ...(measured === null ? [] : below('overlapping', 'AUROC', measured, limits.leastAuroc)),
    ],
  }
}

export interface FreeCalibrationOptions {
  readonly seed: number
  readonly limits: CalibrationLimits
  /** Of the bootstrap by image behind the intervals; 400 when left out. */
  readonly resamples?: number
}

/**
 * Annotation-free calibration. No label is read: how probably each word is right follows from how its score on its own
 * image compares with its scores on others (knowledge.ts), freed of the word's level, and the baselines are the means of
 * raw scores, which the token reward reads, weighted by it.
 * @throws StudioError `run.bad-score` when a score is not finite
 */
export function calibrateFree(
  mentions: readonly ComparedMention[],
  { seed, limits, resamples = 400 }: FreeCalibrationOptions,
): Calibration {
  requireFinite(mentions.map(({ score }) => score))
  requireFinite(mentions.flatMap(({ others }) => others.map(({ score }) => score)))
  const centred = centreScores(mentions)
  const knowledge = estimateKnowledge(centred, { rng: new Rng({ seed }).fork(bootstrapStream), resamples })
  const labelled = Array.from(knowledge?.rightness ?? [], (right, i) => ({
    ...{ right, score: (mentions[centred.mention[i] as number] as ComparedMention).score },
  }))
  return {
    method: 'mixture',
    scores: centred.own.length,
    ...groupFigures(labelled),
    auroc: knowledge?.auroc.value ?? null,
    bicGain: null,
    imageAuroc: knowledge?.ownOverOther.value ?? null,
    estimate: knowledge && {
      auroc: knowledge.auroc,
      ownOverOther: knowledge.ownOverOther,
      hallucinatedShare: knowledge.hallucinatedShare,
      rawAuroc: softAuroc(labelled),
      otherScores: centred.other.length,
    },
    refusals: [
      ...below('too-few-scores', 'scores', centred.own.length, limits.leastScores),
      ...(knowledge ? knowledgeRefusals(knowledge, limits) : []),
    ],
  }
}

/** The stream of the seed's random numbers that images are resampled by; run/comparedMentions.ts names the others. */
const bootstrapStream = 8

function knowledgeRefusals({ auroc, ownOverOther }: Knowledge, limits: CalibrationLimits): Refusal[] {
  const { value, low, high } = ownOverOther
  const isSure = value >= limits.leastOwnOverOther && low > 0.5
  const blind: Refusal = {
    reason: 'blind-to-image',
    expected: `AUROC of own over other images of at least ${brief(limits.leastOwnOverOther)}, surely above 0.5`,
    found: `${brief(value)} (${brief(low)} to ${brief(high)})`,
  }
  return [
    ...(isSure ? [] : [blind]),
    ...below('overlapping', 'estimated AUROC', auroc.value, limits.leastAuroc).map((refusal) => ({
      ...refusal,
      found: `${brief(auroc.value)} (${brief(auroc.low)} to ${brief(auroc.high)})`,
    })),
  ]
}

/** Baselines and groups of raw scores, and how far these stand apart. */
function groupFigures(
  labelled: readonly SoftLabelled[],
): Pick<Calibration, 'baselines' | 'grounded' | 'hallucinated' | 'separation' | 'overlap'> {
  const { grounded, hallucinated } = softGroups(labelled)
  const both = grounded && hallucinated ? ([grounded, hallucinated] as const) : null
  return {
    baselines: both && { muGt: both[0].mean, muHal: both[1].mean },
    ...{ grounded, hallucinated },
    separation: both && groupsSeparation(...both),
    overlap: both && groupsOverlap(...both),
  }
}

function below(reason: Refusal['reason'], what: string, found: number, least: number): Refusal[] {
  if (found >= least) return []
  return [{ reason, expected: `${what} of at least ${brief(least)}`, found: brief(found) }]
}

function brief(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 0.1 ? 3 : 2)
}

/**
 * The same calibration with baselines one standard deviation above and below the mean of its scores: what rewards of a
 * verifier that cannot tell are measured in, as in a placebo, where no group of scores is worth more than another.
 */
export function withSpreadBaselines(calibration: Calibration, scores: readonly number[]): Calibration {
  const all = softGroups(scores.map((score) => ({ score, right: 1 }))).grounded
  if (!all) return { ...calibration, baselines: null }
  const { mean, standardDeviation } = all
  return { ...calibration, baselines: { muGt: mean + standardDeviation, muHal: mean - standardDeviation } }
}

/** Whether there are baselines and right words score higher. */
export function standApart({ baselines }: Calibration): boolean {
  return baselines !== null && baselines.muGt > baselines.muHal
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
  const stand = standApart(calibration)
  if (baselines && stand && (refusal === undefined || override)) return baselines
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
