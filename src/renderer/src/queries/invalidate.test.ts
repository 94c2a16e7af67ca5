// Events against a real store of answers: what is written into them, and what is asked for again.
import type { QueryClient } from '@tanstack/react-query'
import { afterEach, describe, expect, test } from 'vitest'
import { allImages, type RunId } from '../../../shared/domain.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import { makeQueryClient } from './client.ts'
import { followEvents, followImages, followImport, followRun } from './invalidate.ts'
import { keys } from './keys.ts'

const w = 'opening'
const [first, second, third] = [1, 2, 3] as RunId[] as [RunId, RunId, RunId]
const progress: RunProgress = { phase: 'update', step: 5, totalSteps: 24, remainingMs: null }
const live = { progress, wish: 'go-on' as const }
const counts = { seen: 10, added: 9, known: 0, skipped: 1, found: 20, walking: false }
let client: QueryClient

/** A store that has an answer to everything. */
function answered(): QueryClient {
  client = makeQueryClient((thrown) => {
    throw thrown
  })
  for (const one of [w, 'another opening']) {
    client.setQueryData(keys.runList(one), [
      { runId: first, live: null, name: 'one' },
      { runId: second, live: null, name: 'two' },
    ])
    for (const runId of [first, second, third]) {
      client.setQueryData(keys.runDetail(one, runId), { run: { runId, live: null }, counterpart: null })
      client.setQueryData(keys.runMetrics(one, runId, ['klNats']), {})
    }
    client.setQueryData(keys.importList(one), [{ importId: 4, live: counts }])
    client.setQueryData(keys.importIssues(one, 4, 0), { total: 0, issues: [] })
    client.setQueryData(keys.imageCount(one, allImages), { total: 9 })
    client.setQueryData(keys.models(one), [])
  }
  client.setQueryData(keys.runDetail(w, third), {
    ...{ run: { runId: third, live: null }, counterpart: { run: { runId: first }, looks: [] } },
  })
  return client
}

afterEach(() => client.clear())

/** What will be asked for again. */
function stale(): readonly (readonly unknown[])[] {
  return client
    .getQueryCache()
    .getAll()
    .filter(({ state }) => state.isInvalidated)
    .map(({ queryKey }) => queryKey)
}

describe('a run', () => {
  test('whose progress is told asks for nothing and shows it in list and page', () => {
    followRun(answered(), w, { runId: first, live, isOnlyProgress: true })
    expect(stale()).toEqual([])
    expect(client.getQueryData(keys.runList(w))).toEqual([
      { runId: first, live, name: 'one' },
      { runId: second, live: null, name: 'two' },
    ])
    expect(client.getQueryData(keys.runDetail(w, first))).toMatchObject({ run: { live } })
    expect(client.getQueryData(keys.runDetail(w, second))).toMatchObject({ run: { live: null } })
    expect(client.getQueryData(keys.runList('another opening'))).toMatchObject([{ live: null }, { live: null }])
  })

  test('that changed is asked for with the list, and with the page of the run that it is the placebo of', () => {
    followRun(answered(), w, { runId: first, live: null, isOnlyProgress: false })
    expect(stale()).toEqual([
      keys.runList(w),
      keys.runDetail(w, first),
      keys.runMetrics(w, first, ['klNats']),
      keys.runDetail(w, third),
    ])
  })

  test('whose number begins like another one is not taken for it', () => {
    answered()
    client.setQueryData(keys.runDetail(w, 11 as RunId), { run: { runId: 11 }, counterpart: null })
    followRun(client, w, { runId: first, live: null, isOnlyProgress: false })
    expect(stale()).not.toContainEqual(keys.runDetail(w, 11 as RunId))
  })

  test('that nothing was asked of yet is not made up', () => {
    client = makeQueryClient()
    followRun(client, w, { runId: first, live, isOnlyProgress: true })
    expect(client.getQueryData(keys.runList(w))).toBeUndefined()
  })
})

describe('an import', () => {
  test('that goes on shows its counts and asks for nothing', () => {
    followImport(answered(), w, { importId: 4, live: { ...counts, seen: 11 } })
    expect(stale()).toEqual([])
    expect(client.getQueryData(keys.importList(w))).toEqual([{ importId: 4, live: { ...counts, seen: 11 } }])
  })

  test('that begins is asked for', () => {
    followImport(answered(), w, { importId: 5, live: counts })
    expect(stale()).toEqual([keys.importList(w), keys.importIssues(w, 4, 0)])
  })

  test('that ended is asked for, and so are the images', () => {
    followImport(answered(), w, { importId: 4, live: null })
    expect(stale()).toEqual([keys.importList(w), keys.importIssues(w, 4, 0), keys.imageCount(w, allImages)])
  })
})

test('another number of images asks for the images alone', () => {
  followImages(answered(), w)
  expect(stale()).toEqual([keys.imageCount(w, allImages)])
})

test('events are followed for the workspace that is open at their time', () => {
  const listeners = new Map<string, (payload: never) => void>()
  let open: string | null = 'another opening'
  followEvents(answered(), {
    subscribe: (event, listener) => {
      listeners.set(event, listener as (payload: never) => void)
      return () => undefined
    },
    workspaceKey: () => open,
  })
  open = w
  listeners.get('runs.changed')?.({ runId: second, live, isOnlyProgress: true } as never)
  expect(client.getQueryData(keys.runList(w))).toMatchObject([{ live: null }, { live }])
  expect(client.getQueryData(keys.runList('another opening'))).toMatchObject([{ live: null }, { live: null }])

  listeners.get('images.changed')?.({} as never)
  expect(stale()).toEqual([keys.imageCount(w, allImages)])
})
