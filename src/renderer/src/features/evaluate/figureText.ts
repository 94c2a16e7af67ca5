// Figures of an evaluation as a person reads them: values, intervals, differences, and whether one is better. Pure.
import type { Estimate } from '../../../../shared/evaluation.ts'
import {
  type EvaluationDetail,
  type EvaluationView,
  type FigureInfo,
  figureInfo,
  type MeasureKind,
} from '../../../../shared/evaluations.ts'
import { formatFigure, formatShare } from '../../format.ts'
import { checkpointName } from '../inspector/questions.ts'

const decimals = { count: 2, words: 1, points: 1 } as const
const unitWords = { count: '', words: ' words', points: '' } as const

/** A figure that this version does not know is shown under its own name. */
export function infoOf(kind: MeasureKind, name: string): FigureInfo {
  return figureInfo[kind][name] ?? { title: name, unit: 'count', better: null, explains: '' }
}

/** `17.2%`, `2.31`; a dash where there is nothing to divide by. */
export function valueText({ value }: Pick<Estimate, 'value'>, { unit }: Pick<FigureInfo, 'unit'>): string {
  if (value === null) return '–'
  return unit === 'share' ? formatShare(value) : `${formatFigure(value, decimals[unit])}${unitWords[unit]}`
}

/** `15.0% to 19.8%`, `15.2 to 17.1` words; null where there is none. */
export function intervalText({ low, high }: Estimate, { unit }: Pick<FigureInfo, 'unit'>): string | null {
  if (low === null || high === null) return null
  const bound = (value: number): string => (unit === 'share' ? formatShare(value) : formatFigure(value, decimals[unit]))
  return `${bound(low)} to ${bound(high)}`
}

/** `−3.1 points` of per cent, `+0.20`. */
export function differenceText(difference: number, { unit }: Pick<FigureInfo, 'unit'>): string {
  return `${signed(difference, unit)}${unit === 'share' ? ' points' : unitWords[unit]}`
}

/** `−5.0 to −1.2`, in the unit of its difference; null where there is none. */
export function differenceInterval({ low, high }: Estimate, { unit }: Pick<FigureInfo, 'unit'>): string | null {
  return low === null || high === null ? null : `${signed(low, unit)} to ${signed(high, unit)}`
}

function signed(value: number, unit: FigureInfo['unit']): string {
  const size = Math.abs(value)
  const shown = unit === 'share' ? formatFigure(size * 100, 1) : formatFigure(size, decimals[unit])
  return `${value < 0 ? '−' : '+'}${shown}`
}

export type Verdict = 'better' | 'worse' | 'unclear' | 'other'

/** `unclear`: the 95 % interval holds zero; `other`: it does not, and neither way is better by itself. */
export function verdictOf({ value, low, high }: Estimate, better: FigureInfo['better']): Verdict | null {
  if (value === null || low === null || high === null) return null
  if (low <= 0 && high >= 0) return 'unclear'
  if (better === null) return 'other'
  return value > 0 === (better === 'higher') ? 'better' : 'worse'
}

export const verdictWords: Readonly<Record<Verdict, string>> = {
  ...{ better: 'better', worse: 'worse', unclear: 'no clear change', other: 'changed' },
}

/** The difference of a figure, of one policy less another, in either order; null where it was not computed. */
export function differenceOf(
  { differences }: Pick<EvaluationDetail, 'differences'>,
  { name, group }: { readonly name: string; readonly group: string | null },
  base: number,
  of: number,
): Estimate | null {
  const [before, after] = base < of ? [base, of] : [of, base]
  const pair = differences.find((one) => one.before === before && one.after === after)
  const difference = pair?.figures.find((one) => one.name === name && one.group === group)?.difference
  if (!difference) return null
  return base < of ? difference : turned(difference)
}

/** Seen from the other side. */
function turned({ value, low, high, ...rest }: Estimate): Estimate {
  const minus = (one: number | null): number | null => (one === null ? null : -one)
  return { ...rest, value: minus(value), low: minus(high), high: minus(low) }
}

/** `Zoo and street, step 20`, for each policy of an evaluation. */
export function policyName({ policy, name }: EvaluationView['policies'][number]): string {
  if (policy.from === 'model') return `${name}, as it came`
  const checkpoint = checkpointName({ step: policy.step, isBest: false }).toLowerCase()
  const strength =
    policy.step > 0 && policy.strength !== 1
      ? ` at ${policy.strength.toLocaleString(undefined, { style: 'percent' })}`
      : ''
  return `${name}, ${checkpoint}${strength}`
}
