// Runs between the workspace file and the screens: what a page shows of one, and the config that the wizard's choices
// come to. Used by runQueue.ts.
import { z } from 'zod'
import { annotationJoinSchema, joinFindings } from '../../shared/annotationJoin.ts'
import { keptBaselinesSchema, keptBaselinesText } from '../../shared/calibration.ts'
import type { NewRunRequest } from '../../shared/contract.ts'
import { type Json, jsonSchema, type RunRecord } from '../../shared/domain.ts'
import { type ErrorRecord, StudioError } from '../../shared/errors.ts'
import {
  lacksAnnotations,
  presetConfig,
  type RunConfig,
  runConfigSchema,
  storedRunConfig,
  totalStepsOf,
} from '../../shared/runConfig.ts'
import { noCompanion } from '../../shared/runErrors.ts'
import {
  type CalibrationView,
  type CounterpartView,
  calibrationViewSchema,
  lookViewSchema,
  type RunDetail,
  type RunView,
} from '../../shared/runView.ts'
import { shownPath, shownText } from '../../shared/shownText.ts'
import type { ReadableDb } from '../db/connection.ts'
import { pinnedLookStep, thinnedLooks } from '../db/looks.ts'
import { metricNames } from '../db/metrics.ts'
import { modelById, modelName } from '../db/models.ts'
import { counterpartOf } from '../db/runs.ts'
import { countSkippedImages, skippedImages } from '../db/skippedImages.ts'
import { sweepOfRun } from '../db/sweeps.ts'

/** Left-out images that a run's page names. */
const mostSkippedShown = 100

/** Rows that a page shows of a run's looks; a longer run is shown at even distances. */
const mostLooks = 1000
const mostMetrics = 256
const mostRefusals = 16
const mostNotes = 16
const longestSentence = 1000
const storedCalibrationSchema = z.object({
  calibration: calibrationViewSchema,
  kept: z.array(keptBaselinesSchema).default([]),
  annotations: annotationJoinSchema.nullable().default(null),
})

/** What stands nowhere in the file: what the engine reports of a run, and what the run waits for. */
export type RunNow = Pick<RunView, 'live' | 'waitingFor'>

/** A run in the list. */
export function viewOf(db: ReadableDb, run: RunRecord, now: RunNow): RunView {
  const { config: stored, calibration: _, ...record } = run
  const config = runConfigSchema.safeParse(stored)
  return {
    ...record,
    name: shownText(record.name),
    preset: shownText(record.preset),
    error: record.error && shownError(record.error),
    modelName: shownText(modelName(db, run.modelId) ?? ''),
    totalSteps: config.success ? totalStepsOf(config.data) : null,
    isPlacebo: config.success && config.data.reward.verifier === 'placebo',
    sweepId: sweepOfRun(db, run.runId),
    ...now,
  }
}

/** A run with its looks, its best step, its calibration and the names of its metrics. */
export function detailOf(db: ReadableDb, run: RunRecord, now: RunNow): RunDetail {
  const config = runConfigSchema.safeParse(run.config)
  const calibration = storedCalibrationSchema.safeParse(run.calibration)
  const bestStep = pinnedLookStep(db, run.runId)
  const counterpart = counterpartOf(db, run.runId)
  return {
    run: viewOf(db, run, now),
    config: config.success ? shownConfig(config.data) : null,
    calibration: calibration.success ? shownCalibration(calibration.data.calibration) : null,
    calibrationNotes: calibration.success ? calibrationNotes(calibration.data) : [],
    looks: thinnedLooks(db, run.runId, bestStep, mostLooks).map((look) => lookViewSchema.parse(look)),
    bestStep,
    metricNames: metricNames(db, run.runId)
      .slice(0, mostMetrics)
      .map((name) => shownText(name)),
    counterpart: counterpart ? counterpartViewOf(db, counterpart, bestStep) : null,
    skipped: {
      total: countSkippedImages(db, run.runId),
      images: skippedImages(db, run.runId, mostSkippedShown),
    },
  }
}

