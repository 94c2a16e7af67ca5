// The image beside what one or two policies say of it: words that are gone and new, the chosen word with its figures, and
// on the image where the encoder finds it.
import { Button } from '@mantine/core'
import { IconMessage } from '@tabler/icons-react'
import { type ReactNode, useMemo, useRef, useState } from 'react'
import type { EncoderChoice, PolicyChoice, Region } from '../../../../shared/describe.ts'
import type { ImageFacts as Facts, RolloutId } from '../../../../shared/domain.ts'
import { type WordChange, wordChanges } from '../../../../shared/wordChanges.ts'
import { useAsk } from '../../queries/describe.ts'
import { WordLegend } from '../tokens/TokenText.tsx'
import { WordPanel } from '../tokens/WordPanel.tsx'
import css from './Comparison.module.css'
import { LookedImage } from './LookedImage.tsx'
import { type CheckpointChoice, PolicyColumn } from './PolicyColumn.tsx'
import { asUsual, questionOf, type WhatIf } from './questions.ts'
import { copiedText } from './responseText.ts'
import { TakeAlong } from './TakeAlong.tsx'
import { type Answer, useAnswer } from './useAnswer.ts'
import { WhatIfBar } from './WhatIfBar.tsx'

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

export interface ComparisonProps {
  readonly image: Facts
  /** One or two. */
  readonly policies: readonly [ShownPolicy, ShownPolicy?]
  /** What is asked unless something else is. */
  readonly usual: string
  readonly encoder: EncoderChoice
}

/** A word of a response; of another response the same place is another word. */
interface WordChoice {
  readonly rolloutId: RolloutId
  readonly index: number
}

export function Comparison({ image, policies, usual, encoder }: ComparisonProps): ReactNode {
  const body = useRef<HTMLDivElement>(null)
  const [first, second] = policies
  const [whatIf, setWhatIf] = useState<WhatIf>(asUsual)
  const [region, setRegion] = useState<Region | null>(null)
  const [isCovering, setCovering] = useState(false)
  const [chosen, setChosen] = useState<WordChoice | null>(null)
  const [hovered, setHovered] = useState<WordChoice | null>(null)
  const { ask, cancel } = useAsk()
  const before = usePolicyAnswer(image.imageId, first, whatIf, usual)
  const after = usePolicyAnswer(image.imageId, second, whatIf, usual)
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
  const askAll = (next: WhatIf): void => {
    setWhatIf(next)
    setRegion(next.region)
    setCovering(false)
    if (next.prompt === null && next.region === null) return
    for (const { shown } of columns) {
      if (shown.notAskable === null) ask(questionOf(image.imageId, shown.policy, next))
    }
  }
  const notAskable = columns.every(({ shown }) => shown.notAskable !== null) ? first.notAskable : null
  const chosenWord = chosen && found(chosen)?.answer.words[chosen.index]
  const evidenceOf = chosenWord
    ? { imageId: image.imageId, word: chosenWord.name, encoder, region: whatIf.region }
    : null

  return (
    <div ref={body} className={css.body}>
      <LookedImage
        image={image}
        evidenceOf={evidenceOf}
        hasWords={hasWords}
        region={region}
        isCovering={isCovering}
        onRegion={setRegion}
      />
      <div className={css.said}>
        <WhatIfBar
          key={JSON.stringify(whatIf)}
          usual={usual}
          asked={whatIf}
          region={region}
          isCovering={isCovering}
          onCovering={setCovering}
          onAsk={askAll}
          notAskable={notAskable}
        />
        <div className={css.columns}>
          {columns.map(({ shown, answer, changes: marks }, i) => {
            const rolloutId = answer.response?.rolloutId
            const own = (index: number): WordChoice | null => (rolloutId === undefined ? null : { rolloutId, index })
            return (
              <PolicyColumn
                key={i === 0 ? 'first' : 'second'}
                {...shown}
                label={second ? (i === 0 ? 'First model' : 'Second model') : 'Model'}
                answer={answer}
                changes={marks}
                word={chosen?.rolloutId === rolloutId ? (chosen?.index ?? null) : null}
                onWord={(index) => setChosen(own(index))}
                onHover={(index) => setHovered(index === null ? null : own(index))}
                onAsk={() => ask(questionOf(image.imageId, shown.policy, whatIf))}
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
                for (const { shown } of unasked) ask(questionOf(image.imageId, shown.policy, whatIf))
              }}
            >
              Describe with both
            </Button>
          )}
          {hasWords && (
            <TakeAlong
              imageName={image.name}
              area={() => body.current?.getBoundingClientRect() ?? null}
              text={() => textOf(image, whatIf.prompt ?? usual, columns)}
            />
          )}
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
