// Checkpoints: what comes back is what was stored, bit for bit; old weights and later steps go without a trace.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { checkpointRecordSchema, type RunId } from '../../shared/domain.ts'
import {
  checkpointById,
  checkpointPart,
  dropLastWeights,
  dropOldWeights,
  lastCheckpoint,
  lastSoundCheckpoint,
  listCheckpoints,
  rollBack,
  setKept,
  setPinned,
  storeCheckpoint,
} from './checkpoints.ts'
import type { WritableDb } from './connection.ts'
import { metricSeries, storeMetrics } from './metrics.ts'
import { responsesOfStep, storeRollouts } from './rollouts.ts'
import { responseTo } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

const mebibyte = 1024 * 1024

/** Bytes without a pattern that a lost or doubled chunk could hide in. */
function noise(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  for (let i = 0; i < sizeBytes; i += 32) {
    bytes.set(
      createHash('sha256')
        .update(String(i))
        .digest()
        .subarray(0, Math.min(32, sizeBytes - i)),
      i,
    )
  }
  return bytes
}

const store = (db: WritableDb, runId: RunId, parts: Record<string, Uint8Array>) =>
  storeCheckpoint(db, { runId, parentId: null, step: 1, cursor: {}, summary: {}, parts }, 1)

test.each([0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 2 * mebibyte + 12_345])('a part of %i bytes', (sizeBytes) => {
  const { db, runId } = temporaryWorkspace()
  const bytes = noise(sizeBytes)
  const checkpointId = store(db, runId, { adapter: bytes })
  expect(Buffer.compare(checkpointPart(db, checkpointId, 'adapter'), bytes)).toBe(0)
})

test('tensors come back bit for bit, also those inside a larger buffer, with NaN and minus zero', () => {
  const { db, runId } = temporaryWorkspace()
  const whole = Float32Array.of(9, 1.5, -0, Number.NaN, 1e-45, 9)
  const moments = whole.subarray(1, 5)
  const bytes = new Uint8Array(moments.buffer, moments.byteOffset, moments.byteLength)
  const checkpointId = store(db, runId, { moments: bytes })
  expect(new Float32Array(checkpointPart(db, checkpointId, 'moments').buffer)).toEqual(moments)
})

test('cursor, summary, parent and pin are kept', () => {
  const { db, runId } = temporaryWorkspace()
  const parentId = addCheckpoint(db, runId, 0)
  const cursor = { epoch: 1, order: [3, 1, 2] }
  const checkpointId = storeCheckpoint(
    db,
    { runId, parentId, step: 8, cursor, summary: { meanReward: 0.25 }, parts: {} },
    77,
  )
  setPinned(db, checkpointId, true)
  const record = checkpointById(db, checkpointId)
  expect(checkpointRecordSchema.parse(record)).toEqual({
    checkpointId,
    runId,
    parentId,
    step: 8,
    cursor,
    summary: { meanReward: 0.25 },
    isPinned: true,
    isKept: false,
    hasWeights: false,
    createdAtMs: 77,
  })
})

test('one that cannot be stored whole is not stored at all', () => {
  const { db, runId } = temporaryWorkspace()
  addCheckpoint(db, runId, 1)
  expect(() => addCheckpoint(db, runId, 1)).toThrow('UNIQUE')
  const broken = { adapter: noise(10), head: 'not bytes' as unknown as Uint8Array }
  expect(() =>
    storeCheckpoint(db, { runId, parentId: null, step: 2, cursor: {}, summary: {}, parts: broken }, 1),
  ).toThrow()
  expect(listCheckpoints(db, runId).map(({ step }) => step)).toEqual([1])
  expect(db.prepare('SELECT count(*) AS n FROM checkpoint_blob').get()).toEqual({ n: 1 })
})

