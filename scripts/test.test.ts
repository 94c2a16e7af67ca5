// A run is green only when something ran and nothing failed.
import { expect, test } from 'vitest'
import { countOf } from './test.ts'

test('counts what the reports say', () => {
  expect(countOf({ numPassedTests: 12, numFailedTests: 0 }, 0)).toEqual({ passed: 12, failed: 0, retried: 0 })
  expect(countOf({ numPassedTests: 12, numFailedTests: 3 }, 1)).toEqual({ passed: 12, failed: 3, retried: 0 })
  expect(countOf({ stats: { expected: 4, flaky: 1, unexpected: 2 } }, 1)).toEqual({ passed: 5, failed: 2, retried: 1 })
})

test('tells what passed only when it was tried again', () => {
  const assertionResults = [
    { fullName: 'a', status: 'passed', failureMessages: [] },
    { fullName: 'b', status: 'passed', failureMessages: ['too late'] },
    { fullName: 'c', status: 'failed', failureMessages: ['too late', 'too late again'] },
  ]
  expect(countOf({ numPassedTests: 2, numFailedTests: 1, testResults: [{ assertionResults }] }, 1)).toMatchObject({
    passed: 2,
    failed: 1,
    retried: 1,
  })
})

test('a runner that failed without a failed test counts as one failure', () => {
  expect(countOf({ numPassedTests: 12, numFailedTests: 0 }, 1)).toEqual({ passed: 12, failed: 1, retried: 0 })
  expect(countOf({}, 1)).toEqual({ passed: 0, failed: 1, retried: 0 })
})

test('a runner that ran nothing counts as one failure', () => {
  expect(countOf({ stats: { expected: 0, flaky: 0, unexpected: 0 } }, 0)).toEqual({ passed: 0, failed: 1, retried: 0 })
})
