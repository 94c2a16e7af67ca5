// Shares of made-up scores that a look must find, whatever share the calibration had.
import { describe, expect, test } from 'vitest'
import type { Calibration } from '../../../shared/calibration.ts'
import { Rng } from '../rng.ts'
import { estimateGrounding, hallucinationProbability, likelihoodRatio } from './groundingEstimate.ts'
import { normalCdf } from './normal.ts'

const groups = (grounded: readonly [number, number], hallucinated: readonly [number, number]) =>
  ({
    grounded: { share: 0.82, mean: grounded[0], standardDeviation: grounded[1] },
    hallucinated: { share: 0.18, mean: hallucinated[0], standardDeviation: hallucinated[1] },
  }) as unknown as Calibration

function drawn(wrongShare: number, { grounded, hallucinated }: Calibration, seed: number, responses = 150) {
  const rng = new Rng({ seed })
  return Array.from({ length: responses }, () =>
    Array.from({ length: 4 }, (_, i) => {
      const group = rng.uniform() < wrongShare ? hallucinated : grounded
      return { name: String(i), score: (group?.mean ?? 0) + (group?.standardDeviation ?? 0) * rng.normal() }
    }),
  )
}

describe('the estimated hallucination rate', () => {
  const apart = groups([0.362, 0.09], [0.096, 0.08])

  // With the share of the calibration as a prior these were 17, 13, 11.5 and 10.4 % for a broader verifier.
  test.each([0.3, 0.15, 0.08, 0.03])('finds %f, and its interval holds it nearly always', (share) => {
    const found = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => estimateGrounding(drawn(share, apart, seed), apart))
    const mean = found.reduce((sum, { hallucinationRate }) => sum + hallucinationRate.value, 0) / found.length
    expect(Math.abs(mean - share)).toBeLessThan(0.015)
    const held = found.filter(({ hallucinationRate: { low, high } }) => low <= share && share <= high)
    expect(held.length).toBeGreaterThanOrEqual(7)
    for (const { hallucinationRate } of found) expect(hallucinationRate.high - hallucinationRate.low).toBeLessThan(0.1)
  })

  test('finds it without bias when the groups overlap and differ in width', () => {
    const broad = groups([0.3, 0.04], [0.24, 0.07])
    for (const share of [0.3, 0.08]) {
      const found = Array.from({ length: 8 }, (_, seed) => estimateGrounding(drawn(share, broad, seed), broad))
      const mean = found.reduce((sum, { hallucinationRate }) => sum + hallucinationRate.value, 0) / found.length
      expect(Math.abs(mean - share)).toBeLessThan(0.03)
    }
  })

  test('counts different objects that are there, a response', () => {
    const sure = groups([1, 0.01], [0, 0.01])
    const responses = [
      [
        { name: 'cup', score: 1 },
        { name: 'cup', score: 1 },
        { name: 'cat', score: 0 },
      ],
      [{ name: 'cup', score: 1 }],
    ]
    const { hallucinationRate, coverage, mentions } = estimateGrounding(responses, sure)
    expect([coverage, mentions]).toEqual([expect.closeTo(1, 6), 4])
    expect(hallucinationRate.value).toBeCloseTo(0.25, 4)
    expect(estimateGrounding(responses, sure)).toEqual(estimateGrounding(responses, sure))
  })

  test('is 0 where nothing is named or there are no two groups', () => {
    const zero = { value: 0, low: 0, high: 0 }
    expect(estimateGrounding([], apart)).toEqual({ hallucinationRate: zero, coverage: 0, mentions: 0 })
    expect(estimateGrounding([[]], apart)).toEqual({ hallucinationRate: zero, coverage: 0, mentions: 0 })
    const none = { ...apart, hallucinated: null }
    expect(estimateGrounding(drawn(0.3, apart, 1, 3), none)).toMatchObject({ hallucinationRate: zero, coverage: 4 })
  })
})

describe('a score against the two groups', () => {
  const { ratio, tails } = { ratio: groups([2, 1], [0, 2]), tails: groups([3, 1], [0, 1]) }

  test('counts by the densities between the means, and by the tails beyond them', () => {
    // N(1 | 0, 2) / N(1 | 2, 1) = (1/2) exp(-1/8 + 1/2).
    expect(likelihoodRatio(1, ratio)).toBeCloseTo(0.5 * Math.exp(0.375), 12)
    expect(likelihoodRatio(2, ratio)).toBeCloseTo(normalCdf(-1) / 0.5, 12)
    expect(likelihoodRatio(9, ratio)).toBe(likelihoodRatio(2, ratio))
    expect(likelihoodRatio(-9, tails)).toBeCloseTo(0.5 / normalCdf(-3), 6)
  })

  test('is wrong by Bayes', () => {
    expect(hallucinationProbability(4, 0.2)).toBeCloseTo(0.5, 12)
    expect([hallucinationProbability(0, 0), hallucinationProbability(5, 1)]).toEqual([0, 1])
  })
})
