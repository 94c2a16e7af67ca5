// What a sweep came to, a row a setting: hallucinated words before and after with right objects and length beside them, as
// means over seeds, the change with its interval, and what lies beyond the placebo.
import { SegmentedControl, Table, Text, Title } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { SweepTable as Figures, SeedMean, SweepFigure, SweepRow } from '../../../../shared/sweepView.ts'
import { formatFigure, formatPlural, formatShare } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './Sweep.module.css'

const sources = {
  chair: {
    ...{ name: 'CHAIR', hallucination: 'CHAIR-i', recall: 'Recall' },
    words: 'Measured on annotated images by the newest evaluation of each run, at the step that is kept.',
    recallOf: (value: number) => formatShare(value),
  },
  estimate: {
    ...{ name: 'Estimates', hallucination: 'Hallucinated words', recall: 'Right objects' },
    words: 'Estimated by the verifier on the validation images of the runs, at the step that is kept.',
    recallOf: (value: number) => formatFigure(value, 2),
  },
} as const

const beyondTitle = 'Beyond the placebo'

interface SweepTableProps {
  readonly tables: readonly Figures[]
  /** The colour of a setting, by its place in the table. */
  readonly colourOf: (row: number) => string
  /** What can be done about figures, beside their title. */
  readonly children: ReactNode
}

export function SweepTable({ tables, colourOf, children }: SweepTableProps): ReactNode {
  const [chosen, setChosen] = useState<Figures['source'] | null>(null)
  const table = tables.find(({ source }) => source === chosen) ?? tables[0]
  if (!table) return null
  const { source, rows } = table
  const { hallucination, recall, words } = sources[source]
  return (
    <section aria-labelledby="sweep-title">
      <div className={css.tableHead}>
        <Title order={3} size="h5" id="sweep-title">
          What it came to
        </Title>
        <div className={css.actions}>
          {tables.length > 1 && (
            <SegmentedControl
              size="xs"
              aria-label="Which figures"
              data={tables.map((one) => ({ value: one.source, label: sources[one.source].name }))}
              value={source}
              onChange={(value) => setChosen(value as Figures['source'])}
            />
          )}
          {children}
        </div>
      </div>
      <Text size="sm" className="quiet" mb="xs">
        {words} Means over seeds; intervals are 95 % over seeds, by Student’s t.
      </Text>
      <div className={css.frame}>
        <Table className={`${shared.looks} ${css.stacks}`} verticalSpacing={6} aria-labelledby="sweep-title">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Setting</Table.Th>
              <Table.Th className="number">{hallucination}</Table.Th>
              <Table.Th className="number">{recall}</Table.Th>
              <Table.Th className="number">Words</Table.Th>
              <Table.Th className="number">{beyondTitle}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, i) => (
              <Table.Tr key={row.label}>
                <Table.Th scope="row" className={css.setting}>
                  <span className={css.swatch} style={{ background: colourOf(i) }} aria-hidden="true" />
                  {row.label}
                  <span className={css.interval}>{seedWords(row)}</span>
                </Table.Th>
                <Row row={row} of={sources[source]} />
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </section>
  )
}

function Row({ row, of }: { readonly row: SweepRow; readonly of: (typeof sources)[Figures['source']] }): ReactNode {
  const { figures, beyond } = row
  if (!figures) {
    return (
      <Table.Td colSpan={4} className="quiet">
        No run has come to its end yet.
      </Table.Td>
    )
  }
  const { hallucination, recall, words } = figures
  return (
    <>
      <Table.Td className="number" data-head={of.hallucination}>
        {fromTo(hallucination, formatShare)}
        <Mean of={hallucination.change} />
      </Table.Td>
      <Table.Td className="number" data-head={of.recall}>
        {fromTo(recall, of.recallOf)}
      </Table.Td>
      <Table.Td className="number" data-head="Words">
        {fromTo(words, (value) => formatFigure(value, 1))}
      </Table.Td>
      <Table.Td className="number" data-head={beyondTitle}>
        {beyond ? <Mean of={beyond} /> : '–'}
      </Table.Td>
    </>
  )
}

/** `3 seeds`, `2 of 3 seeds`. */
function seedWords({ seeds, runs }: SweepRow): string {
  return seeds === runs ? formatPlural(runs, 'seed') : `${seeds} of ${formatPlural(runs, 'seed')}`
}

const fromTo = ({ before, after }: SweepFigure, format: (value: number) => string): string =>
  `${format(before)} → ${format(after)}`

/** A change of a share in points, with its interval below. */
function Mean({ of: { mean, low, high } }: { readonly of: SeedMean }): ReactNode {
  return (
    <>
      <strong className={css.mean}>{points(mean)} points</strong>
      <span className={css.interval}>
        {low === null || high === null ? 'one seed, no interval' : `${points(low)} to ${points(high)}`}
      </span>
    </>
  )
}

function points(value: number): string {
  return (100 * value).toLocaleString(undefined, {
    ...{ minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero' },
  } as const)
}
