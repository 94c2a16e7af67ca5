// The score of a word on one axis with the two baselines, and the bounds at which the verdict turns.
import type { ReactNode } from 'react'
import { verdictNames } from '../../../../shared/verdict.ts'
import { formatFigure } from '../../format.ts'
import { axisRange, placeOnAxis, type ScoreScale } from './scoreAxis.ts'
import css from './WordPanel.module.css'

const width = 280
const line = 58

interface ScoreAxisProps {
  readonly score: number
  readonly verdict: keyof typeof verdictNames | null
  readonly scale: ScoreScale
}

export function ScoreAxis({ score, verdict, scale }: ScoreAxisProps): ReactNode {
  const range = axisRange(score, scale)
  const at = (value: number): number => placeOnAxis(value, range, width)
  const { muGt, muHal, margin, bounds } = scale
  const figure = (value: number): string => formatFigure(value, 3)
  const said = verdict === null ? 'not judged' : verdictNames[verdict]
  return (
    <svg
      className={css.axis}
      viewBox={`0 0 ${width} 108`}
      role="img"
      aria-label={`Score ${figure(score)}, ${said}; baselines: right words ${figure(muGt)}, hallucinated words ${figure(muHal)}; margin ${figure(margin)}`}
    >
      {bounds && (
        <>
          <rect className={css.hallucinatedBand} x="0" y={line - 9} width={at(bounds.low)} height="18" />
          <rect
            className={css.neutralBand}
            x={at(bounds.low)}
            y={line - 9}
            width={at(bounds.high) - at(bounds.low)}
            height="18"
          />
          <rect
            className={css.groundedBand}
            x={at(bounds.high)}
            y={line - 9}
            width={width - at(bounds.high)}
            height="18"
          />
        </>
      )}
      <line className={css.line} x1="0" x2={width} y1={line} y2={line} />
      <Baseline x={at(muHal)} name="hal" value={figure(muHal)} anchor={muHal <= muGt ? 'end' : 'start'} />
      <Baseline x={at(muGt)} name="gt" value={figure(muGt)} anchor={muHal <= muGt ? 'start' : 'end'} />
      <path className={css.marker} d={`M${at(score)} ${line + 3}l6 11h-12z`} />
      <line className={css.markerLine} x1={at(score)} x2={at(score)} y1={line - 9} y2={line + 9} />
      <text className={css.scoreLabel} x={Math.min(width - 44, Math.max(44, at(score)))} y="89" textAnchor="middle">
        score {figure(score)}
      </text>
      {bounds && (
        <>
          <text className={css.endLabel} x="0" y="106">
            ✕ hallucinated
          </text>
          <text className={css.endLabel} x={width} y="106" textAnchor="end">
            grounded ✓
          </text>
        </>
      )}
    </svg>
  )
}

interface BaselineProps {
  readonly x: number
  /** Its subscript. */
  readonly name: string
  readonly value: string
  readonly anchor: 'start' | 'end'
}

/** A baseline, labelled away from the other one. */
function Baseline({ x, name, value, anchor }: BaselineProps): ReactNode {
  const away = anchor === 'start' ? 4 : -4
  return (
    <>
      <line className={css.baseline} x1={x} x2={x} y1="8" y2={line + 9} />
      <text className={css.label} x={x + away} y="17" textAnchor={anchor}>
        μ
        <tspan dy="3" fontSize="10">
          {name}
        </tspan>
      </text>
      <text className={css.label} x={x + away} y="32" textAnchor={anchor}>
        {value}
      </text>
    </>
  )
}
