// Votes: every differing pair once, counted by policy and not by side; a vote can be taken back.
import { expect, test } from 'vitest'
import type { CheckpointId } from '../../shared/domain.ts'
import { storeRollouts } from './rollouts.ts'
import { responseTo } from './testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from './testing/temporaryWorkspace.ts'
import {
  type Asked,
  castVote,
  countPairs,
  drawPair,
  lastVote,
  missingResponses,
  nextPair,
  pairById,
  shownPair,
  takeVoteBack,
  voteTally,
} from './votes.ts'

/** Two checkpoints of a run, whose responses to images from 1 on have these texts. */
function ballot(before: readonly string[], after: readonly string[]) {
  const { db, runId } = temporaryWorkspace(5)
  const checkpoints = [addCheckpoint(db, runId, 0), addCheckpoint(db, runId, 8)] as const
  const respondAll = (checkpointId: CheckpointId, step: number, texts: readonly string[]): void => {
    const said = texts.map((text, i) => ({ ...responseTo(i + 1, 0, { runId, checkpointId, text }), step }))
    storeRollouts(db, said, 1)
  }
  respondAll(checkpoints[0], 0, before)
  respondAll(checkpoints[1], 8, after)
  const prompt = db.prepare('SELECT prompt FROM rollout LIMIT 1').pluck().get() as string
  const one: Asked = { runId, modelId: null, step: 0, strength: 0.5, prompt }
  const other: Asked = { runId, modelId: null, step: 8, strength: 1, prompt }
  return { db, one, other, respondAll, checkpoints }
}

test('every differing pair once, counted by policy and not by side', () => {
  const { db, one, other } = ballot(['a', 'same', 'c', 'd'], ['A', 'same', 'C', 'D'])
  expect(countPairs(db, one, other)).toEqual({ both: 4, alike: 1 })
  expect(missingResponses(db, other, 10)).toEqual({ count: 1, first: [5] })
  const asked: number[] = []
  for (let pair = nextPair(db, one, other); pair; pair = nextPair(db, one, other)) {
    asked.push(pair.imageId)
    // Image 1 shows the later checkpoint left, image 3 right; both times it is preferred. Image 4 is a tie.
    if (pair.imageId === 1) castVote(db, drawPair(db, pair.other, pair.one), 'left', 1)
    if (pair.imageId === 3) castVote(db, drawPair(db, pair.one, pair.other), 'right', 2)
    if (pair.imageId === 4) castVote(db, drawPair(db, pair.one, pair.other), 'tie', 3)
  }
  expect(asked).toEqual([1, 3, 4])
  expect(voteTally(db, one, other)).toEqual({ one: 0, other: 2, ties: 1 })
  expect(voteTally(db, other, one)).toEqual({ one: 2, other: 0, ties: 1 })
})

test('a pair that was shown keeps its sides until it has a choice, which can be taken back', () => {
  const { db, one, other } = ballot(['a', 'b'], ['A', 'B'])
  const first = nextPair(db, one, other)!
  const pairId = drawPair(db, first.other, first.one)
  expect(shownPair(db, one, other)).toEqual({ pairId, imageId: 1, left: 'A', right: 'a' })
  expect(nextPair(db, one, other)?.imageId).toBe(2)
  castVote(db, pairId, 'right', 4)
  expect(shownPair(db, one, other)).toBeUndefined()
  expect(voteTally(db, one, other)).toEqual({ one: 1, other: 0, ties: 0 })
  castVote(db, pairId, 'tie', 5)
  expect(voteTally(db, one, other)).toEqual({ one: 0, other: 0, ties: 1 })
  expect(lastVote(db, one, other)?.pairId).toBe(pairId)
  takeVoteBack(db, pairId)
  expect(lastVote(db, one, other)).toBeUndefined()
  expect(shownPair(db, one, other)).toEqual(pairById(db, pairId))
  expect(castVote(db, 99, 'left', 1)).toBe(false)
})

test('other strengths and prompts are other ballots; the model as it came is the same at any strength', () => {
  const { db, one, other } = ballot(['a'], ['A'])
  expect(countPairs(db, { ...one, strength: 0.2 }, other).both).toBe(1)
  expect(countPairs(db, one, { ...other, strength: 0.5 }).both).toBe(0)
  expect(countPairs(db, { ...one, prompt: 'What?' }, { ...other, prompt: 'What?' }).both).toBe(0)
})
