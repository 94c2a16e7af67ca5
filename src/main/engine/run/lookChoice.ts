// Which look of a run is its best one, and when a run ends: by the verifier's estimates on the validation images and how
// far they would vary over images. Before it stands look.ts, after it align.ts and the checkpoint that is kept.
import type { ImageFigures, Look, RateChange } from '../../../shared/look.ts'
import { type RunConfig, totalStepsOf } from '../../../shared/runConfig.ts'
import { comparePaired } from '../eval/bootstrap.ts'
import { defaultGuardLimits, overstepped } from '../reward/guardMetrics.ts'
import { normalQuantile } from '../reward/normal.ts'

/** A look before it has its place among the others. */
export type TakenLook = Omit<Look, 'isSound' | 'change' | 'bestStep' | 'perImage'> & { readonly perImage: ImageFigures }

/** Below this, how images differ from each other says nothing. */
const leastImages = 8
/** Chance that a run without any effect leaves its first look, over all of its looks together. */
const falseAlarm = 0.05
/** Percentiles at ±1 standard error of a normal distribution. */
const bootstrap = { seed: 0, resamples: 1000, level: 0.6827 } as const

/**
 * A look with its place among those before it. It becomes the best one when it is sound and
 * - better than the first look beyond noise: one-sided at 5 %, shared among the looks of the run (Dunn 1961), and
 * - better than the best look so far by more than a standard error, so that of looks that cannot be told apart the earlier
 *   one stays (the one-standard-error rule: Breiman et al., Classification and Regression Trees, 1984, section 3.4.3).
 *
 * It is compared with that one look and not with all, because the weights of one best checkpoint are kept.
 */
export function placeLook(before: readonly Look[], { perImage, ...taken }: TakenLook, config: RunConfig): Look {
  const [first] = before
  if (!first) return { ...taken, isSound: true, change: null, bestStep: taken.step, perImage }
  const best = bestLook(before, config)
  const look = { ...taken, change: first.perImage && rateChange(first.perImage, perImage) }
  const isSoundLook = isSound(first, look, config)
  const isBest = isSoundLook && isBetter(look, perImage, first, best, config)
  return {
    ...look,
    isSound: isSoundLook,
    bestStep: isBest ? taken.step : best.step,
    perImage: isBest ? perImage : null,
  }
}

function isBetter(
  look: Pick<Look, 'hallucinationRate' | 'change'>,
  perImage: ImageFigures,
  first: Look,
  best: Look,
  config: RunConfig,
): boolean {
  // Runs that began with an earlier version kept nothing to compare by.
  if (!first.perImage) return look.hallucinationRate < best.hallucinationRate
  if (!look.change || !isFall(look.change, beyondNoise(look.change.images, config))) return false
  if (best.step === first.step) return true
  const sinceBest = best.perImage && rateChange(best.perImage, perImage)
  return sinceBest ? isFall(sinceBest, 1) : look.hallucinationRate < best.hallucinationRate
}

function isFall({ difference, standardError }: RateChange, errors: number): boolean {
  return difference < -errors * standardError
}

/**
 * Standard errors beyond which a fall over so many images is no chance: the quantile of Student's t, from that of the normal
 * distribution (Abramowitz & Stegun 1964, 26.7.5).
 */
export function beyondNoise(images: number, config: RunConfig): number {
  const looks = Math.max(1, Math.ceil(totalStepsOf(config) / config.evaluation.everySteps))
  const z = normalQuantile(1 - falseAlarm / looks)
  const freedom = images - 1
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2)
}

/**
 * How the rate Σ hallucinated / Σ mentions changed on the images that both looks have, by a paired bootstrap over them; null
 * where they are too few, or name nothing.
 */
export function rateChange(from: ImageFigures, to: ImageFigures): RateChange | null {
  const places = new Map(from.imageIds.map((imageId, i) => [imageId, i]))
  const pairs = to.imageIds.flatMap((imageId, i) => (places.has(imageId) ? [[places.get(imageId) as number, i]] : []))
  if (pairs.length < leastImages) return null
  const columns = ({ hallucinated, mentions }: ImageFigures, side: 0 | 1) => ({
    hallucinated: pairs.map((pair) => hallucinated[pair[side] as number] as number),
    mentions: pairs.map((pair) => mentions[pair[side] as number] as number),
  })
  const rate = (sums: { hallucinated: number; mentions: number }) => sums.hallucinated / sums.mentions
  const { difference } = comparePaired(columns(from, 0), columns(to, 1), { rate }, bootstrap).rate
  const { value, low, high } = difference
  if (value === null || low === null || high === null) return null
  // Resamples of n images vary by (n - 1) / n less than images do.
  const spread = Math.sqrt(pairs.length / (pairs.length - 1))
  return { difference: value, standardError: ((high - low) / 2) * spread, images: pairs.length }
}

/** Whether a look may be the best one: it costs little coverage and oversteps no guard, measured from the first look. */
export function isSound(
  first: Look,
  look: Omit<Look, 'isSound' | 'bestStep' | 'perImage'>,
  { evaluation }: RunConfig,
): boolean {
  const keepsCoverage = look.coverage >= first.coverage * (1 - evaluation.mostCoverageLoss)
  return keepsCoverage && overstepped(first, look, defaultGuardLimits).length === 0
}

/**
 * The best look so far; the first look, when no later one is better beyond noise. Looks of earlier versions have no place:
 * of them it is the sound one with the lowest estimated hallucination rate.
 */
export function bestLook(looks: readonly Look[], config: RunConfig): Look {
  const [first, ...later] = looks as [Look, ...Look[]]
  const bestStep = looks.at(-1)?.bestStep ?? null
  const placed = bestStep === null ? undefined : looks.find(({ step }) => step === bestStep)
  if (placed) return placed
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
