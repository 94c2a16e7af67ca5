// Ranges of the axis, worked by hand.
import { expect, test } from 'vitest'
import { axisRange, placeOnAxis } from './scoreAxis.ts'

test('holds score, baselines and bounds with 45 % of room at either side', () => {
  const scale = { muGt: 0.3, muHal: 0.1, margin: 0.1, bounds: { low: 0, high: 0.4 } }
  expect(axisRange(0.2, scale)).toEqual([expect.closeTo(-0.18, 9), expect.closeTo(0.58, 9)])
  expect(axisRange(-0.6, { ...scale, bounds: null })).toEqual([expect.closeTo(-1.005, 9), expect.closeTo(0.705, 9)])
})

test('has a width even when all of them are one number', () => {
  expect(axisRange(0.2, { muGt: 0.2, muHal: 0.2, margin: 0, bounds: null })).toEqual([
    expect.closeTo(0.18, 9),
    expect.closeTo(0.22, 9),
  ])
})

test('places', () => {
  expect(placeOnAxis(0.25, [0, 1], 320)).toBe(80)
})
