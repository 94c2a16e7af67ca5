// Questions on their way, in a real store of answers.
import { afterEach, expect, test } from 'vitest'
import { greedy, type LibraryView, type QuestionView } from '../../../shared/describe.ts'
import type { ModelId, RolloutId, RunId } from '../../../shared/domain.ts'
import { makeQueryClient } from './client.ts'
import { followDescribe } from './describe.ts'
import { keys } from './keys.ts'

const w = 'opening'
const client = makeQueryClient((thrown) => {
  throw thrown
})
afterEach(() => client.clear())

function view(describeId: number, text: string, rolloutId: number | null = null): QuestionView {
  return {
    ...{ about: 'image', describeId, state: rolloutId === null ? 'running' : 'done', waitsFor: null },
    ...{ readied: null, error: null },
    question: {
      ...{ imageId: 7, policy: { from: 'model', modelId: 1 as ModelId }, prompt: null, decoding: greedy, region: null },
    },
    ...{ text, tokens: text.length, rolloutId: rolloutId as RolloutId | null },
  }
}

const isStale = (queryKey: readonly unknown[]): boolean => client.getQueryState(queryKey)?.isInvalidated ?? false

test('progress is written where the question stands, and asks for nothing', () => {
  client.setQueryData(keys.describes(w), { describes: [view(1, 'A'), view(2, '')] })
  client.setQueryData(keys.responsesToImage(w, 7), { responses: [] })
  followDescribe(client, w, view(1, 'A cup'))
  followDescribe(client, w, view(3, ''))
  expect(client.getQueryData(keys.describes(w))).toEqual({ describes: [view(1, 'A cup'), view(2, ''), view(3, '')] })
  expect(isStale(keys.responsesToImage(w, 7))).toBe(false)
})

test('an answer makes the responses to its image, and to no other, be asked for', () => {
  client.setQueryData(keys.describes(w), { describes: [] })
  for (const imageId of [7, 8]) client.setQueryData(keys.responsesToImage(w, imageId), { responses: [] })
  followDescribe(client, w, view(1, 'A cup.', 31))
  expect(isStale(keys.responsesToImage(w, 7))).toBe(true)
  expect(isStale(keys.responsesToImage(w, 8))).toBe(false)
})

test('one question does not stand for a list that was never asked for', () => {
  followDescribe(client, w, view(2, 'A'))
  expect(client.getQueryData(keys.describes(w))).toBeUndefined()
})

test('a library that a checkpoint has described, or a part of it, makes its responses and checkpoints be asked for', () => {
  const runId = 3 as RunId
  const library = (state: LibraryView['state']): LibraryView => ({
    ...{
      about: 'library',
      describeId: 5,
      state,
      waitsFor: null,
      readied: null,
      error: null,
      runId,
      step: 4,
      query: null,
    },
    ...{ done: 2, total: 9, skipped: 0, remainingMs: null },
  })
  for (const state of ['cancelled', 'done', 'failed'] as const) {
    client.setQueryData(keys.runCheckpoints(w, runId), { checkpoints: [] })
    client.setQueryData(keys.coverage(w, { runId, step: 4 }), { described: 0, images: 9 })
    followDescribe(client, w, library('running'))
    expect(isStale(keys.runCheckpoints(w, runId))).toBe(false)
    followDescribe(client, w, library(state))
    expect(isStale(keys.runCheckpoints(w, runId))).toBe(true)
    expect(isStale(keys.coverage(w, { runId, step: 4 }))).toBe(true)
  }
})
