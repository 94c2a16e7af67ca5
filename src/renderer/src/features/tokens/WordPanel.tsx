// What is known of one word of a response: its score on the axis of the baselines, what it earned, and how likely the
// model and its reference were to say it. Each term explains itself.
import './palette.css'
import { Tooltip } from '@mantine/core'
import { IconCheck, IconCircle, IconX } from '@tabler/icons-react'
import { memo, type ReactNode } from 'react'
import type { ResponseWord } from '../../../../shared/responseWords.ts'
import { unjudgedSentence, verdictNames, verdictSentences } from '../../../../shared/verdict.ts'
import type { WordChange } from '../../../../shared/wordChanges.ts'
import { formatFigure } from '../../format.ts'
import { ScoreAxis } from './ScoreAxis.tsx'
import type { ScoreScale } from './scoreAxis.ts'
import { type Term, terms } from './terms.ts'
import css from './WordPanel.module.css'

export interface WordPanelProps {
  /** Null when none is chosen. */
  readonly word: ResponseWord | null
  /** The word as it stands in the response. */
  readonly text: string
  /** What the response was judged by; null when it was not. */
  readonly scale: ScoreScale | null
  /** Why it was not judged, as a sentence. */
  readonly unjudgedBecause?: string
  readonly change?: WordChange | undefined
}

const verdictIcons = { grounded: IconCheck, hallucinated: IconX, neutral: IconCircle } as const

const changeSentences: Readonly<Record<WordChange, string | null>> = {
  kept: null,
  gone: 'The other response does not name it.',
  new: 'The other response did not name it.',
}

export function WordPanel({ word, text, scale, unjudgedBecause, change = 'kept' }: WordPanelProps): ReactNode {
  if (word === null) return <NoWord />
  const { name, verdict, score, reward, logProb, referenceLogProb, klNats, tokenCount, isRepeated } = word
  const Icon = verdict === null ? null : verdictIcons[verdict]
  const why = verdict === null ? (unjudgedBecause ?? unjudgedSentence) : verdictSentences[verdict]
  return (
    <section className={css.panel} aria-label={`The word ${text}`}>
      <div className={css.columns}>
        <div className={css.verdictColumn}>
          <div className={css.head}>
            <h3>
              <bdi>{text}</bdi>
            </h3>
            <span className={css.verdict} data-verdict={verdict ?? 'unjudged'}>
              {Icon && <Icon size={15} stroke={2.4} aria-hidden="true" />}
              {verdict === null ? 'not judged' : verdictNames[verdict]}
            </span>
          </div>
          <p className={css.sentence}>
            {[text.toLowerCase() === name ? null : `It counts as “${name}”.`, why, changeSentences[change]]
              .filter(Boolean)
              .join(' ')}
          </p>
          {score !== null && scale && <ScoreAxis score={score} verdict={verdict} scale={scale} />}
        </div>
        <dl className={css.figures}>
          {score !== null && <Figure term={terms.score} value={formatFigure(score, 3)} />}
          {score !== null && scale && (
            <>
              <Figure term={terms.overGrounded} value={signed(score - scale.muGt)} />
              <Figure term={terms.overHallucinated} value={signed(score - scale.muHal)} />
              <Figure term={terms.margin} value={formatFigure(scale.margin, 3)} />
            </>
          )}
          {reward !== null && <Figure term={terms.reward} value={signed(reward)} />}
          <Figure term={terms.logProb} value={nats(logProb)} />
          {referenceLogProb !== null && <Figure term={terms.referenceLogProb} value={nats(referenceLogProb)} />}
          {klNats !== null && <Figure term={terms.kl} value={`${signed(klNats)} nats`} />}
          <Figure
            term={terms.mention}
            value={`${isRepeated ? 'repeated' : 'first'}, ${tokenCount} ${tokenCount === 1 ? 'token' : 'tokens'}`}
          />
        </dl>
      </div>
    </section>
  )
}

function NoWord(): ReactNode {
  return (
    <section className={css.empty} aria-label="No word is chosen">
      <p>
        <strong>Choose a word.</strong> Click one that is underlined, or go to the response with Tab and from word to
        word with the arrow keys.
      </p>
      <p>Here you will see why it counts as it does, and on the image where the encoder finds it.</p>
    </section>
  )
}

function Figure({ term, value }: { readonly term: Term; readonly value: string }): ReactNode {
  return (
    <>
      <dt>
        <TermName term={term} />
      </dt>
      <dd>{value}</dd>
    </>
  )
}

/** The name of a term, which explains itself; the same for each word, so that only figures are drawn again. */
const TermName = memo(function TermNameView({ term }: { readonly term: Term }): ReactNode {
  return (
    <Tooltip
      multiline
      w={280}
      position="top-start"
      events={{ hover: true, focus: true, touch: true }}
      label={
        <>
          {term.sentence}
          <span className={css.formula}>{term.formula}</span>
        </>
      }
    >
      <button type="button" className={css.term}>
        {term.name}
      </button>
    </Tooltip>
  )
})

function signed(value: number): string {
  return value.toLocaleString(undefined, {
    ...{ minimumFractionDigits: 3, maximumFractionDigits: 3, signDisplay: 'exceptZero' },
  } as const)
}

/** A log-probability with the probability that it stands for. */
function nats(logProb: number): string {
  const share = Math.exp(logProb)
  const percent = share.toLocaleString(undefined, { style: 'percent', maximumSignificantDigits: 2 })
  return `${formatFigure(logProb, 2)} nats (${share < 0.0001 ? 'below 0.01%' : percent})`
}
