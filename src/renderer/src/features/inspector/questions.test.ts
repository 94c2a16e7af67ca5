// Answers that belong to a question and those that do not.
import { expect, test } from 'vitest'
import {
  type CheckpointView,
  greedy,
  type Question,
  type QuestionView,
  type ResponseView,
} from '../../../../shared/describe.ts'
import type { CheckpointId, ModelId, RolloutId, RunId } from '../../../../shared/domain.ts'
import type { RunView } from '../../../../shared/runView.ts'
import { alignedCheckpoint, answers, answerTo, askedLast, asUsual, questionOf, usualRun } from './questions.ts'

const runId = 3 as RunId
const usual = 'Describe this image.'
const aligned = { from: 'run', runId, step: 20, strength: 1 } as const
const question: Question = questionOf(7, aligned, asUsual)

const response: ResponseView = {
  ...{ rolloutId: 1 as RolloutId, imageId: 7, policy: aligned, checkpointId: 21 as CheckpointId, name: 'Quick look' },
  ...{ purpose: 'evaluation', prompt: usual, decoding: greedy, region: null, text: 'A cup.' },
  ...{ lowestScore: 0.2, hallucinatedWords: 0, createdAtMs: 1 },
}

test('a response answers the question of its image, policy, prompt and region', () => {
  expect(answers(response, question, usual)).toBe(true)
  expect(answers({ ...response, imageId: 8 }, question, usual)).toBe(false)
  expect(answers({ ...response, policy: { ...aligned, step: 16 } }, question, usual)).toBe(false)
  expect(answers({ ...response, policy: { ...aligned, strength: 0.5 } }, question, usual)).toBe(false)
  expect(answers({ ...response, policy: { from: 'model', modelId: 3 as ModelId } }, question, usual)).toBe(false)
  expect(answers(response, { ...question, prompt: 'What is this?' }, usual)).toBe(false)
  expect(answers(response, { ...question, prompt: usual }, usual)).toBe(true)
  const region = { x: 0, y: 0, width: 0.5, height: 0.5 }
  expect(answers(response, { ...question, region }, usual)).toBe(false)
  expect(answers({ ...response, region }, { ...question, region }, usual)).toBe(true)
})

test('what was drawn at random is no answer, what a run stored without its decoding is', () => {
  const sampled = { kind: 'sampled', temperature: 1, topP: 1, seed: 1 } as const
  expect(answers({ ...response, purpose: 'trial', decoding: sampled }, question, usual)).toBe(false)
  expect(answers({ ...response, decoding: null }, question, usual)).toBe(true)
})

test('the model as it came has no strength', () => {
  const policy = { from: 'run', runId, step: 0, strength: 0 } as const
  expect(answers({ ...response, policy: { ...policy, strength: 1 } }, { ...question, policy }, usual)).toBe(true)
})

test('of several answers and askings the newest counts', () => {
  const later = { ...response, rolloutId: 2 as RolloutId, createdAtMs: 5 }
  expect(answerTo([later, response], question, usual)?.rolloutId).toBe(2)
  expect(answerTo([], question, usual)).toBeUndefined()
  const asked = (describeId: number): QuestionView => ({
    ...{ about: 'image', describeId, state: 'running', waitsFor: null, readied: null, error: null },
    ...{ question, text: '', tokens: 0, rolloutId: null },
  })
  expect(askedLast([asked(1), asked(2)], question)?.describeId).toBe(2)
  expect(askedLast([asked(1)], { ...question, prompt: 'Else?' })).toBeUndefined()
})

test('the run and the checkpoint that are shown by themselves', () => {
  const run = (id: number, state: RunView['state'], checkpointStep: number | null, isPlacebo = false): RunView =>
    ({ runId: id, state, checkpointStep, isPlacebo }) as RunView
  expect(usualRun([run(4, 'queued', null), run(3, 'complete', 24, true), run(2, 'complete', 24)])?.runId).toBe(2)
  expect(usualRun([run(4, 'queued', null), run(3, 'paused', 8)])?.runId).toBe(3)
  expect(usualRun([run(4, 'queued', null)])).toBeUndefined()
  const point = (step: number, isBest: boolean, hasWeights: boolean): CheckpointView =>
    ({ step, isBest, hasWeights }) as CheckpointView
  expect(alignedCheckpoint([point(0, true, true), point(4, true, true), point(8, false, true)])?.step).toBe(4)
  expect(alignedCheckpoint([point(0, true, true), point(4, false, true), point(8, false, false)])?.step).toBe(4)
  expect(alignedCheckpoint([point(0, true, true)])).toBeUndefined()
})
