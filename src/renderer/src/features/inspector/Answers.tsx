// The image beside what one or two policies say of it: words that are gone and new, the chosen word with its figures, and
// on the image where the encoder finds it.
import { Button } from '@mantine/core'
import { IconMessage } from '@tabler/icons-react'
import { type ReactNode, useCallback, useMemo, useRef, useState } from 'react'
import type { EncoderChoice, PolicyChoice, Region } from '../../../../shared/describe.ts'
import type { ImageFacts as Facts } from '../../../../shared/domain.ts'
import { type WordChange, wordChanges } from '../../../../shared/wordChanges.ts'
import { useAsk } from '../../queries/describe.ts'
import { WordLegend } from '../tokens/TokenText.tsx'
import { WordPanel } from '../tokens/WordPanel.tsx'
import css from './Answers.module.css'
import { LookedImage } from './LookedImage.tsx'
import { type CheckpointChoice, PolicyColumn, type WordChoice } from './PolicyColumn.tsx'
import { questionOf, type WhatIf } from './questions.ts'
import { copiedText } from './responseText.ts'
import { TakeAlong } from './TakeAlong.tsx'
import { type Answer, useAnswer } from './useAnswer.ts'

/** One of the policies that are shown, and how another one is chosen in its place. */
export interface ShownPolicy {
  readonly policy: PolicyChoice
  /** Its whole name: `Quick look, step 20, best`. */
  readonly name: string
  readonly choices: readonly CheckpointChoice[]
  readonly chosen: string
  readonly onChoose: (value: string) => void
  /** Null where there is no adapter to weaken. */
  readonly strength: number | null
  readonly onStrength: (strength: number) => void
  /** Why it cannot be asked, as a sentence; null when it can. */
  readonly notAskable: string | null
}
export type ShownPolicies = readonly [ShownPolicy, ShownPolicy?]

export interface AnswersProps {
  readonly image: Facts
  readonly policies: ShownPolicies
  /** The question whose answers are shown. */
  readonly asked: WhatIf
  /** What a prompt of null stands for. */
  readonly usual: string
  readonly encoder: EncoderChoice
  /** Drawn on the image, and not asked about yet unless `asked` has it too. */
  readonly region: Region | null
  readonly isCovering: boolean
  readonly onRegion: (region: Region | null) => void
  /** What asks. */
  readonly children: ReactNode
  /** What stands below all of it. */
  readonly below?: ReactNode
  /** What one policy is asked by, and both: the usual question is a description. */
  readonly askLabels?: { readonly one: string; readonly both: string }
}

const describing = { one: 'Describe now', both: 'Describe with both' }

