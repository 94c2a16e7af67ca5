// The report of any run of a workspace, from what stands there: nothing is computed by a model and nothing is written, so a
// workspace that can only be read has reports too. Before it stands runViews.ts, after it runReport.ts.
import type { CheckpointId, RunId } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import { alignJobSchema } from '../../../shared/job.ts'
import { outcomeSentence } from '../../../shared/look.ts'
import { imageSplit } from '../../../shared/runConfig.ts'
import { type LookView, lookViewSchema, type RunDetail } from '../../../shared/runView.ts'
import { shownPath } from '../../../shared/shownText.ts'
import { checkpointAtStep } from '../../db/checkpoints.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { countImagesUntil } from '../../db/images.ts'
import { jobOf } from '../../db/jobs.ts'
import { thinnedLooks } from '../../db/looks.ts'
import { metricSeries, metricTotal } from '../../db/metrics.ts'
import { modelById } from '../../db/models.ts'
import type { ReportPoint } from './charts.ts'
import { endingSentences } from './ending.ts'
import { gatherSamples } from './gatherSamples.ts'
import type { ReportFile, RunReport, WorkspaceRun } from './reportData.ts'

/** Points of a curve, and looks of a run: more cannot be told apart in print. */
const mostPoints = 240
/** Validation images that samples are chosen from. */
const mostValidation = 2000

export interface ReportOptions {
  /** The step that the figures are of; null for the best one. */
  readonly step: number | null
  readonly nowMs: number
  readonly versions: Readonly<Record<string, string>>
}

/** @throws StudioError `run.no-checkpoint` when the run has none at the step that was asked for */
export function gatherReport(db: ReadableDb, detail: RunDetail, options: ReportOptions): RunReport {
  const { run, config } = detail
  const { runId } = run
  const step = options.step ?? detail.bestStep ?? 0
  const [first, shown] = [0, step].map((at) => checkpointAtStep(db, runId, at)?.checkpointId ?? null)
  if (options.step !== null && !shown) throw noCheckpoint(runId, options.step)
  const stored = jobOf(db, runId)
  const job = stored ? alignJobSchema.omit({ images: true }).safeParse(stored.job) : null
  const all = countImagesUntil(db, stored?.lastImageId ?? Number.MAX_SAFE_INTEGER)
  const split = config ? imageSplit(all, config) : { training: all, validation: mostValidation }
  const files = filesOf(db, detail, job?.success ? job.data : null)
  const seconds = (phase: string): number => metricTotal(db, runId, `time.${phase}Ms`) / 1000
  const looks = looksOf(db, runId, step)
  const { counterpart } = detail
  const durationS = {
    ...{ rollout: seconds('rollout'), reward: seconds('reward') },
    ...{ update: seconds('update'), evaluate: seconds('evaluate') },
  }
  const spent = Object.values(durationS).reduce((sum, one) => sum + one, 0)
  const span = run.startedAtMs === null ? 0 : ((run.endedAtMs ?? options.nowMs) - run.startedAtMs) / 1000
  return {
    ...{ title: run.name, createdAtMs: options.nowMs, command: null, seed: run.seed, preset: run.preset },
    device: job?.success ? job.data.device : 'not recorded',
    ...{ modelName: run.modelName, encoderName: null, versions: options.versions },
    images: { alignment: split.training, validation: config ? split.validation : 0, evaluation: 0 },
    steps: { done: run.checkpointStep ?? 0, best: step },
    resumedFrom: null,
    ...{ config, calibration: detail.calibration, calibrationNotes: detail.calibrationNotes },
    outcome: outcomeSentence(detail.looks, detail.bestStep ?? 0, run.state === 'complete'),
    run: {
      ...{ state: run.state, isPlacebo: run.isPlacebo, isOfBest: step === (detail.bestStep ?? 0) },
      ending: endingSentences(run, detail.looks),
      ...{ looks, skipped: detail.skipped, files },
      counterpart: counterpart && { ...counterpart, looks: looksOf(db, counterpart.run.runId, step) },
      ...samplesOf(db, first, shown, Math.min(split.validation, mostValidation)),
      ...{ startedAtMs: run.startedAtMs, endedAtMs: run.endedAtMs },
    },
    curves: curvesOf(db, detail, looks),
    ...{ evaluation: null, bootstrapResamples: null, scenes: [] },
    durationS: { total: Math.max(span, spent), ...durationS },
    tokensGenerated: metricTotal(db, runId, 'tokens'),
    ...{ limits: [], licences: [] },
  }
}

