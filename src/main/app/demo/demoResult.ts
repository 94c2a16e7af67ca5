// The figures of a demo run: result.json, the printed table, and what the report is made of. demo.ts hands over what the
// run left in the workspace and what the evaluation found.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { joinFindings } from '../../../shared/annotationJoin.ts'
import type { Result } from '../../../shared/contract.ts'
import type { ChairReport, Estimate } from '../../../shared/evaluation.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import { outcomeSentence } from '../../../shared/look.ts'
import { imageSplit } from '../../../shared/runConfig.ts'
import type { RunDetail } from '../../../shared/runView.ts'
import type { RunReport } from '../report/reportData.ts'
import { demoLicences, demoLimits } from '../report/runReport.ts'
import { sceneIndexes } from '../report/scenes.ts'
import type { DemoOptions } from './demoOptions.ts'

/** What a demo run came to. */
export interface DemoRun {
  readonly detail: RunDetail
  readonly chair: ChairReport
  readonly series: Result<'runs.metrics'>
  readonly device: DeviceName
  readonly version: string
  /** In the workspace. */
  readonly images: number
  readonly resumedFrom: number | null
  readonly durationS: number
}

export type DemoResult = ReturnType<typeof demoResult>

/** `result.json`. Shares are from 0 to 1, lengths in words a response, durations in seconds. */
export function demoResult({ detail, chair, series, ...run }: DemoRun, options: DemoOptions) {
  const { figures } = chair
  const side = (which: 'before' | 'after') => ({
    chairI: figures.chairI[which].value,
    chairIUnique: figures.chairIUnique[which].value,
    chairS: figures.chairS[which].value,
    recall: figures.recall[which].value,
    meanLength: figures.meanLength[which].value,
    repetition: figures.repetition[which].value,
    n: chair.images,
  })
  const interval = ({ value, low, high }: Estimate) => ({ value, low, high })
  return {
    ...{ seed: options.seed, preset: options.preset, reward: options.reward, calibration: options.calibration },
    ...{ device: run.device, images: run.images, isHeldOut: options.heldOut !== null },
    before: side('before'),
    after: side('after'),
    chairIRelativeReduction: interval(figures.chairI.relativeReduction),
    differences: {
      chairI: interval(figures.chairI.difference),
      recall: interval(figures.recall.difference),
      meanLength: interval(figures.meanLength.difference),
      repetition: interval(figures.repetition.difference),
    },
    placebo: chair.placebo && {
      chairIRelativeReduction: interval(chair.placebo.figures.chairI.relativeReduction),
      recall: interval(chair.placebo.figures.recall.difference),
      /** This run less its placebo. */
      beyond: {
        chairI: interval(chair.placebo.beyond.chairI.difference),
        recall: interval(chair.placebo.beyond.recall.difference),
      },
    },
    verifier: {
      aurocEstimated: detail.calibration?.auroc ?? null,
      aurocEstimatedInterval: detail.calibration?.estimate?.auroc ?? null,
      aurocAnnotated: chair.verifierAuroc.value,
    },
    klNats: lastOf(series['klNats']),
    steps: { done: detail.run.checkpointStep ?? 0, best: detail.bestStep ?? 0 },
    durationS: durations({ detail, chair, series, ...run }),
    tokensGenerated: sumOf(series['tokens']),
    resumedFrom: run.resumedFrom,
    outcome: outcomeSentence(detail.looks, detail.bestStep ?? 0, true),
    notes: [...detail.calibrationNotes, ...joinFindings(chair.annotations, 'evaluation')],
  }
}

/** The report of the run, with twelve scenes. */
export function demoReport(run: DemoRun, options: DemoOptions): RunReport {
  const { detail, chair, series } = run
  const config = detail.config as NonNullable<RunDetail['config']>
  const { training, validation } = imageSplit(run.images, config)
  const scenes = sceneIndexes(chair.responses).flatMap((index) => {
    const response = chair.responses[index]
    if (!response) return []
    const image = `data:image/jpeg;base64,${readFileSync(response.path).toString('base64')}`
    return [{ ...response, name: basename(response.path), image }]
  })
  return {
    title: 'Demo run',
    createdAtMs: Date.now(),
    command: commandOf(options),
    ...{ seed: options.seed, preset: options.preset, device: run.device, config },
    ...{ modelName: detail.run.modelName, encoderName: null, resumedFrom: run.resumedFrom },
    versions: { 'FiSAO Studio': run.version, Electron: process.versions.electron ?? '' },
    images: { alignment: training, validation, evaluation: chair.images },
    steps: { done: detail.run.checkpointStep ?? 0, best: detail.bestStep ?? 0 },
    ...{ calibration: detail.calibration, calibrationNotes: detail.calibrationNotes },
    outcome: outcomeSentence(detail.looks, detail.bestStep ?? 0, true),
    curves: Object.fromEntries(
      Object.entries(series).map(([name, points]) => [name, points.map(({ step, mean }) => ({ step, value: mean }))]),
    ),
    run: null,
    evaluation: chair,
    bootstrapResamples: 10_000,
    scenes,
    durationS: durations(run),
    tokensGenerated: sumOf(series['tokens']),
    limits: demoLimits,
    licences: demoLicences,
  }
}

