// The shapes of score distributions that the gate is tried on: a word's score on an image, less the word's and the image's
// own levels, for words that are there and words that are not. world.ts draws from them.
import { auroc } from '../../src/main/engine/reward/auroc.ts'
import type { Rng } from '../../src/main/engine/rng.ts'

/** A noise of deviation about 1, and how a present word differs: `gap` is found so that a wanted AUROC comes out. */
export interface ScoreShape {
  readonly absent: (rng: Rng) => number
  readonly present: (rng: Rng, gap: number) => number
  /** Deviation of words' own levels, drawn from this range. */
  readonly levels: readonly [number, number]
  /** Of images' own levels. */
  readonly imageLevels: readonly [number, number]
  /** Share of the gap that a hallucinated word has too: the verifier is taken in by what took the model in. */
  readonly confusion?: number
}

const usual = { levels: [0, 2], imageLevels: [0, 0.8] } as const
const shifted = (noise: (rng: Rng) => number) => ({
  absent: noise,
  present: (rng: Rng, gap: number) => noise(rng) + gap,
})
const normal = (rng: Rng): number => rng.normal()
const exponential = (rng: Rng): number => -Math.log(1 - rng.uniform())

export const scoreShapes = {
  normal: { ...shifted(normal), ...usual },
  lognormal: {
    absent: (rng) => Math.exp(0.6 * rng.normal()),
    present: (rng, gap) => Math.exp(0.6 * (rng.normal() + gap)),
    ...usual,
  },
  gamma: { ...shifted((rng) => (exponential(rng) + exponential(rng)) / Math.SQRT2), ...usual },
  uniform: { ...shifted((rng) => Math.sqrt(12) * (rng.uniform() - 0.5)), ...usual },
  'two levels': {
    // P(high | present) - P(high | absent) = 1 - exp(-gap), evenly round the middle.
    absent: (rng) => rng.uniform(),
    present: (rng) => rng.uniform(),
    ...{ levels: [0, 2], imageLevels: [0, 0] },
  },
  'heavy tails (t, 3 degrees)': { ...shifted(studentOf3), ...usual },
  'skewed mixture': {
    ...shifted((rng) => (rng.uniform() < 0.75 ? 0.5 * rng.normal() : 2 + 0.6 * rng.normal())),
    ...usual,
  },
  discretised: {
    absent: (rng) => Math.round(2 * rng.normal()) / 2,
    present: (rng, gap) => Math.round(2 * (rng.normal() + gap)) / 2,
    ...{ levels: [0, 2], imageLevels: [0, 0] },
  },
  'right words narrower': { absent: normal, present: (rng, gap) => 0.55 * rng.normal() + gap, ...usual },
  'right words broader': { absent: normal, present: (rng, gap) => 1.6 * rng.normal() + gap, ...usual },
  'word levels dominate': { ...shifted(normal), levels: [3, 5], imageLevels: [0, 0.8] },
  'verifier confused with the model': { ...shifted(normal), ...usual, confusion: 0.25 },
} as const satisfies Record<string, ScoreShape>
export type ShapeName = keyof typeof scoreShapes
export const shapeNames = Object.keys(scoreShapes) as ShapeName[]

function studentOf3(rng: Rng): number {
  const [a, b, c] = [rng.normal(), rng.normal(), rng.normal()]
  return rng.normal() / Math.sqrt(a * a + b * b + c * c)
}

/** Two levels: one draw decides by the share of high scores, all others draw by their shape. */
export function drawScore(name: ShapeName, isPresent: boolean, gap: number, rng: Rng): number {
  const shape: ScoreShape = scoreShapes[name]
  if (name !== 'two levels') return isPresent ? shape.present(rng, gap) : shape.absent(rng)
  const apart = 1 - Math.exp(-gap)
  return shape.absent(rng) < 0.5 * (isPresent ? 1 + apart : 1 - apart) ? 1 : 0
}

/** The gap at which present words score above absent ones with this probability, by bisection over `pairs` draws. */
export function gapFor(name: ShapeName, wanted: number, imageLevel: number, rng: Rng, pairs = 600): number {
  if (wanted <= 0.5) return 0
  let [low, high] = [0, 8]
  for (let step = 0; step < 12; step++) {
    const gap = (low + high) / 2
    // The same draws at each step, so that only the gap moves the figure.
    const draws = rng.fork(1)
    const level = () => imageLevel * draws.normal()
    const [present, absent] = [true, false].map((isPresent) =>
      Float64Array.from({ length: pairs }, () => drawScore(name, isPresent, gap, draws) + level()),
    ) as [Float64Array, Float64Array]
    if ((auroc(present, absent) ?? 0.5) < wanted) low = gap
    else high = gap
  }
  return (low + high) / 2
}
