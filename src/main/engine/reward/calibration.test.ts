// Mixtures of known make, the numbers of normal tables, and verifiers that must be refused.
import { describe, expect, test } from 'vitest'
import { calibrationSchema } from '../../../shared/calibration.ts'
import { Rng } from '../rng.ts'
import { auroc } from './auroc.ts'
import { calibrateAnnotated, calibrateMixture, requireBaselines } from './calibration.ts'
import {
  type Component,
  componentAuroc,
  componentOverlap,
  fitMixture,
  type Mixture,
  normalCdf,
} from './gaussianMixture.ts'

function draw(count: number, mean: number, deviation: number, rng: Rng): number[] {
  return Array.from({ length: count }, () => mean + deviation * rng.normal())
}

describe('AUROC', () => {
  test.each([
    [[3, 4], [1, 2], 1],
    [[1, 2], [3, 4], 0],
    [[1], [1], 0.5],
    // Pairs: 2>1, 2=2, 4>1, 4>2 -> 3.5 of 4.
    [[2, 4], [1, 2], 3.5 / 4],
    // Ties of three: 5 beats 3 of 4; each 1 ties with one 1 of [1, 1, 0, 7].
    [[5, 1], [1, 1, 0, 7], (3 + (1 + 0.5 + 0.5)) / 8],
    [[], [1], null],
    [[1], [], null],
  ] as const)('of %j over %j', (higher, lower, expected) => {
    expect(auroc(higher, lower)).toBe(expected)
  })

  test('is the share of pairs', () => {
    const rng = new Rng({ seed: 1 })
    const [higher, lower] = [60, 90].map((count) => Array.from({ length: count }, () => rng.below(20)))
    const pairs = (higher ?? []).flatMap((a) => (lower ?? []).map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)))
    const share = pairs.reduce((sum, one) => sum + one, 0) / pairs.length
    expect(auroc(higher ?? [], lower ?? [])).toBeCloseTo(share, 12)
  })
})

describe('the normal distribution', () => {
  // Abramowitz & Stegun, table 26.1.
  test.each([
    [0, 0.5],
    [1, 0.841344746068543],
    [2, 0.977249868051821],
    [-1.96, 0.02499789514822],
    [5, 0.999999713348428],
  ])('Φ(%f)', (z, expected) => {
    expect(normalCdf(z)).toBeCloseTo(expected, 13)
  })

  test('overlap and AUROC of two components', () => {
    const apart = {
      lower: { share: 0.5, mean: 0, standardDeviation: 1 },
      higher: { share: 0.5, mean: 2, standardDeviation: 1 },
    }
    // Equal deviations: overlap 2 Φ(-d / 2), AUROC Φ(d / √2).
    expect(componentOverlap(apart)).toBeCloseTo(2 * normalCdf(-1), 5)
    expect(componentAuroc(apart)).toBeCloseTo(0.921350396474857, 12)
    expect(componentOverlap({ lower: apart.lower, higher: apart.lower })).toBeCloseTo(1, 6)
  })
})

describe('the mixture', () => {
  test('finds the components that scores were drawn from, from any seed', () => {
    const rng = new Rng({ seed: 2 })
    const scores = [...draw(830, 0.362, 0.09, rng), ...draw(170, 0.096, 0.07, rng)]
    for (const seed of [1, 2, 3]) {
      const mixture = fitMixture(scores, new Rng({ seed }))
      expect(mixture?.higher.mean).toBeCloseTo(0.362, 1.5)
      expect(mixture?.lower.mean).toBeCloseTo(0.096, 1.5)
      expect(mixture?.lower.share).toBeCloseTo(0.17, 1)
      expect(mixture?.bicGain).toBeGreaterThan(100)
      expect(mixture?.bicGain).toBeCloseTo(bicGainOf(mixture as Mixture, scores), 6)
    }
  })

  /** By the densities themselves: 2 (ln L₂ - ln L₁) - 3 ln n. */
  function bicGainOf({ lower, higher }: Mixture, scores: readonly number[]): number {
    const density = (score: number, { share, mean, standardDeviation: deviation }: Component) =>
      (share * Math.exp(-0.5 * ((score - mean) / deviation) ** 2)) / (deviation * Math.sqrt(2 * Math.PI))
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
    const standardDeviation = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length)
    const likelihoods = (components: readonly Component[]) =>
      scores.reduce((sum, score) => sum + Math.log(components.reduce((all, one) => all + density(score, one), 0)), 0)
    const gain = likelihoods([lower, higher]) - likelihoods([{ share: 1, mean, standardDeviation }])
    return 2 * gain - 3 * Math.log(scores.length)
  }

  test('is not likelier than one component on scores of one normal distribution', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const mixture = fitMixture(draw(500, 0.2, 0.1, new Rng({ seed })), new Rng({ seed }))
      expect(mixture?.bicGain).toBeLessThan(10)
    }
  })

  test('takes two separate values, and none of equal ones', () => {
    const mixture = fitMixture([0, 0, 0, 1], new Rng({ seed: 1 }))
    expect(mixture?.lower).toMatchObject({ mean: expect.closeTo(0, 6), share: expect.closeTo(0.75, 6) })
    expect(mixture?.higher.mean).toBeCloseTo(1, 6)
    expect(fitMixture([1, 1, 1], new Rng({ seed: 1 }))).toBeNull()
  })
})

