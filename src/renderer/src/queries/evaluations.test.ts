// Events of evaluations against a real store of answers.
import { expect, test } from 'vitest'
import type { EvaluationId } from '../../../shared/domain.ts'
import type { EvaluationView } from '../../../shared/evaluations.ts'
import { makeQueryClient } from './client.ts'
import { followDeletedEvaluation, followEvaluation } from './evaluations.ts'
import { keys } from './keys.ts'

const w = 'opening'
const evaluationId = 4 as EvaluationId
const view = { evaluationId, state: 'answering', done: 3, total: 24 } as EvaluationView

function answered() {
  const client = makeQueryClient()
  client.setQueryData(keys.evaluationList(w), { evaluations: [view] })
  client.setQueryData(keys.evaluationDetail(w, evaluationId), { ...view, figures: [] })
  const isStale = (key: readonly unknown[]) => client.getQueryState(key)?.isInvalidated
  return { client, isStale }
}

test('progress is written down and asks for nothing', () => {
  const { client, isStale } = answered()
  followEvaluation(client, w, { ...view, done: 5 })
  expect(client.getQueryData(keys.evaluationList(w))).toEqual({ evaluations: [{ ...view, done: 5 }] })
  expect(client.getQueryData(keys.evaluationDetail(w, evaluationId))).toMatchObject({ done: 5, figures: [] })
  expect(isStale(keys.evaluationList(w))).toBe(false)
  expect(isStale(keys.evaluationDetail(w, evaluationId))).toBe(false)
  client.clear()
})

test('its end asks for its figures, and one that is new for the list', () => {
  const { client, isStale } = answered()
  followEvaluation(client, w, { ...view, state: 'done' })
  expect(isStale(keys.evaluationDetail(w, evaluationId))).toBe(true)
  expect(isStale(keys.evaluationList(w))).toBe(false)
  followEvaluation(client, w, { ...view, evaluationId: 5 as EvaluationId })
  expect(isStale(keys.evaluationList(w))).toBe(true)
  client.clear()
})

test('one that is deleted leaves the list', () => {
  const { client } = answered()
  followDeletedEvaluation(client, w, evaluationId)
  expect(client.getQueryData(keys.evaluationList(w))).toEqual({ evaluations: [] })
  expect(client.getQueryData(keys.evaluationDetail(w, evaluationId))).toBeUndefined()
  client.clear()
})
