// The choice of a checkpoint and the end of a run, from looks that read no annotation.
import { describe, expect, test } from 'vitest'
import { type ImageFigures, type Look, lookSchema, outcomeSentence } from '../../../shared/look.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { Rng } from '../rng.ts'
import { bestLook, beyondNoise, placeLook, rateChange, shouldStop } from './lookChoice.ts'

const config = presetConfig('quick-look', { evaluation: { mostCoverageLoss: 0.05 } })
/** A look as earlier versions stored it. */
const look = (step: number, changed: Partial<Look> = {}): Look =>
  lookSchema.parse({
    ...{ step, responses: 50, hallucinationRate: 0.2, coverage: 3, meanWords: 16, meanObjects: 3.5 },
    ...{ meanRepeatedMentions: 0.05, repeatedTrigramShare: 0, emptyShare: 0 },
    ...changed,
  })

describe('of looks of earlier versions, which kept nothing to compare by,', () => {
  test('the lowest estimated hallucination rate wins among looks that keep their coverage', () => {
    const looks = [
      look(0),
      look(4, { hallucinationRate: 0.15, coverage: 2.95 }),
      look(8, { hallucinationRate: 0.1, coverage: 2.9 }),
      look(12, { hallucinationRate: 0.02, coverage: 2.5 }),
    ]
    expect(bestLook(looks, config).step).toBe(8)
  })

  test.each([
    ['repeats safe objects', { meanRepeatedMentions: 0.3 }],
    ['says much less', { meanWords: 12 }],
    ['says nothing at times', { emptyShare: 0.1 }],
    ['drops objects', { meanObjects: 2.8 }],
  ])('one that %s is not the best', (_name, changed) => {
    expect(bestLook([look(0), look(4, { hallucinationRate: 0.05, ...changed })], config).step).toBe(0)
  })

  test('a run that makes nothing better keeps the model as it came', () => {
    expect(bestLook([look(0), look(4, { hallucinationRate: 0.25 })], config).step).toBe(0)
  })

  test('coverage may fall to its limit, and of equal looks the first is kept', () => {
    const looks = [look(0, { coverage: 4 }), look(4, { coverage: 4 * 0.95, hallucinationRate: 0.1 })]
    expect(bestLook(looks, config).step).toBe(4)
    expect(bestLook([...looks, look(8, { coverage: 4, hallucinationRate: 0.1 })], config).step).toBe(4)
  })
})

test('three unsound looks in a row end a run; fewer do not', () => {
  const unsound = (step: number) => look(step, { coverage: 2 })
  expect(shouldStop([look(0), unsound(2), unsound(4)], config)).toBe(false)
  expect(shouldStop([look(0), unsound(2), unsound(4), look(6), unsound(8)], config)).toBe(false)
  expect(shouldStop([look(0), look(2), unsound(4), unsound(6), unsound(8)], config)).toBe(true)
})

/** Images 1 to n with 3 mentions each and so many hallucinated ones. */
const figures = (hallucinated: readonly number[], firstId = 1): ImageFigures => ({
  imageIds: hallucinated.map((_, i) => firstId + i),
  hallucinated: [...hallucinated],
  mentions: hallucinated.map(() => 3),
})

/** Looks taken one after the other, from the sums of their images. */
function placed(all: readonly (readonly number[])[], changed: Partial<Look> = {}): Look[] {
  const looks: Look[] = []
  for (const [i, hallucinated] of all.entries()) {
    const perImage = figures(hallucinated)
    const rate = hallucinated.reduce((sum, one) => sum + one, 0) / (3 * hallucinated.length)
    const taken = { ...look(2 * i, { hallucinationRate: rate, ...(i > 0 && changed) }), perImage }
    looks.push(placeLook(looks, taken, config))
  }
  return looks
}

/** 40 images with 0.6 hallucinated mentions each, half of them so much more and half so much less. */
const around = (mean: number, spread: number) => Array.from({ length: 40 }, (_, i) => mean + (i % 2 ? spread : -spread))

