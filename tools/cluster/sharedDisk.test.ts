// The simulation against times worked by hand.
import { expect, test } from 'vitest'
import { simulate } from './sharedDisk.ts'

const disk = { rate: 100, link: 60 }

test.each([
  // 120 bytes over a link of 60 a second, then 5 s of work.
  ['one machine has its link for itself', 1, [[{ bytes: 120 }, { workS: 5 }]], 7, 0],
  // Both read at 50 a second: 2.4 s, and work meanwhile is their own.
  ['two share the rate', 2, [[{ bytes: 120 }], [{ bytes: 120 }]], 2.4, 1],
  // The second reads alone at 60 once the first has its 50 bytes (1 s): 120 - 50 = 70, 70 / 60 s.
  ['one that is done leaves its share', 2, [[{ bytes: 50 }], [{ bytes: 120 }]], 1 + 70 / 60, 1 / (1 + 70 / 60)],
  ['a machine takes the next job', 1, [[{ workS: 2 }], [{ workS: 3 }]], 5, 0],
  ['three jobs on two machines', 2, [[{ workS: 4 }], [{ workS: 1 }], [{ workS: 2 }]], 4, 0],
] as const)('%s', (_name, machines, jobs, totalS, fullShare) => {
  const found = simulate(jobs, machines, disk)
  expect(found.totalS).toBeCloseTo(totalS, 6)
  expect(found.fullShare).toBeCloseTo(fullShare, 6)
})

test('every byte is counted, and more machines than jobs are no fault', () => {
  const found = simulate([[{ bytes: 30 }, { workS: 1 }, { bytes: 10 }]], 9, disk)
  expect(found.bytes).toBe(40)
  expect(found.totalS).toBeCloseTo(30 / 60 + 1 + 10 / 60, 6)
})
