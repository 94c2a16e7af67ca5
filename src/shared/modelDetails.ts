// What the page of a model shows: what its folder holds, part by part, what it needs, and where it is used. The engine reads
// the folder (jobs/describeModel.ts), main adds what the workspace knows (app/modelDetails.ts).
import { z } from 'zod'
import { runRecordSchema } from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { modelViewSchema } from './runView.ts'

const count = z.number().int().nonnegative()

/** A module of a model, in the order in which an image and a question walk through them. */
export const modelPartSchema = z.object({
  part: z.enum(['tower', 'projector', 'decoder', 'head', 'text', 'projections', 'other']),
  /** E.g. "CLIP image tower". */
  title: z.string(),
  parameters: count,
  /** By the element type in which they are stored, the most first. */
  stored: z.array(z.object({ dtype: z.string(), parameters: count, bytes: count })),
  /** Null where the part is not made of layers. */
  layers: count.nullable(),
  /** Numbers that stand for one token or patch after this part. */
  width: count.nullable(),
  heads: count.nullable(),
})
export type ModelPart = z.infer<typeof modelPartSchema>

export const modelFileSchema = z.object({
  name: z.string(),
  sizeBytes: count,
  /** `weights` and `settings` are what a run is held to; `other` is never read. */
  kind: z.enum(['weights', 'settings', 'other']),
  modifiedAtMs: z.number(),
})
export type ModelFile = z.infer<typeof modelFileSchema>

/** A folder as it is now. */
export const modelFolderSchema = z.object({
  folder: z.string(),
  /** E.g. "LLaVA", "CLIP". */
  architecture: z.string(),
  parts: z.array(modelPartSchema),
  parameters: count,
  weightBytes: count,
  /** Pixels; images are square to the tower. */
  imageSize: count,
  patchSize: count,
  /** Rows of the prompt that one image takes; null for an encoder. */
  imageTokens: count.nullable(),
  /** The longest prompt with its response, in tokens. */
  contextTokens: count,
  vocabulary: count,
  /** By name; the first two hundred. */
  files: z.array(modelFileSchema),
  fileCount: count,
  licence: z
    .object({
      /** What its card calls it, e.g. "apache-2.0"; null when it does not say. */
      name: z.string().nullable(),
      /** The file, and the beginning of its text; null when there is none. */
      file: z.string().nullable(),
      text: z.string().nullable(),
      isCut: z.boolean(),
    })
    .nullable(),
})
export type ModelFolder = z.infer<typeof modelFolderSchema>

export const modelTasks = ['describe', 'align', 'export'] as const
/** Memory that a task is expected to need, planned from its graphs and not measured. */
export const modelNeedSchema = z.object({
  task: z.enum(modelTasks),
  bytes: count,
  /** What it is made of, in a sentence. */
  how: z.string(),
})
export type ModelNeed = z.infer<typeof modelNeedSchema>

/** What the engine reads of a model and its encoder. */
export const modelDescriptionSchema = z.object({
  model: modelFolderSchema,
  encoder: modelFolderSchema.nullable(),
  needs: z.array(modelNeedSchema),
})
export type ModelDescription = z.infer<typeof modelDescriptionSchema>

export const modelDetailsSchema = z.object({
  model: modelViewSchema,
  /** SHA-256 over its weights when it was checked. */
  weightsSha256: z.string(),
  /** Null when the folder cannot be read now. */
  description: modelDescriptionSchema.nullable(),
  /** Why not: moved, changed, no longer a model. */
  problem: errorRecordSchema.nullable(),
  machineBytes: z.number(),
  /** The runs that were made with it, the newest first. */
  runs: z.array(runRecordSchema.pick({ runId: true, name: true, state: true, createdAtMs: true })),
})
export type ModelDetails = z.infer<typeof modelDetailsSchema>