describe('of looks that are compared image by image', () => {
  test('one that is clearly better than the first becomes the best', () => {
    const looks = placed([around(0.6, 0.3), around(0.4, 0.2)])
    expect(looks.map(({ bestStep }) => bestStep)).toEqual([0, 2])
    expect(bestLook(looks, config).step).toBe(2)
    // 24 and 16 of 120; each image falls by 0.2 ± 0.1 of its 3 mentions, so the error is about 0.1 / 3 / √39.
    expect(looks[1]?.change).toMatchObject({ images: 40, difference: expect.closeTo(-0.0667, 4) })
    expect(looks[1]?.change?.standardError).toBeGreaterThan(0.0048)
    expect(looks[1]?.change?.standardError).toBeLessThan(0.0059)
  })

  test('one whose fall is within noise is not, however low it is', () => {
    // Falls by 0.2 as above, but by ± 0.9 from image to image: 1.4 standard errors.
    const looks = placed([around(0.9, 0.45), around(0.7, -0.45)])
    expect(looks[1]?.change?.difference).toBeCloseTo(-0.0667, 4)
    expect(looks.at(-1)?.bestStep).toBe(0)
    expect(looks[1]).toMatchObject({ isSound: true, perImage: null })
  })

  test('the earlier of two that cannot be told apart stays, and one that is better beyond an error takes its place', () => {
    const first = around(0.6, 0.3)
    const alike = around(0.4, 0.2).map((value, i) => value - 0.01 + (i % 2 ? 0.3 : -0.3))
    expect(placed([first, around(0.4, 0.2), alike]).map(({ bestStep }) => bestStep)).toEqual([0, 2, 2])
    const better = around(0.3, 0.15)
    expect(placed([first, around(0.4, 0.2), alike, better]).map(({ bestStep }) => bestStep)).toEqual([0, 2, 2, 6])
  })

  test('one that loses coverage is not the best', () => {
    const looks = placed([around(0.6, 0.3), around(0.4, 0.2)], { coverage: 2.5 })
    expect(looks[1]).toMatchObject({ isSound: false, bestStep: 0 })
    expect(looks[1]?.change).not.toBeNull()
  })

  test('only images that both have are paired, and a few say nothing', () => {
    const from = figures([0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7], 1)
    const to = figures([0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3], 2)
    // Images 2 to 9: from 13.2 of 24 to 2.4 of 24.
    expect(rateChange(from, to)).toMatchObject({ images: 8, difference: expect.closeTo(-0.45, 10) })
    expect(rateChange(from, figures([0.3, 0.3, 0.3], 2))).toBeNull()
    expect(rateChange(from, { ...to, mentions: to.mentions.map(() => 0) })).toBeNull()
  })

  test('the share of chance is parted among the looks of a run', () => {
    // Tables of Student's t: one-sided 5 % with 65 and with 9 degrees of freedom.
    const looksEvery = (everySteps: number) =>
      presetConfig('quick-look', { optimiser: { stepsPerRound: 24 }, evaluation: { everySteps } })
    const single = looksEvery(24)
    expect(beyondNoise(66, single)).toBeCloseTo(1.669, 3)
    expect(beyondNoise(10, single)).toBeCloseTo(1.833, 2)
    // 12 looks: 1 - Φ(z) = 0.05 / 12 has z = 2.638; t with 65 degrees of freedom is 2.72.
    expect(beyondNoise(66, looksEvery(2))).toBeCloseTo(2.72, 2)
    expect(beyondNoise(1e9, looksEvery(2))).toBeCloseTo(2.638, 3)
  })

  test('chance alone seldom leaves the first look, and an effect of a half nearly always does', () => {
    const rng = new Rng({ seed: 5 })
    const left = (effect: number, runs: number) =>
      Array.from({ length: runs }, () => {
        const images = Array.from({ length: 66 }, () => 0.9 * rng.uniform())
        const looks = Array.from({ length: 13 }, (_, i) =>
          images.map((value) => Math.max(0, value * (i === 0 ? 1 : 1 - effect) + 0.3 * rng.normal())),
        )
        return placed(looks).at(-1)?.bestStep !== 0
      }).filter((isLeft) => isLeft).length / runs
    expect(left(0, 20)).toBeLessThanOrEqual(0.1)
    expect(left(0.5, 10)).toBeGreaterThanOrEqual(0.9)
  })
})

describe('what a run came to', () => {
  test.each([
    ['a fall', placed([around(0.6, 0.3), around(0.4, 0.2)]), 'fell by 6.7 points (standard error 0.'],
    [
      'what the estimate is worth',
      placed([around(0.6, 0.3), around(0.4, 0.2)]),
      'After training that is a lower bound',
    ],
    ['noise', placed([around(0.9, 0.45), around(0.7, -0.45)]), 'Nothing changed beyond noise: '],
    ['lost coverage', placed([around(0.6, 0.3), around(0.4, 0.2)], { coverage: 2 }), 'No step was kept: '],
    ['earlier versions', [look(0), look(2)], 'No step was better than the model as it came. '],
    ['only the first look', [look(0)], 'no later step was looked at'],
  ] as const)('%s is said', (_, looks, words) => {
    expect(outcomeSentence(looks, looks.at(-1)?.bestStep ?? 0, true)).toContain(words)
  })
})
