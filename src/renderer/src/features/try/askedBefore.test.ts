// Answers gathered by question.
import { expect, test } from 'vitest'
import { type Decoding, greedy, type PolicyChoice, type ResponseView } from '../../../../shared/describe.ts'
import type { ModelId, RolloutId, RunId } from '../../../../shared/domain.ts'
import { askedQuestions, decodingWords, policyWords } from './askedBefore.ts'

const came: PolicyChoice = { from: 'run', runId: 3 as RunId, step: 0, strength: 1 }
const aligned: PolicyChoice = { ...came, step: 20 }
const drawn: Decoding = { kind: 'sampled', temperature: 0.8, topP: 0.95, seed: 3 }

function answer(id: number, policy: PolicyChoice, changes: Partial<ResponseView> = {}): ResponseView {
  return {
    ...{ rolloutId: id as RolloutId, imageId: 7, policy, checkpointId: null, name: 'Zoo', purpose: 'trial' },
    ...{ prompt: 'What is this?', decoding: greedy, region: null, text: 'A cup.', lowestScore: null },
    ...{ hallucinatedWords: null, createdAtMs: id * 10, ...changes },
  }
}

test('answers of several policies to one question stand together, the newest question first', () => {
  const responses = [
    answer(1, came),
    answer(2, aligned),
    answer(3, aligned, { prompt: 'Where is it?' }),
    answer(4, came, { decoding: drawn }),
    answer(5, came),
  ]
  const found = askedQuestions(responses).map(({ prompt, decoding, answers, askedAtMs }) => [
    ...[prompt, decoding.kind, askedAtMs],
    ...answers.map(({ rolloutId }) => rolloutId),
  ])
  // Answer 1 is an older one of the policy that gave answer 5.
  expect(found).toEqual([
    ['What is this?', 'greedy', 50, 5, 2],
    ['What is this?', 'sampled', 40, 4],
    ['Where is it?', 'greedy', 30, 3],
  ])
})

test('what a run said by itself, about a part of the picture or in a way that is not known was not asked here', () => {
  const region = { x: 0, y: 0, width: 0.5, height: 0.5 }
  expect(
    askedQuestions([
      answer(1, came, { purpose: 'evaluation' }),
      answer(2, came, { region }),
      answer(3, came, { decoding: null }),
    ]),
  ).toEqual([])
})

test('decodings and policies in words', () => {
  expect(decodingWords(greedy)).toBe('greedy')
  expect(decodingWords(drawn)).toBe('temperature 0.8, top-p 0.95, seed 3')
  expect(policyWords(answer(1, came))).toBe('Zoo, as it came')
  expect(policyWords(answer(1, aligned))).toBe('Zoo, step 20')
  expect(policyWords(answer(1, { ...aligned, strength: 0.95 }))).toBe('Zoo, step 20 at 95%')
  expect(policyWords(answer(1, { from: 'model', modelId: 2 as ModelId }, { name: 'llava-tiny' }))).toBe('llava-tiny')
})
