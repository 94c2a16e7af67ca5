// A look at the validation images without reading an annotation: estimated hallucination rate and coverage, and whether
// the policy games its reward. After it stands lookChoice.ts: the stop rule and the best checkpoint.
import type { Calibration } from '../../../shared/calibration.ts'
import type { ImageFigures } from '../../../shared/look.ts'
import type { Policy } from '../align/policy.ts'
import { estimateGrounding, hallucinationProbability, likelihoodRatio } from '../reward/groundingEstimate.ts'
import { measureGuards } from '../reward/guardMetrics.ts'
import type { TakenLook } from './lookChoice.ts'
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
): Promise<{ look: TakenLook; responses: ScoredImageResponse[]; skipped: readonly SkippedImage[] }> {
  const { step, strength, signal } = options
  const said = await models.respond(images, policy, { rng: null, strength, signal })
  requireMostImages(images.length, said.skipped, true)
  const responses = await models.score(said.responses)
  const { hallucinationRate: rate, coverage } = estimateGrounding(
    responses.map(({ scored }) => scored.mentions),
    calibration,
  )
  const guards = measureGuards(responses.map(({ scored }) => scored))
  const perImage = imageFigures(responses, calibration, rate.value)
  const interval = { hallucinationRateLow: rate.low, hallucinationRateHigh: rate.high }
  const look = { step, hallucinationRate: rate.value, ...interval, coverage, ...guards, perImage }
  return { look, responses, skipped: said.skipped }
}

/** Images that a look keeps figures of; many more would make the workspace large and an interval hardly narrower. */
const mostComparedImages = 2000

/**
 * What the responses to single images name, by the same probabilities as the look's figures.
 * @param responses one to each image
 * @param rate of hallucinated mentions, of the look
 */
export function imageFigures(
  responses: readonly Pick<ScoredImageResponse, 'image' | 'scored'>[],
  calibration: Calibration,
  rate: number,
): ImageFigures {
  const compared = responses.slice(0, mostComparedImages)
  return {
    imageIds: compared.map(({ image }) => image.imageId),
    hallucinated: compared.map(({ scored }) => {
      const probability = (score: number) => hallucinationProbability(likelihoodRatio(score, calibration), rate)
      const sum = scored.mentions.reduce((total, { score }) => total + probability(score), 0)
      return Math.round(sum * 1e4) / 1e4
    }),
    mentions: compared.map(({ scored }) => scored.mentions.length),
  }
}
