// What the renderer may ask of models.
import { z } from 'zod'
import { none } from './channelTerms.ts'
import { modelIdSchema } from './domain.ts'
import { modelDetailsSchema } from './modelDetails.ts'
import { modelViewSchema } from './runView.ts'

export const modelChannels = {
  'models.list': { params: none, result: z.array(modelViewSchema) },
  /** Asks for a folder of a model; `purpose` is what the dialog says. */
  'models.pickFolder': {
    params: z.object({ purpose: z.enum(['model', 'encoder']) }),
    result: z.object({ folder: z.string() }).nullable(),
  },
  /**
   * Checks a model folder and the encoder that its image tower was taken from, and stores it. The code `model.swapped`
   * means that it works with the two folders the other way round.
   */
  'models.add': {
    params: z.object({ folder: z.string().min(1), companionFolder: z.string().min(1).nullable() }),
    result: z.object({
      model: modelViewSchema,
      /** Where the two image towers part, in a few words; null when they are the same or there is no companion. */
      difference: z.string().nullable(),
    }),
  },
  /** Adds the model that comes with the app. */
  'models.addDemo': { params: none, result: modelViewSchema },
  /** Refused with `model.in-use`, naming them, while runs were made with it. */
  'models.remove': { params: z.object({ modelId: modelIdSchema }), result: none },
  'models.details': { params: z.object({ modelId: modelIdSchema }), result: modelDetailsSchema },
  /** Its folders have moved: the weights must be the very same (`model.other-weights`). Null keeps the encoder's place. */
  'models.relink': {
    params: z.object({
      modelId: modelIdSchema,
      folder: z.string().min(1),
      companionFolder: z.string().min(1).nullable(),
    }),
    result: modelViewSchema,
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
