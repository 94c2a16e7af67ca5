// A job: everything that a run, an evaluation, an export or a question follows from, as one JSON that can be sent to another machine.
// The app makes one from what a person chose (engine/jobs), stores it with the run and writes it beside an export;
// engine/jobs/runJob.ts carries it out.
import { z } from 'zod'
import { calibrationSchema } from './calibration.ts'
import { decodingSchema, regionSchema, strengthSchema } from './describe.ts'
import { deviceNameSchema } from './hardware.ts'
import { runConfigSchema } from './runConfig.ts'

/** What an export's `run.json` calls itself; it holds the job of its run. */
export const exportFormat = 'fisao-run'

const path = z
  .string()
  .max(4096)
  .regex(/^(\/|[A-Za-z]:[\\/]|\\\\)/, 'must be a full path')
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')

/** A file and what it must hold. */
export const jobFileSchema = z.strictObject({ path, sha256 })
export type JobFile = z.infer<typeof jobFileSchema>

/** A Hugging Face folder and what it must hold: its weights, and its configs, tokenizer and templates. */
const modelFolderSchema = z.strictObject({ folder: path, weightsSha256: sha256, settingsSha256: sha256 })
export const jobModelsSchema = z.strictObject({
  model: modelFolderSchema,
  /** The CLIP or SigLIP model whose image tower the model has. */
  companion: modelFolderSchema,
})
export type JobModels = z.infer<typeof jobModelsSchema>

const commonFields = {
  format: z.literal('fisao-job'),
  version: z.literal(1),
  config: runConfigSchema,
  /** Every random number follows from it. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  models: jobModelsSchema,
}
const workFields = {
  /** Object words. */
  lexicon: jobFileSchema,
  device: deviceNameSchema,
  /** Of the processor; null for as many as there are cores. */
  threads: z.int().min(1).max(1024).nullable(),
}

const jobImageSchema = z.strictObject({ imageId: z.int().positive(), path, sha256 })

/** Aligns a model on images. */
export const alignJobSchema = z.strictObject({
  ...{ kind: z.literal('align'), ...commonFields, ...workFields },
  name: z.string().min(1).max(120),
  preset: z.string().min(1).max(120),
  /** In the order in which they were added; a part of them is only looked at. `imageId` is their number in the workspace. */
  images: z
    .array(jobImageSchema)
    .refine((images) => images.every(({ imageId }, i) => i === 0 || imageId > (images[i - 1]?.imageId ?? 0)), {
      message: 'must have rising numbers',
    }),
  /** COCO instances, read by a calibration that asks for them; null when it does not. */
  annotations: jobFileSchema.nullable(),
})
export type AlignJob = z.infer<typeof alignJobSchema>

/**
 * A policy: the model as it came, a step of the run that the job's store holds or of its placebo, or an adapter that was
 * exported.
 */
export const jobPolicySchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('model') }),
  z.strictObject({ from: z.literal('run'), step: z.int().nonnegative() }),
  z.strictObject({ from: z.literal('placebo'), step: z.int().nonnegative() }),
  z.strictObject({ from: z.literal('adapter'), folder: path, sha256 }),
])
export type JobPolicy = z.infer<typeof jobPolicySchema>

/** CHAIR of two policies on annotated images, and of a placebo beside them, paired by image. */
export const evaluateJobSchema = z.strictObject({
  ...{ kind: z.literal('evaluate'), ...commonFields, ...workFields },
  policies: z.strictObject({
    before: jobPolicySchema,
    after: jobPolicySchema,
    placebo: jobPolicySchema.nullable().default(null),
  }),
  /** Of the adapter, for all policies. */
  strength: strengthSchema,
  images: z.strictObject({
    folder: path,
    /** COCO instances. */
    annotations: jobFileSchema,
    /** The first so many of the annotated images; all when null. */
    most: z.int().positive().nullable(),
  }),
})
export type EvaluateJob = z.infer<typeof evaluateJobSchema>

/** Writes a policy as a PEFT folder, and merged into its model if asked for. */
export const exportJobSchema = z.strictObject({
  ...{ kind: z.literal('export'), ...commonFields },
  policy: jobPolicySchema,
  /** Of the adapter, 1 as trained; it is written into what is exported. */
  strength: strengthSchema,
  /** A new folder; `adapter`, `merged` and `run.json` appear in it. */
  folder: path,
  merged: z.boolean(),
})
export type ExportJob = z.infer<typeof exportJobSchema>

/** Asks a policy about images: what it says, its object words and their scores. Images that have a response are passed over. */
export const describeJobSchema = z.strictObject({
  ...{ kind: z.literal('describe'), ...commonFields, ...workFields },
  policy: jobPolicySchema,
  /** Of the adapter. */
  strength: strengthSchema,
  question: z.string().min(1).max(2000),
  decoding: decodingSchema,
  /** Of each picture, covered with grey. */
  region: regionSchema.nullable(),
  /** What judges the words; null when they have scores and no verdict. */
  judgedBy: calibrationSchema.nullable(),
  images: z.array(jobImageSchema),
})
export type DescribeJob = z.infer<typeof describeJobSchema>

export const jobSchema = z.discriminatedUnion('kind', [
  alignJobSchema,
  evaluateJobSchema,
  exportJobSchema,
  describeJobSchema,
])
export type Job = z.infer<typeof jobSchema>
export type JobKind = Job['kind']

/** Says what a workspace holds, or opens a model folder as a run would and compares its image tower with the companion's. */
export const inspectJobSchema = z.strictObject({
  ...{ kind: z.literal('inspect'), format: commonFields.format, version: commonFields.version },
  path,
  /** Of a model; null for none. */
  companion: path.nullable().default(null),
})
export type InspectJob = z.infer<typeof inspectJobSchema>

/** Writes the report of a run as a web page. */
export const reportJobSchema = z.strictObject({
  ...{ kind: z.literal('report'), format: commonFields.format, version: commonFields.version },
  workspace: path,
  /** Null for the newest. */
  run: z.int().positive().nullable().default(null),
  /** Null for the best. */
  step: z.int().nonnegative().nullable().default(null),
  file: path,
})
export type ReportJob = z.infer<typeof reportJobSchema>

/** Everything that a job file may hold: the engine's jobs, and those that only read (main/headless). */
export const anyJobSchema = z.discriminatedUnion('kind', [jobSchema, inspectJobSchema, reportJobSchema])
export type AnyJob = z.infer<typeof anyJobSchema>
export type JobOf<Kind extends JobKind> = Extract<Job, { readonly kind: Kind }>
