// The limit of what a model's files may cost, on a machine that is free and on one that is busy.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { DeadlineError, withDeadline } from './deadline.ts'

test('work that has no end is stopped, and what it throws of its own passes', () => {
  const startMs = performance.now()
  expect(() =>
    withDeadline(50, () => {
      for (;;);
    }),
  ).toThrow(DeadlineError)
  expect(performance.now() - startMs).toBeLessThan(2000)
  expect(() =>
    withDeadline(50, () => {
      throw new RangeError('of its own')
    }),
  ).toThrow(RangeError)
})

test('work that the machine kept waiting gets its time', () => {
  let begun = 0
  const result = withDeadline(100, () => {
    // The first time, as on a machine that gave this process nothing for longer than the limit.
    if (begun++ === 0) execFileSync('sleep', ['0.3'])
    return 'done'
  })
  expect([result, begun]).toEqual(['done', 2])
})