describe('annotated calibration', () => {
  test('takes the means of both sides', () => {
    const labelled = [0.5, 0.75].flatMap((score) => Array.from({ length: 40 }, () => ({ score, isPresent: true })))
    const absent = [0, 0.25].flatMap((score) => Array.from({ length: 20 }, () => ({ score, isPresent: false })))
    const calibration = calibrateAnnotated([...labelled, ...absent])
    expect(calibration).toMatchObject({ baselines: { muGt: 0.625, muHal: 0.125 }, auroc: 1, refusals: [] })
    expect(calibration.grounded).toEqual({ share: expect.closeTo(2 / 3, 12), mean: 0.625, standardDeviation: 0.125 })
    expect(calibration.hallucinated).toEqual({
      ...{ share: expect.closeTo(1 / 3, 12), mean: 0.125, standardDeviation: 0.125 },
    })
    expect(requireBaselines(calibration, false)).toEqual({ muGt: 0.625, muHal: 0.125 })
    expect(calibrationSchema.parse(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration)
  })

  test.each([
    [56, 8, []],
    [55, 8, ['too-few-scores']],
    [57, 7, ['one-sided']],
    [7, 57, ['one-sided']],
  ])('of %i right words and %i wrong ones is refused for %j', (right, wrong, reasons) => {
    const labelled = Array.from({ length: right + wrong }, (_, i) => ({
      score: i < right ? 1 : 0,
      isPresent: i < right,
    }))
    expect(calibrateAnnotated(labelled).refusals.map(({ reason }) => reason)).toEqual(reasons)
  })

  test('gives no baselines that are equal, whoever insists', () => {
    const labelled = Array.from({ length: 80 }, (_, i) => ({ score: 0.5, isPresent: i % 2 === 0 }))
    const found = calibrateAnnotated(labelled)
    expect(found).toMatchObject({ refusals: [{ reason: 'overlapping' }], baselines: { muGt: 0.5, muHal: 0.5 } })
    const calibration = { ...found, refusals: [] }
    for (const override of [false, true]) {
      expect(() => requireBaselines(calibration, override)).toThrow(
        expect.objectContaining({ code: 'run.verifier-cannot-tell', where: 'baselines' }),
      )
    }
  })

  test('is refused when the sides overlap or one is missing', () => {
    const rng = new Rng({ seed: 3 })
    const overlapping = draw(400, 0.2, 0.1, rng).map((score, i) => ({ score, isPresent: i % 2 === 0 }))
    expect(calibrateAnnotated(overlapping).refusals.map(({ reason }) => reason)).toEqual(['overlapping'])
    const oneSided = calibrateAnnotated(overlapping.map(({ score }) => ({ score, isPresent: true })))
    expect(oneSided).toMatchObject({ baselines: null, auroc: null, refusals: [{ reason: 'one-sided' }] })
    expect(() => requireBaselines(oneSided, true)).toThrow(
      expect.objectContaining({ code: 'run.verifier-cannot-tell', where: 'one-sided' }),
    )
  })
})

describe('annotation-free calibration', () => {
  const rng = new Rng({ seed: 4 })
  const scores = [...draw(700, 0.36, 0.09, rng), ...draw(150, 0.1, 0.08, rng)]
  const others = [...draw(700, 0.02, 0.12, rng), ...draw(150, 0, 0.12, rng)]

  test('stands when two groups stand apart and follow the image', () => {
    const calibration = calibrateMixture(scores, { seed: 1, otherImageScores: others })
    expect(calibration.refusals).toEqual([])
    expect(calibration.auroc).toBeGreaterThan(0.95)
    expect(calibration.imageAuroc).toBeGreaterThan(0.9)
    expect(requireBaselines(calibration, false)).toEqual(calibration.baselines)
    expect([calibration.grounded?.mean, calibration.hallucinated?.mean]).toEqual([
      calibration.baselines?.muGt,
      calibration.baselines?.muHal,
    ])
    expect(calibration.grounded?.share).toBeCloseTo(700 / 850, 1)
    expect(calibrateMixture(scores, { seed: 1, otherImageScores: others })).toEqual(calibration)
    expect(calibrationSchema.parse(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration)
  })

  test('is refused when words score alike on any image, however well they fall into two groups', () => {
    // A shuffled text tower: each word has a level of its own, the image adds only noise.
    const words = Array.from({ length: 48 }, (_, i) => (i % 3 === 0 ? 0.1 : 0.35))
    const levels = Array.from({ length: 900 }, () => words[rng.below(words.length)] as number)
    const against = () => levels.map((level) => level + 0.05 * rng.normal())
    const blind = calibrateMixture(against(), { seed: 1, otherImageScores: against() })
    expect(blind.refusals.map(({ reason }) => reason)).toEqual(['blind-to-image'])
    expect(blind.imageAuroc).toBeCloseTo(0.5, 1)
    expect(() => requireBaselines(blind, false)).toThrow(
      expect.objectContaining({ code: 'run.verifier-cannot-tell', where: 'blind-to-image' }),
    )
    expect(requireBaselines(blind, true)).toEqual(blind.baselines)
  })

  test.each([
    ['one normal distribution', draw(800, 0.2, 0.1, new Rng({ seed: 7 })), 'one-component'],
    ['few scores', scores.slice(690, 720), 'too-few-scores'],
    ['equal scores', new Array(100).fill(0.3), 'one-component'],
    ['a handful of outliers', [...draw(800, 0.3, 0.05, new Rng({ seed: 8 })), -2, -2.1, -2.2], 'component-too-small'],
    ['a handful above', [...draw(800, 0.3, 0.05, new Rng({ seed: 8 })), 2, 2.1, 2.2], 'component-too-small'],
    // 5 of 105 are more than the least share, but fewer than the least scores of a side.
    [
      'few of few',
      [...draw(100, 0.3, 0.05, new Rng({ seed: 8 })), ...draw(5, -2, 0.05, new Rng({ seed: 11 }))],
      'component-too-small',
    ],
    // 15 of 1515 are enough scores, but less than the least share.
    [
      'few of many',
      [...draw(1500, 0.3, 0.05, new Rng({ seed: 8 })), ...draw(15, -2, 0.05, new Rng({ seed: 11 }))],
      'component-too-small',
    ],
    [
      'a narrow peak within a broad one',
      [...draw(400, 0.3, 0.01, new Rng({ seed: 9 })), ...draw(400, 0.3, 0.2, new Rng({ seed: 10 }))],
      'overlapping',
    ],
  ])('is refused for %s', (_, refused, reason) => {
    expect(calibrateMixture(refused, { seed: 1 }).refusals.map((one) => one.reason)).toContain(reason)
  })

  test('names a score that is not a number', () => {
    const bad = [0.1, Number.NaN]
    for (const calibrate of [
      () => calibrateMixture(bad, { seed: 1 }),
      () => calibrateMixture(scores, { seed: 1, otherImageScores: bad }),
      () => calibrateAnnotated(bad.map((score) => ({ score, isPresent: true }))),
    ]) {
      expect(calibrate).toThrow(expect.objectContaining({ code: 'run.bad-score', where: 'score 1' }))
    }
  })
})
