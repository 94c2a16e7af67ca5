// Micro-batches by hand: longest first, those of equal length in their order, and no change where one holds all.
import { expect, test } from 'vitest'
import { microBatches } from './microBatches.ts'

const byLength = (lengths: readonly number[], size: number) => microBatches(lengths, size, (length) => length)

test('examples of like length stand together, the longest first, each once', () => {
  expect(byLength([20, 64, 21, 64, 30], 2)).toEqual([[1, 3], [4, 2], [0]])
  // Padded to the longest of each: 64 * 2 + 30 * 2 + 20; in the given order 64 * 2 + 64 * 2 + 30.
  const padded = (batches: number[][], lengths: number[]) =>
    batches.reduce((sum, batch) => sum + batch.length * Math.max(...batch.map((place) => lengths[place] as number)), 0)
  expect(padded(byLength([20, 64, 21, 64, 30], 2), [20, 64, 21, 64, 30])).toBe(208)
})

test('a batch that is one micro-batch keeps its order, and none has none', () => {
  expect(byLength([20, 64, 21], 3)).toEqual([[0, 1, 2]])
  expect(byLength([], 4)).toEqual([])
})
