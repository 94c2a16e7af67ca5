// Figures by policy with their 95 % intervals, and what each policy changed against one of them, paired by image.
import { Select, Table, Title } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { EvaluationDetail, EvaluationFigure } from '../../../../shared/evaluations.ts'
import { formatCount } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './FigureTable.module.css'
import {
  differenceInterval,
  differenceOf,
  differenceText,
  infoOf,
  intervalText,
  policyName,
  valueText,
  verdictOf,
  verdictWords,
} from './figureText.ts'

export function FigureTable({ detail }: { readonly detail: EvaluationDetail }): ReactNode {
  const [base, setBase] = useState(0)
  const { figures, policies, resamples, images } = detail
  const whole = figures.filter(({ group }) => group === null)
  const groups = [...new Set(figures.flatMap(({ group }) => group ?? []))]
  return (
    <section aria-labelledby="figures-title">
      <div className={css.head}>
        <Title order={3} size="h5" id="figures-title">
          Figures
        </Title>
        {policies.length > 1 && (
          <Select
            size="xs"
            label="Differences to"
            className={css.base}
            data={policies.map((policy, i) => ({ value: `${i}`, label: policyName(policy) }))}
            value={`${base}`}
            allowDeselect={false}
            onChange={(value) => value !== null && setBase(Number(value))}
          />
        )}
      </div>
      <Figures detail={detail} figures={whole} base={base} label="Figures" />
      {groups.length > 0 && (
        <details className={shared.fold}>
          <summary>By {detail.kind === 'mme' ? 'subtask' : 'kind of question'}</summary>
          {groups.map((group) => (
            <section key={group} className={shared.foldSection} aria-label={group}>
              <h4>{group}</h4>
              <Figures
                detail={detail}
                figures={figures.filter((one) => one.group === group)}
                base={base}
                label={group}
              />
            </section>
          ))}
        </details>
      )}
      <p className={css.note}>
        In brackets: 95 % intervals over {formatCount(resamples)} resamples of the {formatCount(images)} images;
        differences are paired by image.
      </p>
    </section>
  )
}

interface FiguresProps {
  readonly detail: EvaluationDetail
  readonly figures: readonly EvaluationFigure[]
  readonly base: number
  readonly label: string
}

function Figures({ detail, figures, base, label }: FiguresProps): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
    <section className={shared.tableFrame} tabIndex={0} aria-label={`${label}, table`}>
      <Table className={shared.looks} verticalSpacing={6} aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Figure</Table.Th>
            {detail.policies.map((policy, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a policy is its place
              <Table.Th key={i} className={css.policy}>
                {policyName(policy)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {figures.map((figure) => (
            <Row key={figure.name} detail={detail} figure={figure} base={base} />
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}

interface RowProps {
  readonly detail: EvaluationDetail
  readonly figure: EvaluationFigure
  readonly base: number
}

function Row({ detail, figure, base }: RowProps): ReactNode {
  const info = infoOf(detail.kind, figure.name)
  return (
    <Table.Tr>
      <Table.Th scope="row" className={css.figure}>
        <span>{info.title}</span>
        <span className={css.explains}>
          {info.explains}
          {info.better && ` ${info.better === 'lower' ? 'Lower' : 'Higher'} is better.`}
        </span>
      </Table.Th>
      {figure.byPolicy.map((estimate, i) => {
        const interval = intervalText(estimate, info)
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a policy is its place
          <Table.Td key={i} className={css.cell}>
            <strong>{valueText(estimate, info)}</strong>{' '}
            {interval && <span className={css.interval}>({interval})</span>}
            {i !== base && <Difference detail={detail} figure={figure} base={base} of={i} />}
          </Table.Td>
        )
      })}
    </Table.Tr>
  )
}

function Difference({ detail, figure, base, of }: RowProps & { readonly of: number }): ReactNode {
  const info = infoOf(detail.kind, figure.name)
  const difference = differenceOf(detail, figure, base, of)
  if (!difference || difference.value === null) return null
  const verdict = verdictOf(difference, info.better)
  const interval = differenceInterval(difference, info)
  return (
    <span className={css.difference} data-verdict={verdict ?? 'unclear'}>
      {differenceText(difference.value, info)} {interval && <span className={css.interval}>({interval})</span>}
      {verdict && <span className={css.verdict}>{verdictWords[verdict]}</span>}
    </span>
  )
}
