import { expect, test } from 'vitest'
import { signTest } from './signTest.ts'

test('the sign test as counted by hand', () => {
  // 8 of 10: 2 (C(10,8) + C(10,9) + C(10,10)) / 2^10 = 2 (45 + 10 + 1) / 1024.
  expect(signTest(8, 2)).toBeCloseTo(112 / 1024, 12)
  expect(signTest(2, 8)).toBeCloseTo(112 / 1024, 12)
  // 5 of 5: 2 / 32.
  expect(signTest(5, 0)).toBeCloseTo(2 / 32, 12)
  // Even votes say nothing: twice a tail that is more than half.
  expect(signTest(3, 3)).toBe(1)
  expect(signTest(0, 0)).toBeNull()
})

test('many votes do not underflow', () => {
  // scipy.stats.binomtest(1100, 2000).pvalue
  expect(signTest(1100, 900)).toBeCloseTo(8.457089535503927e-6, 15)
})
