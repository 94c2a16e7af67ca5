// What a page gets of a run: bounded however long the run is and whatever stands in the file.
import { expect, test } from 'vitest'
import { presetConfig } from '../../shared/runConfig.ts'
import { runDetailSchema } from '../../shared/runView.ts'
import { setPinned, storeCheckpoint } from '../db/checkpoints.ts'
import { inTransaction } from '../db/connection.ts'
import { storeLook } from '../db/looks.ts'
import { storeMetrics } from '../db/metrics.ts'
import { saveModel } from '../db/models.ts'
import { createRun, listRuns, runById, setCalibration, setRunState } from '../db/runs.ts'
import { temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { detailOf, type RunNow, viewOf } from './runViews.ts'

const idle: RunNow = { live: null, waitingFor: null }

test('a run of 10,000 steps with a look each is shown in bounded time and size, its first, best and last look among them', () => {
  const { db, runId } = temporaryWorkspace()
  const bestStep = 7_123
  inTransaction(db, () => {
    for (let step = 0; step <= 10_000; step++) {
      const cursor = { policy: { rank: 8, padding: 'x'.repeat(400) } }
      const parts = { adapter: Uint8Array.of(1) }
      const id = storeCheckpoint(db, { runId, parentId: null, step, cursor, summary: {}, parts }, step)
      const figures = { hallucinationRate: 0.1, coverage: 3, meanWords: 16, meanRepeatedMentions: 0 }
      storeLook(db, runId, step, { step, ...figures })
      storeMetrics(db, runId, step, { klNats: 0.1, 'validation.coverage': 3 })
      if (step === bestStep) setPinned(db, id, true)
    }
  })
  const run = runById(db, runId)!
  detailOf(db, run, idle)
  const startMs = performance.now()
  const detail = detailOf(db, run, idle)
  const durationMs = performance.now() - startMs
  expect(detail.looks.length).toBeLessThanOrEqual(1002)
  expect(detail.looks.length).toBeGreaterThan(900)
  const steps = detail.looks.map(({ step }) => step)
  expect([steps[0], steps.includes(bestStep), steps.at(-1), detail.bestStep]).toEqual([0, true, 10_000, bestStep])
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b))
  expect(detail.metricNames).toEqual(['klNats', 'validation.coverage'])
  // With a cursor to parse for each step it takes seconds and gigabytes; measured 13 ms on two shared cores.
  expect(durationMs).toBeLessThan(400)
  expect(JSON.stringify(detail).length).toBeLessThan(250_000)
})

test('what a person should know of a calibration, and figures of single images stay behind', () => {
  const { db, runId } = temporaryWorkspace()
  const none = { count: 0, first: [] }
  const annotations = {
    ...{ listed: 9, found: 4, strayAnnotations: 0, missing: none, ambiguous: { count: 2, first: ['1.jpg', '2.jpg'] } },
    ...{ otherFolder: none, unlisted: none, unknownCategories: none, unjudgedObjects: none },
  }
  const group = { share: 0.5, mean: 0.2, standardDeviation: 0.1 }
  const calibration = {
    ...{ method: 'annotated', scores: 99, baselines: null, grounded: group, hallucinated: group, auroc: 0.9 },
    ...{ overlap: null, imageAuroc: null, refusals: [] },
  }
  const kept = [{ step: 24, refusals: [{ reason: 'one-sided', expected: 'scores of at least 8', found: '2' }] }]
  setCalibration(db, runId, { calibration, kept, annotations })
  const figures = { hallucinationRate: 0.1, coverage: 3, meanWords: 16, meanRepeatedMentions: 0 }
  storeLook(db, runId, 0, { step: 0, ...figures, perImage: { imageIds: [1], hallucinated: [0.3], mentions: [3] } })
  const detail = runDetailSchema.parse(detailOf(db, runById(db, runId)!, idle))
  expect(detail.calibrationNotes).toEqual([
    expect.stringMatching(/^2 of 9 annotated images \(“1.jpg”, “2.jpg”\) are not clear/),
    expect.stringMatching(/^The round from step 24 on kept the first round's baselines.* found: 2\.$/),
  ])
  expect(detail.looks).toEqual([{ step: 0, ...figures, isSound: null, change: null }])
  setCalibration(db, runId, { calibration })
  expect(detailOf(db, runById(db, runId)!, idle).calibrationNotes).toEqual([])
})

test('texts of a megabyte are cut before a page sees them', () => {
  const { db } = temporaryWorkspace()
  const long = 'n'.repeat(1_000_000)
  const weightsSha256 = Buffer.alloc(32)
  const model = { folder: '/m', name: long, config: {}, weightsSha256, companionFolder: null, encoderVerified: null }
  const modelId = saveModel(db, model, 1)
  const config = presetConfig('quick-look', { calibration: { annotationFile: long } })
  const runId = createRun(
    db,
    { modelId, name: long, preset: long, config: JSON.parse(JSON.stringify(config)), seed: 1 },
    1,
  )
  setRunState(db, runId, 'running', 1)
  setRunState(db, runId, 'failed', 1, { code: 'run.no-weights', message: long, remedy: long, found: long, where: long })
  storeMetrics(db, runId, 0, { [long]: 1, ...Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`m${i}`, i])) })
  const refusals = Array.from({ length: 20 }, () => ({ reason: 'overlapping', expected: long, found: long }))
  const side = { share: 0.5, mean: 0, standardDeviation: 1 }
  const calibration = {
    ...{ method: 'mixture', scores: 1, baselines: null, grounded: side, hallucinated: side, auroc: 1, overlap: 0 },
    ...{ imageAuroc: null, refusals },
  }
  db.prepare('UPDATE run SET calibration = ? WHERE run_id = ?').run(JSON.stringify({ calibration }), runId)
  const detail = detailOf(db, runById(db, runId)!, idle)
  expect(runDetailSchema.parse(detail)).toEqual(detail)
  expect(detail.calibration?.refusals).toHaveLength(16)
  expect(JSON.stringify(detail).length).toBeLessThan(40_000)
  expect(JSON.stringify(listRuns(db).map((run) => viewOf(db, run, idle))).length).toBeLessThan(10_000)
})
