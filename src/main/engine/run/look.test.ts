// What a look keeps of single images, against its figures over all of them.
import { expect, test } from 'vitest'
import type { Calibration } from '../../../shared/calibration.ts'
import { estimateGrounding } from '../reward/groundingEstimate.ts'
import { imageFigures } from './look.ts'

const calibration: Calibration = {
  ...{ method: 'mixture', scores: 100, baselines: { muGt: 0.4, muHal: 0.2 }, auroc: 0.9, overlap: 0.1, bicGain: 50 },
  grounded: { share: 0.5, mean: 0.4, standardDeviation: 0.1 },
  hallucinated: { share: 0.5, mean: 0.2, standardDeviation: 0.1 },
  ...{ imageAuroc: null, refusals: [], separation: null, estimate: null },
}
/** A response to an image that names objects of these scores. */
const response = (imageId: number, ...scores: readonly number[]) => ({
  image: { imageId, sha256: '', path: '' },
  scored: {
    ...{ text: '', ranges: [] },
    mentions: scores.map((score, i) => ({
      ...{ score, name: `${i}`, word: `${i}`, start: 0, end: 1, inLexicon: true, tokens: [0, 1] as const },
    })),
  },
})

test('the sums of single images give the rate of the look', () => {
  const responses = [response(7, 0.3, 0.2), response(9), response(4, 0.4)]
  const rate = estimateGrounding(
    responses.map(({ scored }) => scored.mentions),
    calibration,
  ).hallucinationRate.value
  // One score halfway and one at each mean: a half, by symmetry.
  expect(rate).toBeCloseTo(0.5, 5)
  // Halfway 1 / 2; at a mean, two deviations from the other one, both tails: 1 / (1 + 2 · 0.02275) = 0.9565, or the rest.
  const figures = imageFigures(responses, calibration, 0.5)
  expect(figures).toEqual({ imageIds: [7, 9, 4], hallucinated: [1.4565, 0, 0.0435], mentions: [2, 0, 1] })
})

test('of very many images the first 2,000 are kept', () => {
  const many = Array.from({ length: 2100 }, (_, i) => response(i + 1, 0.3))
  expect(imageFigures(many, calibration, 0.5).imageIds).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1))
})
