// Figures as a person reads them, and differences seen from either side.
import { describe, expect, test } from 'vitest'
import type { Estimate } from '../../../../shared/evaluation.ts'
import { differenceInterval, differenceOf, differenceText, intervalText, valueText, verdictOf } from './figureText.ts'

function estimate(value: number | null, low: number | null, high: number | null): Estimate {
  return { value, low, high, n: 12, undefinedResamples: 0 }
}

test('a share is per cent, a length has its unit, and nothing to divide by is a dash', () => {
  expect(valueText({ value: 0.1724 }, { unit: 'share' })).toBe('17.2%')
  expect(valueText({ value: 16.84 }, { unit: 'words' })).toBe('16.8 words')
  expect(valueText({ value: null }, { unit: 'share' })).toBe('–')
  expect(intervalText(estimate(0.2, 0.15, 0.26), { unit: 'share' })).toBe('15.0% to 26.0%')
  expect(intervalText(estimate(16, 15.2, 17.12), { unit: 'words' })).toBe('15.2 to 17.1')
  expect(intervalText(estimate(0.2, null, null), { unit: 'share' })).toBeNull()
})

test('a difference of shares is in points and always has its sign', () => {
  expect(differenceText(-0.0312, { unit: 'share' })).toBe('−3.1 points')
  expect(differenceText(0.2, { unit: 'count' })).toBe('+0.20')
  expect(differenceInterval(estimate(-0.03, -0.05, 0.012), { unit: 'share' })).toBe('−5.0 to +1.2')
  expect(differenceText(-1.25, { unit: 'words' })).toBe('−1.3 words')
})

describe('a difference is', () => {
  test('unclear when its interval holds zero', () => {
    expect(verdictOf(estimate(-0.03, -0.07, 0.01), 'lower')).toBe('unclear')
  })
  test('better or worse by the way of its figure', () => {
    expect(verdictOf(estimate(-0.03, -0.05, -0.01), 'lower')).toBe('better')
    expect(verdictOf(estimate(-0.03, -0.05, -0.01), 'higher')).toBe('worse')
    expect(verdictOf(estimate(0.03, 0.01, 0.05), 'higher')).toBe('better')
    expect(verdictOf(estimate(2, 1, 3), null)).toBe('other')
  })
  test('unknown without an interval', () => {
    expect(verdictOf(estimate(0.1, null, null), 'lower')).toBeNull()
  })
})

test('a difference against a later policy turns its sign and its interval', () => {
  const figure = { name: 'chairI', group: null }
  const difference = estimate(-0.03, -0.05, -0.01)
  const detail = {
    differences: [{ before: 0, after: 2, figures: [{ ...figure, difference, relativeReduction: difference }] }],
  }
  expect(differenceOf(detail, figure, 0, 2)).toEqual(difference)
  expect(differenceOf(detail, figure, 2, 0)).toEqual(estimate(0.03, 0.01, 0.05))
  expect(differenceOf(detail, figure, 0, 1)).toBeNull()
  expect(differenceOf(detail, { ...figure, group: 'colour' }, 0, 2)).toBeNull()
})
