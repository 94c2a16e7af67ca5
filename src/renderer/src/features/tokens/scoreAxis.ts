// Where scores and baselines lie on the axis of a word (WordPanel.tsx draws it).
import type { Baselines } from '../../../../shared/calibration.ts'
import type { VerdictBounds } from '../../../../shared/verdict.ts'

/** What a response was judged by. */
export interface ScoreScale extends Baselines {
  /** λ, in units of the score. */
  readonly margin: number
  /** Null where the rule has none on this axis. */
  readonly bounds: VerdictBounds | null
}

/** Scores at both ends of the axis, so that baselines, bounds and score lie inside with room for their labels. */
export function axisRange(score: number, { muGt, muHal, bounds }: ScoreScale): readonly [low: number, high: number] {
  const marks = [score, muGt, muHal, bounds?.low ?? score, bounds?.high ?? score]
  const low = Math.min(...marks)
  const high = Math.max(...marks)
  const room = Math.max(0.02, (high - low) * 0.45)
  return [low - room, high + room]
}

/** A score's place in `[0, width]`. */
export function placeOnAxis(score: number, [low, high]: readonly [number, number], width: number): number {
  return ((score - low) / (high - low)) * width
}
