// The answer of one policy to one question, wherever it is: stored, on its way, or not asked for yet.
import { useMemo } from 'react'
import type { Question, QuestionView, ResponseViewDetail } from '../../../../shared/describe.ts'
import { type ResponseWord, wordsOf } from '../../../../shared/responseWords.ts'
import { verdictBounds } from '../../../../shared/verdict.ts'
import { useDescribes, useResponse, useResponses } from '../../queries/describe.ts'
import type { ScoreScale } from '../tokens/scoreAxis.ts'
import { answerTo, askedLast } from './questions.ts'

export interface Answer {
  /** Before the first answer of main nothing can be said, not even that there is none. */
  readonly isLoading: boolean
  /** Null while there is none. */
  readonly response: ResponseViewDetail | null
  readonly words: readonly ResponseWord[]
  /** The last asking, when nothing is stored yet. */
  readonly asked: QuestionView | null
  /** What the words were judged by; null when they were not. */
  readonly scale: ScoreScale | null
}

const noWords: readonly ResponseWord[] = []

/** @param usual the prompt that a null prompt stands for */
export function useAnswer(question: Question | null, imageId: number, usual: string): Answer {
  const responses = useResponses(imageId)
  const describes = useDescribes()
  const asked = useMemo(() => {
    const views = describes.filter((view): view is QuestionView => view.about === 'image')
    return (question && askedLast(views, question)) ?? null
  }, [describes, question])
  const stored = useMemo(
    () => (question && responses && answerTo(responses, question, usual)) ?? null,
    [responses, question, usual],
  )
  const response = useResponse(stored?.rolloutId ?? asked?.rolloutId ?? null)
  const words = useMemo(
    () => (response ? wordsOf({ text: response.text, tokens: response.tokens, spans: response.words }) : noWords),
    [response],
  )
  const judging = response?.judging ?? null
  const scale = useMemo(
    () =>
      judging?.judged
        ? { muGt: judging.muGt, muHal: judging.muHal, margin: judging.margin, bounds: verdictBounds(judging, judging) }
        : null,
    [judging],
  )
  const isLoading = responses === null
  const waiting = response ? null : asked
  // The same object as long as nothing of it changed: what shows it is not drawn again then.
  return useMemo(
    () => ({ isLoading, response, words, asked: waiting, scale }),
    [isLoading, response, words, waiting, scale],
  )
}
