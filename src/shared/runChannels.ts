// What the renderer may ask of runs: making and checking them, their figures, checkpoints, exports and reports.
import { z } from 'zod'
import { count, none } from './channelTerms.ts'
import { checkpointViewSchema } from './describe.ts'
import { metricPointSchema, modelIdSchema, runIdSchema } from './domain.ts'
import { runCheckSchema, runPrecheckSchema } from './runCheck.ts'
import { presetNames } from './runConfig.ts'
import { runDetailSchema, runViewSchema } from './runView.ts'
import { runSections } from './settingFields.ts'

/** A run as the wizard asks for it: a preset, and what differs from it. */
export const newRunSchema = z.object({
  modelId: modelIdSchema,
  name: z.string().trim().min(1).max(120),
  preset: z.enum(presetNames),
  /** Values by section and name of runConfig.ts; what is out of range is refused by name. */
  changes: z.partialRecord(z.enum(runSections), z.record(z.string(), z.json())),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
})
export type NewRunRequest = z.infer<typeof newRunSchema>

const run = z.object({ runId: runIdSchema })

export const runChannels = {
  'runs.list': { params: none, result: z.array(runViewSchema) },
  'runs.get': { params: run, result: runDetailSchema },
  /** The named metrics of a run by step. */
  'runs.metrics': {
    params: run.extend({ names: z.array(z.string()).max(16) }),
    result: z.record(z.string(), z.array(metricPointSchema)),
  },
  'runs.create': { params: newRunSchema, result: run },
  /** What can be told of a new run at once. */
  'runs.precheck': { params: newRunSchema, result: runPrecheckSchema },
  /**
   * The same, and a small measurement with its models; nothing is stored. `runs.checkProgress` tells how far it is.
   * Refused with `run.check-busy` while a run is under way or another check; `run.cancelled` when it was.
   */
  'runs.check': { params: newRunSchema, result: runCheckSchema },
  /** Ends the check that is under way, and answers once it has ended. */
  'runs.cancelCheck': { params: none, result: none },
  /** Asks for a file of COCO annotations, for `calibration.annotationFile`. */
  'runs.pickAnnotations': { params: none, result: z.object({ path: z.string() }).nullable() },
  /** The control of a run: the same one, each image judged by another. */
  'runs.createPlacebo': { params: run, result: run },
  'runs.pause': { params: run, result: none },
  /** Puts it back into the queue; `goOnRefused`: also with a verifier that the calibration refused. */
  'runs.resume': { params: run.extend({ goOnRefused: z.boolean() }), result: none },
  'runs.stop': { params: run, result: none },
  'runs.delete': { params: run, result: none },
  /** Asks for a folder and writes a step into a new one in it: adapter, `run.json`, on request the merged model. */
  'runs.export': {
    params: run.extend({ step: count, strength: z.number().min(0).max(1.5), merged: z.boolean() }),
    /** Null when the person chose no folder. */
    result: z.object({ folder: z.string() }).nullable(),
  },
  /** Opens a folder that `runs.export` wrote since the start in the file manager; any other is left alone. */
  'runs.showExport': { params: z.object({ folder: z.string() }), result: none },
  /** Asks for a file and writes the report of a run into it; step null for its best one. Null when no file was chosen. */
  'runs.report': {
    params: run.extend({ step: count.nullable(), format: z.enum(['html', 'pdf']) }),
    result: z.object({ path: z.string() }).nullable(),
  },
  /** Shows the report that was written last in its folder. */
  'runs.showReport': { params: none, result: none },
  /** Its checkpoints by step, for the time line and for whom to ask. */
  'runs.checkpoints': { params: run, result: z.object({ checkpoints: z.array(checkpointViewSchema) }) },
  /** Keeps the weights of a checkpoint whatever the policy says, or leaves them to it again. */
  'runs.pin': { params: run.extend({ step: count, isPinned: z.boolean() }), result: none },
  /** Puts a checkpoint in the place of the best one wherever one is proposed, and pins it; null for the best one again. */
  'runs.use': { params: run.extend({ step: count.nullable() }), result: none },
  'runs.rename': { params: run.extend({ name: z.string().trim().min(1).max(120) }), result: none },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
