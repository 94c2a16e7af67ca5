// The curves of a run while it goes on: four small charts over its steps, the best step marked.
import '@mantine/charts/styles.css'
import { LineChart } from '@mantine/charts'
import type { ReactNode } from 'react'
import type { Result } from '../../../../shared/contract.ts'
import type { MetricPoint } from '../../../../shared/domain.ts'
import type { CounterpartView } from '../../../../shared/runView.ts'
import { formatFigure, formatShare } from '../../format.ts'
import css from './RunCharts.module.css'

type LookFigure = 'hallucinationRate' | 'coverage'

interface ChartProps {
  readonly name: string
  /** The same figure in a look. */
  readonly look?: LookFigure
  readonly title: string
  readonly unit: string
  readonly format: (value: number) => string
}

const charts: readonly ChartProps[] = [
  {
    name: 'validation.hallucinationRate',
    look: 'hallucinationRate',
    title: 'Hallucinated words',
    unit: 'estimated share',
    format: formatShare,
  },
  {
    name: 'validation.coverage',
    look: 'coverage',
    title: 'Right objects',
    unit: 'estimated, a response',
    format: (value) => formatFigure(value, 2),
  },
  {
    name: 'klNats',
    title: 'Distance from the start',
    unit: 'KL, nats a token',
    format: (value) => value.toLocaleString(undefined, { maximumSignificantDigits: 2 }),
  },
  { name: 'meanReward', title: 'Reward', unit: 'mean, a response', format: (value) => formatFigure(value, 2) },
]

interface RunChartsProps {
  readonly series: Result<'runs.metrics'>
  /** Its placebo, or the run that it is the placebo of. */
  readonly counterpart: CounterpartView | null
  readonly totalSteps: number | null
  readonly bestStep: number | null
}

export function RunCharts({ series, counterpart, totalSteps, bestStep }: RunChartsProps): ReactNode {
  return (
    <section className={css.runCharts} aria-label="Curves">
      {charts.map((chart) => (
        <RunChart
          key={chart.name}
          {...chart}
          points={series[chart.name] ?? []}
          other={counterpart && chart.look ? pointsOf(counterpart, chart.look) : null}
          totalSteps={totalSteps}
          bestStep={chart.name.startsWith('validation.') ? bestStep : null}
        />
      ))}
    </section>
  )
}

/** A figure of a counterpart's looks. */
interface OtherCurve {
  readonly title: string
  readonly points: readonly { readonly step: number; readonly mean: number }[]
}

function pointsOf({ run, looks }: CounterpartView, figure: LookFigure): OtherCurve {
  const points = looks.map((look) => ({ step: look.step, mean: look[figure] }))
  return { title: run.isPlacebo ? 'placebo' : 'its run', points }
}

interface RunChartProps extends ChartProps {
  readonly points: readonly MetricPoint[]
  readonly other: OtherCurve | null
  readonly totalSteps: number | null
  readonly bestStep: number | null
}

function RunChart({ title, unit, format, points, other, totalSteps, bestStep }: RunChartProps): ReactNode {
  const first = points[0]
  const last = points.at(-1)
  const words =
    first && last
      ? `${title}, ${unit}: ${format(first.mean)} at step ${first.step}, ${format(last.mean)} at step ${last.step}`
      : `${title}, ${unit}: nothing measured yet`
  return (
    <figure className={css.chart}>
      <figcaption>
        <span>
          <strong>{title}</strong>{' '}
          <span className="quiet">
            {unit}
            {other && `; dashed: ${other.title}`}
          </span>
        </span>
        <span className={css.chartLast}>{last ? format(last.mean) : '–'}</span>
      </figcaption>
      <div role="img" aria-label={words}>
        <LineChart
          h={140}
          data={joined(points, other)}
          dataKey="step"
          series={[
            { name: 'mean', label: title, color: 'var(--curve)' },
            ...(other
              ? [{ name: 'other', label: `${title}, ${other.title}`, color: 'var(--quiet)', strokeDasharray: '4 4' }]
              : []),
          ]}
          valueFormatter={format}
          curveType="linear"
          strokeWidth={2}
          withDots={points.length <= 40}
          dotProps={{ r: 2.5 }}
          gridAxis="x"
          tickLine="none"
          xAxisProps={{
            type: 'number',
            domain: [0, Math.max(totalSteps ?? 0, last?.step ?? 0, 1)],
            allowDecimals: false,
          }}
          yAxisProps={{ width: 52, tickCount: 4, domain: ['auto', 'auto'] }}
          lineProps={{ isAnimationActive: false }}
          lineChartProps={{ accessibilityLayer: false, margin: { top: 18, right: 8 } }}
          {...(bestStep !== null && {
            referenceLines: [{ x: bestStep, label: 'best', labelPosition: 'top', color: 'var(--quiet)' }],
          })}
        />
      </div>
    </figure>
  )
}

/** Both curves by step, where either has a point. */
function joined(points: readonly MetricPoint[], other: OtherCurve | null): Record<string, number>[] {
  const rows = new Map<number, Record<string, number>>(points.map(({ step, mean }) => [step, { step, mean }]))
  for (const { step, mean } of other?.points ?? []) rows.set(step, { ...(rows.get(step) ?? { step }), other: mean })
  return [...rows.values()].sort((a, b) => (a['step'] ?? 0) - (b['step'] ?? 0))
}
