// The line of removing words, worked by hand on two responses.
import { expect, test } from 'vitest'
import type { ChairReport } from '../../src/shared/evaluation.ts'
import { chairAtRecall, removalLine } from './removal.ts'

const word = (name: string, score: number | null, isHallucinated: boolean) => ({
  ...{ start: 0, end: 1, name, score, isHallucinated },
})
const response = (objects: string[], words: ReturnType<typeof word>[]): ChairReport['responses'][number] => ({
  ...{ path: '', objects, before: { text: '', words }, after: { text: '', words: [] } },
})
// Four words in the order of their scores: hallucinated, hallucinated, right, right; one that the verifier was not asked about.
const responses = [
  response(['cup', 'cake'], [word('cup', 0.4, false), word('knife', -0.2, true)]),
  response(['car', 'bus'], [word('car', 0.1, false), word('dog', 0, true), word('bus', null, false)]),
]

test('the lowest scores go first, and words without one stay', () => {
  const line = removalLine(responses)
  expect(line).toHaveLength(21)
  // Of four scored words 0, 1 and 2 are gone: 2 of 5, 1 of 4 and 0 of 3 are hallucinated; three of four objects are named.
  expect(line[0]).toEqual({ removed: 0, chairI: 2 / 5, recall: 3 / 4 })
  expect(line.find(({ removed }) => removed === 0.25)).toEqual({ removed: 0.25, chairI: 1 / 4, recall: 3 / 4 })
  expect(line.at(-1)).toEqual({ removed: 0.5, chairI: 0, recall: 3 / 4 })
})

test('between two points of the line CHAIR_i goes straight', () => {
  const line = [
    { removed: 0, chairI: 0.2, recall: 0.9 },
    { removed: 0.1, chairI: 0.1, recall: 0.88 },
    { removed: 0.2, chairI: 0.06, recall: 0.8 },
  ]
  expect(chairAtRecall(line, 0.89)).toBeCloseTo(0.15, 12)
  expect(chairAtRecall(line, 0.84)).toBeCloseTo(0.08, 12)
  expect(chairAtRecall(line, 0.5)).toBe(0.06)
  expect(chairAtRecall(line, 0.95)).toBeNull()
})
