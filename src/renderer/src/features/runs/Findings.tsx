// What a check before a run found, subject by subject: its verdict, what is so, and what to do about it.
import { Anchor } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconCircleDashed, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { CheckFinding, CheckSubject, CheckVerdict } from '../../../../shared/runCheck.ts'
import css from './Findings.module.css'

const icons = { ok: IconCheck, warning: IconAlertTriangle, refused: IconX } as const
const verdictWords: Readonly<Record<CheckVerdict, string>> = { ok: 'In order', warning: 'Warning', refused: 'Refused' }
const titles: Readonly<Record<CheckSubject, string>> = {
  ...{ model: 'Model', images: 'Images', settings: 'Settings', annotations: 'Annotations' },
  ...{ time: 'Time', memory: 'Memory', disk: 'Disk', verifier: 'Verifier' },
}

interface FindingsProps {
  readonly label: string
  readonly findings: readonly CheckFinding[]
  /** Subjects that nothing is known of yet, each with what will be. */
  readonly open?: Readonly<Partial<Record<CheckSubject, string>>>
  /** Leads to a setting by `section.name`. */
  readonly onField: (key: string) => void
}

export function Findings({ label, findings, open = {}, onField }: FindingsProps): ReactNode {
  return (
    <ul className={css.findings} aria-label={label}>
      {findings.map(({ about, verdict, sentence, remedy, field }) => {
        const Icon = icons[verdict]
        return (
          <li key={`${about} ${sentence}`} className={css.finding} data-verdict={verdict}>
            <span className={css.verdict}>
              <Icon size={16} aria-hidden="true" />
              {verdictWords[verdict]}
            </span>
            <span className={css.words}>
              <strong>{titles[about]}.</strong> {sentence} {verdict !== 'ok' && remedy}{' '}
              {verdict !== 'ok' && field && (
                <Anchor
                  component="button"
                  type="button"
                  inherit
                  onClick={() => onField(`${field.section}.${field.name}`)}
                >
                  Change it
                </Anchor>
              )}
            </span>
          </li>
        )
      })}
      {Object.entries(open).map(([about, words]) => (
        <li key={about} className={css.finding} data-verdict="open">
          <span className={css.verdict}>
            <IconCircleDashed size={16} aria-hidden="true" />
            Not known
          </span>
          <span className={css.words}>
            <strong>{titles[about as CheckSubject]}.</strong> {words}
          </span>
        </li>
      ))}
    </ul>
  )
}
