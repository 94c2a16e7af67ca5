// The runs of a sweep over one another: a curve each, in the colour of its setting.
import type { ReactNode } from 'react'
import type { SweepRunView } from '../../../../shared/sweepView.ts'
import { formatFigure, formatShare } from '../../format.ts'
import { CurveChart, curveWords } from './CurveChart.tsx'
import css from './RunCharts.module.css'

/** So many curves can be told from one another at most, and drawn at once. */
const mostCurves = 60

interface Figure {
  readonly of: (look: SweepRunView['looks'][number]) => number
  readonly title: string
  readonly unit: string
  readonly format: (value: number) => string
}

const charts: readonly Figure[] = [
  {
    ...{ title: 'Hallucinated words', unit: 'estimated share', format: formatShare },
    of: ({ hallucinationRate }) => hallucinationRate,
  },
  {
    ...{ title: 'Right objects', unit: 'estimated, a response', of: ({ coverage }) => coverage },
    format: (value) => formatFigure(value, 2),
  },
]

/** @param colourOf the colour of a setting, by its place in the table */
export function SweepCharts({
  runs,
  colourOf,
}: {
  readonly runs: readonly SweepRunView[]
  readonly colourOf: (row: number) => string
}): ReactNode {
  const drawn = runs.filter(({ isPlacebo, looks }) => !isPlacebo && looks.length > 0)
  const lastStep = Math.max(1, ...drawn.map(({ looks }) => looks.at(-1)?.step ?? 0))
  return (
    <section aria-label="Curves">
      <div className={css.runCharts}>
        {charts.map(({ of, title, unit, format }) => {
          const curves = drawn.slice(0, mostCurves).map(({ runId, name, row, looks }) => ({
            ...{ name: `run ${runId}`, label: name, color: colourOf(row) },
            points: looks.map((look) => ({ step: look.step, mean: of(look) })),
          }))
          const words = curves.map(({ label, points }) => `${label}: ${curveWords(points, format)}`)
          return (
            <CurveChart
              key={title}
              {...{ title, unit, format, lastStep }}
              {...{ curves, told: null, bestStep: null, words: `${title}, ${unit}. ${words.join('; ')}` }}
            />
          )
        })}
      </div>
      {drawn.length > mostCurves && (
        <p className="quiet">
          The first {mostCurves} of {drawn.length} runs are drawn.
        </p>
      )}
    </section>
  )
}
