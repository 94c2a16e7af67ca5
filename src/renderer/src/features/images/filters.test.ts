// What a person asks for as a query, and the sentences about it.
import { describe, expect, test } from 'vitest'
import { type AnsweredCheckpoint, type CheckpointId, imageQuerySchema, type RunId } from '../../../../shared/domain.ts'
import { chosenCheckpoint, type Filters, isFiltered, noFilters, queryOf, rangeWords, whyNothing } from './filters.ts'

function answered(checkpointId: number, runId: number, step: number): AnsweredCheckpoint {
  const ids = { checkpointId: checkpointId as CheckpointId, runId: runId as RunId }
  return { ...ids, runName: `Run ${runId}`, step, responses: 10 }
}

/** The newest run first; its steps in no order that counts. */
const checkpoints = [answered(7, 3, 0), answered(9, 3, 24), answered(8, 3, 12), answered(2, 1, 40)]
const all: Filters = {
  ...{ search: ' bench ', sort: 'most-hallucinated', checkpoint: 2, responses: 'with-hallucination' },
  ...{ word: { text: 'bench', label: 'any' }, scoreRange: { low: -1, high: 0.1 }, tag: 'night' },
}

describe('the checkpoint', () => {
  test('is the last one of the newest run unless another one was chosen', () => {
    expect(chosenCheckpoint(noFilters, checkpoints)?.checkpointId).toBe(9)
    expect(chosenCheckpoint({ ...noFilters, checkpoint: 2 }, checkpoints)?.checkpointId).toBe(2)
  })

  test('that is gone makes room for the newest, and null means none', () => {
    expect(chosenCheckpoint({ ...noFilters, checkpoint: 99 }, checkpoints)?.checkpointId).toBe(9)
    expect(chosenCheckpoint({ ...noFilters, checkpoint: null }, checkpoints)).toBeUndefined()
    expect(chosenCheckpoint(noFilters, [])).toBeUndefined()
  })
})

describe('the query', () => {
  test('carries all that was asked, with what was typed as it is meant', () => {
    const query = queryOf(all, checkpoints[3])
    expect(query).toEqual({ ...all, search: 'bench', checkpointId: 2, checkpoint: undefined })
    expect(imageQuerySchema.parse(query)).toMatchObject({ tag: 'night', checkpointId: 2 })
  })

  test('asks nothing of responses without a checkpoint', () => {
    expect(queryOf(all, undefined)).toEqual({
      ...{ search: 'bench', sort: 'newest', checkpointId: null, responses: 'any', word: null, scoreRange: null },
      tag: 'night',
    })
    expect(queryOf({ ...all, sort: 'name' }, undefined).sort).toBe('name')
  })

  test('is filtered by whatever leaves images out', () => {
    expect(isFiltered(queryOf(noFilters, checkpoints[0]))).toBe(false)
    const one: Partial<Filters>[] = [
      ...[{ search: 'a' }, { responses: 'none' as const }, { tag: 'night' }],
      ...[{ word: all.word }, { scoreRange: all.scoreRange }],
    ]
    for (const change of one) expect(isFiltered(queryOf({ ...noFilters, ...change }, checkpoints[0]))).toBe(true)
    expect(isFiltered(queryOf({ ...noFilters, sort: 'lowest-score' }, checkpoints[0]))).toBe(false)
  })
})

test('an open end of a range is not named', () => {
  expect(rangeWords({ low: 0.05, high: 0.12 })).toBe('0.05 to 0.12')
  expect(rangeWords({ low: -1, high: 0.12 })).toBe('up to 0.12')
  expect(rangeWords({ low: 0.05, high: 1 })).toBe('from 0.05')
})

test('why nothing was found names what was asked for, or that it was too much at once', () => {
  const query = queryOf({ ...noFilters, word: { text: 'giraffe', label: 'grounded' } }, checkpoints[0])
  expect(whyNothing(query)).toContain('giraffe')
  expect(whyNothing({ ...query, tag: 'night' })).toContain('at once')
  expect(whyNothing(queryOf({ ...noFilters, responses: 'none' }, checkpoints[0]))).toContain('every image')
})
