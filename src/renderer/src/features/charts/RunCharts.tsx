// The curves of a run while it goes on: four small charts over its steps, the best step marked.
import '@mantine/charts/styles.css'
import { LineChart } from '@mantine/charts'
import type { ReactNode } from 'react'
import type { Result } from '../../../../shared/contract.ts'
import type { CounterpartView, LookView } from '../../../../shared/runView.ts'
import { formatFigure, formatShare } from '../../format.ts'
import css from './RunCharts.module.css'

type LookFigure = 'hallucinationRate' | 'coverage'

interface ChartProps {
  /** A figure of the looks, or a metric of each step. */
  readonly figure: { readonly look: LookFigure } | { readonly metric: string }
  readonly title: string
  readonly unit: string
  readonly format: (value: number) => string
}

const charts: readonly ChartProps[] = [
  {
    figure: { look: 'hallucinationRate' },
    title: 'Hallucinated words',
    unit: 'estimated share',
    format: formatShare,
  },
  {
    figure: { look: 'coverage' },
    title: 'Right objects',
    unit: 'estimated, a response',
    format: (value) => formatFigure(value, 2),
  },
  {
    figure: { metric: 'klNats' },
    title: 'Distance from the start',
    unit: 'KL, nats a token',
    format: (value) => value.toLocaleString(undefined, { maximumSignificantDigits: 2 }),
  },
  {
    figure: { metric: 'meanReward' },
    title: 'Reward',
    unit: 'mean, a response',
    format: (value) => formatFigure(value, 2),
  },
]

interface RunChartsProps {
  readonly looks: readonly LookView[]
  readonly series: Result<'runs.metrics'>
  /** Its placebo, or the run that it is the placebo of. */
  readonly counterpart: CounterpartView | null
  readonly bestStep: number | null
}

export function RunCharts({ looks, series, counterpart, bestStep }: RunChartsProps): ReactNode {
  const lastStep = Math.max(1, looks.at(-1)?.step ?? 0, ...Object.values(series).map((one) => one.at(-1)?.step ?? 0))
  return (
    <section className={css.runCharts} aria-label="Curves">
      {charts.map((chart) => (
        <RunChart
          key={chart.title}
          {...chart}
          points={'look' in chart.figure ? pointsOf(looks, chart.figure.look) : (series[chart.figure.metric] ?? [])}
          other={counterpart && 'look' in chart.figure ? otherCurve(counterpart, chart.figure.look) : null}
          lastStep={lastStep}
          bestStep={'look' in chart.figure ? bestStep : null}
        />
      ))}
    </section>
  )
}

/** A figure of a counterpart's looks. */
interface OtherCurve {
  readonly title: string
  readonly points: readonly Point[]
}

interface Point {
  readonly step: number
  readonly mean: number
}

function pointsOf(looks: readonly LookView[], figure: LookFigure): Point[] {
  return looks.map((look) => ({ step: look.step, mean: look[figure] }))
}

function otherCurve({ run, looks }: CounterpartView, figure: LookFigure): OtherCurve {
  return { title: run.isPlacebo ? 'placebo' : 'its run', points: pointsOf(looks, figure) }
}

interface RunChartProps extends ChartProps {
  readonly points: readonly Point[]
  readonly other: OtherCurve | null
  /** The last step of the whole run; all charts of it end there. */
  readonly lastStep: number
  readonly bestStep: number | null
}

function RunChart({ title, unit, format, points, other, lastStep, bestStep }: RunChartProps): ReactNode {
  const first = points[0]
  const last = points.at(-1)
  // The same look as the result's.
  const best = points.find(({ step }) => step === bestStep)
  const told = best ?? last
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
        {told && (
          <span className={css.chartLast}>
            {format(told.mean)} <span className="quiet">{best ? 'best' : 'last'}</span>
          </span>
        )}
      </figcaption>
      {!last && <p className={css.empty}>Nothing measured yet. The curve begins with the first step.</p>}
      {last && (
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
              domain: [0, lastStep],
              allowDecimals: false,
            }}
            yAxisProps={{ width: 52, tickCount: 4, domain: ['auto', 'auto'] }}
            lineProps={{ isAnimationActive: false }}
            textColor="var(--quiet)"
            lineChartProps={{ accessibilityLayer: false, margin: { top: 18, right: 8 } }}
            {...(bestStep !== null && {
              referenceLines: [{ x: bestStep, label: 'best', labelPosition: 'top', color: 'var(--quiet)' }],
            })}
          />
        </div>
      )}
    </figure>
  )
}

/** Both curves by step, where either has a point. */
function joined(points: readonly Point[], other: OtherCurve | null): Record<string, number>[] {
  const rows = new Map<number, Record<string, number>>(points.map(({ step, mean }) => [step, { step, mean }]))
  for (const { step, mean } of other?.points ?? []) rows.set(step, { ...(rows.get(step) ?? { step }), other: mean })
  return [...rows.values()].sort((a, b) => (a['step'] ?? 0) - (b['step'] ?? 0))
}
