// What lands on the clipboard, as it stands there.
import { expect, test } from 'vitest'
import type { ResponseWord } from '../../../../shared/responseWords.ts'
import { copiedText } from './responseText.ts'

const word: ResponseWord = {
  ...{ index: 0, name: 'bench', start: 2, end: 7, verdict: 'hallucinated', score: 0.0604, reward: -1 },
  ...{ logProb: -1, referenceLogProb: -1, klNats: 0, tokenCount: 1, isRepeated: false },
}

test('names image, question, responses and their words', () => {
  const before = { title: 'Quick look, model as it came', text: 'A bench.', words: [word], changes: ['gone'] as const }
  const alone = {
    title: 'llava',
    text: 'A cup.',
    words: [{ ...word, name: 'cup', verdict: null, score: null }],
    changes: undefined,
  }
  expect(copiedText('one.jpg', 'Describe.', [before, alone])).toBe(
    [
      'one.jpg\nQuestion: Describe.',
      'Quick look, model as it came\nA bench.\n- bench: hallucinated, score 0.060, gone',
      'llava\nA cup.\n- cup: not judged',
    ].join('\n\n'),
  )
})
