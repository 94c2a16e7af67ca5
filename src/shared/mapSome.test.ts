// Work on many values a few at a time: order, the bound, and the end after a failure.
import { expect, test } from 'vitest'
import { mapSome } from './mapSome.ts'

/** Lets others work for so many turns. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

test('results stand in order, and never more than so many are under way', async () => {
  let [now, most] = [0, 0]
  const values = Array.from({ length: 100 }, (_, i) => i)
  const results = await mapSome(values, 8, async (value) => {
    most = Math.max(most, ++now)
    await turns((value * 7) % 5)
    now--
    return 2 * value
  })
  expect(results).toEqual(values.map((value) => 2 * value))
  expect(most).toBe(8)
})

test('after a failure nothing further is begun', async () => {
  const begun: number[] = []
  const work = mapSome([0, 1, 2, 3, 4, 5, 6, 7], 2, async (value) => {
    begun.push(value)
    await turns(1)
    if (value === 1) throw new Error('one fails')
  })
  await expect(work).rejects.toThrow('one fails')
  await turns(50)
  expect(begun.length).toBeLessThanOrEqual(3)
  expect(await mapSome([], 8, () => Promise.resolve(1))).toEqual([])
})
