// The records that the workspace file holds and every process talks about.
import { z } from 'zod'
import { errorRecordSchema } from './errors.ts'

const id = z.number().int().positive()
const count = z.number().int().nonnegative()

/** Ids of runs and what they hold are branded, so that one cannot be passed for another. */
export const modelIdSchema = id.brand<'ModelId'>()
export type ModelId = z.infer<typeof modelIdSchema>
export const runIdSchema = id.brand<'RunId'>()
export type RunId = z.infer<typeof runIdSchema>
export const checkpointIdSchema = id.brand<'CheckpointId'>()
export type CheckpointId = z.infer<typeof checkpointIdSchema>
export const rolloutIdSchema = id.brand<'RolloutId'>()
export type RolloutId = z.infer<typeof rolloutIdSchema>
export const evaluationIdSchema = id.brand<'EvaluationId'>()
export type EvaluationId = z.infer<typeof evaluationIdSchema>

/** A value stored as JSON text; its reader validates it with the schema of what it is. */
export const jsonSchema = z.json()
export type Json = z.infer<typeof jsonSchema>

export const importStateSchema = z.enum(['running', 'complete', 'cancelled'])

/** One import of a folder. One that is `running` while no process works on it was interrupted and can resume. */
export const importRecordSchema = z.object({
  importId: id,
  folder: z.string(),
  state: importStateSchema,
  startedAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  /** Images that this import brought in. */
  added: count,
  /** Files left out, each with an issue. */
  skipped: count,
})
export type ImportRecord = z.infer<typeof importRecordSchema>

/** Why a file was left out of an import. */
export const importIssueCodeSchema = z.enum([
  'empty',
  'not-an-image',
  /** A picture of a kind that cannot be read, whatever its name says. */
  'unsupported',
  /** Another picture stood under this path when it was added. */
  'changed',
  'damaged',
  'too-many-pixels',
  'too-large-file',
  'unreadable',
  'duplicate',
])
export type ImportIssueCode = z.infer<typeof importIssueCodeSchema>

export const importIssueSchema = z.object({
  path: z.string(),
  code: importIssueCodeSchema,
  /** One sentence for a person. */
  message: z.string(),
})
export type ImportIssue = z.infer<typeof importIssueSchema>

/** What an import found and did not look into, a kind at a time: `HEIC`, `link`, `hidden`, ... */
export const leftOutKindSchema = z.object({
  /** What a person calls it, e.g. `HEIC`. */
  kind: z.string(),
  files: id,
  /** Why, and what to do about it, in one sentence. */
  message: z.string(),
  /** The path of one of them. */
  example: z.string(),
})
export type LeftOutKind = z.infer<typeof leftOutKindSchema>

export const imageFormatSchema = z.enum(['jpeg', 'png', 'webp', 'avif', 'tiff', 'bmp'])
export type ImageFormat = z.infer<typeof imageFormatSchema>

/** An image of the workspace; its pixels stay in the person's folder, its thumbnail in the workspace file. */
export const imageRowSchema = z.object({
  imageId: id,
  name: z.string(),
  path: z.string(),
  sizeBytes: count,
  /** Pixels, as a person sees the image. */
  width: id,
  height: id,
  format: imageFormatSchema,
  /** 64 hexadecimal digits. */
  sha256: z.string().length(64),
  addedAtMs: z.number(),
  /** Lowest verifier score of its response in the query's checkpoint; null without a response. */
  lowestScore: z.number().nullable(),
  /** Words of that response that were judged hallucinated; null without a response. */
  hallucinatedWords: count.nullable(),
  /** By name. */
  tags: z.array(z.string()),
})
export type ImageRow = z.infer<typeof imageRowSchema>

/** What is known of an image by itself. */
export const imageFactsSchema = imageRowSchema.pick({
  ...{ imageId: true, name: true, path: true, sizeBytes: true, width: true, height: true },
  ...{ format: true, sha256: true, addedAtMs: true },
})
export type ImageFacts = z.infer<typeof imageFactsSchema>

export const imageSorts = ['newest', 'name', 'lowest-score', 'most-hallucinated'] as const

/** The verdict on an object word: its score is above mu_gt + lambda, below mu_hal - lambda, or between. */
export const spanLabelSchema = z.enum(['grounded', 'hallucinated', 'neutral'])
export type SpanLabel = z.infer<typeof spanLabelSchema>

