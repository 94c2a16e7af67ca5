// Verifiers of known make, the numbers of normal tables, and verifiers that must be refused.
import { describe, expect, test } from 'vitest'
import { aurocOf, calibrationSchema } from '../../../shared/calibration.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { Rng } from '../rng.ts'
import { auroc, aurocVariance, rankScores } from './auroc.ts'
import { calibrateAnnotated, calibrateFree, requireBaselines, standApart, withSpreadBaselines } from './calibration.ts'
import { normalCdf, normalQuantile } from './normal.ts'
import type { ComparedMention } from './otherImages.ts'
import { groupsOverlap, groupsSeparation, softAuroc, softGroups } from './scoreGroups.ts'

const limits = presetConfig('quick-look').calibration

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

test('the variance of an AUROC is that of placements over the count', () => {
  // Placements of 3, 4 among [1, 2]: 1, 1; of 2.5 and 4 among [1, 3]: 1/2, 1, and of 1 and 3 among [2.5, 4]: 0, 1/2.
  const variance = (higher: number[], lower: number[]) =>
    aurocVariance(rankScores(higher, lower), new Float64Array(4).fill(1), 2)
  expect(variance([3, 4], [1, 2])).toBe(0)
  expect(variance([2.5, 4], [1, 3])).toBeCloseTo((1 / 16 + 1 / 16) / 2, 12)
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

  test('quantiles are the inverse', () => {
    expect(normalQuantile(0.841344746068543)).toBeCloseTo(1, 9)
    expect(normalQuantile(0.5)).toBeCloseTo(0, 12)
  })
})

describe('two groups', () => {
  test('overlap and separation are those of normal distributions', () => {
    const lower = { share: 0.5, mean: 0, standardDeviation: 1 }
    const higher = { share: 0.5, mean: 2, standardDeviation: 1 }
    // Equal deviations: overlap 2 Φ(-d / 2), AUROC Φ(d / √2).
    expect(groupsOverlap(higher, lower)).toBeCloseTo(2 * normalCdf(-1), 5)
    expect(groupsSeparation(higher, lower)).toBeCloseTo(0.921350396474857, 12)
    expect(groupsOverlap(lower, lower)).toBeCloseTo(1, 6)
    expect(groupsSeparation({ ...lower, standardDeviation: 0 }, { ...lower, standardDeviation: 0 })).toBe(0.5)
  })

  test('weigh each score by how probably its word is right', () => {
    const labelled = [
      { score: 1, right: 0.75 },
      { score: 0, right: 0.25 },
    ]
    // Means 0.75 and 0.25, variances 3/16. Pairs: 0.75 * 0.75 above, (0.75 * 0.25 + 0.25 * 0.75) / 2 tied, of 1 in all.
    const deviation = Math.sqrt(3) / 4
    expect(softGroups(labelled)).toEqual({
      grounded: { share: 0.5, mean: 0.75, standardDeviation: expect.closeTo(deviation, 12) },
      hallucinated: { share: 0.5, mean: 0.25, standardDeviation: expect.closeTo(deviation, 12) },
    })
    expect(softAuroc(labelled)).toBeCloseTo(0.75, 12)
    expect(softAuroc([{ score: 1, right: 1 }])).toBeNull()
    expect(softGroups([{ score: 1, right: 1 }])).toMatchObject({ grounded: { mean: 1 }, hallucinated: null })
  })
})

describe('annotated calibration', () => {
  test('takes the means of both sides', () => {
    const labelled = [0.5, 0.75].flatMap((score) => Array.from({ length: 40 }, () => ({ score, isPresent: true })))
    const absent = [0, 0.25].flatMap((score) => Array.from({ length: 20 }, () => ({ score, isPresent: false })))
    const calibration = calibrateAnnotated([...labelled, ...absent], limits)
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
    expect(calibrateAnnotated(labelled, limits).refusals.map(({ reason }) => reason)).toEqual(reasons)
  })

  test('gives no baselines that are equal, whoever insists', () => {
    const labelled = Array.from({ length: 80 }, (_, i) => ({ score: 0.5, isPresent: i % 2 === 0 }))
    const found = calibrateAnnotated(labelled, limits)
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
    expect(calibrateAnnotated(overlapping, limits).refusals.map(({ reason }) => reason)).toEqual(['overlapping'])
    const oneSided = calibrateAnnotated(
      overlapping.map(({ score }) => ({ score, isPresent: true })),
      limits,
    )
    expect(oneSided).toMatchObject({ baselines: null, auroc: null, refusals: [{ reason: 'one-sided' }] })
    expect(() => requireBaselines(oneSided, true)).toThrow(
      expect.objectContaining({ code: 'run.verifier-cannot-tell', where: 'one-sided' }),
    )
  })
})

