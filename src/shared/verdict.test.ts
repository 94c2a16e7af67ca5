// Bounds of the verdict against the rules that the engine pays by.
import { expect, test } from 'vitest'
import { linearReward, piecewiseReward } from '../main/engine/reward/rewardRule.ts'
import { verdictBounds } from './verdict.ts'

const baselines = { muGt: 0.36, muHal: 0.14 }

test('the paper’s rule is silent between the baselines, with the margin beyond them', () => {
  expect(verdictBounds(baselines, { variant: 'paper', margin: 0.02 })).toEqual({
    low: expect.closeTo(0.12, 12),
    high: expect.closeTo(0.38, 12),
  })
})

test('the linear rule turns in the middle', () => {
  expect(verdictBounds(baselines, { variant: 'linear', margin: 0 })).toEqual({ low: 0.25, high: 0.25 })
})

test('rewards change their sign at the bounds', () => {
  const rules = { paper: piecewiseReward, linear: linearReward } as const
  for (const variant of ['paper', 'linear'] as const) {
    const { low, high } = verdictBounds(baselines, { variant, margin: 0.02 }) ?? { low: 0, high: 0 }
    const rewards = [low - 1e-6, low + 1e-6, high - 1e-6, high + 1e-6].map((score) =>
      Math.sign(rules[variant](score, baselines, 0.02)),
    )
    expect(rewards).toEqual([-1, 0, 0, 1])
  }
})

test('by probability there are no bounds on the axis of scores', () => {
  expect(verdictBounds(baselines, { variant: 'posterior', margin: 0 })).toBeNull()
})