/** Which images the grid shows, and in which order. The orders by response show only images that have one. */
export const imageQuerySchema = z.object({
  /** Any part of a file name, or words of a response; empty for all. */
  search: z.string().max(200),
  sort: z.enum(imageSorts),
  /** The checkpoint whose responses are meant; null while there is none. */
  checkpointId: id.nullable(),
  responses: z.enum(['any', 'none', 'some', 'with-hallucination', 'with-grounded']),
  /** Images whose response names this object, with this verdict at some place; null for all. */
  word: z
    .object({ text: z.string().min(1).max(200), label: z.enum([...spanLabelSchema.options, 'any']) })
    .nullable()
    .default(null),
  /** Lowest scores from `low` to `high`, both included; null for all. */
  scoreRange: z.object({ low: z.number(), high: z.number() }).nullable().default(null),
  tag: z.string().nullable().default(null),
})
export type ImageQuery = z.infer<typeof imageQuerySchema>

/** All images, newest first. */
export const allImages: ImageQuery = {
  search: '',
  sort: 'newest',
  checkpointId: null,
  responses: 'any',
  word: null,
  scoreRange: null,
  tag: null,
}

/** Some images: these, or all that a query finds at the time of the request. */
export const imageSelectionSchema = z.union([
  z.object({ imageIds: z.array(id).min(1).max(10_000) }),
  z.object({ query: imageQuerySchema }),
])
export type ImageSelection = z.infer<typeof imageSelectionSchema>

/** An object word of a checkpoint's responses, with the number of images in which it got each verdict. */
export const objectWordSchema = z.object({
  word: z.string(),
  grounded: count,
  hallucinated: count,
  neutral: count,
})
export type ObjectWord = z.infer<typeof objectWordSchema>

/** A checkpoint that has responses to show. */
export const answeredCheckpointSchema = z.object({
  checkpointId: checkpointIdSchema,
  runId: runIdSchema,
  runName: z.string(),
  step: count,
  responses: count,
})
export type AnsweredCheckpoint = z.infer<typeof answeredCheckpointSchema>

export const tagNameSchema = z.string().trim().min(1).max(80)
export const tagRecordSchema = z.object({ name: z.string(), images: count })
export type TagRecord = z.infer<typeof tagRecordSchema>

/** Images that were removed together and can be brought back together. */
export const removalSchema = z.object({ removalId: id, removedAtMs: z.number(), images: count })
export type Removal = z.infer<typeof removalSchema>

/** What deleting a removal for good takes from the workspace. */
export const deletionSchema = z.object({
  images: count,
  /** Images that stay among the removed ones, because runs were begun with them. */
  kept: count,
  /** Responses to the images that go. */
  responses: count,
  thumbnailBytes: count,
})
export type Deletion = z.infer<typeof deletionSchema>

/** A tag that was given or taken: how many images that changed, and what undoes it; null when nothing did. */
export const tagChangeSchema = z.object({ images: count, changeId: id.nullable() })
export type TagChange = z.infer<typeof tagChangeSchema>

/** Whether the files of the images are where they were. */
export const missingFilesSchema = z.object({
  images: count,
  /** Fewer than `images` when the disks did not answer in time. */
  checked: count,
  missing: count,
  /** Folders with files that are missing, the worst first. */
  folders: z.array(z.object({ folder: z.string(), images: count, missing: count })),
})
export type MissingFiles = z.infer<typeof missingFilesSchema>

/** What a new place of a folder, or of one file, holds of the images that were in the old one. */
export const relinkReportSchema = z.object({
  /** The same bytes: these images have their new path now. */
  matched: count,
  /** There is a file under the name, but with other bytes. */
  differ: count,
  missing: count,
  /** Some paths within the folder that differ or are missing. */
  examples: z.array(z.object({ path: z.string(), problem: z.enum(['differs', 'missing']) })),
})
export type RelinkReport = z.infer<typeof relinkReportSchema>

/** A Hugging Face folder that was checked and may be aligned; its weights stay where they are. */
export const modelRecordSchema = z.object({
  modelId: modelIdSchema,
  folder: z.string(),
  name: z.string(),
  /** Its `config.json`. */
  config: jsonSchema,
  /** Over the weight files, 64 hexadecimal digits. */
  weightsSha256: z.string().length(64),
  /** The CLIP or SigLIP model with the text tower; null when there is none. */
  companionFolder: z.string().nullable(),
  /** Whether the two vision towers are equal, tensor by tensor; null before it was checked. */
  encoderVerified: z.boolean().nullable(),
  addedAtMs: z.number(),
})
export type ModelRecord = z.infer<typeof modelRecordSchema>

export const runStateSchema = z.enum(['queued', 'running', 'paused', 'complete', 'stopped', 'failed'])
export type RunState = z.infer<typeof runStateSchema>

