// What a check before a run finds: what is known at once from the settings, and what a small measurement with the real
// models tells of time, memory, disk and verifier. Made by runChecks.ts in main and checkJob.ts in the engine; shown in
// the last step of New run.
import { z } from 'zod'
import { intervalSchema } from './calibration.ts'
import { deviceNameSchema } from './hardware.ts'

const count = z.number().int().nonnegative()

/** `refused`: the run could not do what it is for. */
export const checkVerdictSchema = z.enum(['ok', 'warning', 'refused'])
export type CheckVerdict = z.infer<typeof checkVerdictSchema>

/** What findings are about, in the order in which they are shown. The first four are known without the engine. */
export const checkSubjectSchema = z.enum([
  'model',
  'images',
  'settings',
  'annotations',
  'time',
  'memory',
  'disk',
  'verifier',
])
export type CheckSubject = z.infer<typeof checkSubjectSchema>

export const checkFindingSchema = z.object({
  about: checkSubjectSchema,
  verdict: checkVerdictSchema,
  /** For a person: what is so. */
  sentence: z.string(),
  /** What to do about it; null when all is well. */
  remedy: z.string().nullable(),
  /** The setting that it is about, by section and name of runConfig.ts, to lead a person there; null for none. */
  field: z.object({ section: z.string(), name: z.string() }).nullable(),
})
export type CheckFinding = z.infer<typeof checkFindingSchema>

/** What is known at once. */
export const runPrecheckSchema = z.object({
  /** The worst of the findings. */
  verdict: checkVerdictSchema,
  findings: z.array(checkFindingSchema),
  /** Images that the run would train on, and others that it would only look at; null while a setting is wrong. */
  images: z.object({ training: count, validation: count }).nullable(),
  totalSteps: count.nullable(),
})
export type RunPrecheck = z.infer<typeof runPrecheckSchema>

/** What the engine measures: nothing of it is stored. */
export const checkMeasurementSchema = z.object({
  device: deviceNameSchema,
  /** Of the check itself. */
  durationMs: z.number(),
  /** Responses and training steps that it was measured on. */
  responses: count,
  steps: count,
  time: z.object({
    totalSteps: count,
    /** One step: rollout, reward and update. `low` and `high` are the range that it may lie in. */
    stepMs: intervalSchema,
    /** Everything: opening, calibration, steps, looks. */
    totalMs: intervalSchema,
  }),
  memory: z.object({
    /** Highest resident memory of the engine process so far. */
    peakBytes: z.number(),
    /** What a whole step of this run is expected to need, from what the part of one needed. */
    expectedBytes: z.number(),
    machineBytes: z.number(),
    availableBytes: z.number(),
    /** Of the GPU; null where it cannot be known. */
    deviceBytes: z.number().nullable(),
  }),
  disk: z.object({
    checkpointBytes: z.number(),
    /** Checkpoints whose weights are kept at a time. */
    checkpoints: count,
    /** Responses, tokens, scores and figures of all steps. */
    responseBytes: z.number(),
    totalBytes: z.number(),
    /** On the disk of the workspace; null when it does not say. */
    freeBytes: z.number().nullable(),
  }),
  verifier: z.object({
    /** `not-enough`: too few words were scored to tell. */
    outcome: z.enum(['can-tell', 'cannot-tell', 'not-enough']),
    /** That a right word scores above a hallucinated one; null when there is not enough. */
    auroc: intervalSchema.nullable(),
    /** Words that were scored, and how many a calibration of the run itself would have at least. */
    scores: count,
    leastScores: count,
  }),
})
export type CheckMeasurement = z.infer<typeof checkMeasurementSchema>

export const runCheckSchema = runPrecheckSchema.extend({
  /** Null when something was refused before anything could be measured. */
  measured: checkMeasurementSchema.nullable(),
})
export type RunCheck = z.infer<typeof runCheckSchema>

export const runCheckPhases = ['opening', 'rollout', 'reward', 'update', 'look'] as const

/** How far a check is. */
export const runCheckProgressSchema = z.object({
  phase: z.enum(runCheckPhases),
  /** Share that is done, from 0 to 1. */
  share: z.number().min(0).max(1),
})
export type RunCheckProgress = z.infer<typeof runCheckProgressSchema>
