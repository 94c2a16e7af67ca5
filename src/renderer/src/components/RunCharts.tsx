// The curves of a run while it goes on: four small charts over its steps, the best step marked.
import '@mantine/charts/styles.css'
import { LineChart } from '@mantine/charts'
import type { ReactNode } from 'react'
import type { Result } from '../../../shared/contract.ts'
import type { MetricPoint } from '../../../shared/domain.ts'
import { formatFigure, formatShare } from '../format.ts'

interface ChartProps {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly format: (value: number) => string
}

const charts: readonly ChartProps[] = [
  { name: 'validation.hallucinationRate', title: 'Hallucinated words', unit: 'estimated share', format: formatShare },
  {
    name: 'validation.coverage',
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
  readonly totalSteps: number | null
  readonly bestStep: number | null
}

export function RunCharts({ series, totalSteps, bestStep }: RunChartsProps): ReactNode {
  return (
    <section className="run-charts" aria-label="Curves">
      {charts.map((chart) => (
        <RunChart
          key={chart.name}
          {...chart}
          points={series[chart.name] ?? []}
          totalSteps={totalSteps}
          bestStep={chart.name.startsWith('validation.') ? bestStep : null}
        />
      ))}
    </section>
  )
}

interface RunChartProps extends ChartProps {
  readonly points: readonly MetricPoint[]
  readonly totalSteps: number | null
  readonly bestStep: number | null
}

function RunChart({ title, unit, format, points, totalSteps, bestStep }: RunChartProps): ReactNode {
  const first = points[0]
  const last = points.at(-1)
  const words =
    first && last
      ? `${title}, ${unit}: ${format(first.mean)} at step ${first.step}, ${format(last.mean)} at step ${last.step}`
      : `${title}, ${unit}: nothing measured yet`
  return (
    <figure className="chart">
      <figcaption>
        <span>
          <strong>{title}</strong> <span className="quiet">{unit}</span>
        </span>
        <span className="chart-last">{last ? format(last.mean) : '–'}</span>
      </figcaption>
      <div role="img" aria-label={words}>
        <LineChart
          h={140}
          data={points.map(({ step, mean }) => ({ step, mean }))}
          dataKey="step"
          series={[{ name: 'mean', label: title, color: 'var(--curve)' }]}
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
