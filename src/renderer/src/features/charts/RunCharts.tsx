// The curves of a run while it goes on: four small charts over the steps that have run, the best one marked, beside another
// run on request. A person may hold them still while the run goes on.
import { Select, Switch } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import type { Result } from '../../../../shared/contract.ts'
import type { RunId } from '../../../../shared/domain.ts'
import type { CounterpartView, LookView, RunView } from '../../../../shared/runView.ts'
import { formatFigure, formatShare } from '../../format.ts'
import { useKept } from '../../place.ts'
import { useRunDetail, useRunMetrics, useRuns } from '../../queries/runs.ts'
import { CurveChart, curveWords, type Point } from './CurveChart.tsx'
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

/** The metrics of {@link charts}. */
const chartMetrics = ['klNats', 'meanReward']

/** What is drawn of a run. */
interface Curves {
  readonly looks: readonly LookView[]
  readonly series: Result<'runs.metrics'>
  readonly bestStep: number | null
}

interface RunChartsProps {
  readonly run: RunView
  readonly curves: Curves
  /** Its placebo, or the run that it is the placebo of: beside it unless a person chose another run, or none. */
  readonly counterpart: CounterpartView | null
}

export function RunCharts({ run, curves, counterpart }: RunChartsProps): ReactNode {
  const [held, setHeld] = useState<Curves | null>(null)
  const { looks, series, bestStep } = held ?? curves
  const { other, control } = useOther(run, counterpart)
  const lastStep = Math.max(1, lastOf({ looks, series }), other ? lastOf(other) : 0)
  return (
    <section aria-label="Curves">
      <div className={css.tools}>
        {control}
        {(run.live !== null || held !== null) && (
          <Switch
            size="sm"
            label="Follow the run"
            checked={held === null}
            onChange={({ currentTarget }) => setHeld(currentTarget.checked ? null : curves)}
          />
        )}
      </div>
      <div className={css.runCharts}>
        {charts.map((chart) => (
          <RunChart
            key={chart.title}
            {...chart}
            points={pointsOf({ looks, series }, chart.figure)}
            other={other && { title: other.title, points: pointsOf(other, chart.figure) }}
            lastStep={lastStep}
            bestStep={'look' in chart.figure ? bestStep : null}
          />
        ))}
      </div>
    </section>
  )
}

type Drawn = Pick<Curves, 'looks' | 'series'>

function lastOf({ looks, series }: Drawn): number {
  return Math.max(looks.at(-1)?.step ?? 0, ...Object.values(series).map((one) => one.at(-1)?.step ?? 0))
}

const usual = 'usual'
const none = 'none'

/** The run that is drawn beside this one, and the choice of it. */
function useOther(
  { runId }: RunView,
  counterpart: CounterpartView | null,
): { readonly other: (Drawn & { readonly title: string }) | null; readonly control: ReactNode } {
  const [choice, setChoice] = useKept<string>(`run.${runId}.beside`, z.string(), usual)
  const others = (useRuns() ?? []).filter((one) => one.runId !== runId && one.checkpointStep !== null)
  const usualId = counterpart?.run.runId ?? null
  const chosen = others.find((one) => String(one.runId) === choice)
  const otherId: RunId | null = choice === none ? null : (chosen?.runId ?? usualId)
  const detail = useRunDetail(otherId ?? runId)
  const series = useRunMetrics(otherId ?? runId, chartMetrics)
  const isCounterpart = otherId !== null && otherId === usualId
  const title = isCounterpart ? (counterpart?.run.isPlacebo ? 'placebo' : 'its run') : (chosen?.name ?? '')
  return {
    other: otherId !== null && detail && series ? { title, looks: detail.looks, series } : null,
    control: others.length > 0 && (
      <Select
        size="xs"
        className={css.beside}
        aria-label="Draw beside"
        allowDeselect={false}
        data={[
          { value: none, label: 'No other run beside it' },
          ...others.map((one) => ({ value: String(one.runId), label: `Beside: ${one.name}` })),
        ]}
        value={otherId === null ? none : String(otherId)}
        onChange={(value) => setChoice(value ?? none)}
      />
    ),
  }
}

/** The same figure of the other run. */
interface OtherCurve {
  readonly title: string
  readonly points: readonly Point[]
}

function pointsOf({ looks, series }: Drawn, figure: ChartProps['figure']): readonly Point[] {
  if ('metric' in figure) return series[figure.metric] ?? []
  return looks.map((look) => ({ step: look.step, mean: look[figure.look] }))
}

interface RunChartProps extends ChartProps {
  readonly points: readonly Point[]
  readonly other: OtherCurve | null
  readonly lastStep: number
  readonly bestStep: number | null
}

function RunChart({ title, unit, format, points, other, lastStep, bestStep }: RunChartProps): ReactNode {
  // The same look as the result's.
  const best = points.find(({ step }) => step === bestStep)
  const told = best ?? points.at(-1)
  const own = { name: 'mean', label: title, color: 'var(--curve)', points }
  return (
    <CurveChart
      {...{ title, format, lastStep, bestStep }}
      unit={other && other.points.length > 0 ? `${unit}; dashed: ${other.title}` : unit}
      told={told ? { text: format(told.mean), word: best ? 'best' : 'last' } : null}
      words={`${title}, ${unit}: ${curveWords(points, format)}`}
      curves={[
        own,
        ...(other
          ? [
              {
                ...{ name: 'other', label: `${title}, ${other.title}`, color: 'var(--quiet)' },
                ...{ points: other.points, isDashed: true },
              },
            ]
          : []),
      ]}
    />
  )
}
