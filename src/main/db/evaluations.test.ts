// Evaluations paired by image, and votes counted by checkpoint on whichever side it stood.
import { expect, test } from 'vitest'
import { evaluationRecordSchema } from '../../shared/domain.ts'
import { listEvaluations, nextVotePair, pairedValues, storeEvaluation, storeVote, voteTally } from './evaluations.ts'
import { storeRollouts } from './rollouts.ts'
import { responseTo } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'

test('figures are paired by image, where both have one', () => {
  const { db, runId } = temporaryWorkspace()
  const [before, after] = [addCheckpoint(db, runId, 0), addCheckpoint(db, runId, 8)]
  const evaluate = (checkpointId: typeof before, values: [number, number][]) =>
    storeEvaluation(
      db,
      {
        checkpointId,
        kind: 'chair',
        config: { synonyms: 'coco' },
        summary: { chairI: { value: 0.1, low: 0.05, high: 0.2, n: values.length } },
        values: values.map(([imageId, value]) => ({ name: 'chairI', imageId, value })),
      },
      5,
    )
  const one = evaluate(before, [
    [1, 0.5],
    [2, 0.25],
  ])
  const other = evaluate(after, [
    [2, 0],
    [3, 1],
  ])
  expect(pairedValues(db, one, other, 'chairI')).toEqual([{ imageId: 2, before: 0.25, after: 0 }])
  const [record] = listEvaluations(db, before)
  expect(evaluationRecordSchema.parse(record)).toMatchObject({ evaluationId: one, config: { synonyms: 'coco' } })
})

test('votes: every differing pair once, counted by checkpoint and not by side', () => {
  const { db, runId } = temporaryWorkspace(5)
  const [before, after] = [addCheckpoint(db, runId, 0), addCheckpoint(db, runId, 8)]
  const respond = (imageId: number, checkpointId: typeof before, text: string) =>
    responseTo(imageId, 0, { runId, checkpointId, text })
  const respondAll = (checkpointId: typeof before, texts: readonly string[]): void => {
    storeRollouts(
      db,
      texts.map((text, i) => respond(i + 1, checkpointId, text)),
      1,
    )
  }
  respondAll(before, ['a', 'same', 'c', 'd'])
  respondAll(after, ['A', 'same', 'C', 'D'])

  const asked: number[] = []
  for (let pair = nextVotePair(db, before, after); pair; pair = nextVotePair(db, before, after)) {
    asked.push(pair.imageId)
    // Image 1 shows the later checkpoint left, image 3 right; both times it is preferred. Image 4 is a tie.
    if (pair.imageId === 1) storeVote(db, pair.other, pair.one, 'left', 1)
    if (pair.imageId === 3) storeVote(db, pair.one, pair.other, 'right', 1)
    if (pair.imageId === 4) storeVote(db, pair.one, pair.other, 'tie', 1)
  }
  expect(asked).toEqual([1, 3, 4])
  expect(voteTally(db, before, after)).toEqual({ one: 0, other: 2, ties: 1 })
  expect(voteTally(db, after, before)).toEqual({ one: 2, other: 0, ties: 1 })

  respondAll(after, ['A!', 'same'])
  expect(voteTally(db, before, after)).toEqual({ one: 0, other: 1, ties: 1 })
  expect(nextVotePair(db, before, after)?.imageId).toBe(1)
})

test('a second vote on a pair takes the place of the first', () => {
  const { db, runId } = temporaryWorkspace()
  const [before, after] = [addCheckpoint(db, runId, 0), addCheckpoint(db, runId, 8)]
  const [one, other] = storeRollouts(
    db,
    [
      responseTo(1, 0, { runId, checkpointId: before, text: 'a' }),
      responseTo(1, 0, { runId, checkpointId: after, text: 'b' }),
    ],
    1,
  )
  storeVote(db, one!, other!, 'left', 1)
  storeVote(db, one!, other!, 'tie', 2)
  expect(voteTally(db, before, after)).toEqual({ one: 0, other: 0, ties: 1 })
})
