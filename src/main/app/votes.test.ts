// Blind votes over a real workspace file: sides are drawn and kept, counted by policy, taken back, and tested by hand.
import { expect, test } from 'vitest'
import type { CheckpointId } from '../../shared/domain.ts'
import { type Ballot, ballotViewSchema, votePairSchema } from '../../shared/evaluations.ts'
import { storeRollouts } from '../db/rollouts.ts'
import { writeSetting } from '../db/settings.ts'
import { responseTo } from '../db/testing/responses.ts'
import { addCheckpoint, temporaryWorkspace } from '../db/testing/temporaryWorkspace.ts'
import { isTurned, Votes } from './votes.ts'

const pairs = 12

/** Images 1 to 12 have responses of both, image 13 of the first alone, image 14 of none; those to image 5 are alike. */
function voting() {
  const { db, runId } = temporaryWorkspace(14)
  const say = (checkpointId: CheckpointId, step: number, count: number): void => {
    const said = Array.from({ length: count }, (_, i) => {
      const text = i === 4 ? 'alike' : `step ${step} of image ${i + 1}`
      return { ...responseTo(i + 1, 0, { runId, checkpointId, text }), step, prompt: 'Describe.' }
    })
    storeRollouts(db, said, 1)
  }
  say(addCheckpoint(db, runId, 0), 0, 13)
  say(addCheckpoint(db, runId, 8), 8, 12)
  const at = (step: number) => ({ from: 'run', runId, step, strength: 1 }) as const
  const ballot: Ballot = { one: at(0), other: at(8), prompt: 'Describe.' }
  return { db, ballot, votes: new Votes({ require: () => ({ db, key: 'first' }) as never }) }
}

test('says what there is to vote on and what is missing', () => {
  const { votes, ballot } = voting()
  const view = ballotViewSchema.parse(votes.begin(ballot))
  expect(view).toEqual({
    ...{ prompt: 'Describe.', both: 12, alike: 1, left: 11, one: 0, other: 0, ties: 0, pValue: null },
    missing: { one: { count: 1, first: [14] }, other: { count: 2, first: [13, 14] } },
  })
  expect(() => votes.begin({ ...ballot, other: ballot.one })).toThrow('one policy')
})

test('a person who always prefers the later step is counted for it on whichever side it stood', () => {
  const { db, votes, ballot } = voting()
  writeSetting(db, 'votes.seed', 7)
  const sides: string[] = []
  for (let n = 1; ; n++) {
    const pair = votes.next(ballot)
    if (!pair) break
    votePairSchema.strict().parse(pair)
    // Asked again before a vote, it is the same on the same sides.
    expect(votes.next(ballot)).toEqual(pair)
    const side = pair.left.startsWith('step 8') ? 'left' : 'right'
    sides.push(side)
    expect([pair.left, pair.right].sort()).toEqual([
      `step 0 of image ${pair.imageId}`,
      `step 8 of image ${pair.imageId}`,
    ])
    votes.cast(pair.pairId, n === 3 ? 'tie' : side)
  }
  expect(sides).toHaveLength(pairs - 1)
  expect(new Set(sides).size).toBe(2)
  // 10 of 10 without the tie: 2 / 2^10.
  expect(votes.counts(ballot)).toEqual({ one: 0, other: 10, ties: 1, left: 0, pValue: 2 / 1024 })
  const turned = { ...ballot, one: ballot.other, other: ballot.one }
  expect(votes.counts(turned)).toMatchObject({ one: 10, other: 0 })
})

test('sides follow from the seed', () => {
  const sides = (seed: number) => Array.from({ length: 200 }, (_, i) => isTurned(seed, i, i + 1000))
  expect(sides(7)).toEqual(sides(7))
  expect(sides(8)).not.toEqual(sides(7))
  const left = sides(7).filter((side) => side).length
  expect(left).toBeGreaterThan(75)
  expect(left).toBeLessThan(125)
})

test('the last vote is taken back and its pair comes next', () => {
  const { votes, ballot } = voting()
  const [first, second] = [1, 2].map(() => {
    const pair = votes.next(ballot)!
    votes.cast(pair.pairId, 'left')
    return pair
  })
  votes.next(ballot)
  expect(votes.undo(ballot)).toEqual(second)
  expect(votes.next(ballot)).toEqual(second)
  expect(votes.counts(ballot)).toMatchObject({ left: 10 })
  expect(votes.undo(ballot)).toEqual(first)
  expect(votes.undo(ballot)).toBeNull()
  expect(() => votes.cast(999, 'tie')).toThrow('made anew or removed')
})
