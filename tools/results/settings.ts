// The experiments of docs/results.md: what is compared, on which seeds, at which steps. experiments.ts runs them.
import { type PresetName, presetConfig, type RunConfig } from '../../src/shared/runConfig.ts'

type Changes = Parameters<typeof presetConfig>[1]

export interface Experiment {
  /** Of its lines in the file of figures. */
  readonly name: string
  /** In the tables. */
  readonly title: string
  readonly changes: Changes
  readonly seeds: readonly number[]
  /** Steps that are judged; `best` is the one that the run itself would export. */
  readonly steps: readonly (number | 'best')[]
  /** Strengths of the adapter after training. */
  readonly strengths: readonly number[]
  /** Makes the placebo of every seed too. */
  readonly placebo: boolean
  /** `shuffled` has a text tower that reads each word as another one. */
  readonly model: 'demo' | 'shuffled'
}

const preset: PresetName = 'quick-look'
const steps = presetConfig(preset).optimiser.stepsPerRound
const few = [1, 2] as const
/** Runs that are compared step by step go to their end. */
const toTheEnd = { evaluation: { stopsEarly: false } } as const satisfies Changes

function experiment(name: string, title: string, changes: Changes, more: Partial<Experiment> = {}): Experiment {
  return {
    ...{ name, title, changes: { ...toTheEnd, ...changes } },
    ...{ seeds: few, steps: [steps], strengths: [1], placebo: false, model: 'demo', ...more },
  }
}

const rounds = (count: number) =>
  experiment(`rounds-${count}`, count === 1 ? `1 round of ${steps}` : `${count} rounds of ${steps / count}`, {
    optimiser: { rounds: count, stepsPerRound: steps / count },
  })

export const experiments: readonly Experiment[] = [
  // As the demo runs it, the stop rule included.
  experiment(
    'default',
    'token level, linear (the default)',
    { evaluation: {} },
    {
      ...{ seeds: [1, 2, 3, 4, 5], steps: ['best', steps], placebo: true },
    },
  ),
  experiment(
    'shuffled',
    'useless verifier (shuffled text tower)',
    { calibration: { goOnRefused: true } },
    { model: 'shuffled' },
  ),
  experiment('posterior', 'token level, posterior', { reward: { variant: 'posterior' } }),
  experiment('first-mention', 'token level, piecewise, first mentions', { reward: { variant: 'first-mention' } }),
  experiment('paper', 'token level, piecewise, every mention (the paper)', { reward: { variant: 'paper' } }),
  experiment('sentence-response', 'sentence level, score of the response', {
    reward: { method: 'sentence', sentence: 'response-score' },
  }),
  experiment('sentence-mean', 'sentence level, mean token score', {
    reward: { method: 'sentence', sentence: 'mean-score' },
  }),
  experiment('dpo-response', 'DPO, ranked by the score of the response (as CSR)', {
    reward: { method: 'dpo', sentence: 'response-score' },
  }),
  experiment('dpo-mean', 'DPO, ranked by the mean token score', { reward: { method: 'dpo', sentence: 'mean-score' } }),
  experiment('annotated', 'token level, linear, annotated calibration', { calibration: { method: 'annotated' } }),
  rounds(2),
  rounds(4),
  experiment(
    'curve',
    'token level, linear, to 128 steps',
    { optimiser: { stepsPerRound: 128 } },
    { steps: [8, 16, 32, 48, 64, 96, 128], placebo: true },
  ),
  experiment(
    'strength',
    'token level, linear, scaled after training',
    {},
    { strengths: [0.25, 0.5, 0.75, 1], placebo: true },
  ),
]

export function configOf({ changes }: Experiment): RunConfig {
  return presetConfig(preset, changes)
}
