// A look at the validation images: figures by the verifier's estimates, no annotation is read. The engine takes it
// (run/look.ts), the workspace stores it, screens show some of its figures.
import { z } from 'zod'

/** One look; figures are means over its responses. */
export const lookSchema = z.strictObject({
  /** Steps done; 0 is the model as it came. */
  step: z.int().nonnegative(),
  responses: z.int().nonnegative(),
  /** Estimated share of mentions that are hallucinated. */
  hallucinationRate: z.number(),
  /** Its 95 % interval over responses; earlier versions stored none. */
  hallucinationRateLow: z.number().exactOptional(),
  hallucinationRateHigh: z.number().exactOptional(),
  /** Estimated different objects a response that are named and there. */
  coverage: z.number(),
  meanWords: z.number(),
  meanObjects: z.number(),
  meanRepeatedMentions: z.number(),
  repeatedTrigramShare: z.number(),
  emptyShare: z.number(),
})
export type Look = z.infer<typeof lookSchema>
