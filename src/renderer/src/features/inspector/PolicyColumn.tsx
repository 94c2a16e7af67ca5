// One policy and what it says of the image: its response as words, or the way to one.
import { Button, Loader, Select, Slider } from '@mantine/core'
import { IconMessage, IconPlayerStop } from '@tabler/icons-react'
import { memo, type ReactNode, useState } from 'react'
import type { PolicyChoice, QuestionView } from '../../../../shared/describe.ts'
import type { RolloutId } from '../../../../shared/domain.ts'
import { openingWords } from '../../../../shared/readying.ts'
import type { WordChange } from '../../../../shared/wordChanges.ts'
import { formatPlural } from '../../format.ts'
import { Later } from '../../ui/Later.tsx'
import { TokenText } from '../tokens/TokenText.tsx'
import css from './PolicyColumn.module.css'
import type { Answer } from './useAnswer.ts'

export interface CheckpointChoice {
  readonly value: string
  readonly label: string
  readonly disabled: boolean
}

/** A word of a response; of another response the same place is another word. */
export interface WordChoice {
  readonly rolloutId: RolloutId
  readonly index: number
}

export interface PolicyColumnProps {
  readonly policy: PolicyChoice
  /** What it is called for those who do not see it: `First model`. */
  readonly label: string
  /** Its whole name. */
  readonly name: string
  readonly choices: readonly CheckpointChoice[]
  readonly chosen: string
  readonly onChoose: (value: string) => void
  /** Of the adapter; null where there is none to weaken. */
  readonly strength: number | null
  readonly onStrength: (strength: number) => void
  readonly answer: Answer
  readonly changes: readonly WordChange[] | undefined
  readonly word: number | null
  readonly onWord: (choice: WordChoice | null) => void
  readonly onHover: (choice: WordChoice | null) => void
  /** Why it cannot be asked, as a sentence; null when it can. */
  readonly notAskable: string | null
  /** What asks it. */
  readonly askLabel: string
  readonly onAsk: (policy: PolicyChoice) => void
  readonly onCancel: (describeId: number) => void
}

/** One of two: while a word is chosen in it, neither the other one nor its own choices are drawn again. */
export const PolicyColumn = memo(function PolicyColumnView(props: PolicyColumnProps): ReactNode {
  const { label, name, choices, chosen, onChoose, strength, onStrength, answer } = props
  return (
    <article className={css.column} aria-label={`${label}: ${name}`}>
      <Whose
        {...{ label, choices, chosen, onChoose, strength, onStrength }}
        count={answer.response && verdictCount(answer.response.hallucinatedWords)}
      />
      <div className={css.body}>
        <Said {...props} />
      </div>
    </article>
  )
})

interface WhoseProps
  extends Pick<PolicyColumnProps, 'label' | 'choices' | 'chosen' | 'onChoose' | 'strength' | 'onStrength'> {
  /** Null while there is no response. */
  readonly count: string | null
}

/** The policy, and the choice of another one in its place. */
const Whose = memo(function WhoseView(props: WhoseProps): ReactNode {
  const { label, choices, chosen, onChoose, strength, onStrength, count } = props
  return (
    <>
      <div className={css.head}>
        <div className={css.choice}>
          <Later before={<ChosenName {...{ choices, chosen }} />}>
            <Select
              size="xs"
              aria-label={label}
              data={[...choices]}
              value={chosen}
              allowDeselect={false}
              comboboxProps={{ withinPortal: true }}
              onChange={(value) => value !== null && onChoose(value)}
            />
          </Later>
        </div>
        {count !== null && <span className={css.count}>{count}</span>}
      </div>
      {strength !== null && <Strength key={`${chosen} ${strength}`} value={strength} onChange={onStrength} />}
    </>
  )
})

/** As the list will show it. */
function ChosenName({ choices, chosen }: Pick<WhoseProps, 'choices' | 'chosen'>): ReactNode {
  return <span className={css.chosenName}>{choices.find(({ value }) => value === chosen)?.label}</span>
}

function verdictCount(hallucinated: number | null): string {
  if (hallucinated === null) return 'not judged'
  return hallucinated === 0 ? 'no word hallucinated' : `${formatPlural(hallucinated, 'word')} hallucinated`
}

function Said(props: PolicyColumnProps): ReactNode {
  const { policy, name, answer, changes, word, onWord, onHover, notAskable, askLabel, onAsk, onCancel } = props
  const { response, words, asked, isLoading } = answer
  const rolloutId = response?.rolloutId
  const own = (index: number | null): WordChoice | null =>
    rolloutId === undefined || index === null ? null : { rolloutId, index }
  if (response) {
    if (response.text.trim() === '') return <p className="quiet">It said nothing.</p>
    return (
      <TokenText
        label={`Response of ${name}`}
        text={response.text}
        words={words}
        changes={changes}
        chosen={word}
        onChoose={(index) => onWord(own(index))}
        onHover={(index) => onHover(own(index))}
      />
    )
  }
  if (asked && isUnderWay(asked)) return <UnderWay name={name} asked={asked} onCancel={onCancel} />
  if (isLoading || asked?.state === 'done') return null
  return (
    <div className={css.nothing}>
      {asked?.state === 'failed' && asked.error ? (
        <p role="alert">
          <span className={css.failed}>{asked.error.message}</span> {asked.error.remedy}
        </p>
      ) : (
        <p>
          {notAskable ??
            'It has not answered this yet. It takes some seconds, and the answer is kept with the workspace.'}
        </p>
      )}
      {notAskable === null && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconMessage size={16} aria-hidden="true" />}
          onClick={() => onAsk(policy)}
        >
          {asked ? 'Ask again' : askLabel}
        </Button>
      )}
    </div>
  )
}

function isUnderWay({ state }: QuestionView): boolean {
  return state === 'waiting' || state === 'opening' || state === 'running'
}

interface UnderWayProps {
  readonly name: string
  readonly asked: QuestionView
  readonly onCancel: (describeId: number) => void
}

function UnderWay({ name, asked, onCancel }: UnderWayProps): ReactNode {
  const { describeId, state, waitsFor, readied, text, tokens } = asked
  const stage =
    state === 'waiting'
      ? (waitsFor ?? 'Waits for its turn')
      : state === 'opening'
        ? openingWords(readied)
        : `Describing, ${formatPlural(tokens, 'token')}`
  return (
    <>
      {text !== '' && (
        <TokenText
          label={`Response of ${name}, on its way`}
          text={text}
          words={[]}
          chosen={null}
          onChoose={() => undefined}
          isStreaming
        />
      )}
      <div className={css.busy}>
        <Loader size={14} aria-hidden="true" />
        <span role="status">{stage}</span>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlayerStop size={13} aria-hidden="true" />}
          onClick={() => onCancel(describeId)}
        >
          Cancel
        </Button>
      </div>
    </>
  )
}

interface StrengthProps {
  readonly value: number
  readonly onChange: (value: number) => void
}

/** How much of the adapter is added; asked for when the thumb is let go. */
function Strength({ value, onChange }: StrengthProps): ReactNode {
  const [shown, setShown] = useState(value)
  return (
    <div className={css.strength}>
      <span>Strength</span>
      <div>
        <Later>
          <Slider
            size="sm"
            min={0}
            max={1.5}
            step={0.05}
            value={shown}
            label={null}
            thumbLabel="Strength of the alignment"
            marks={[{ value: 1 }]}
            onChange={setShown}
            onChangeEnd={onChange}
          />
        </Later>
      </div>
      <output>{shown.toLocaleString(undefined, { style: 'percent' })}</output>
    </div>
  )
}
