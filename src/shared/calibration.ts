// What the calibration of a verifier found, and why it may refuse it, in the words that a person reads. The engine finds it
// (reward/calibration.ts), the workspace stores it, screens and reports show it.
import { z } from 'zod'

/** Mean verifier scores s = <f_img(x), f_txt(o)>, cosine similarities. */
export const baselinesSchema = z.strictObject({
  /** Of objects that are in the image. */
  muGt: z.number(),
  /** Of hallucinated ones. */
  muHal: z.number(),
})
export type Baselines = z.infer<typeof baselinesSchema>

/** A figure with the interval that holds it in 95 % of resamples by image. */
export const intervalSchema = z.strictObject({ value: z.number(), low: z.number(), high: z.number() })
export type Interval = z.infer<typeof intervalSchema>

/** One of the two groups of scores. */
export const scoreGroupSchema = z.strictObject({
  /** Of all scores. */
  share: z.number(),
  mean: z.number(),
  standardDeviation: z.number(),
})
export type ScoreGroup = z.infer<typeof scoreGroupSchema>

/** What words on their own image, against the same words on other images, say of a verifier. */
export const knowledgeSchema = z.strictObject({
  /** That a right mention scores above a hallucinated one, each less its word's level. */
  auroc: intervalSchema,
  /** That a word scores higher on its own image than on another where it might have been said; 0.5 is blind. */
  ownOverOther: intervalSchema,
  hallucinatedShare: intervalSchema,
  /** As `auroc`, of the scores as they are, which the token reward reads; words' levels blur it. */
  rawAuroc: z.number().nullable(),
  otherScores: z.int().nonnegative(),
})

/** Why a verifier is refused, as a sentence. Some are of earlier versions only. */
export const refusalSentences = {
  'too-few-scores': 'The responses name too few objects to judge by.',
  'one-component': 'Its scores form one group, not two.',
  'component-too-small': 'One of the two groups of its scores is too small.',
  overlapping: 'Its scores of right and of wrong words overlap too much.',
  'blind-to-image': 'Its scores of a word hardly depend on the image.',
  'one-sided': 'There are too few right or too few wrong words to compare.',
} as const
export type RefusalReason = keyof typeof refusalSentences
export const refusalReasons = Object.keys(refusalSentences) as [RefusalReason, ...RefusalReason[]]

/** What a calibration found; stored with the run. */
export const calibrationSchema = z.strictObject({
  method: z.enum(['annotated', 'mixture']),
  /** Scores that it was made from. */
  scores: z.int().nonnegative(),
  /** Null when there were none to be had. */
  baselines: baselinesSchema.nullable(),
  grounded: scoreGroupSchema.nullable(),
  hallucinated: scoreGroupSchema.nullable(),
  /**
   * That a right mention scores above a hallucinated one: estimated, or as measured on labels. Without labels and without
   * `estimate`, as earlier versions stored it, it is the separation of two fitted groups, whatever these were.
   */
  auroc: z.number().nullable(),
  /** Share that both groups have in common, were they normal. */
  overlap: z.number().nullable(),
  /** Of two fitted groups over one, as earlier versions stored it. */
  bicGain: z.number().nullable(),
  /** That a word scores higher on its own image than on another; null when not measured. */
  imageAuroc: z.number().nullable(),
  /** Of the two groups, were they normal: how far they stand apart, and not how far the verifier knows right from wrong. */
  separation: z.number().nullable().default(null),
  /** What was estimated without labels; null with labels, and in calibrations of earlier versions. */
  estimate: knowledgeSchema.nullable().default(null),
  /** Why the verifier is not to be trusted; empty when it is. */
  refusals: z.array(z.strictObject({ reason: z.enum(refusalReasons), expected: z.string(), found: z.string() })),
})
export type Calibration = z.infer<typeof calibrationSchema>
export type Refusal = Calibration['refusals'][number]

/** The AUROC with its interval, and the separation of the two groups; older calibrations have only the latter. */
export function aurocOf({
  method,
  auroc,
  estimate,
  separation,
}: Pick<Calibration, 'method' | 'auroc' | 'estimate' | 'separation'>): {
  readonly auroc: number | null
  readonly interval: Interval | null
  readonly separation: number | null
} {
  if (method === 'annotated' || estimate) return { auroc, interval: estimate?.auroc ?? null, separation }
  return { auroc: null, interval: null, separation: auroc }
}

/** A refusal as a person reads it, with what was needed and what was found. */
export function refusalText({ reason, expected, found }: Refusal): string {
  return `${refusalSentences[reason]} Needed: ${expected}; found: ${found}.`
}

/** A round whose own calibration was refused, and which kept the first round's baselines. */
export const keptBaselinesSchema = z.strictObject({
  /** Steps done when it began. */
  step: z.int().nonnegative(),
  refusals: calibrationSchema.shape.refusals,
})
export type KeptBaselines = z.infer<typeof keptBaselinesSchema>

/** What became of a later round's calibration, as a person reads it. */
export function keptBaselinesText({ step, refusals: [refusal] }: KeptBaselines): string {
  const why = refusal ? ` ${refusalText(refusal)}` : ''
  return `The round from step ${step} on kept the first round's baselines: its own calibration was refused, as happens when few words are still hallucinated.${why}`
}
