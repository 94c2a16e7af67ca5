// A look at the validation images without reading an annotation: estimated hallucination rate and coverage, and whether
// the policy games its reward. The stop rule and the best checkpoint follow from these looks.
import type { Calibration } from '../../../shared/calibration.ts'
import type { Look } from '../../../shared/look.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { Policy } from '../align/policy.ts'
import { estimateGrounding } from '../reward/groundingEstimate.ts'
import { defaultGuardLimits, measureGuards, overstepped } from '../reward/guardMetrics.ts'
import type { AlignmentModels, RunImage, ScoredImageResponse } from './models.ts'
import { requireMostImages, type SkippedImage } from './skippedImages.ts'

/**
 * Greedy responses to the validation images, scored, and their figures.
 * @throws StudioError `run.images-missing` when most of them cannot be read
 */
export async function lookAt(
  models: AlignmentModels,
  images: readonly RunImage[],
  policy: Policy,
  calibration: Calibration,
  options: { step: number; strength: number; signal?: AbortSignal | undefined },
): Promise<{ look: Look; responses: ScoredImageResponse[]; skipped: readonly SkippedImage[] }> {
  const { step, strength, signal } = options
  const said = await models.respond(images, policy, { rng: null, strength, keptFeatureBytes: 0, signal })
  requireMostImages(images.length, said.skipped, true)
  const responses = await models.score(said.responses)
  const { hallucinationRate: rate, coverage } = estimateGrounding(
    responses.map(({ scored }) => scored.mentions),
    calibration,
  )
  const guards = measureGuards(responses.map(({ scored }) => scored))
  const interval = { hallucinationRateLow: rate.low, hallucinationRateHigh: rate.high }
  const look = { step, hallucinationRate: rate.value, ...interval, coverage, ...guards }
  return { look, responses, skipped: said.skipped }
}

/** Whether a look may be the best one: it costs little coverage and oversteps no guard, measured from the first look. */
export function isSound(first: Look, look: Look, { evaluation }: RunConfig): boolean {
  const keepsCoverage = look.coverage >= first.coverage * (1 - evaluation.mostCoverageLoss)
  return keepsCoverage && overstepped(first, look, defaultGuardLimits).length === 0
}

/** The sound look with the lowest estimated hallucination rate; the first look, when no later one is better. */
export function bestLook(looks: readonly Look[], config: RunConfig): Look {
  const [first, ...later] = looks as [Look, ...Look[]]
  return later
    .filter((look) => isSound(first, look, config))
    .reduce((best, look) => (look.hallucinationRate < best.hallucinationRate ? look : best), first)
}

/** Unsound looks in a row after which a run ends: from there on it only moves further away. */
const unsoundLooksToStop = 3

export function shouldStop(looks: readonly Look[], config: RunConfig): boolean {
  const [first, ...later] = looks
  const last = later.slice(-unsoundLooksToStop)
  return (
    first !== undefined && last.length === unsoundLooksToStop && last.every((look) => !isSound(first, look, config))
  )
}
