// How well the verifier's token score detects hallucinated mentions, as AUROC with an interval over images. Before it
// stand verifier scores and CHAIR's labels; reward/auroc.ts does the counting.
import { rankScores, weightedAuroc } from '../reward/auroc.ts'
import { type BootstrapOptions, bootstrapWeights, type Estimate } from './bootstrap.ts'

/** A mention with the verifier's score and what the annotations say. */
export interface JudgedMention {
  /** Index of its image, from 0; mentions of one image are drawn together. */
  readonly image: number
  readonly score: number
  readonly isHallucinated: boolean
}

/** Probability that a correct mention scores above a hallucinated one, ties half; null when one kind is missing. */
export function detectionAuroc(
  mentions: readonly JudgedMention[],
  imageCount: number,
  options: BootstrapOptions,
): Estimate {
  const correct = mentions.filter(({ isHallucinated }) => !isHallucinated)
  const hallucinated = mentions.filter(({ isHallucinated }) => isHallucinated)
  const ranking = rankScores(
    correct.map(({ score }) => score),
    hallucinated.map(({ score }) => score),
  )
  const imageOf = Int32Array.from([...correct, ...hallucinated], ({ image }) => image)
  const mentionWeights = new Float64Array(imageOf.length)
  const figure = (weights: Float64Array) => {
    for (let i = 0; i < imageOf.length; i++) mentionWeights[i] = weights[imageOf[i] as number] as number
    return weightedAuroc(ranking, mentionWeights) ?? Number.NaN
  }
  return bootstrapWeights(imageCount, { auroc: figure }, options).auroc
}
