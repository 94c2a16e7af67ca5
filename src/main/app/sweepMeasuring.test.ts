// Which evaluations a sweep's page asks for: of which policies, which runs are left out and why, and what is there already.
import { expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { type ChairMeasure, type NewEvaluation, newEvaluationSchema } from '../../shared/evaluations.ts'
import { chairPlanSchema } from '../../shared/sweepView.ts'
import { setPinned, storeCheckpoint } from '../db/checkpoints.ts'
import type { WritableDb } from '../db/connection.ts'
import { finishEvaluation, listEvaluations, setEvaluationState, storeItems } from '../db/evaluations.ts'
import { storeLook } from '../db/looks.ts'
import { saveModel } from '../db/models.ts'
import { setRunState } from '../db/runs.ts'
import { temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { addEvaluation } from './newEvaluation.ts'
import { queueSweep } from './newSweep.ts'
import { planChair } from './sweepMeasuring.ts'
import { detailOfSweep } from './sweepViews.ts'

const coco = { kind: 'chair' as const, imageFolder: '/coco/val', annotationFile: '/coco/instances.json', most: null }

/** Two seeds at strength 0.5, each with its placebo, and a third that has not begun. */
function sweepOfThree() {
  const { db } = temporaryWorkspace()
  const modelId = saveModel(
    db,
    {
      ...{ folder: '/models/own', name: 'own', config: {}, weightsSha256: Buffer.alloc(32) },
      ...{ companionFolder: '/models/own/encoder', encoderVerified: true },
    },
    1,
  )
  const runs = [1, 2, 3].map((seed) => ({
    ...{ modelId, name: `Look, seed ${seed}`, preset: 'quick-look' as const, seed },
    changes: { evaluation: { strength: 0.5 } },
  }))
  const { sweepId, runIds } = queueSweep(db, { name: 'Look', runs, withPlacebo: true }, 5)
  const [one, onePlacebo, two, twoPlacebo] = runIds as [RunId, RunId, RunId, RunId]
  return {
    db,
    sweepId,
    one,
    onePlacebo,
    two,
    twoPlacebo,
    plan: (measure: ChairMeasure = coco) => planChair(db, sweepId, measure),
  }
}

/** Ends a run that looked at steps 0 and 8. */
function end(db: WritableDb, runId: RunId, kept: 0 | 8 | null, weights = true): void {
  setRunState(db, runId, 'running', 2)
  for (const step of [0, 8]) {
    const parts = weights ? { adapter: Uint8Array.of(step) } : {}
    const id = storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
    const look = { step, hallucinationRate: 0.2, coverage: 3, meanWords: 16, meanRepeatedMentions: 0 }
    storeLook(db, runId, step, look)
    if (step === kept) setPinned(db, id, true)
  }
  setRunState(db, runId, 'complete', 3)
}

/** As the engine ends it: a share of 0.3 by the first policy, and 0.1 less by each further one. */
function finish(db: WritableDb, evaluationId: ReturnType<typeof addEvaluation>, policies: number): void {
  const byPolicy = Array.from({ length: policies }, (_, i) => {
    return { value: 0.3 - 0.1 * i, low: null, high: null, n: 9, undefinedResamples: 0 }
  })
  const figures = ['chairI', 'recall', 'meanLength'].map((name) => ({ name, group: null, byPolicy }))
  finishEvaluation(
    db,
    evaluationId,
    { figures: { figures, differences: [], resamples: 9, answers: 9 }, concepts: [] },
    2,
  )
}

const asked = (request: NewEvaluation | undefined) => newEvaluationSchema.parse(request)

test('one a run: the model as it came, the kept step with the strength of its looks, and its placebo at it', () => {
  const { db, one, onePlacebo, two, plan } = sweepOfThree()
  end(db, one, 8)
  end(db, onePlacebo, 8)
  end(db, two, 8)
  const { plan: told, requests } = plan()
  expect(requests.map(asked)).toEqual([
    {
      ...{ name: 'Look, seed 1', measure: coco, prompt: null, maxNewTokens: null },
      policies: [
        { from: 'run', runId: one, step: 0, strength: 1 },
        { from: 'run', runId: one, step: 8, strength: 0.5 },
        { from: 'run', runId: onePlacebo, step: 8, strength: 0.5 },
      ],
    },
    // Its placebo is not at that step yet.
    expect.objectContaining({
      policies: [
        { from: 'run', runId: two, step: 0, strength: 1 },
        { from: 'run', runId: two, step: 8, strength: 0.5 },
      ],
    }),
  ])
  expect(chairPlanSchema.parse(told)).toEqual({
    // The model as it came answers for both.
    ...{ evaluations: 2, answersAnImage: 4, images: null, measured: 0, waiting: 0, placebosLeftOut: 1 },
    leftOut: [{ gap: 'not-at-end', runs: 1 }],
  })
})

test('runs without a kept step or its weights are left out, and where none was better the model as it came is asked alone', () => {
  const { db, one, onePlacebo, two, plan } = sweepOfThree()
  end(db, one, 0)
  end(db, onePlacebo, 0)
  end(db, two, null)
  expect(plan().plan).toMatchObject({
    ...{ evaluations: 1, answersAnImage: 1, placebosLeftOut: 0 },
    leftOut: [
      { gap: 'not-at-end', runs: 1 },
      { gap: 'no-kept-step', runs: 1 },
    ],
  })
  const other = sweepOfThree()
  end(other.db, other.one, 8, false)
  expect(other.plan().plan).toMatchObject({ evaluations: 0, leftOut: [{ runs: 2 }, { gap: 'no-weights', runs: 1 }] })
})

test('what is measured or waits is not asked again, what was cancelled goes on, what failed is tried anew', () => {
  const { db, sweepId, one, onePlacebo, two, twoPlacebo, plan } = sweepOfThree()
  for (const runId of [one, onePlacebo, two, twoPlacebo]) end(db, runId, 8)
  const [first, second] = plan().requests.map((request) => addEvaluation(db, request))
  expect(plan().plan).toMatchObject({ evaluations: 0, waiting: 2, measured: 0 })
  expect(detailOfSweep(db, sweepId).chair).toEqual([second, first])
  finish(db, first!, 3)
  setEvaluationState(db, second!, 'cancelled', null, 3)
  expect(plan()).toMatchObject({ requests: [], again: [second], plan: { evaluations: 1, measured: 1 } })
  setEvaluationState(db, second!, 'failed', null, 3)
  expect(plan()).toMatchObject({ requests: [{ name: 'Look, seed 2' }], again: [], plan: { evaluations: 1 } })
  // On other images all are asked; a name of the folder that says the same is the same.
  expect(plan({ ...coco, most: 40 }).plan).toMatchObject({ evaluations: 2, measured: 0 })
  expect(plan({ ...coco, imageFolder: '/coco/../coco/val' }).plan).toMatchObject({ evaluations: 1, measured: 1 })
  // The table tells what was measured, at the strength and beside the placebo that it was asked of.
  const [table] = detailOfSweep(db, sweepId).tables
  expect(table).toMatchObject({ source: 'chair', rows: [{ seeds: 1, beyond: { mean: expect.closeTo(0.1) } }] })
})

test('how many images take part is known from an earlier evaluation of the same files', () => {
  const { db, one, plan } = sweepOfThree()
  end(db, one, 8)
  const [request] = plan().requests
  const evaluationId = addEvaluation(db, { ...asked(request), measure: { ...coco, most: 3 } })
  const items = [0, 1, 2].map((item) => ({
    ...{ item, imageId: null, path: `/coco/val/${item}.jpg`, name: `${item}.jpg`, question: null, truth: null },
  }))
  storeItems(db, evaluationId, items, {})
  expect(listEvaluations(db)[0]?.facts).toEqual({})
  expect(plan({ ...coco, most: 2 }).plan.images).toBe(2)
  // There may be more than those three.
  expect(plan().plan.images).toBeNull()
})
