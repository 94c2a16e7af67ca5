// Figures of an evaluation with their intervals, as the engine computes them and reports and screens show them.
import { z } from 'zod'
import { annotationJoinSchema } from './annotationJoin.ts'

/** A figure on all images and its 95 % interval over resampled images; null where there is nothing to divide by. */
export const estimateSchema = z.object({
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.number().int(),
  undefinedResamples: z.number().int(),
})
export type Estimate = z.infer<typeof estimateSchema>

/** A figure before and after, their difference (after - before) and the relative reduction (before - after) / before. */
export const comparisonSchema = z.object({
  before: estimateSchema,
  after: estimateSchema,
  difference: estimateSchema,
  relativeReduction: estimateSchema,
})
export type FigureComparison = z.infer<typeof comparisonSchema>

/** A word of a response with what annotations and verifier say of it. */
export const judgedWordSchema = z.object({
  /** Characters [start, end) of the text. */
  start: z.number().int(),
  end: z.number().int(),
  name: z.string(),
  /** Null where the verifier was not asked, such as for what the response says is not there. */
  score: z.number().nullable(),
  isHallucinated: z.boolean(),
})
export type JudgedWord = z.infer<typeof judgedWordSchema>

export const judgedResponseSchema = z.object({ text: z.string(), words: z.array(judgedWordSchema) })
export type JudgedResponse = z.infer<typeof judgedResponseSchema>

const count = z.number().int().nonnegative()
export const objectCountsSchema = z.object({
  name: z.string(),
  annotated: count,
  recalled: count,
  mentions: count,
  hallucinatedMentions: count,
})
export type ObjectCounts = z.infer<typeof objectCountsSchema>

const chairComparisonsSchema = z.object({
  chairI: comparisonSchema,
  chairIUnique: comparisonSchema,
  chairS: comparisonSchema,
  recall: comparisonSchema,
  meanLength: comparisonSchema,
  repetition: comparisonSchema,
})
export type ChairComparisons = z.infer<typeof chairComparisonsSchema>

/** CHAIR before and after (Rohrbach et al. 2018), paired by image. */
export const chairReportSchema = z.object({
  images: count,
  figures: chairComparisonsSchema,
  /**
   * The same run with a verifier that cannot know the image: what it came to itself, and from it (before) to the run
   * (after), whose differences are the effect beyond placebo. Null when no placebo was judged.
   */
  placebo: z.object({ figures: chairComparisonsSchema, beyond: chairComparisonsSchema }).nullable().default(null),
  /** AUROC of the verifier's score on annotated mentions before alignment: grounded over hallucinated. */
  verifierAuroc: estimateSchema,
  byObject: z.object({ before: z.array(objectCountsSchema), after: z.array(objectCountsSchema) }),
  /** In the order of the images' paths. */
  responses: z.array(
    z.object({
      path: z.string(),
      objects: z.array(z.string()),
      before: judgedResponseSchema,
      after: judgedResponseSchema,
    }),
  ),
  /** Annotated images that could not be read and take no part, by the code of what was wrong. */
  skipped: z.array(z.object({ path: z.string(), code: z.string() })),
  /** Which annotations and images found each other, and which objects they judge. */
  annotations: annotationJoinSchema,
  durationMs: z.number(),
})
export type ChairReport = z.infer<typeof chairReportSchema>