export const runRecordSchema = z.object({
  runId: runIdSchema,
  modelId: modelIdSchema,
  name: z.string(),
  preset: z.string(),
  config: jsonSchema,
  seed: z.number().int(),
  state: runStateSchema,
  /** Baselines, margin and separation report; null before calibration. */
  calibration: jsonSchema.nullable(),
  /** What ended it, when it failed. */
  error: errorRecordSchema.nullable(),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  /** Step of its newest checkpoint; null before the first. */
  checkpointStep: count.nullable(),
})
export type RunRecord = z.infer<typeof runRecordSchema>

/** A state of a run that it can be continued from, used and evaluated. Step 0 is the model as it came. */
export const checkpointRecordSchema = z.object({
  checkpointId: checkpointIdSchema,
  runId: runIdSchema,
  parentId: checkpointIdSchema.nullable(),
  step: count,
  /** Where the run stood: epoch, batch, position in the images; the engine's own. */
  cursor: jsonSchema,
  /** What the time line shows of it, e.g. mean reward. */
  summary: jsonSchema,
  /** The engine keeps it as the best one. */
  isPinned: z.boolean(),
  /** A person keeps it. */
  isKept: z.boolean(),
  /** False once its weights were dropped to save space; its responses and figures stay. */
  hasWeights: z.boolean(),
  createdAtMs: z.number(),
})
export type CheckpointRecord = z.infer<typeof checkpointRecordSchema>

/** What a response was generated for. */
export const rolloutPurposeSchema = z.enum(['training', 'evaluation', 'trial'])
export type RolloutPurpose = z.infer<typeof rolloutPurposeSchema>

/** A response of the policy at a checkpoint, or of a model without a run, to a prompt about an image. */
export const responseRecordSchema = z.object({
  rolloutId: rolloutIdSchema,
  /** Null for a model without a run, which `modelId` then names. */
  runId: runIdSchema.nullable(),
  modelId: modelIdSchema.nullable(),
  checkpointId: checkpointIdSchema.nullable(),
  imageId: id,
  purpose: rolloutPurposeSchema,
  step: count,
  prompt: z.string(),
  /** Of the adapter; 0 for none. */
  strength: z.number(),
  /** How its tokens were drawn; null for greedily, and in training for as the config of the run says. */
  decoding: jsonSchema.nullable(),
  /** The part of the picture that was covered. */
  region: jsonSchema.nullable(),
  /** Whether labels and rewards of its object words mean anything. */
  isJudged: z.boolean(),
  text: z.string(),
  /** Lowest verifier score of its object words; null when it names none. */
  lowestScore: z.number().nullable(),
  hallucinatedWords: count,
  createdAtMs: z.number(),
})
export type ResponseRecord = z.infer<typeof responseRecordSchema>

/** One token of a response, in the order of generation. Log-probabilities in nats. */
export const tokenRecordSchema = z.object({
  /** In the vocabulary of the model. */
  tokenId: count,
  /** Its part of the response: `text.slice(textStart, textEnd)`. */
  textStart: count,
  textEnd: count,
  logProb: z.number(),
  /** Under the reference policy; null where it was not computed. */
  referenceLogProb: z.number().nullable(),
  /** What the update used, KL penalty included; null outside training. */
  reward: z.number().nullable(),
})
export type TokenRecord = z.infer<typeof tokenRecordSchema>

/** Tokens [startPosition, endPosition) that name an object. */
export const spanRecordSchema = z.object({
  startPosition: count,
  endPosition: id,
  /** The object, in the singular. */
  word: z.string(),
  /** s_t = <f_img(image), f_txt(word)>, in [-1, 1]. */
  score: z.number(),
  reward: z.number(),
  label: spanLabelSchema,
})
export type SpanRecord = z.infer<typeof spanRecordSchema>

export const responseDetailSchema = responseRecordSchema.extend({
  tokens: z.array(tokenRecordSchema),
  spans: z.array(spanRecordSchema),
})
export type ResponseDetail = z.infer<typeof responseDetailSchema>

/** A point of a chart: the mean of a metric over the steps that it stands for, and the extremes among them. */
export const metricPointSchema = z.object({
  /** The last of its steps. */
  step: count,
  mean: z.number(),
  low: z.number(),
  high: z.number(),
})
export type MetricPoint = z.infer<typeof metricPointSchema>

/** Which of two responses, shown without their origin, a person prefers. */
export const voteChoiceSchema = z.enum(['left', 'right', 'tie'])
export type VoteChoice = z.infer<typeof voteChoiceSchema>
