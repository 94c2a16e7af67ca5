// What was asked about the image in this opening of the workspace, and before: one click shows the answers again.
import type { ReactNode } from 'react'
import { formatAgo, formatPlural } from '../../format.ts'
import { keptSince } from '../../place.ts'
import shared from '../../ui/shared.module.css'
import css from './AskedBefore.module.css'
import { type AskedQuestion, decodingWords, policyWords } from './askedBefore.ts'

interface AskedBeforeProps {
  readonly questions: readonly AskedQuestion[]
  readonly isShown: (question: AskedQuestion) => boolean
  readonly onShow: (question: AskedQuestion) => void
}

export function AskedBefore({ questions, isShown, onShow }: AskedBeforeProps): ReactNode {
  if (questions.length === 0) return null
  const now = questions.filter(({ askedAtMs }) => askedAtMs >= keptSince())
  const earlier = questions.filter(({ askedAtMs }) => askedAtMs < keptSince())
  const list = (some: readonly AskedQuestion[]): ReactNode => (
    <ul className={css.questions}>
      {some.map((one) => (
        <li key={JSON.stringify([one.prompt, one.decoding])}>
          <button type="button" className={css.question} aria-pressed={isShown(one)} onClick={() => onShow(one)}>
            <bdi className={css.prompt}>{one.prompt}</bdi>
            <span className={css.facts}>
              {decodingWords(one.decoding)} · {one.answers.map(policyWords).join(' · ')} · {formatAgo(one.askedAtMs)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
  return (
    <section aria-label="Asked about this image" className={css.asked}>
      <h2>Asked about this image</h2>
      {now.length > 0 ? list(now) : <p className={css.none}>Nothing yet since the workspace was opened.</p>}
      {earlier.length > 0 && (
        <details className={shared.fold}>
          <summary>{formatPlural(earlier.length, 'earlier question')}</summary>
          {list(earlier)}
        </details>
      )}
    </section>
  )
}
