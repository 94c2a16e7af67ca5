// A run as the screens see it: its record, how far it is while the engine works on it, and what it found on the way.
// Made by runQueue.ts in main from the workspace file; the engine writes what stands there.
import { z } from 'zod'
import { calibrationSchema } from './calibration.ts'
import { modelRecordSchema, runRecordSchema } from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { lookSchema } from './look.ts'
import { runConfigSchema } from './runConfig.ts'
import { runProgressSchema } from './runProgress.ts'

const count = z.number().int().nonnegative()

/** What a run that the engine works on is about to do, once its current step of decoding or training is over. */
export const runWishSchema = z.enum(['go-on', 'pause', 'stop', 'delete', 'close'])
export type RunWish = z.infer<typeof runWishSchema>

/** A run in the list. */
export const runViewSchema = runRecordSchema.omit({ config: true, calibration: true }).extend({
  modelName: z.string(),
  /** Null when its config is not one that this version can read. */
  totalSteps: count.nullable(),
  /** Its verifier judges each image by another one: the control of another run. */
  isPlacebo: z.boolean(),
  /** The sweep that it belongs to; null for none. */
  sweepId: z.string().nullable(),
  /** What it waits for before it goes on by itself, e.g. room on the disk; null when for nothing. */
  waitingFor: errorRecordSchema.nullable(),
  /** Null while the engine does not work on it. */
  live: z.object({ progress: runProgressSchema.nullable(), wish: runWishSchema }).nullable(),
})
export type RunView = z.infer<typeof runViewSchema>

/** What a page shows of a look. */
export const lookViewSchema = lookSchema
  .pick({
    ...{ step: true, hallucinationRate: true, hallucinationRateLow: true, hallucinationRateHigh: true },
    ...{ coverage: true, meanWords: true, meanRepeatedMentions: true },
    ...{ isSound: true, change: true },
  })
  .strip()
export type LookView = z.infer<typeof lookViewSchema>

/** What a page shows of what the calibration of a run found. */
export const calibrationViewSchema = calibrationSchema.omit({ bicGain: true }).strip()
export type CalibrationView = z.infer<typeof calibrationViewSchema>

/** An image that a run left out, because it could not be read at its turn. */
export const skippedImageSchema = z.object({
  name: z.string(),
  path: z.string(),
  /** What was wrong the last time: `image.missing`, `image.changed` and the like. */
  code: z.string(),
  /** The last step that it was left out of, and of how many. */
  step: count,
  times: count,
})
export type SkippedImageView = z.infer<typeof skippedImageSchema>

/** The control of a run, or the run that a control belongs to: the same but for the verifier. */
export const counterpartViewSchema = z.object({
  run: runViewSchema.pick({ runId: true, name: true, state: true, isPlacebo: true }),
  looks: z.array(lookViewSchema),
})
export type CounterpartView = z.infer<typeof counterpartViewSchema>

/** A run with all that its page shows. */
export const runDetailSchema = z.object({
  run: runViewSchema,
  /** Null when this version cannot read it. */
  config: runConfigSchema.nullable(),
  calibration: calibrationViewSchema.nullable(),
  /** Sentences on what a person should know of it: annotations without a partner, rounds that kept the first baselines. */
  calibrationNotes: z.array(z.string()),
  looks: z.array(lookViewSchema),
  /** Step of the look that is best by the verifier alone; 0 is the model as it came, null before the first look. */
  bestStep: count.nullable(),
  metricNames: z.array(z.string()),
  /** Null when there is none. */
  counterpart: counterpartViewSchema.nullable(),
  /** Different images that were left out at some step, and the first of them. */
  skipped: z.object({ total: count, images: z.array(skippedImageSchema) }),
})
export type RunDetail = z.infer<typeof runDetailSchema>

/** A model in the list; its config.json stays in the workspace. */
export const modelViewSchema = modelRecordSchema.omit({ config: true, weightsSha256: true })
export type ModelView = z.infer<typeof modelViewSchema>
