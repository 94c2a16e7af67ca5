// Responses: stored whole or not at all, read back as they were, found by their words as long as they stand.
import { expect, test } from 'vitest'
import { allImages, type ModelId, responseDetailSchema, type SpanRecord } from '../../shared/domain.ts'
import { countImages, imageWindow } from './images.ts'
import {
  countDescribed,
  imagesToDescribe,
  responseById,
  responsesOfStep,
  responsesToImage,
  samplesOfStep,
  shownResponse,
  storeRollouts,
  trialOf,
} from './rollouts.ts'
import { deleteRun } from './runs.ts'
import { tagImages } from './tags.ts'
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
    ...{ modelId: null, strength: 1, decoding: null, region: null, isJudged: true },
    rolloutId,
    createdAtMs: 123,
    lowestScore: Math.min(...stored.spans.map(({ score }) => score)),
    hallucinatedWords: stored.spans.filter(({ label }) => label === 'hallucinated').length,
  })
  expect(shownResponse(db, checkpointId, 2)).toEqual(detail)
  expect(shownResponse(db, checkpointId, 1)).toBeUndefined()
  for (const { textStart, textEnd } of stored.tokens) expect(stored.text.slice(textStart, textEnd)).toMatch(/^\w+$/)
})

test.each([Number.MIN_VALUE, -0, 1e300, 0.1 + 0.2])('the number %d in a response is no damage', (value) => {
  const { db, runId } = temporaryWorkspace()
  const tokens = responseTo(2, 2, { runId }).tokens.map((token) => ({ ...token, logProb: value, reward: value }))
  const text = 'half a pair \ud83d, a pair \u{1f600}, nothing \0 and é'
  const [rolloutId] = storeRollouts(db, [responseTo(2, 2, { runId, tokens, text })], 1)
  expect(responseById(db, rolloutId!)?.tokens[1]?.logProb).toBe(value + 0)
})

test.each([
  'UPDATE token SET log_prob = log_prob - 1e-12 WHERE position = 3',
  'UPDATE token SET reward = NULL WHERE position = 7',
  'DELETE FROM token WHERE position = 39',
  "UPDATE span SET label = 'grounded' WHERE start_position = 7",
  'DELETE FROM span WHERE start_position = 15',
  "UPDATE rollout SET text = replace(text, 'with', 'wit(')",
])('a response is refused by name after "%s"', (harm) => {
  const { db, runId } = temporaryWorkspace()
  const checkpointId = addCheckpoint(db, runId, 0)
  const [rolloutId] = storeRollouts(db, [responseTo(2, 40, { runId, checkpointId })], 1)
  db.exec(harm)
  const refusal = expect.objectContaining({ code: 'run.damaged-response', where: `response ${rolloutId}` })
  expect(() => responseById(db, rolloutId!)).toThrow(refusal)
  expect(() => shownResponse(db, checkpointId, 2)).toThrow(refusal)
})

test('what a person asked for keeps how it was asked, belongs to a model or a run, and is found by it', () => {
  const { db, runId, modelId } = temporaryWorkspace()
  const checkpointId = addCheckpoint(db, runId, 8)
  const decoding = { kind: 'sampled', temperature: 0.7, topP: 0.9, seed: 5 }
  const region = { x: 0.25, y: 0, width: 0.5, height: 1 }
  const trial = { purpose: 'trial' as const, prompt: 'What is missing?' }
  const [alone, asked] = storeRollouts(
    db,
    [
      { ...responseTo(2, 8, { runId, ...trial }), runId: null, modelId, isJudged: false },
      responseTo(2, 8, { runId, checkpointId, step: 8, strength: 0.5, decoding, region, ...trial }),
    ],
    1,
  )
  expect(responseById(db, alone!)).toMatchObject({ runId: null, modelId, strength: 1, decoding: null, isJudged: false })
  expect(responseById(db, asked!)).toMatchObject({ runId, modelId: null, strength: 0.5, decoding, region })
  expect(responsesToImage(db, 2).map(({ rolloutId }) => rolloutId)).toEqual([asked, alone])
  const key = { imageId: 2, runId, modelId: null, step: 8, prompt: trial.prompt, strength: 0.5, decoding, region }
  expect(trialOf(db, key)).toBe(asked)
  expect(trialOf(db, { ...key, region: null })).toBeUndefined()
  expect(trialOf(db, { ...key, modelId: 99 as ModelId })).toBeUndefined()
  expect(trialOf(db, { ...key, runId: null, modelId, step: 0, strength: 1, decoding: null, region: null })).toBe(alone)
  // Somebody's: never nobody's, and never of two.
  const homeless = { ...responseTo(2, 8, { runId }), runId: null }
  expect(() => storeRollouts(db, [homeless], 1)).toThrow('CHECK')
  expect(() => storeRollouts(db, [responseTo(2, 8, { runId, modelId })], 1)).toThrow('CHECK')
  deleteRun(db, runId)
  expect(responsesToImage(db, 2).map(({ rolloutId }) => rolloutId)).toEqual([alone])
})