/** What a person should know of the calibration beside its figures. */
function calibrationNotes({ annotations, kept }: z.infer<typeof storedCalibrationSchema>): string[] {
  const findings = annotations ? joinFindings(annotations, 'calibration') : []
  const sentences = [...findings, ...kept.map(keptBaselinesText)]
  return sentences.slice(0, mostNotes).map((sentence) => shownText(sentence, longestSentence))
}

/** @param besideStep the look that the counterpart is held against; it is among those that are shown */
function counterpartViewOf(db: ReadableDb, run: RunRecord, besideStep: number | null): CounterpartView {
  const { runId, name, state, isPlacebo } = viewOf(db, run, { live: null, waitingFor: null })
  return {
    run: { runId, name, state, isPlacebo },
    looks: thinnedLooks(db, runId, besideStep, mostLooks).map((look) => lookViewSchema.parse(look)),
  }
}

function shownConfig(config: RunConfig): RunConfig {
  const { annotationFile } = config.calibration
  return {
    ...config,
    calibration: { ...config.calibration, annotationFile: annotationFile && shownPath(annotationFile) },
  }
}

function shownCalibration({ refusals, ...calibration }: CalibrationView): CalibrationView {
  return {
    ...calibration,
    refusals: refusals.slice(0, mostRefusals).map(({ reason, expected, found }) => ({
      ...{ reason, expected: shownText(expected), found: shownText(found) },
    })),
  }
}

/** The error of a run as its page shows it. */
function shownError(error: ErrorRecord): ErrorRecord {
  const texts = Object.entries(error).map(([field, text]) => [field, text && shownText(text, longestSentence)])
  return { ...error, ...Object.fromEntries(texts) }
}

/**
 * The config of a new run: the preset's, with the person's changes.
 * @throws StudioError `run.no-model`, `run.no-companion`, `run.bad-config` naming the setting, `run.no-annotations`
 */
export function configFromRequest(db: ReadableDb, { modelId, preset, changes }: NewRunRequest): Json {
  const model = modelById(db, modelId)
  if (!model) {
    throw new StudioError({
      code: 'run.no-model',
      message: 'The model of this run is not in the workspace.',
      remedy: 'Add the model, or choose another one.',
      where: `model ${modelId}`,
    })
  }
  if (model.companionFolder === null) throw noCompanion(model.folder)
  let config: RunConfig
  try {
    config = presetConfig(preset, changes)
  } catch (thrown) {
    if (!(thrown instanceof z.ZodError)) throw thrown
    const [issue] = thrown.issues
    throw new StudioError(
      {
        code: 'run.bad-config',
        message: `A setting of this run cannot be used: ${issue?.message ?? 'unknown'}.`,
        remedy: 'Change it under the expert settings, or take the preset as it is.',
        where: issue?.path.join('.') ?? '',
      },
      { cause: thrown },
    )
  }
  if (lacksAnnotations(config)) {
    throw new StudioError({
      code: 'run.no-annotations',
      message: 'Calibration with annotations needs a file of them, and none is chosen.',
      remedy: 'Choose a file of COCO annotations, or calibrate without annotations.',
      where: 'calibration.annotationFile',
    })
  }
  return jsonSchema.parse(config)
}

/** The same config with a verifier that cannot know. @throws StudioError `run.is-placebo` */
export function placeboConfig({ config: stored, runId }: RunRecord): Json {
  const config = storedRunConfig(stored)
  if (config.reward.verifier === 'placebo') {
    throw new StudioError({
      code: 'run.is-placebo',
      message: 'This run is a placebo itself, so it has none.',
      remedy: 'Make the placebo of the run that it is the control of.',
      where: `run ${runId}`,
    })
  }
  return jsonSchema.parse({ ...config, reward: { ...config.reward, verifier: 'placebo' } })
}

/** The same config for a person who goes on with a verifier that the calibration refused. */
export function withGoOnRefused(stored: Json): Json {
  const config = storedRunConfig(stored)
  return jsonSchema.parse({ ...config, calibration: { ...config.calibration, goOnRefused: true } })
}
