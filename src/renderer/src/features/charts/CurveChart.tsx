// One small chart with one figure over the steps, of a run and what is drawn beside it (RunCharts.tsx), or of all runs of a
// sweep (SweepCharts.tsx).
import '@mantine/charts/styles.css'
import { LineChart } from '@mantine/charts'
import type { ReactNode } from 'react'
import css from './RunCharts.module.css'

export interface Point {
  readonly step: number
  readonly mean: number
}

export interface Curve {
  /** Of this chart's own. */
  readonly name: string
  readonly label: string
  readonly color: string
  readonly points: readonly Point[]
  readonly isDashed?: boolean
}

interface CurveChartProps {
  readonly title: string
  readonly unit: string
  readonly format: (value: number) => string
  /** The first one is this chart's own. */
  readonly curves: readonly Curve[]
  /** A figure beside the title; null for none. */
  readonly told: { readonly text: string; readonly word: string } | null
  /** The whole chart for who does not see it. */
  readonly words: string
  /** The last step that has run; all charts end there. */
  readonly lastStep: number
  readonly bestStep: number | null
}

export function CurveChart(props: CurveChartProps): ReactNode {
  const { title, unit, format, curves, told, words, lastStep, bestStep } = props
  const longest = Math.max(0, ...curves.map(({ points }) => points.length))
  const series = curves.map(({ name, label, color, isDashed }) => ({
    ...{ name, label, color },
    ...(isDashed && { strokeDasharray: '4 4' }),
  }))
  return (
    <figure className={css.chart}>
      <figcaption>
        <span>
          <strong>{title}</strong> <span className="quiet">{unit}</span>
        </span>
        {told && (
          <span className={css.chartLast}>
            {told.text} <span className="quiet">{told.word}</span>
          </span>
        )}
      </figcaption>
      {longest === 0 && <p className={css.empty}>Nothing measured yet. The curve begins with the first step.</p>}
      {longest > 0 && (
        <div role="img" aria-label={words}>
          <LineChart
            h={140}
            data={joined(curves)}
            dataKey="step"
            series={series}
            valueFormatter={format}
            curveType="linear"
            strokeWidth={2}
            connectNulls
            withTooltip={curves.length <= mostInTooltip}
            withDots={longest <= 40}
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

/** More lines than these would cover the chart. */
const mostInTooltip = 8

/** `17.2% at step 0, 9.6% at step 24`. */
export function curveWords(points: readonly Point[], format: (value: number) => string): string {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last) return 'nothing measured yet'
  return `${format(first.mean)} at step ${first.step}, ${format(last.mean)} at step ${last.step}`
}

/** All curves by step, where one of them has a point. */
function joined(curves: readonly Curve[]): Record<string, number>[] {
  const rows = new Map<number, Record<string, number>>()
  for (const { name, points } of curves) {
    for (const { step, mean } of points) rows.set(step, { ...(rows.get(step) ?? { step }), [name]: mean })
  }
  return [...rows.values()].sort((a, b) => (a['step'] ?? 0) - (b['step'] ?? 0))
}
