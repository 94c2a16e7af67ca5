// Several runs at once in the queue, and what a sweep came to: means and intervals over seeds, worked by hand.
import { expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { sweepDetailSchema } from '../../shared/sweepView.ts'
import { setPinned, storeCheckpoint } from '../db/checkpoints.ts'
import type { WritableDb } from '../db/connection.ts'
import { finishEvaluation, newEvaluation } from '../db/evaluations.ts'
import { storeLook } from '../db/looks.ts'
import { saveModel } from '../db/models.ts'
import { listRuns, setRunState } from '../db/runs.ts'
import { listSweeps, runsOfSweep } from '../db/sweeps.ts'
import { temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { queueSweep } from './newSweep.ts'
import { detailOfSweep } from './sweepViews.ts'

function workspace() {
  const { db } = temporaryWorkspace()
  const modelId = saveModel(
    db,
    {
      ...{ folder: '/models/own', name: 'own', config: {}, weightsSha256: Buffer.alloc(32) },
      ...{ companionFolder: '/models/own/encoder', encoderVerified: true },
    },
    1,
  )
  const run = (name: string, seed: number, changes = {}) => {
    return { modelId, name, preset: 'quick-look' as const, changes, seed }
  }
  return { db, modelId, run }
}

/** Ends a run that kept step 8, with the looks that say so. */
function end(
  db: WritableDb,
  runId: RunId,
  before: number,
  after: number,
  words = 16,
  state: 'complete' | 'paused' = 'complete',
): void {
  setRunState(db, runId, 'running', 2)
  for (const [step, hallucinationRate] of [
    [0, before],
    [8, after],
  ] as const) {
    const parts = { adapter: Uint8Array.of(step) }
    const id = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
    const look = { step, hallucinationRate, coverage: 3 - step / 80, meanWords: words, meanRepeatedMentions: 0 }
    storeLook(db, runId, step, look)
    if (step === 8) setPinned(db, id, true)
  }
  setRunState(db, runId, state, 3)
}

test('all are put into the queue, each with its placebo where it can have one', () => {
  const { db, run } = workspace()
  const none = run('Look, none', 1, { reward: { method: 'none' } })
  const { sweepId, runIds } = queueSweep(
    db,
    { name: 'Look', runs: [run('Look, seed 1', 1), run('Look, seed 2', 2), none], withPlacebo: true },
    5,
  )
  const queued = listRuns(db).reverse().slice(1)
  expect(queued.map(({ runId, name, seed, state }) => [runId, name, seed, state])).toEqual([
    [runIds[0], 'Look, seed 1', 1, 'queued'],
    [runIds[1], 'Look, seed 1, placebo', 1, 'queued'],
    [runIds[2], 'Look, seed 2', 2, 'queued'],
    [runIds[3], 'Look, seed 2, placebo', 2, 'queued'],
    [runIds[4], 'Look, none', 1, 'queued'],
  ])
  expect(runsOfSweep(db, sweepId).map(({ cell }) => cell)).toEqual([1, 1, 2, 2, 3])
  expect(listSweeps(db)).toEqual([{ sweepId, name: 'Look', folder: null, createdAtMs: 5 }])
})

test('one that is refused leaves nothing behind', () => {
  const { db, run } = workspace()
  const wrong = run('Look, seed 2', 2, { optimiser: { stepsPerRound: 0 } })
  expect(() => queueSweep(db, { name: 'Look', runs: [run('Look, seed 1', 1), wrong], withPlacebo: false }, 5)).toThrow(
    'cannot be used',
  )
  expect([listRuns(db).length, listSweeps(db)]).toEqual([1, []])
})

test('each setting over its seeds, with what lies beyond the placebo', () => {
  const { db, run } = workspace()
  const [one, other] = [0.5, 1].map((strength) => (seed: number) => {
    return run(`Look, ${strength}, seed ${seed}`, seed, { evaluation: { strength } })
  }) as [(seed: number) => ReturnType<typeof run>, (seed: number) => ReturnType<typeof run>]
  const runs = [one(1), one(2), one(3), other(1), other(2)]
  const { sweepId, runIds } = queueSweep(db, { name: 'Look', runs, withPlacebo: true }, 5)
  const [a, aPlacebo, b, bPlacebo, c, , d, , notAtItsEnd] = runIds as RunId[]
  // Changes -0.02, -0.06 and -0.04; less those of two placebos -0.01 and -0.03.
  end(db, a!, 0.2, 0.18)
  end(db, b!, 0.22, 0.16)
  end(db, c!, 0.2, 0.16)
  end(db, aPlacebo!, 0.2, 0.19)
  end(db, bPlacebo!, 0.22, 0.19)
  end(db, d!, 0.2, 0.1, 12)
  end(db, notAtItsEnd!, 0.2, 0.19, 16, 'paused')
  const nothingFound = { collection: null, error: null, isCollecting: false }
  const detail = sweepDetailSchema.parse({ ...detailOfSweep(db, sweepId), ...nothingFound })
  expect(detail.sweep).toMatchObject({ name: 'Look', runs: 10, complete: 6 })
  const [{ source, rows } = { source: null, rows: [] }, ...others] = detail.tables
  expect([source, others]).toEqual(['estimate', []])
  expect(rows.map(({ label, runs: all, seeds }) => [label, all, seeds])).toEqual([
    ['Adapter strength 0.5', 3, 3],
    ['Adapter strength 1', 2, 1],
  ])
  const { hallucination, recall, words } = rows[0]!.figures!
  expect(hallucination.before).toBeCloseTo(0.62 / 3)
  expect(hallucination.after).toBeCloseTo(0.5 / 3)
  // s = 0.02, so 4.302653 · 0.02 / √3 to either side.
  expect(hallucination.change.mean).toBeCloseTo(-0.04)
  expect(hallucination.change.low).toBeCloseTo(-0.04 - 0.0496827)
  expect(hallucination.change.high).toBeCloseTo(-0.04 + 0.0496827)
  expect([recall.before, recall.change.mean, words.after]).toEqual([3, expect.closeTo(-0.1), 16])
  // -0.01 and -0.03: mean -0.02, 12.706205 · 0.01 to either side.
  expect(rows[0]!.beyond).toEqual({
    ...{ seeds: 2, mean: expect.closeTo(-0.02), low: expect.closeTo(-0.14706205), high: expect.closeTo(0.10706205) },
  })
  expect(rows[1]!.figures!.hallucination.change).toEqual({ mean: expect.closeTo(-0.1), low: null, high: null })
  expect(rows[1]!.beyond).toBeNull()
  expect(detail.runs.map(({ row, isPlacebo, looks }) => [row, isPlacebo, looks.length])).toEqual([
    ...[
      [0, false, 2],
      [0, true, 2],
      [0, false, 2],
      [0, true, 2],
      [0, false, 2],
      [0, true, 0],
    ],
    ...[
      [1, false, 2],
      [1, true, 0],
      [1, false, 2],
      [1, true, 0],
    ],
  ])
})

test('CHAIR is told where it was measured, of one kind of images, with recall and length', () => {
  const { db, modelId, run } = workspace()
  const { sweepId, runIds } = queueSweep(
    db,
    { name: 'Look', runs: [run('Look, seed 1', 1), run('Look, seed 2', 2)], withPlacebo: false },
    5,
  )
  for (const runId of runIds) end(db, runId, 0.2, 0.1)
  const measure = (runId: RunId, annotationFile: string, after: number) => {
    const policies = [{ from: 'model', modelId } as const, { from: 'run', runId, step: 8, strength: 1 } as const]
    const asked = { kind: 'chair' as const, imageFolder: '/coco', annotationFile, most: null }
    const request = { name: '', policies, measure: asked, prompt: null, maxNewTokens: null }
    const id = newEvaluation(db, { name: 'CHAIR', kind: 'chair', request: request as never, names: [] }, 1)
    const byPolicy = (...values: number[]) =>
      values.map((value) => ({ value, low: null, high: null, n: 9, undefinedResamples: 0 }))
    const figures = [
      { name: 'chairI', group: null, byPolicy: byPolicy(0.3, after) },
      { name: 'recall', group: null, byPolicy: byPolicy(0.7, 0.68) },
      { name: 'meanLength', group: null, byPolicy: byPolicy(20, 18) },
    ]
    finishEvaluation(db, id, { figures: { figures, differences: [], resamples: 9, answers: 9 }, concepts: [] }, 2)
  }
  measure(runIds[0]!, '/old.json', 0.05)
  measure(runIds[1]!, '/new.json', 0.24)
  // On other images than the newest, so it is not taken together with it.
  expect(detailOfSweep(db, sweepId).tables.map(({ source, rows }) => [source, rows[0]?.seeds])).toEqual([
    ['chair', 1],
    ['estimate', 2],
  ])
  measure(runIds[0]!, '/new.json', 0.2)
  const [chair] = detailOfSweep(db, sweepId).tables
  expect(chair?.rows[0]?.seeds).toBe(2)
  expect(chair?.rows[0]?.figures).toMatchObject({
    hallucination: { before: 0.3, after: expect.closeTo(0.22), change: { mean: expect.closeTo(-0.08) } },
    recall: { before: 0.7, after: 0.68 },
    words: { before: 20, after: 18, change: { mean: -2, low: -2, high: -2 } },
  })
})
