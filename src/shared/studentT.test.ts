import { expect, test } from 'vitest'
import { meanWithInterval, twoSidedT } from './studentT.ts'

// scipy 1.17.1: stats.t.ppf(0.975, ν)
test.each([
  [1, 12.706204736174694],
  [2, 4.302652729749462],
  [3, 3.1824463052837078],
  [4, 2.7764451051977934],
  [5, 2.5705818356363146],
  [9, 2.262157162798205],
  [30, 2.0422724563012378],
  [999, 1.9623414611334493],
])('the quantile for %i degrees of freedom', (degrees, t) => {
  expect(twoSidedT(0.95, degrees)).toBeCloseTo(t, 9)
})

test('the interval of a mean', () => {
  // 1, 2, 4: mean 7/3, s = √(7/3), half = 4.302653 · √(7/9)
  const found = meanWithInterval([1, 2, 4])
  expect(found?.mean).toBeCloseTo(7 / 3)
  expect(found?.low).toBeCloseTo(7 / 3 - 4.302652729749462 * Math.sqrt(7 / 9), 9)
  expect(found?.high).toBeCloseTo(7 / 3 + 4.302652729749462 * Math.sqrt(7 / 9), 9)
  expect(meanWithInterval([3])).toEqual({ mean: 3, low: null, high: null })
  expect(meanWithInterval([])).toBeNull()
})
