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

/** One of the two groups of scores. */
export const scoreGroupSchema = z.strictObject({
  /** Of all scores. */
  share: z.number(),
  mean: z.number(),
  standardDeviation: z.number(),
})
export type ScoreGroup = z.infer<typeof scoreGroupSchema>

/** Why a verifier is refused, as a sentence. */
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
  /** That a grounded mention scores above a hallucinated one: by the components, or as measured on labels. */
  auroc: z.number().nullable(),
  /** Share that both distributions have in common, by the components; null with labels. */
  overlap: z.number().nullable(),
  /** Of two components over one; null with labels. */
  bicGain: z.number().nullable(),
  /** That a word scores higher on its own image than on another; null when not measured. */
  imageAuroc: z.number().nullable(),
  /** Why the verifier is not to be trusted; empty when it is. */
  refusals: z.array(z.strictObject({ reason: z.enum(refusalReasons), expected: z.string(), found: z.string() })),
})
export type Calibration = z.infer<typeof calibrationSchema>
export type Refusal = Calibration['refusals'][number]

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
