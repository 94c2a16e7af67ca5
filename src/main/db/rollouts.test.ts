// Responses: stored whole or not at all, read back as they were, found by their words as long as they stand.
import { expect, test } from 'vitest'
import { responseDetailSchema } from '../../shared/domain.ts'
import { responseById, responsesOfStep, responsesToImage, shownResponse, storeRollouts } from './rollouts.ts'
import { responseTo } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

test('a response comes back with its tokens and spans, number for number', () => {
  const { db, runId } = temporaryWorkspace()
  const checkpointId = addCheckpoint(db, runId, 0)
  const stored = responseTo(2, 40, { runId, checkpointId })
  const [rolloutId] = storeRollouts(db, [stored], 123)
  const detail = responseById(db, rolloutId!)
  expect(responseDetailSchema.parse(detail)).toEqual({
    ...stored,
    rolloutId,
    createdAtMs: 123,
    lowestScore: Math.min(...stored.spans.map(({ score }) => score)),
    hallucinatedWords: stored.spans.filter(({ label }) => label === 'hallucinated').length,
  })
  expect(shownResponse(db, checkpointId, 2)).toEqual(detail)
  expect(shownResponse(db, checkpointId, 1)).toBeUndefined()
  for (const { textStart, textEnd } of stored.tokens) expect(stored.text.slice(textStart, textEnd)).toMatch(/^\w+$/)
})

test('a batch is stored whole or not at all', () => {
  const { db, runId } = temporaryWorkspace()
  const batch = [responseTo(1, 8, { runId }), responseTo(2, 8, { runId }), responseTo(999, 8, { runId })]
  expect(() => storeRollouts(db, batch, 1)).toThrow('FOREIGN KEY')
  const [first] = responseTo(1, 8, { runId }).tokens
  const broken = responseTo(3, 0, { runId, tokens: [{ ...first!, logProb: Number.NaN }] })
  expect(() => storeRollouts(db, [responseTo(1, 8, { runId }), broken], 1)).toThrow('NOT NULL')
  expect(db.prepare('SELECT (SELECT count(*) FROM rollout) + (SELECT count(*) FROM token) AS n').get()).toEqual({
    n: 0,
  })
})

test('a checkpoint shows one response an image, the last; samples in training are all kept', () => {
  const { db, runId } = temporaryWorkspace()
  const checkpointId = addCheckpoint(db, runId, 3)
  const place = { runId, checkpointId, step: 3 }
  storeRollouts(db, [responseTo(1, 8, place), responseTo(1, 8, { ...place, purpose: 'training' })], 1)
  storeRollouts(
    db,
    [responseTo(1, 8, { ...place, text: 'a giraffe' }), responseTo(1, 8, { ...place, purpose: 'training' })],
    2,
  )
  expect(shownResponse(db, checkpointId, 1)?.text).toBe('a giraffe')
  expect(responsesToImage(db, 1).map(({ text }) => text)).toEqual(['a giraffe'])
  expect(responsesOfStep(db, runId, 3)).toHaveLength(3)
})
