// Which baselines a round goes by, over calibrations that were made from scores by hand.
import { describe, expect, test } from 'vitest'
import { type AnnotationJoin, namedCount } from '../../../shared/annotationJoin.ts'
import { keptBaselinesText } from '../../../shared/calibration.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import { calibrateAnnotated } from '../reward/calibration.ts'
import type { FoundCalibration } from './rewards.ts'
import { roundCalibration } from './roundCalibration.ts'

/** Of 100 words, so many of them hallucinated; right ones score 0.4 and wrong ones 0.1, or the other way round. */
function found(hallucinated: number, right = 0.4): FoundCalibration {
  const labelled = Array.from({ length: 100 }, (_, i) => ({
    ...{ isPresent: i >= hallucinated, score: i >= hallucinated ? right : 0.5 - right },
  }))
  return { calibration: calibrateAnnotated(labelled, presetConfig('quick-look').calibration), responseCentre: null }
}
const options = { goOnRefused: false, annotations: null }

describe('the first round', () => {
  test('goes by its own baselines, and so do all looks', () => {
    const round = roundCalibration(0, found(30), null, options)
    expect(round.calibration.baselines).toEqual({ muGt: expect.closeTo(0.4, 10), muHal: expect.closeTo(0.1, 10) })
    expect(round.yardstick).toBe(round.calibration)
    expect(round.kept).toEqual([])
  })

  test('ends the run when it is refused, unless a person goes on', () => {
    expect(() => roundCalibration(0, found(2), null, options)).toThrow(
      expect.objectContaining({ code: 'run.verifier-cannot-tell', found: '2' }),
    )
    expect(roundCalibration(0, found(2), null, { ...options, goOnRefused: true }).calibration.scores).toBe(100)
  })

  test('says with a refusal what of the annotations found no partner', () => {
    const none = namedCount([])
    const join: AnnotationJoin = {
      ...{ listed: 9, found: 1, strayAnnotations: 0, missing: none, ambiguous: none, otherFolder: none },
      ...{ unlisted: namedCount(['x.jpg']), unknownCategories: none, unjudgedObjects: none },
    }
    const annotations = { objectsOf: () => null, judged: new Set<string>(), join }
    expect(() => roundCalibration(0, found(2), null, { ...options, annotations })).toThrow(
      expect.objectContaining({
        code: 'run.verifier-cannot-tell',
        remedy: expect.stringMatching(/^1 image \(“x\.jpg”\) has no annotations .*Choose the encoder/),
      }),
    )
    expect(roundCalibration(0, found(30), null, { ...options, annotations }).annotations).toBe(join)
  })
})

describe('a later round', () => {
  const first = roundCalibration(0, found(30), null, options)

  test('goes by its own baselines while it can tell, and looks by the first ones', () => {
    const round = roundCalibration(24, found(20), first, options)
    expect(round.calibration.hallucinated?.share).toBeCloseTo(0.2, 10)
    expect(round.yardstick).toBe(first.calibration)
    expect(round.kept).toEqual([])
  })

  test.each([
    ['too few words are still hallucinated', found(2)],
    ['none is', found(0)],
    ['wrong words score higher', found(30, 0.1)],
  ])('keeps the first baselines when %s, whether or not a person goes on, and says so', (_, refused) => {
    for (const goOnRefused of [false, true]) {
      const round = roundCalibration(24, refused, first, { ...options, goOnRefused })
      expect(round.calibration).toBe(first.calibration)
      expect(round.kept).toEqual([{ step: 24, refusals: refused.calibration.refusals }])
    }
  })

  test('remembers each round that kept them', () => {
    const second = roundCalibration(24, found(2), first, options)
    const third = roundCalibration(48, found(20), second, options)
    const fourth = roundCalibration(72, found(0), third, options)
    expect(third.calibration.hallucinated?.share).toBeCloseTo(0.2, 10)
    expect(fourth.kept.map(({ step }) => step)).toEqual([24, 72])
    expect(fourth.kept.map(keptBaselinesText)[0]).toMatch(
      /^The round from step 24 on kept the first round's baselines.*Needed: scores of each side of at least 8; found: 2\.$/,
    )
  })
})
