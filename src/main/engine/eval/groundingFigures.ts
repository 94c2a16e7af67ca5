// The verifier's estimates on many responses as functions of how often each image counts. Before it stand scored mentions
// and a calibration, after it comparePolicies.ts. The looks of a run have the same figures (reward/groundingEstimate.ts).
import type { Calibration } from '../../../shared/calibration.ts'
import { hallucinationProbability, likeliestShare, likelihoodRatio } from '../reward/groundingEstimate.ts'
import type { WeightedFigure } from './comparePolicies.ts'

/** What a response names. */
export interface ScoredMentions {
  /** Place of its image. */
  readonly image: number
  readonly mentions: readonly { readonly name: string; readonly score: number }[]
}

/** Gathers mentions without keeping their names. */
export class GroundingFigures {
  readonly #calibration: Calibration
  /** ρ of each mention, and its image. */
  readonly #ratios: number[] = []
  readonly #imageOf: number[] = []
  /** ρ of the best mention of each object that a response names, and its image. */
  readonly #objectRatios: number[] = []
  readonly #objectImages: number[] = []

  constructor(calibration: Calibration) {
    this.#calibration = calibration
  }

  get mentions(): number {
    return this.#ratios.length
  }

  add({ image, mentions }: ScoredMentions): void {
    const best = new Map<string, number>()
    for (const { name, score } of mentions) {
      const ratio = likelihoodRatio(score, this.#calibration)
      this.#ratios.push(ratio)
      this.#imageOf.push(image)
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, ratio))
    }
    for (const ratio of best.values()) {
      this.#objectRatios.push(ratio)
      this.#objectImages.push(image)
    }
  }

  /** Expected share of hallucinated mentions over all images alike. */
  get rate(): number {
    return likeliestShare(this.#ratios)
  }

  /** Whether a mention is likelier hallucinated than not, were this the share of them. */
  isHallucinated(score: number, rate: number): boolean {
    return hallucinationProbability(likelihoodRatio(score, this.#calibration), rate) > 0.5
  }

  /**
   * Expected share of hallucinated mentions; and different objects an image that are named and there, by that share: they
   * are called one after the other.
   */
  figures(): { hallucinationRate: WeightedFigure; coverage: WeightedFigure } {
    const [ratios, imageOf] = [Float64Array.from(this.#ratios), Int32Array.from(this.#imageOf)]
    const [objects, objectImages] = [Float64Array.from(this.#objectRatios), Int32Array.from(this.#objectImages)]
    let rate = 0
    return {
      hallucinationRate: (weights) => {
        rate = likeliestShare(ratios, (i) => weights[imageOf[i] as number] as number)
        return rate
      },
      coverage: (weights) => {
        let [grounded, images] = [0, 0]
        for (let i = 0; i < weights.length; i++) images += weights[i] as number
        for (let i = 0; i < objects.length; i++) {
          const right = 1 - hallucinationProbability(objects[i] as number, rate)
          grounded += (weights[objectImages[i] as number] as number) * right
        }
        return grounded / images
      },
    }
  }
}
