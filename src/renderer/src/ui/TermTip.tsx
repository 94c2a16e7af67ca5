// A term that explains itself: its sentence and its formula when it is pointed at, focused or touched.
import { Tooltip } from '@mantine/core'
import { memo, type ReactNode } from 'react'
import css from './TermTip.module.css'
import type { Term } from './terms.ts'

interface TermTipProps {
  readonly term: Term
  /** What is written; the term's name where nothing is. */
  readonly children?: ReactNode
}

/** Drawn once for a term, however often the figures beside it change. */
export const TermTip = memo(function TermTipView({
  term: { name, sentence, formula },
  children,
}: TermTipProps): ReactNode {
  return (
    <Tooltip
      multiline
      w={280}
      position="top-start"
      events={{ hover: true, focus: true, touch: true }}
      label={
        <>
          {sentence}
          {formula !== null && <span className={css.formula}>{formula}</span>}
        </>
      }
    >
      <button type="button" className={css.term}>
        {children ?? name}
      </button>
    </Tooltip>
  )
})