test('samples of a step come in pages, and what a checkpoint has not described yet in the order of images', () => {
  const { db, runId } = temporaryWorkspace(6)
  const checkpointId = addCheckpoint(db, runId, 3)
  const shown = [2, 5].map((imageId) => responseTo(imageId, 8, { runId, checkpointId, step: 3 }))
  const training = [1, 2, 3].map((imageId) => responseTo(imageId, 8, { runId, step: 3, purpose: 'training' }))
  const trial = responseTo(1, 8, { runId, checkpointId, step: 3, purpose: 'trial' })
  storeRollouts(db, [...shown, ...training, trial], 1)
  const page = samplesOfStep(db, { runId, step: 3, purpose: 'training' }, { offset: 1, limit: 1 })
  expect([page.total, page.responses.map(({ imageId }) => imageId)]).toEqual([3, [2]])
  expect(countDescribed(db, checkpointId)).toBe(2)
  expect(imagesToDescribe(db, checkpointId, 0, 2).map(({ imageId }) => imageId)).toEqual([1, 3])
  expect(imagesToDescribe(db, checkpointId, 3, 9).map(({ imageId }) => imageId)).toEqual([4, 6])
  // Of what the grid shows: those with a tag, and those that this checkpoint has not described.
  tagImages(db, 'night', { imageIds: [2, 3, 4] })
  const tagged = { ...allImages, tag: 'night' }
  const left = { ...allImages, checkpointId, responses: 'none' as const }
  expect([tagged, left].map((query) => countDescribed(db, checkpointId, query))).toEqual([1, 0])
  expect(imagesToDescribe(db, checkpointId, 0, 9, tagged).map(({ imageId }) => imageId)).toEqual([3, 4])
  expect(imagesToDescribe(db, checkpointId, 1, 9, left).map(({ imageId }) => imageId)).toEqual([3, 4, 6])
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

test('words are found in the response that is shown, and in no other', () => {
  const { db, runId } = temporaryWorkspace()
  const checkpointId = addCheckpoint(db, runId, 0)
  const place = { runId, checkpointId }
  storeRollouts(
    db,
    [
      responseTo(1, 0, { ...place, text: 'Two brown horses beside a barn.' }),
      responseTo(2, 0, { ...place, text: 'A teddy bear on a couch.' }),
      responseTo(3, 0, { ...place, purpose: 'training', text: 'A horse that only training saw.' }),
    ],
    1,
  )
  const found = (search: string): number[] =>
    imageWindow(db, { ...allImages, search, checkpointId }, 0, 10).map(({ imageId }) => imageId)
  expect(found('horse')).toEqual([1])
  expect(found('bear couch')).toEqual([2])
  expect(found('couch tedd')).toEqual([2])
  expect(found('bear barn')).toEqual([])
  expect(found('"OR NOT (')).toEqual([])
  storeRollouts(db, [responseTo(1, 0, { ...place, text: 'An elephant.' })], 2)
  expect([found('horse'), found('elephants')]).toEqual([[], [1]])
  deleteRun(db, runId)
  expect(found('elephants')).toEqual([])
  expect(db.prepare("INSERT INTO response_search (response_search) VALUES ('integrity-check')").run()).toBeDefined()
})

test('the grid sorts and filters by the score of the checkpoint that is asked for', () => {
  const { db, runId } = temporaryWorkspace(5)
  const [before, after] = [addCheckpoint(db, runId, 0), addCheckpoint(db, runId, 8)]
  const span = (score: number): SpanRecord[] => [
    { startPosition: 0, endPosition: 1, word: 'cat', score, reward: 0, label: score < 0 ? 'hallucinated' : 'grounded' },
  ]
  const response = (imageId: number, checkpointId: typeof before, spans: SpanRecord[]) =>
    responseTo(imageId, 1, { runId, checkpointId, spans })
  storeRollouts(
    db,
    [
      response(1, before, span(0.3)),
      response(2, before, []),
      response(3, before, span(-0.2)),
      response(4, before, span(0.1)),
      response(3, after, span(0.4)),
    ],
    1,
  )
  const base = { ...allImages, checkpointId: before, sort: 'lowest-score' as const }
  const ids = (change: object): number[] => imageWindow(db, { ...base, ...change }, 0, 9).map(({ imageId }) => imageId)
  // Image 2 names no object: it has a response but no score, and stands last.
  expect(ids({})).toEqual([3, 4, 1, 2])
  expect(ids({ scoreRange: { low: 0.1, high: 0.3 } })).toEqual([4, 1])
  expect(ids({ scoreRange: { low: 0, high: 1 }, sort: 'name' })).toHaveLength(2)
  expect(ids({ responses: 'with-hallucination', sort: 'newest' })).toEqual([3])
  expect(ids({ responses: 'none', sort: 'newest' })).toEqual([5])
  expect(ids({ checkpointId: after })).toEqual([3])
  expect(countImages(db, { ...base, scoreRange: { low: -1, high: 0.2 } })).toBe(2)
})
