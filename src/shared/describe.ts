// Asking a model about images, as pages see it: which policy, what of the picture, how it is decoded; what it answered, word
// by word; and where in the picture a word shows. Carried out by the engine (jobs/describeJob.ts), queued by app/describes.ts.
import { z } from 'zod'
import {
  checkpointIdSchema,
  imageQuerySchema,
  modelIdSchema,
  rolloutIdSchema,
  rolloutPurposeSchema,
  runIdSchema,
  spanLabelSchema,
  tokenRecordSchema,
} from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { rewardConfigSchema } from './runConfig.ts'

const id = z.number().int().positive()
const count = z.number().int().nonnegative()
const share = z.number().min(0).max(1)

/** Of the adapter: 0 is the model as it came, 1 the adapter as trained. */
export const strengthSchema = z.number().min(0).max(1.5)

/**
 * Whom a person asks: a checkpoint of a run, whose verifier judges the words (step 0 is the model as it came); or a model of
 * the list by itself, whose words have scores and no verdict.
 */
export const policySchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('run'), runId: runIdSchema, step: count, strength: strengthSchema }),
  z.strictObject({ from: z.literal('model'), modelId: modelIdSchema }),
])
export type PolicyChoice = z.infer<typeof policySchema>

/** How tokens are chosen: always the likeliest, or drawn; the same seed draws the same ones. */
export const decodingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('greedy') }),
  z.strictObject({
    kind: z.literal('sampled'),
    temperature: z.number().min(0.05).max(2),
    topP: z.number().min(0.01).max(1),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  }),
])
export type Decoding = z.infer<typeof decodingSchema>
export const greedy: Decoding = { kind: 'greedy' }

/**
 * A rectangle in fractions of the picture as a person sees it, from its top left corner. What it covers is one even grey,
 * (128, 128, 128), before model and verifier see the picture.
 */
export const regionSchema = z
  .strictObject({ x: share, y: share, width: share.positive(), height: share.positive() })
  .refine(({ x, y, width, height }) => x + width <= 1 + 1e-9 && y + height <= 1 + 1e-9, {
    message: 'must lie in the picture',
  })
export type Region = z.infer<typeof regionSchema>

/** The level of all three channels under a region. */
export const coveredLevel = 128

/** A question about one image. */
export const questionSchema = z.object({
  imageId: id,
  policy: policySchema,
  /** Null for the question of its run, or the usual one where there is no run. */
  prompt: z.string().trim().min(1).max(2000).nullable(),
  decoding: decodingSchema,
  /** Null for the whole picture. */
  region: regionSchema.nullable(),
})
export type Question = z.infer<typeof questionSchema>

/** A checkpoint that describes the library, with its run's own question, each image once. */
export const libraryDescribeSchema = z.object({ runId: runIdSchema, step: count })
export type LibraryDescribe = z.infer<typeof libraryDescribeSchema>

/** Which images of the library it describes: those that a query finds, e.g. what the grid shows; all when null. */
export const libraryTaskSchema = libraryDescribeSchema.extend({ query: imageQuerySchema.nullable() })
export type LibraryTask = z.infer<typeof libraryTaskSchema>

export const describeStateSchema = z.enum(['waiting', 'opening', 'running', 'done', 'cancelled', 'failed'])
export type DescribeState = z.infer<typeof describeStateSchema>

const describeFields = {
  /** Of this opening of the workspace; new at each. */
  describeId: id,
  state: describeStateSchema,
  /** What it waits for, as a sentence, e.g. a run that is under way; null unless it is `waiting`. */
  waitsFor: z.string().nullable(),
  /** Share of the model that is made ready (shared/readying.ts) while it is `opening`; null otherwise. */
  readied: share.nullable(),
  /** Null unless it has failed. */
  error: errorRecordSchema.nullable(),
}

/** A question on its way or answered. Its words, scores and verdicts are read by `responses.get` once `rolloutId` is set. */
export const questionViewSchema = z.object({
  about: z.literal('image'),
  ...describeFields,
  question: questionSchema,
  /** What was said so far. */
  text: z.string(),
  tokens: count,
  /** Of the stored response; null before it is done. */
  rolloutId: rolloutIdSchema.nullable(),
})
export type QuestionView = z.infer<typeof questionViewSchema>

/** The whole library on its way. */
export const libraryViewSchema = z.object({
  about: z.literal('library'),
  ...describeFields,
  ...libraryTaskSchema.shape,
  /** Images with a response, those of before included. */
  done: count,
  /** Images that are described in the end. */
  total: count,
  /** Images that could not be read. */
  skipped: count,
  /** Null before it can be told. */
  remainingMs: z.number().nonnegative().nullable(),
})
export type LibraryView = z.infer<typeof libraryViewSchema>

