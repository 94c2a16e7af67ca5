// The store of answers: what fails is told, but not while nobody needs it yet.
import { QueryObserver } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { aheadOfNeed, makeQueryClient } from './client.ts'

test('what was asked ahead of need and failed is told once somebody needs it', async () => {
  const told: unknown[] = []
  const client = makeQueryClient((thrown) => told.push(thrown))
  const damaged = new Error('damaged')
  const options = { queryKey: ['response', 1], queryFn: () => Promise.reject(damaged) }
  await expect(client.fetchQuery({ ...options, meta: aheadOfNeed })).rejects.toBe(damaged)
  expect(told).toEqual([])
  const shown = new QueryObserver(client, client.defaultQueryOptions(options))
  const stop = shown.subscribe(() => undefined)
  await expect.poll(() => told).toEqual([damaged])
  stop()
  client.clear()
})
