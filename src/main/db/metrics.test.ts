// Metrics: every step in a short run, means with their extremes in a long one.
import { expect, test } from 'vitest'
import { inTransaction } from './connection.ts'
import { metricNames, metricSeries, storeMetrics } from './metrics.ts'
import { addRun, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

test('names and values come back as they were stored, by run', () => {
  const { db, modelId, runId } = temporaryWorkspace()
  expect(metricNames(db, runId)).toEqual([])
  storeMetrics(db, runId, 0, { reward: 0.1 + 0.2, klNats: 1e-300 })
  storeMetrics(db, runId, 1, { reward: -1, entropyNats: 2 })
  storeMetrics(db, addRun(db, modelId, 'other'), 0, { tokensPerSecond: 9 })
  expect(metricNames(db, runId)).toEqual(['entropyNats', 'klNats', 'reward'])
  expect(metricSeries(db, runId, 'reward')).toEqual([
    { step: 0, mean: 0.1 + 0.2, low: 0.1 + 0.2, high: 0.1 + 0.2 },
    { step: 1, mean: -1, low: -1, high: -1 },
  ])
  expect(metricSeries(db, runId, 'klNats')[0]?.mean).toBe(1e-300)
  expect(metricSeries(db, runId, 'unknown')).toEqual([])
})

test('what is new after a step, and nothing when there is nothing new', () => {
  const { db, runId } = temporaryWorkspace()
  for (let step = 0; step < 10; step++) storeMetrics(db, runId, step, { reward: step })
  expect(metricSeries(db, runId, 'reward', { afterStep: 7 }).map(({ step }) => step)).toEqual([8, 9])
  expect(metricSeries(db, runId, 'reward', { afterStep: 9 })).toEqual([])
})

test('a long run is thinned, and its one spike stays', () => {
  const { db, runId } = temporaryWorkspace()
  inTransaction(db, () => {
    for (let step = 0; step < 10_000; step++) storeMetrics(db, runId, step, { klNats: step === 6_543 ? 50 : 0.1 })
  })
  const points = metricSeries(db, runId, 'klNats', { mostPoints: 300 })
  expect(points.length).toBeGreaterThan(250)
  expect(points.length).toBeLessThanOrEqual(300)
  expect(points.at(-1)?.step).toBe(9_999)
  expect(points.filter(({ high }) => high === 50)).toHaveLength(1)
  expect(Math.max(...points.map(({ mean }) => mean))).toBeLessThan(2)
})

test('a value that is not a number is refused, and its step with it', () => {
  const { db, runId } = temporaryWorkspace()
  expect(() => storeMetrics(db, runId, 0, { reward: 1, klNats: Number.NaN })).toThrow('NOT NULL')
  expect(metricNames(db, runId)).toEqual([])
})
