// One line of figures: an experiment on one seed at one step and strength, as experiments.ts keeps it and tables.ts reads
// it. Kept in docs/results, so that every table can be made again.
import type { ChairComparisons, ChairReport, FigureComparison, ObjectCounts } from '../../src/shared/evaluation.ts'
import type { Aligned } from './alignScenes.ts'
import type { RemovalPoint } from './removal.ts'

/** A figure with its 95 % interval. */
export type Figure = readonly [value: number | null, low: number | null, high: number | null]

export interface Compared {
  readonly before: number | null
  readonly after: number | null
  readonly difference: Figure
  readonly relativeReduction: Figure
}
export type Figures = Readonly<Record<keyof ChairComparisons, Compared>>

export interface Line {
  /** Of the experiment, its seed, settings, model and number of scenes. */
  readonly key: string
  readonly experiment: string
  readonly seed: number
  readonly step: number
  readonly strength: number
  /** Of the alignment without its placebo. */
  readonly seconds: number
  readonly bestStep: number
  readonly steps: number
  /** Sampled in training up to and with the step. */
  readonly tokens: number
  readonly verifier: { readonly estimated: number | null; readonly annotated: number | null }
  readonly figures: Figures
  readonly placebo: { readonly figures: Figures; readonly beyond: Figures } | null
  readonly byObject: ChairReport['byObject'] | null
  /** What removing words by the verifier's threshold reaches, before alignment. */
  readonly removal: readonly RemovalPoint[] | null
}

export function lineOf(
  facts: Pick<Line, 'key' | 'experiment' | 'seed' | 'step' | 'strength' | 'seconds'>,
  { best, steps, tokens, calibration, aurocAnnotated }: Aligned,
  { figures, placebo, byObject }: ChairReport,
  removal: readonly RemovalPoint[] | null,
): Line {
  return {
    ...facts,
    ...{ bestStep: best.step, steps, tokens: tokens[facts.step] ?? 0 },
    verifier: { estimated: calibration.calibration.auroc, annotated: aurocAnnotated },
    figures: brief(figures),
    placebo: placebo && { figures: brief(placebo.figures), beyond: brief(placebo.beyond) },
    byObject: facts.experiment === 'default' ? withoutUnnamed(byObject) : null,
    removal,
  }
}

/** Four decimals: a figure of 500 scenes has not three. */
const rounded = (value: number | null) => value && Number(value.toFixed(4))

function brief(figures: ChairComparisons): Figures {
  const figure = ({ value, low, high }: FigureComparison['difference']): Figure => [
    rounded(value),
    rounded(low),
    rounded(high),
  ]
  const names = Object.keys(figures) as (keyof ChairComparisons)[]
  const entries = names.map((name): [string, Compared] => {
    const { before, after, difference, relativeReduction } = figures[name]
    return [
      name,
      {
        ...{ before: rounded(before.value), after: rounded(after.value) },
        ...{ difference: figure(difference), relativeReduction: figure(relativeReduction) },
      },
    ]
  })
  return Object.fromEntries(entries) as Figures
}

function withoutUnnamed({ before, after }: ChairReport['byObject']): ChairReport['byObject'] {
  const named = (counts: readonly ObjectCounts[]) =>
    counts.filter(({ annotated, mentions }) => annotated + mentions > 0)
  return { before: named(before), after: named(after) }
}
