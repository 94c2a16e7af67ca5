// What the engine finds out about a model folder: stored with the model, shown on the Models screen.
import { z } from 'zod'

export const modelReportSchema = z.object({
  /** Name of the folder. */
  name: z.string(),
  /** Its config.json. */
  config: z.json(),
  /** Over the weight files in the order of their names, 64 hexadecimal digits. */
  weightsSha256: z.string().length(64),
  parameters: z.number().int().nonnegative(),
  imageTokens: z.number().int().positive(),
  /** Null without a companion. */
  encoder: z
    .object({
      /** Over the companion's weight files. */
      weightsSha256: z.string().length(64),
      /** Whether the two image towers are the same; `rounded`: up to the rounding of the smaller element type. */
      outcome: z.enum(['identical', 'same-values', 'rounded', 'different']),
      /** Where they part, in a few words; null when they do not. */
      difference: z.string().nullable(),
    })
    .nullable(),
})
export type ModelReport = z.infer<typeof modelReportSchema>
