// The list of what is under way, by hand: its order, time left, cancels, and what runs and imports become in it.
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ImportView } from '../../shared/contract.ts'
import { type DescribeView, greedy } from '../../shared/describe.ts'
import { allImages, type ModelId, type RunId } from '../../shared/domain.ts'
import type { RunView } from '../../shared/runView.ts'
import { Activities } from './activities.ts'
import { describeActivities, importActivities, runActivities } from './activityViews.ts'

afterEach(() => void vi.useRealTimers())

const quiet = (now: () => number = () => 0) => new Activities({ onChange: () => undefined, now })

describe('activities', () => {
  test('what begins is there until it ends, also when it fails', async () => {
    const activities = quiet()
    const failing = activities.during({ kind: 'check', title: 'one' }, async () => {
      expect(activities.list()).toMatchObject([{ kind: 'check', title: 'one', state: 'under-way', canCancel: false }])
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(activities.list()).toEqual([])
  })

  test('time left follows from the share that is done, once that says something', () => {
    let nowMs = 0
    const activities = quiet(() => nowMs)
    const handle = activities.begin({ kind: 'import', title: 'one' })
    nowMs = 1_000
    handle.progress(0.5)
    expect(activities.list()[0]?.remainingMs).toBeNull()
    nowMs = 10_000
    handle.progress(0.25, { detail: 'a quarter' })
    // 10 s for a quarter: 30 s for the other three.
    expect(activities.list()[0]).toMatchObject({ share: 0.25, remainingMs: 30_000, detail: 'a quarter' })
    handle.progress(0.5, { remainingMs: 5 })
    expect(activities.list()[0]?.remainingMs).toBe(5)
    handle.end()
    handle.progress(1)
    expect(activities.list()).toEqual([])
  })

  test('a cancel reaches the work once, and shows that it ends', () => {
    const activities = quiet()
    const cancel = vi.fn()
    activities.begin({ kind: 'check', title: 'one', cancel })
    const [{ id } = { id: '' }] = activities.list()
    activities.cancel(id)
    activities.cancel(id)
    activities.cancel('gone')
    expect(cancel).toHaveBeenCalledTimes(1)
    expect(activities.list()).toMatchObject([{ state: 'ending', canCancel: false }])
  })

  test('many changes are told once in a while', () => {
    vi.useFakeTimers()
    const told = vi.fn()
    const activities = new Activities({ onChange: told, everyMs: 250 })
    const handle = activities.begin({ kind: 'check', title: 'one' })
    for (let share = 0; share < 1; share += 0.01) handle.progress(share)
    expect(told).not.toHaveBeenCalled()
    vi.advanceTimersByTime(250)
    expect(told).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(1000)
    expect(told).toHaveBeenCalledTimes(1)
  })
})

const run = (changes: Partial<RunView>): RunView =>
  ({
    ...{ runId: 1, name: 'Quick look', state: 'running', live: null, totalSteps: 10, waitingFor: null },
    ...{ checkpointStep: null, startedAtMs: 5 },
    ...changes,
  }) as RunView

describe('runs and imports as activities', () => {
  test('a run under way, one that waits, and none that is over', () => {
    const progress = { phase: 'rollout' as const, step: 4, totalSteps: 10, remainingMs: 600 }
    const pause = vi.fn()
    const listed = runActivities(
      [
        run({ live: { progress, wish: 'go-on' } }),
        run({ state: 'queued', startedAtMs: null }),
        run({ state: 'complete' }),
        run({ live: { progress, wish: 'pause' } }),
      ],
      pause,
    )
    expect(listed).toMatchObject([
      { id: 'run-1', state: 'under-way', share: 0.4, remainingMs: 600, detail: 'step 4 of 10', startedAtMs: 5 },
      { state: 'waiting', detail: 'waits for its turn', startedAtMs: null, remainingMs: null },
      { state: 'ending', cancel: null },
    ])
    listed[0]?.cancel?.()
    expect(pause).toHaveBeenCalledTimes(1)
  })

  test('what is under way stands before what waits, the longest first', () => {
    const activities = quiet(() => 3)
    activities.addSource(() => runActivities([run({ state: 'queued', startedAtMs: null })], () => undefined))
    activities.begin({ kind: 'probe', title: 'devices' })
    expect(activities.list().map(({ kind }) => kind)).toEqual(['probe', 'run'])
  })

  test('an import knows its share once all files are found', () => {
    const one = (walking: boolean): ImportView => ({
      ...{ importId: 2, folder: '/a/photos', state: 'running', startedAtMs: 1, endedAtMs: null, added: 3, skipped: 1 },
      ...{
        live: { seen: 4, added: 3, known: 0, skipped: 1, found: 8, walking },
        error: null,
        leftOut: [],
        outcome: null,
      },
    })
    const none = () => undefined
    expect(importActivities([one(false)], none)).toMatchObject([
      { title: 'photos', share: 0.5, detail: '4 of 8 files' },
    ])
    expect(importActivities([one(true)], none)).toMatchObject([{ share: null, detail: '4 of 8 or more files' }])
    expect(importActivities([{ ...one(false), live: null }], none)).toEqual([])
  })
})

test('questions and descriptions of the library are listed while they are open, and end by their number', () => {
  const more = { waitsFor: null, readied: null, error: null } as const
  const question = {
    ...{ imageId: 7, policy: { from: 'model' as const, modelId: 1 as ModelId }, prompt: null },
    ...{ decoding: greedy, region: null },
  }
  const library = {
    about: 'library' as const,
    runId: 2 as RunId,
    step: 12,
    total: 200,
    skipped: 0,
    remainingMs: 9000,
    query: null,
  }
  const views: DescribeView[] = [
    { ...library, ...more, describeId: 1, state: 'running', done: 50 },
    { ...library, ...more, describeId: 2, query: allImages, state: 'waiting', waitsFor: 'the run “Paper”', done: 0 },
    { ...library, ...more, describeId: 3, state: 'done', done: 200 },
    { about: 'image', question, ...more, describeId: 4, state: 'running', text: 'A', tokens: 1, rolloutId: null },
    {
      ...{ about: 'image', question, ...more, describeId: 5, state: 'opening', readied: 0.347 },
      ...{ text: '', tokens: 0, rolloutId: null },
    },
  ]
  const cancelled: number[] = []
  const listed = describeActivities(views, (describeId) => cancelled.push(describeId))
  expect(listed).toMatchObject([
    { title: 'All images by step 12', detail: '50 of 200 images', share: 0.25, remainingMs: 9000, state: 'under-way' },
    { title: 'Images of a filter by step 12', detail: 'the run “Paper”', state: 'waiting', startedAtMs: null },
    { title: 'Question about image 7', detail: '1 token', share: null },
    { title: 'Question about image 7', detail: 'making the model ready, once: 34 %' },
  ])
  listed[1]?.cancel?.()
  expect(cancelled).toEqual([2])
})
