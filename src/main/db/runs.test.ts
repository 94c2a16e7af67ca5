// Models and runs: what may become of a run, and what goes with one that is deleted.
import { expect, test } from 'vitest'
import { modelRecordSchema, type RunState, runRecordSchema, runStateSchema } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { listModels, modelById, removeModel, saveModel } from './models.ts'
import {
  counterpartOf,
  createRun,
  deleteRun,
  firstRunIn,
  listRuns,
  nextStates,
  runById,
  setCalibration,
  setRunState,
} from './runs.ts'
import { addCheckpoint, addRun, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

test('a model keeps its id when it is checked again', () => {
  const { db, modelId } = temporaryWorkspace()
  const checked = {
    folder: '/models/tiny',
    name: 'tiny llava',
    config: { model_type: 'llava', layers: [1, null] },
    weightsSha256: Buffer.alloc(32, 0xab),
    companionFolder: '/models/clip',
    encoderVerified: true,
  }
  expect(saveModel(db, checked, 99)).toBe(modelId)
  const record = modelById(db, modelId)
  expect(record).toEqual({ ...checked, modelId, weightsSha256: 'ab'.repeat(32), addedAtMs: 1 })
  expect(listModels(db)).toEqual([modelRecordSchema.parse(record)])
})

test('a model that a run needs stays', () => {
  const { db, modelId, runId } = temporaryWorkspace()
  expect(() => removeModel(db, modelId)).toThrow('This model cannot be removed, because runs in this workspace were')
  deleteRun(db, runId)
  removeModel(db, modelId)
  expect(listModels(db)).toEqual([])
})

test('a run goes from the queue to its end, and its times are kept', () => {
  const { db, modelId, runId } = temporaryWorkspace()
  const second = createRun(db, { modelId, name: 'b', preset: 'paper', config: { klCoefficient: 0.1 }, seed: 2 }, 5)
  expect(firstRunIn(db, 'queued')?.runId).toBe(runId)
  setRunState(db, runId, 'running', 10)
  expect(firstRunIn(db, 'queued')?.runId).toBe(second)
  setRunState(db, runId, 'paused', 20)
  setRunState(db, runId, 'running', 30)
  setCalibration(db, runId, { muGt: 0.36, muHal: 0.14 })
  addCheckpoint(db, runId, 8)
  setRunState(db, runId, 'complete', 40)
  expect(listRuns(db).map((run) => runRecordSchema.parse(run).runId)).toEqual([second, runId])
  expect(runById(db, runId)).toMatchObject({
    state: 'complete',
    startedAtMs: 10,
    endedAtMs: 40,
    calibration: { muGt: 0.36, muHal: 0.14 },
    checkpointStep: 8,
    error: null,
  })
  expect(runById(db, second)).toMatchObject({ config: { klCoefficient: 0.1 }, checkpointStep: null, startedAtMs: null })
})

test('a run and its placebo find each other: the same model, seed and settings but for the verifier', () => {
  const { db, modelId } = temporaryWorkspace()
  const config = (verifier: string, more: object = {}) => ({
    ...{ reward: { variant: 'linear', verifier }, calibration: { goOnRefused: false } },
    ...more,
  })
  const add = (settings: ReturnType<typeof config>, seed = 1) =>
    createRun(db, { modelId, name: 'x', preset: 'quick-look', config: settings, seed }, 5)
  const earlier = add(config('own'))
  expect(counterpartOf(db, earlier)).toBeUndefined()
  const run = add(config('own'))
  add(config('placebo'), 2)
  add(config('placebo', { adapter: { rank: 4 } }))
  expect(counterpartOf(db, run)).toBeUndefined()
  // The person went on with the placebo's verifier; it is the same run all the same.
  const placebo = add(config('placebo', { calibration: { goOnRefused: true } }))
  expect(counterpartOf(db, run)?.runId).toBe(placebo)
  expect(counterpartOf(db, placebo)?.runId).toBe(run)
  // The placebo of the run after it, which may have had other images, is none of an earlier one's, nor of a later one's.
  expect(counterpartOf(db, earlier)).toBeUndefined()
  const later = add(config('own'))
  expect(counterpartOf(db, later)).toBeUndefined()
  expect(counterpartOf(db, run)?.runId).toBe(placebo)
  const ofLater = [add(config('placebo')), add(config('placebo'))]
  expect(counterpartOf(db, later)?.runId).toBe(ofLater[1])
  expect(ofLater.map((runId) => counterpartOf(db, runId)?.runId)).toEqual([later, later])
  // Settings of a version before placebos are those of a run of its own.
  const old = createRun(db, { modelId, name: 'x', preset: 'p', config: { reward: {}, calibration: {} }, seed: 7 }, 5)
  const placeboOfOld = createRun(
    db,
    { modelId, name: 'x', preset: 'p', config: { reward: { verifier: 'placebo' }, calibration: {} }, seed: 7 },
    5,
  )
  expect(counterpartOf(db, old)?.runId).toBe(placeboOfOld)
})

test('a run that failed keeps its error, until it is queued again', () => {
  const { db, runId } = temporaryWorkspace()
  const error = { code: 'engine.nan' as const, message: 'The loss is not a number.', remedy: 'Lower the rate.' }
  setRunState(db, runId, 'running', 10)
  setRunState(db, runId, 'failed', 20, error)
  expect(runById(db, runId)).toMatchObject({ error, endedAtMs: 20 })
  setRunState(db, runId, 'queued', 30)
  expect(runById(db, runId)).toMatchObject({ error: null, endedAtMs: null, startedAtMs: 10 })
})

test.each(
  runStateSchema.options.flatMap((from) => runStateSchema.options.map((to): [RunState, RunState] => [from, to])),
)('%s to %s is allowed or refused as the table says', (from, to) => {
  const { db, runId } = temporaryWorkspace()
  db.prepare('UPDATE run SET state = ?').run(from)
  const attempt = (): void => setRunState(db, runId, to, 1)
  if (nextStates[from].includes(to)) attempt()
  else expect(attempt).toThrow(`This run is ${from}, so it cannot become ${to}.`)
  expect(runById(db, runId)?.state).toBe(nextStates[from].includes(to) ? to : from)
})

test('a run that is gone says so', () => {
  const { db, runId } = temporaryWorkspace()
  deleteRun(db, runId)
  expect(runById(db, runId)).toBeUndefined()
  for (const attempt of [() => setRunState(db, runId, 'running', 1), () => setCalibration(db, runId, {})]) {
    expect(attempt).toThrow(StudioError)
    expect(attempt).toThrow('This run is not in the workspace; it was deleted.')
  }
})

test('deleting a run leaves the others alone', () => {
  const { db, modelId, runId } = temporaryWorkspace()
  const other = addRun(db, modelId, 'other')
  addCheckpoint(db, other, 1)
  deleteRun(db, runId)
  expect(runById(db, other)?.checkpointStep).toBe(1)
})