function samplesOf(
  db: ReadableDb,
  first: CheckpointId | null | undefined,
  shown: CheckpointId | null | undefined,
  most: number,
): Pick<WorkspaceRun, 'samples' | 'compared'> {
  if (!first || !shown) return { samples: [], compared: { images: 0, changed: 0, damaged: 0 } }
  return gatherSamples(db, first, shown, most)
}

/** At even distances, the first, the last and the one of `keptStep` among them. */
function looksOf(db: ReadableDb, runId: RunId, keptStep: number): LookView[] {
  return thinnedLooks(db, runId, keptStep, mostPoints).map((look) => lookViewSchema.parse(look))
}

/** Metrics by step; what looks hold is taken from them, with its interval. */
function curvesOf(db: ReadableDb, { run, metricNames }: RunDetail, looks: readonly LookView[]): RunReport['curves'] {
  const fromMetrics = metricNames
    .filter((name) => !name.startsWith('time.'))
    .map((name): [string, ReportPoint[]] => [
      name,
      metricSeries(db, run.runId, name, { mostPoints }).map(({ step, mean }) => ({ step, value: mean })),
    ])
  const fromLooks = (of: (look: LookView) => number): ReportPoint[] =>
    looks.map((look) => ({ step: look.step, value: of(look) }))
  const rates = looks.map((look): ReportPoint => {
    const { step, hallucinationRate: value, hallucinationRateLow: low, hallucinationRateHigh: high } = look
    return low === undefined || high === undefined ? { step, value } : { step, value, interval: { low, high } }
  })
  return {
    ...Object.fromEntries(fromMetrics),
    'validation.hallucinationRate': rates,
    'validation.coverage': fromLooks(({ coverage }) => coverage),
    'validation.meanWords': fromLooks(({ meanWords }) => meanWords),
    'validation.meanRepeatedMentions': fromLooks(({ meanRepeatedMentions }) => meanRepeatedMentions),
  }
}

type StoredJob = Pick<ReturnType<typeof alignJobSchema.parse>, 'models' | 'lexicon' | 'annotations'>

function filesOf(db: ReadableDb, { run, config }: RunDetail, job: StoredJob | null): ReportFile[] {
  const model = modelById(db, run.modelId)
  const folder = (what: string, path: string, of: StoredJob['models']['model'] | undefined): ReportFile => ({
    ...{ what, path: shownPath(path) },
    hashes: of
      ? [
          ['weights', of.weightsSha256],
          ['configs and tokenizer', of.settingsSha256],
        ]
      : [],
  })
  const file = (what: string, of: StoredJob['lexicon'] | null | undefined): ReportFile[] =>
    of ? [{ what, path: shownPath(of.path), hashes: [['file', of.sha256]] }] : []
  const known = folder('Model', model?.folder ?? 'not in the workspace any more', job?.models.model)
  const checked: ReportFile = model && !job ? { ...known, hashes: [['weights', model.weightsSha256]] } : known
  return [
    checked,
    ...(model?.companionFolder ? [folder('Encoder', model.companionFolder, job?.models.companion)] : []),
    ...file('Lexicon of object words', job?.lexicon),
    ...file('Annotations of the calibration', config?.calibration.method === 'annotated' ? job?.annotations : null),
  ]
}

function noCheckpoint(runId: RunId, step: number): StudioError {
  return new StudioError({
    code: 'run.no-checkpoint',
    message: `This run has no checkpoint at step ${step}.`,
    remedy: 'Choose another checkpoint of the run.',
    where: `run ${runId}`,
  })
}
