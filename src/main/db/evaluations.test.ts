// Evaluations answer by answer: what is missing is found again, figures are read in order, and the images behind a number
// are as many as the number says.
import { expect, test } from 'vitest'
import {
  answersOf,
  answersTo,
  clearUnreadable,
  conceptCounts,
  countAnswers,
  countEvaluated,
  countItems,
  deleteEvaluation,
  evaluatedItems,
  evaluatedPath,
  evaluationById,
  finishEvaluation,
  firstWaiting,
  itemsWithout,
  judgeAnswers,
  listEvaluations,
  type NewAnswer,
  newEvaluation,
  type Selection,
  setEvaluationState,
  storeAnswers,
  storeItems,
} from './evaluations.ts'
import { brokenSeals } from './seals.ts'
import { temporaryWorkspace } from './testing/temporaryWorkspace.ts'

const request = { name: 'Street', kind: 'chair', request: { policies: 2 }, names: ['before', 'after'] } as const

/** Three images: 0 has a bench, 1 has none, 2 cannot be read. */
function evaluated() {
  const { db } = temporaryWorkspace(3)
  const evaluationId = newEvaluation(db, request, 5)
  const item = (n: number, truth: string[]) => ({
    ...{ item: n, imageId: null, path: `/coco/${n}.jpg`, name: `${n}.jpg`, question: null, truth },
  })
  storeItems(db, evaluationId, [item(0, ['bench']), item(1, []), item(2, ['dog'])], { prompt: 'Describe.' })
  return { db, evaluationId }
}

function answer(item: number, mentions: number, isAnnotated: boolean): NewAnswer {
  const hallucinated = isAnnotated ? 0 : mentions
  const missed = isAnnotated && mentions === 0 ? 1 : 0
  const verdict = { answer: null, isRight: null, named: mentions > 0 ? 1 : 0, hallucinated, missed }
  const concepts = [{ name: 'bench', mentions, hallucinated, isAnnotated }]
  return { item, text: `answer ${item}`, words: [], ...verdict, counts: [mentions, hallucinated], concepts }
}

test('answers so far are not asked for again, and images that could not be read are tried when it goes on', () => {
  const { db, evaluationId } = evaluated()
  const unreadable = [{ item: 2, code: 'image.missing' }]
  storeAnswers(db, evaluationId, 0, { answers: [answer(0, 1, true)], unreadable })
  const missing = (policy: number) => itemsWithout(db, evaluationId, policy, -1, 10).map(({ item }) => item)
  expect([missing(0), missing(1)]).toEqual([[1], [0, 1]])
  expect([countAnswers(db, evaluationId), countItems(db, evaluationId)]).toEqual([
    1,
    { items: 3, images: 3, unreadable: 1 },
  ])
  clearUnreadable(db, evaluationId)
  expect([missing(0), missing(1)]).toEqual([
    [1, 2],
    [0, 1, 2],
  ])
})

test('an answer whose image another policy could not read takes no part in figures', () => {
  const { db, evaluationId } = evaluated()
  storeAnswers(db, evaluationId, 0, { answers: [answer(0, 1, true), answer(1, 2, false)], unreadable: [] })
  storeAnswers(db, evaluationId, 1, { answers: [answer(0, 0, true)], unreadable: [{ item: 1, code: 'image.changed' }] })
  expect(answersOf(db, evaluationId, 0, -1, 10)).toMatchObject([{ item: 0, counts: [1, 0], truth: ['bench'] }])
})

test('as many images stand behind a number as it says', () => {
  const { db, evaluationId } = evaluated()
  storeAnswers(db, evaluationId, 0, { answers: [answer(0, 1, true), answer(1, 2, false)], unreadable: [] })
  storeAnswers(db, evaluationId, 1, { answers: [answer(0, 0, true), answer(1, 0, false)], unreadable: [] })
  expect([0, 1].map((policy) => conceptCounts(db, evaluationId, policy))).toEqual([
    [{ name: 'bench', annotated: 1, mentions: 3, hallucinated: 2, hallucinatedImages: 1, recalled: 1 }],
    [{ name: 'bench', annotated: 1, mentions: 0, hallucinated: 0, hallucinatedImages: 0, recalled: 0 }],
  ])
  const items = (selection: Selection) => {
    const found = evaluatedItems(db, evaluationId, selection, 0, 10).map(({ item }) => item)
    expect(countEvaluated(db, evaluationId, selection)).toBe(found.length)
    return found
  }
  for (const concept of ['bench', null]) {
    expect(items({ select: 'hallucinated', concept, policy: 0 })).toEqual([1])
    expect(items({ select: 'hallucinated', concept, policy: 1 })).toEqual([])
    expect(items({ select: 'named', concept, policy: 0 })).toEqual([0, 1])
    expect(items({ select: 'missed', concept, policy: 1 })).toEqual([0])
  }
  expect(items({ select: 'all', concept: 'cat', policy: 0 })).toEqual([])
  expect(evaluatedItems(db, evaluationId, { select: 'all', concept: null, policy: 0 }, 1, 1)).toMatchObject([
    { item: 1, path: '/coco/1.jpg' },
  ])
  expect(answersTo(db, evaluationId, 1).map(({ policy, text }) => `${policy} ${text}`)).toEqual([
    '0 answer 1',
    '1 answer 1',
  ])
  expect(evaluatedPath(db, evaluationId, 1)).toBe('/coco/1.jpg')
})

test('a verdict that is known later takes the place of the one before', () => {
  const { db, evaluationId } = evaluated()
  storeAnswers(db, evaluationId, 0, { answers: [answer(1, 2, false)], unreadable: [] })
  judgeAnswers(db, evaluationId, 0, [answer(1, 2, true)])
  expect(conceptCounts(db, evaluationId, 0)).toMatchObject([{ mentions: 2, hallucinated: 0, annotated: 1 }])
  expect(countEvaluated(db, evaluationId, { select: 'hallucinated', concept: null, policy: 0 })).toBe(0)
})

test('they wait in the order in which they were asked for, end with figures or an error, and go as a whole', () => {
  const { db, evaluationId } = evaluated()
  const second = newEvaluation(db, request, 6)
  expect(firstWaiting(db)).toBe(evaluationId)
  storeAnswers(db, evaluationId, 0, { answers: [answer(0, 1, true)], unreadable: [] })
  finishEvaluation(db, evaluationId, { figures: { chairI: 0.5 }, concepts: [] }, 9)
  expect(firstWaiting(db)).toBe(second)
  const error = { code: 'run.annotations', message: 'No.', remedy: 'Choose another file.' } as const
  setEvaluationState(db, second, 'failed', error, 10)
  expect(listEvaluations(db).map(({ state, error }) => [state, error?.code])).toEqual([
    ['failed', 'run.annotations'],
    ['done', undefined],
  ])
  expect(evaluationById(db, evaluationId)).toMatchObject({
    figures: { chairI: 0.5 },
    endedAtMs: 9,
    names: request.names,
  })
  deleteEvaluation(db, evaluationId)
  expect(evaluationById(db, evaluationId)).toBeUndefined()
  const rows = ['evaluation_item', 'evaluation_answer', 'evaluation_concept'].map((table) =>
    db.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
  )
  expect(rows).toEqual([0, 0, 0])
  expect(brokenSeals(db)).toEqual([])
})
