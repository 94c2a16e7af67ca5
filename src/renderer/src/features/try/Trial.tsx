// A question to one or two policies about one image: the form, the answers as they come, and what was asked before.
import type { ReactNode } from 'react'
import { z } from 'zod'
import {
  type Decoding,
  decodingSchema,
  type EncoderChoice,
  greedy,
  type QuestionView,
} from '../../../../shared/describe.ts'
import type { ImageFacts } from '../../../../shared/domain.ts'
import { useKept } from '../../place.ts'
import { useAsk, useDescribes, useResponses } from '../../queries/describe.ts'
import { Answers, type ShownPolicies } from '../inspector/Answers.tsx'
import { askedLast, isSameDecoding, questionOf } from '../inspector/questions.ts'
import { AskedBefore } from './AskedBefore.tsx'
import { type AskedQuestion, askedQuestions } from './askedBefore.ts'
import css from './Trial.module.css'
import { draftedDecoding, emptyTryDraft, type TryDraft, TryForm, tryDraftSchema } from './TryForm.tsx'

interface TrialProps {
  readonly image: ImageFacts
  readonly policies: ShownPolicies
  readonly canCompare: boolean
  /** What is asked when the question is empty. */
  readonly usual: string
  readonly encoder: EncoderChoice
  /** The question whose answers are shown; empty for the usual one. */
  readonly prompt: string
  readonly onPrompt: (prompt: string) => void
  /** Shows the answers to a question that was asked before. */
  readonly onShow: (question: AskedQuestion) => void
}

const labels = { one: 'Ask now', both: 'Ask both' }

export function Trial(props: TrialProps): ReactNode {
  const { image, policies, canCompare, usual, encoder, prompt, onPrompt, onShow } = props
  const [draft, setDraft] = useKept<TryDraft>('try.draft', tryDraftSchema, { ...emptyTryDraft, prompt })
  const [decoding, setDecoding] = useKept<Decoding>('try.decoding', decodingSchema, greedy)
  const [isComparing, setComparing] = useKept('try.comparing', z.boolean(), true)
  const { ask, cancel } = useAsk()
  const describes = useDescribes()
  const questions = askedQuestions(useResponses(image.imageId) ?? [])
  const [first, second] = policies
  const shown: ShownPolicies = isComparing && second ? [first, second] : [first]
  const both = shown.filter((one) => one !== undefined)
  const asked = { prompt: prompt === '' ? null : prompt, decoding, region: null }
  const underWay = both.flatMap(({ policy }) => {
    const view = askedLast(
      describes.filter((one): one is QuestionView => one.about === 'image'),
      questionOf(image.imageId, policy, asked),
    )
    return view && ['waiting', 'opening', 'running'].includes(view.state) ? [view] : []
  })

  const askAll = (): void => {
    const next = draftedDecoding(draft)
    if (next === null) return
    const typed = draft.prompt.trim()
    const wanted = typed === usual ? '' : typed
    setDecoding(next)
    onPrompt(wanted)
    for (const { policy, notAskable } of both) {
      if (notAskable === null) {
        ask(questionOf(image.imageId, policy, { prompt: wanted === '' ? null : wanted, decoding: next, region: null }))
      }
    }
  }
  const showAgain = (question: AskedQuestion): void => {
    const { decoding: next } = question
    setDecoding(next)
    setDraft({
      ...{ ...draft, prompt: question.prompt === usual ? '' : question.prompt, isSampled: next.kind === 'sampled' },
      ...(next.kind === 'sampled' && { temperature: next.temperature, topP: next.topP, seed: next.seed }),
    })
    if (canCompare && question.answers.length > 1) setComparing(true)
    onShow(question)
  }

  return (
    <Answers
      image={image}
      policies={shown}
      asked={asked}
      usual={usual}
      encoder={encoder}
      region={null}
      isCovering={false}
      onRegion={nothing}
      askLabels={labels}
      below={
        <AskedBefore
          questions={questions}
          isShown={(one) => one.prompt === (asked.prompt ?? usual) && isSameDecoding(one.decoding, decoding)}
          onShow={showAgain}
        />
      }
    >
      <TryForm
        draft={draft}
        onDraft={setDraft}
        usual={usual}
        isComparing={canCompare ? isComparing : null}
        onComparing={setComparing}
        notAskable={both.every(({ notAskable }) => notAskable !== null) ? first.notAskable : null}
        underWay={underWay.length}
        onAsk={askAll}
        onCancel={() => {
          for (const { describeId } of underWay) cancel(describeId)
        }}
      />
      {underWay.length > 1 && (
        <p className={css.turns} role="status">
          One model answers at a time: the second begins when the first has ended.
        </p>
      )}
    </Answers>
  )
}

/** Regions are covered in the inspector. */
function nothing(): void {}