/** A verifier: its noise, how far right words and words on the images they are seen on lie above it, its words' levels. */
interface Made {
  readonly noise: (rng: Rng) => number
  readonly gap?: number
  readonly wrongShare?: number
  readonly levels?: number
  readonly images?: number
  readonly seed?: number
}

/** Four words to each image, each tried on eight others that do not show it. */
function made({ noise, gap = 0, wrongShare = 0.15, levels = 0, images = 200, seed = 4 }: Made): ComparedMention[] {
  const rng = new Rng({ seed })
  const levelOf = Array.from({ length: 40 }, () => levels * rng.normal())
  return Array.from({ length: 4 * images }, (_, i) => {
    const [image, word] = [i % images, rng.below(40)]
    const level = levelOf[word] as number
    const right = rng.uniform() >= wrongShare
    const others = Array.from({ length: 8 }, (_, k) => ({
      ...{ image: (image + 1 + k) % images, score: level + noise(rng) },
    }))
    return { image, word: `word ${word}`, score: level + noise(rng) + (right ? gap : 0), others }
  })
}

const reasonsOf = (mentions: readonly ComparedMention[], seed = 1) =>
  calibrateFree(mentions, { seed, limits, resamples: 100 }).refusals.map(({ reason }) => reason)
const normal = (rng: Rng) => rng.normal()
const exponential = (rng: Rng) => -Math.log(1 - rng.uniform())

