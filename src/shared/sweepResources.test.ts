import { expect, test } from 'vitest'
import { cellResourcesSchema, emptyResources, readResources } from './sweepResources.ts'

test('what is left empty is as usual, what is typed is taken', () => {
  expect(readResources(emptyResources)).toEqual({
    ...{ resources: { time: '24:00:00', memoryMb: null, copyEvery: 300 }, problems: [] },
  })
  const { resources } = readResources({ time: ' 2-12:00:00 ', memory: '16,000', copyEvery: '0.5' })
  expect(cellResourcesSchema.parse(resources)).toEqual({ time: '2-12:00:00', memoryMb: 16_000, copyEvery: 0.5 })
  expect(readResources({ ...emptyResources, memory: '16.000' }, ',').resources?.memoryMb).toBe(16_000)
})

test.each([
  [{ time: 'tomorrow' }, 'Time limit', 'such as 24:00:00'],
  [{ time: '10:99:00' }, 'Time limit', 'such as 24:00:00'],
  [{ memory: '2.5' }, 'Memory', 'whole number'],
  [{ memory: '0' }, 'Memory', 'from 1 to 100000000 (MB)'],
  [{ copyEvery: '-1' }, 'Seconds between copies', 'from 0 to 1000000'],
])('%j is refused by name', (typed, title, words) => {
  const { resources, problems } = readResources({ ...emptyResources, ...typed })
  expect(resources).toBeNull()
  expect(problems).toEqual([expect.objectContaining({ title, message: expect.stringContaining(words) })])
})