export const describeViewSchema = z.discriminatedUnion('about', [questionViewSchema, libraryViewSchema])
export type DescribeView = z.infer<typeof describeViewSchema>

/** Why words have scores and no verdict. */
export const unjudgedReasons = ['no-run', 'verifier-refused'] as const

/**
 * What the words were judged by: the baselines of the response's run, or nothing, and then every label and reward is null.
 */
export const judgingSchema = z.discriminatedUnion('judged', [
  z.object({
    judged: z.literal(true),
    /** Mean scores of right and of hallucinated words. */
    muGt: z.number(),
    muHal: z.number(),
    /** λ round them. */
    margin: z.number(),
    /** The rule that makes a verdict of a score; see reward/rewardRule.ts. */
    variant: rewardConfigSchema.shape.variant,
  }),
  z.object({ judged: z.literal(false), because: z.enum(unjudgedReasons) }),
])
export type Judging = z.infer<typeof judgingSchema>

/** A response without its tokens. */
export const responseViewSchema = z.object({
  rolloutId: rolloutIdSchema,
  imageId: id,
  policy: policySchema,
  /** Null for a model without a run, and for what was said in training. */
  checkpointId: checkpointIdSchema.nullable(),
  /** The run's name, or the model's. */
  name: z.string(),
  /** `evaluation`: its checkpoint's own response, greedy, to the run's question; `trial`: anything else that was asked. */
  purpose: rolloutPurposeSchema,
  prompt: z.string(),
  /** Null where it was not stored: what was said in training, by the settings of its run. */
  decoding: decodingSchema.nullable(),
  region: regionSchema.nullable(),
  text: z.string(),
  /** Lowest score of its words; null when it names no object. */
  lowestScore: z.number().nullable(),
  /** Null when it was not judged. */
  hallucinatedWords: count.nullable(),
  createdAtMs: z.number(),
})
export type ResponseView = z.infer<typeof responseViewSchema>

/** An object word of a response: its tokens [startPosition, endPosition). */
export const wordViewSchema = z.object({
  startPosition: count,
  endPosition: id,
  /** The object, in the singular. */
  word: z.string(),
  /** s = <f_img(image), f_txt(word)>, in [-1, 1]. */
  score: z.number(),
  /** Null when the response was not judged. */
  reward: z.number().nullable(),
  label: spanLabelSchema.nullable(),
  /** The response named the same object before. */
  isRepeated: z.boolean(),
})
export type WordView = z.infer<typeof wordViewSchema>

/** A response with all that a page shows of it. */
export const responseViewDetailSchema = responseViewSchema.extend({
  /** KL of a token is `logProb - referenceLogProb`, in nats; the reference is the model as it came. */
  tokens: z.array(tokenRecordSchema),
  words: z.array(wordViewSchema),
  judging: judgingSchema,
})
export type ResponseViewDetail = z.infer<typeof responseViewDetailSchema>

/** Whose encoder is asked where a word shows. */
export const encoderChoiceSchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('run'), runId: runIdSchema }),
  z.strictObject({ from: z.literal('model'), modelId: modelIdSchema }),
])
export type EncoderChoice = z.infer<typeof encoderChoiceSchema>

/** Where an image shows a word, by the encoder's patches. */
export const evidenceSchema = z.object({
  /** Patches along one edge of the square that the encoder sees. */
  side: id,
  /** Cosine of each patch with the word, row by row from the top left; they compare within one image only. */
  values: z.array(z.number()),
  /** Score of the whole image with the word. */
  score: z.number(),
  /**
   * Where the square lies, in fractions of the picture: within it where its edges were cut off, beyond it where the picture
   * was padded. A heat map is drawn here and clipped to the picture.
   */
  frame: z.object({ x: z.number(), y: z.number(), width: z.number().positive(), height: z.number().positive() }),
})
export type Evidence = z.infer<typeof evidenceSchema>

/** A point on the time line of a run. */
export const checkpointViewSchema = z.object({
  checkpointId: checkpointIdSchema,
  step: count,
  /** Kept by a person, whatever the policy on old weights says. */
  isPinned: z.boolean(),
  /** The best step by the verifier alone, whose weights are kept too. */
  isBest: z.boolean(),
  /** Put in the place of the best one by a person: pages propose it first. */
  isUsed: z.boolean(),
  /** False once its weights were dropped to save space: it can no longer be asked, its responses stay. */
  hasWeights: z.boolean(),
  /** Null at step 0. */
  summary: z.object({ klNats: z.number().nullable(), meanReward: z.number().nullable() }),
  createdAtMs: z.number(),
  /** Images with a response of this checkpoint. */
  describedImages: count,
})
export type CheckpointView = z.infer<typeof checkpointViewSchema>