export function Answers(props: AnswersProps): ReactNode {
  const { image, policies, asked, usual, encoder, region, isCovering, onRegion } = props
  const { children, below, askLabels = describing } = props
  const body = useRef<HTMLDivElement>(null)
  const [first, second] = policies
  const [chosen, setChosen] = useState<WordChoice | null>(null)
  const [hovered, setHovered] = useState<WordChoice | null>(null)
  const { ask, cancel } = useAsk()
  const { imageId } = image
  const askPolicy = useCallback(
    (policy: PolicyChoice) => ask(questionOf(imageId, policy, asked)),
    [ask, imageId, asked],
  )
  const before = usePolicyAnswer(image.imageId, first, asked, usual)
  const after = usePolicyAnswer(image.imageId, second, asked, usual)
  const isComparison = before.response !== null && after.response !== null
  const changes = useMemo(
    () =>
      isComparison
        ? wordChanges(
            before.words.map(({ name }) => name),
            after.words.map(({ name }) => name),
          )
        : undefined,
    [isComparison, before.words, after.words],
  )
  const columns = [
    { shown: first, answer: before, changes: changes?.before },
    ...(second ? [{ shown: second, answer: after, changes: changes?.after }] : []),
  ]
  const found = (choice: WordChoice | null) =>
    columns.find(({ answer }) => choice !== null && answer.response?.rolloutId === choice.rolloutId)
  const panel = found(hovered) ?? found(chosen)
  const panelIndex = (found(hovered) ? hovered : chosen)?.index ?? 0
  const panelWord = panel?.answer.words[panelIndex] ?? null
  const hasWords = before.response !== null || after.response !== null
  const unasked = columns.filter(({ shown, answer }) => shown.notAskable === null && isUnasked(answer))
  const chosenWord = chosen && found(chosen)?.answer.words[chosen.index]
  const word = chosenWord?.name ?? null
  // What does not change with the chosen word is not drawn again with it: arrow keys go through thousands of them.
  const looked = useMemo(
    () => (
      <LookedImage
        image={image}
        evidenceOf={word === null ? null : { imageId: image.imageId, word, encoder, region: asked.region }}
        hasWords={hasWords}
        region={region}
        isCovering={isCovering}
        onRegion={onRegion}
      />
    ),
    [image, word, encoder, asked.region, hasWords, region, isCovering, onRegion],
  )
  const takeAlong = useMemo(
    () => (
      <TakeAlong
        imageName={image.name}
        area={() => body.current?.getBoundingClientRect() ?? null}
        text={() =>
          textOf(image, asked.prompt ?? usual, [
            { shown: first, answer: before, changes: changes?.before },
            ...(second ? [{ shown: second, answer: after, changes: changes?.after }] : []),
          ])
        }
      />
    ),
    [image, asked.prompt, usual, first, second, before, after, changes],
  )

  return (
    <div ref={body} className={css.body}>
      {looked}
      <div className={css.said}>
        {children}
        <div className={css.columns}>
          {columns.map(({ shown, answer, changes: marks }, i) => {
            const rolloutId = answer.response?.rolloutId
            return (
              <PolicyColumn
                key={i === 0 ? 'first' : 'second'}
                {...shown}
                label={second ? (i === 0 ? 'First model' : 'Second model') : 'Model'}
                answer={answer}
                changes={marks}
                word={chosen?.rolloutId === rolloutId ? (chosen?.index ?? null) : null}
                onWord={setChosen}
                onHover={setHovered}
                askLabel={askLabels.one}
                onAsk={askPolicy}
                onCancel={cancel}
              />
            )
          })}
        </div>
        <div className={css.foot}>
          {changes && (
            <p className={css.summary} role="status">
              {changeSummary(changes.before, changes.after)}
            </p>
          )}
          {unasked.length === 2 && (
            <Button
              leftSection={<IconMessage size={16} aria-hidden="true" />}
              onClick={() => {
                for (const { shown } of unasked) askPolicy(shown.policy)
              }}
            >
              {askLabels.both}
            </Button>
          )}
          {hasWords && takeAlong}
        </div>
        {hasWords && (
          <WordLegend
            isComparison={changes !== undefined}
            hasUnjudged={columns.some(({ answer }) => answer.words.some(({ verdict }) => verdict === null))}
          />
        )}
        {hasWords && (
          <WordPanel
            word={panelWord}
            text={panelWord ? (panel?.answer.response?.text.slice(panelWord.start, panelWord.end) ?? '') : ''}
            scale={panel?.answer.scale ?? null}
            unjudgedBecause={unjudgedBecause(panel?.answer)}
            change={panel?.changes?.[panelIndex]}
          />
        )}
        {below}
      </div>
    </div>
  )
}
/** Nothing is stored and nothing on its way. */
function isUnasked({ isLoading, response, asked }: Answer): boolean {
  return !isLoading && response === null && (asked === null || asked.state === 'cancelled')
}

function usePolicyAnswer(imageId: number, shown: ShownPolicy | undefined, whatIf: WhatIf, usual: string): Answer {
  const policyText = JSON.stringify(shown?.policy ?? null)
  const question = useMemo(() => {
    const policy = JSON.parse(policyText) as PolicyChoice | null
    return policy && questionOf(imageId, policy, whatIf)
  }, [imageId, policyText, whatIf])
  return useAnswer(question, imageId, usual)
}

function unjudgedBecause(answer: Answer | undefined): string {
  const judging = answer?.response?.judging
  if (!judging || judging.judged) return 'No verifier has scored it yet.'
  return judging.because === 'no-run'
    ? 'Not judged: baselines come from the calibration of a run, and this model was asked by itself.'
    : 'Not judged: the verifier of this run was refused, since it cannot tell right words from wrong ones.'
}

/** `5 words kept, 1 gone, 2 new`. */
function changeSummary(before: readonly WordChange[], after: readonly WordChange[]): string {
  const count = (marks: readonly WordChange[], mark: WordChange): number => marks.filter((one) => one === mark).length
  const kept = count(before, 'kept')
  return `${kept} ${kept === 1 ? 'word' : 'words'} kept, ${count(before, 'gone')} gone, ${count(after, 'new')} new`
}

function textOf(
  image: Facts,
  question: string,
  columns: readonly {
    readonly shown: ShownPolicy
    readonly answer: Answer
    readonly changes: readonly WordChange[] | undefined
  }[],
): string {
  const said = columns.flatMap(({ shown, answer, changes }) =>
    answer.response ? [{ title: shown.name, text: answer.response.text, words: answer.words, changes }] : [],
  )
  return copiedText(image.name, question, said)
}
