// The records that the workspace file holds and every process talks about.
import { z } from 'zod'

const id = z.number().int().positive()
const count = z.number().int().nonnegative()

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

export const imageFormatSchema = z.enum(['jpeg', 'png', 'webp', 'avif', 'tiff'])
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
})
export type ImageRow = z.infer<typeof imageRowSchema>

export const imageSorts = ['newest', 'name', 'lowest-score'] as const

/** Which images the grid shows, and in which order. */
export const imageQuerySchema = z.object({
  /** Part of a file name, or words of a response; empty for all. */
  search: z.string().max(200),
  sort: z.enum(imageSorts),
  /** The checkpoint whose responses are meant; null while there is none. */
  checkpointId: id.nullable(),
  responses: z.enum(['any', 'none', 'with-hallucination']),
  tag: z.string().nullable(),
})
export type ImageQuery = z.infer<typeof imageQuerySchema>

/** All images, newest first. */
export const allImages: ImageQuery = { search: '', sort: 'newest', checkpointId: null, responses: 'any', tag: null }

export const runStateSchema = z.enum(['queued', 'running', 'paused', 'complete', 'stopped', 'failed'])
export type RunState = z.infer<typeof runStateSchema>

/** What a response was generated for. */
export const rolloutPurposeSchema = z.enum(['training', 'evaluation', 'trial'])
export type RolloutPurpose = z.infer<typeof rolloutPurposeSchema>

/** The verdict on an object word: its score is above mu_gt + lambda, below mu_hal - lambda, or between. */
export const spanLabelSchema = z.enum(['grounded', 'hallucinated', 'neutral'])
export type SpanLabel = z.infer<typeof spanLabelSchema>