test('old weights are dropped but for the newest, the best and those that a person keeps; the run resumes from the newest', () => {
  const { db, runId } = temporaryWorkspace()
  const ids = [1, 2, 3, 4, 5].map((step) => addCheckpoint(db, runId, step))
  setPinned(db, ids[1]!, true)
  setKept(db, ids[2]!, true)
  dropOldWeights(db, runId, 2)
  const kept = listCheckpoints(db, runId).filter(({ hasWeights }) => hasWeights)
  expect(kept.map(({ step }) => step)).toEqual([2, 3, 4, 5])
  setKept(db, ids[2]!, false)
  dropOldWeights(db, runId, 2)
  expect(listCheckpoints(db, runId).map(({ hasWeights }) => hasWeights)).toEqual([false, true, false, true, true])
  expect(lastCheckpoint(db, runId)?.step).toBe(5)
  expect(() => checkpointPart(db, ids[0]!, 'adapter')).toThrow(
    'The weights of this checkpoint are not in the workspace',
  )
  expect(checkpointPart(db, ids[1]!, 'adapter')).toEqual(Uint8Array.of(2, 255))
})

const flipAChunk = 'UPDATE checkpoint_blob SET bytes = CAST(zeroblob(7) || substr(bytes, 8) AS BLOB) WHERE chunk = 1'
test.each([
  ['with a missing chunk', 'DELETE FROM checkpoint_blob WHERE chunk = 1'],
  ['with a short chunk', 'UPDATE checkpoint_blob SET bytes = substr(bytes, 1, 9) WHERE chunk = 1'],
  ['with other bytes', flipAChunk],
])('a checkpoint %s is refused by name', (_name, harm) => {
  const { db, runId } = temporaryWorkspace()
  const checkpointId = store(db, runId, { adapter: noise(3 * mebibyte) })
  db.exec(harm)
  expect(() => checkpointPart(db, checkpointId, 'adapter')).toThrow(
    expect.objectContaining({ code: 'run.damaged-checkpoint', where: 'step 1, adapter' }),
  )
})

test('a run whose last checkpoint is damaged names the one that it can go on from, and goes there when it is told to', () => {
  const { db, runId } = temporaryWorkspace()
  for (const step of [1, 2, 3, 4]) addCheckpoint(db, runId, step)
  expect(lastSoundCheckpoint(db, runId)?.step).toBe(4)
  const harm = (step: number) =>
    db.exec(`UPDATE checkpoint_blob SET bytes = x'00' WHERE checkpoint_id =
      (SELECT checkpoint_id FROM checkpoint WHERE step = ${step})`)
  harm(4)
  harm(3)
  const refusal = {
    code: 'run.damaged-checkpoint',
    where: 'step 4, adapter',
    remedy: expect.stringContaining('step 2'),
  }
  expect(() => lastSoundCheckpoint(db, runId)).toThrow(expect.objectContaining(refusal))
  dropLastWeights(db, runId)
  expect(() => lastSoundCheckpoint(db, runId)).toThrow(expect.objectContaining({ where: 'step 3, adapter' }))
  dropLastWeights(db, runId)
  expect(lastSoundCheckpoint(db, runId)?.step).toBe(2)
})

test('rolling back takes later steps away with all they hold, and the steps can be done again', () => {
  const { db, runId } = temporaryWorkspace()
  const commitStep = (step: number): void => {
    const checkpointId = addCheckpoint(db, runId, step)
    storeRollouts(db, [responseTo(1, 16, { runId, checkpointId, step })], step)
    storeMetrics(db, runId, step, { reward: step, klNats: step / 10 })
  }
  for (const step of [1, 2, 3]) commitStep(step)
  rollBack(db, runId, 1)
  expect(listCheckpoints(db, runId).map(({ step }) => step)).toEqual([1])
  expect([responsesOfStep(db, runId, 1).length, responsesOfStep(db, runId, 2).length]).toEqual([1, 0])
  expect(metricSeries(db, runId, 'klNats').map(({ step }) => step)).toEqual([1])
  const left = (table: string): unknown => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()
  expect(['checkpoint_blob', 'token', 'span'].map(left)).toEqual([1, 16, 2].map((n) => ({ n })))
  for (const step of [2, 3]) commitStep(step)
  expect(lastCheckpoint(db, runId)?.step).toBe(3)
})