/** The figures as lines of text. */
export function resultTable({ before, after, differences, chairIRelativeReduction, ...result }: DemoResult): string {
  const percent = (value: number | null) => (value === null ? '–' : `${(100 * value).toFixed(1)} %`)
  const plain = (value: number | null) => (value === null ? '–' : value.toFixed(2))
  const line = (name: string, was: string, is: string, rest = '') =>
    `  ${name.padEnd(26)}${was.padStart(9)}${is.padStart(9)}   ${rest}`
  const points = ({ value, low, high }: (typeof differences)['recall'], factor: number) =>
    value === null
      ? ''
      : `${signed(value * factor)} (${signed((low ?? 0) * factor)} to ${signed((high ?? 0) * factor)})`
  const { total, rollout, reward, update, evaluate } = result.durationS
  const { value, low, high } = chairIRelativeReduction
  return [
    '',
    line('', 'before', 'after', 'difference, 95 % interval'),
    line('CHAIR_i', percent(before.chairI), percent(after.chairI), points(differences.chairI, 100)),
    line('CHAIR_i, unique objects', percent(before.chairIUnique), percent(after.chairIUnique)),
    line('CHAIR_s', percent(before.chairS), percent(after.chairS)),
    line('recall', percent(before.recall), percent(after.recall), points(differences.recall, 100)),
    line('words a response', plain(before.meanLength), plain(after.meanLength), points(differences.meanLength, 1)),
    line('repeated mentions', plain(before.repetition), plain(after.repetition), points(differences.repetition, 1)),
    '',
    `CHAIR_i fell by ${percent(value)} (95 % interval ${percent(low)} to ${percent(high)}) on ${before.n} ${result.isHeldOut ? 'held-out ' : ''}scenes,`,
    `step ${result.steps.best} of ${result.steps.done}, ${total.toFixed(0)} s in all: rollouts ${rollout.toFixed(0)}, rewards ${reward.toFixed(1)}, updates ${update.toFixed(0)}, looks and evaluation ${evaluate.toFixed(0)}`,
    result.outcome,
    ...result.notes,
    ...(result.placebo ? ['', placeboLines(result.placebo, result.steps.best)] : []),
    '',
  ].join('\n')
}

function placeboLines(
  { chairIRelativeReduction: fall, recall, beyond }: NonNullable<DemoResult['placebo']>,
  bestStep: number,
): string {
  if (bestStep === 0) return 'There is nothing to hold against its placebo: the figures are of the model as it came.'
  const written = (figure: typeof fall) => {
    const [value, low, high] = [figure.value, figure.low, figure.high].map((one) => signed(100 * (one ?? Number.NaN)))
    return `${value} (${low} to ${high})`
  }
  const change = 100 * (fall.value ?? Number.NaN)
  return [
    `Its placebo, each image judged by another one: CHAIR_i ${change < 0 ? 'rose' : 'fell'} by ${Math.abs(change).toFixed(1)} %, recall ${written(recall)} points.`,
    `Beyond the placebo: CHAIR_i ${written(beyond.chairI)} points, recall ${written(beyond.recall)} points.`,
  ].join('\n')
}

function durations({ chair, series, durationS }: DemoRun): RunReport['durationS'] {
  const seconds = (phase: string) => sumOf(series[`time.${phase}Ms`]) / 1000
  return {
    total: durationS,
    rollout: seconds('rollout'),
    reward: seconds('reward'),
    update: seconds('update'),
    evaluate: seconds('evaluate') + chair.durationMs / 1000,
  }
}

function commandOf({ seed, preset, reward, calibration, images, steps, model, force, placebo }: DemoOptions): string {
  const flags = [`--seed ${seed}`]
  if (preset !== 'quick-look') flags.push(`--preset ${preset}`)
  if (reward !== 'token') flags.push(`--reward ${reward}`)
  if (calibration !== 'free') flags.push(`--calibration ${calibration}`)
  if (images !== null) flags.push(`--images ${images}`)
  if (steps !== null) flags.push(`--steps ${steps}`)
  if (model !== null) flags.push(`--model ${model}`)
  if (force) flags.push('--force')
  if (placebo) flags.push('--placebo')
  return `npm run demo -- ${flags.join(' ')}`
}

type Series = Result<'runs.metrics'>[string] | undefined

function sumOf(series: Series): number {
  return (series ?? []).reduce((sum, { mean }) => sum + mean, 0)
}

function lastOf(series: Series): number | null {
  return series?.at(-1)?.mean ?? null
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(Math.abs(value) < 1 ? 2 : 1)}`
}