describe('annotation-free calibration', () => {
  test('finds AUROC, share and baselines of a verifier that knows, each within its interval', () => {
    // A gap of 0.2 over deviations of 0.1: Φ(2 / √2) = 0.921.
    const calibration = calibrateFree(made({ noise: (rng) => 0.1 + 0.1 * rng.normal(), gap: 0.2 }), { seed: 1, limits })
    expect(calibration.refusals).toEqual([])
    const { auroc: found, hallucinatedShare, ownOverOther, rawAuroc } = calibration.estimate ?? expect.fail()
    expect(Math.abs(found.value - 0.9214)).toBeLessThan(0.03)
    expect([found.low < 0.9214, 0.9214 < found.high, found.high - found.low < 0.2]).toEqual([true, true, true])
    expect([hallucinatedShare.low < 0.15, hallucinatedShare.high > 0.15]).toEqual([true, true])
    // 0.5 + 0.85 (0.9214 - 0.5).
    expect(ownOverOther.value).toBeCloseTo(0.858, 1)
    expect(ownOverOther.high - ownOverOther.low).toBeLessThan(0.06)
    expect(rawAuroc).toBeCloseTo(0.92, 1)
    expect(calibration.baselines?.muGt).toBeCloseTo(0.3, 1.5)
    expect(calibration.baselines?.muHal).toBeCloseTo(0.1, 1)
    expect(requireBaselines(calibration, false)).toEqual(calibration.baselines)
    expect(calibrationSchema.parse(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration)
    expect(aurocOf(calibration)).toMatchObject({ auroc: found.value, interval: found })
  })

  test('gives the same figures for the same seed', () => {
    const mentions = made({ noise: normal, gap: 2, images: 60 })
    expect(calibrateFree(mentions, { seed: 5, limits })).toEqual(calibrateFree(mentions, { seed: 5, limits }))
  })

  // Each was taken for a verifier of 0.86 to 0.99 when two fitted groups were asked how far they stand apart.
  test.each([
    ['normal', normal],
    ['lognormal', (rng: Rng) => Math.exp(rng.normal())],
    ['gamma', (rng: Rng) => exponential(rng) + exponential(rng)],
    ['uniform', (rng: Rng) => rng.uniform()],
    ['two-level', (rng: Rng) => (rng.uniform() < 0.2 ? 0 : 1)],
  ])('refuses %s scores that have nothing to do with the image', (_, noise) => {
    for (const seed of [1, 2, 3, 4])
      expect(reasonsOf(made({ noise, seed, levels: 1 }), seed)).toContain('blind-to-image')
  })

  // Each was refused: two groups were not twice as likely as one, or the smaller one was too small.
  test.each([
    [0.84, 0.15],
    [0.9, 0.15],
    [0.97, 0.05],
    [0.97, 0.02],
  ])('takes a normal verifier of AUROC %f whose model says %f wrong words', (wanted, wrongShare) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const mentions = made({ noise: normal, gap: Math.SQRT2 * normalQuantile(wanted), wrongShare, seed })
      const { refusals, estimate } = calibrateFree(mentions, { seed, limits, resamples: 100 })
      expect(refusals).toEqual([])
      expect(Math.abs((estimate?.auroc.value ?? 0) - wanted)).toBeLessThan(0.06)
    }
  })

  test('sees through words whose own levels are far apart, and tells what they cost the raw scores', () => {
    const gap = Math.SQRT2 * normalQuantile(0.9)
    const { refusals, estimate } = calibrateFree(made({ noise: normal, gap, levels: 4 }), { seed: 1, limits })
    expect(refusals).toEqual([])
    expect(Math.abs((estimate?.auroc.value ?? 0) - 0.9)).toBeLessThan(0.06)
    // Φ(gap / √(2 (1 + 4²))) = 0.62.
    expect(estimate?.rawAuroc).toBeCloseTo(0.62, 1)
  })

  test('refuses words that score alike on any image, however well they fall into two groups', () => {
    // A shuffled text tower: each word has a level of its own, the image adds only noise.
    const blind = made({ noise: (rng) => 0.05 * rng.normal() }).map(({ word, score, others, ...rest }) => {
      const level = word.endsWith('1') ? 0.1 : 0.35
      return {
        ...rest,
        word,
        score: score + level,
        others: others.map((one) => ({ ...one, score: one.score + level })),
      }
    })
    const calibration = calibrateFree(blind, { seed: 1, limits })
    expect(calibration.imageAuroc).toBeCloseTo(0.5, 1)
    expect(() => requireBaselines(calibration, false)).toThrow(
      expect.objectContaining({ code: 'run.verifier-cannot-tell', where: 'blind-to-image' }),
    )
  })

  test('refuses what cannot be told from so few or from nothing', () => {
    expect(reasonsOf(made({ noise: normal, gap: 4, images: 15 }))).toEqual(['too-few-scores'])
    const alone = made({ noise: normal, gap: 4 }).map((mention) => ({ ...mention, others: [] }))
    expect(calibrateFree(alone, { seed: 1, limits })).toMatchObject({ scores: 0, baselines: null, estimate: null })
    expect(reasonsOf(alone)).toEqual(['too-few-scores'])
    expect(reasonsOf(made({ noise: () => 0.3 }))).toContain('blind-to-image')
  })

  test('names a score that is not a number', () => {
    const [first, ...rest] = made({ noise: normal, images: 30 }) as [ComparedMention, ...ComparedMention[]]
    const bad = { code: 'run.bad-score' }
    for (const broken of [
      { ...first, score: Number.NaN },
      { ...first, others: [{ image: 1, score: Number.NaN }] },
    ]) {
      expect(() => calibrateFree([broken, ...rest], { seed: 1, limits })).toThrow(expect.objectContaining(bad))
    }
    expect(() => calibrateAnnotated([{ score: Number.NaN, isPresent: true }], limits)).toThrow(
      expect.objectContaining(bad),
    )
  })

  test('of a verifier that cannot tell: one deviation round the mean of its scores', () => {
    const blind = calibrateAnnotated([{ score: 0.1, isPresent: true }], limits)
    expect(standApart(blind)).toBe(false)
    // Mean 0.2, deviation 0.1.
    const spread = withSpreadBaselines(blind, [0.1, 0.3, 0.1, 0.3])
    expect(spread.baselines).toEqual({ muGt: expect.closeTo(0.3, 12), muHal: expect.closeTo(0.1, 12) })
    expect(standApart(spread)).toBe(true)
    expect(spread.refusals).toEqual(blind.refusals)
    expect(standApart(withSpreadBaselines(blind, [0.2, 0.2]))).toBe(false)
  })

  test('calibrations of earlier versions are read, their figure as a separation', () => {
    const old = {
      ...{ method: 'mixture', scores: 400, baselines: { muGt: 0.36, muHal: 0.14 }, auroc: 0.97, overlap: 0.08 },
      ...{ grounded: null, hallucinated: null, bicGain: 12, imageAuroc: 0.9 },
      refusals: [{ reason: 'one-component', expected: '', found: '' }],
    }
    const read = calibrationSchema.parse(old)
    expect(read).toMatchObject({ separation: null, estimate: null })
    expect(aurocOf(read)).toEqual({ auroc: null, interval: null, separation: 0.97 })
    expect(aurocOf({ ...read, method: 'annotated' })).toEqual({ auroc: 0.97, interval: null, separation: null })
  })
})
