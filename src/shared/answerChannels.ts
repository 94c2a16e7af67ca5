// What the renderer may ask a model about images, and of what was answered.
import { z } from 'zod'
import { count, none } from './channelTerms.ts'
import {
  describeViewSchema,
  encoderChoiceSchema,
  evidenceSchema,
  libraryDescribeSchema,
  libraryTaskSchema,
  questionSchema,
  regionSchema,
  responseViewDetailSchema,
  responseViewSchema,
} from './describe.ts'
import { rolloutIdSchema, rolloutPurposeSchema, runIdSchema } from './domain.ts'

const run = z.object({ runId: runIdSchema })

export const answerChannels = {
  /** Asks a policy about an image; `describe.changed` tells how far it is. What is answered already is not asked again. */
  'describe.start': { params: questionSchema, result: z.object({ describeId: count }) },
  /** Lets a checkpoint describe every image of a query that has no response of it yet. */
  'describe.library': { params: libraryTaskSchema, result: z.object({ describeId: count }) },
  /** Ends it after its current step of decoding; what is stored stays. */
  'describe.cancel': { params: z.object({ describeId: count }), result: none },
  /** What waits or is under way, and what has ended lately, in the order of asking. */
  'describe.list': { params: none, result: z.object({ describes: z.array(describeViewSchema) }) },
  /** How many images of the workspace a checkpoint has described. */
  'describe.coverage': {
    params: libraryDescribeSchema,
    result: z.object({ described: count, images: count }),
  },

  /** The first 500 responses to an image that a page can switch between, by run and step; those of models without a run last. */
  'responses.toImage': {
    params: z.object({ imageId: count }),
    result: z.object({ responses: z.array(responseViewSchema) }),
  },
  'responses.get': { params: z.object({ rolloutId: rolloutIdSchema }), result: responseViewDetailSchema },
  /** Samples of a run over time: what was said at one of its steps. */
  'responses.ofStep': {
    params: run.extend({ step: count, purpose: rolloutPurposeSchema, offset: count, limit: count.max(200) }),
    result: z.object({ total: count, responses: z.array(responseViewSchema) }),
  },

  /** Where an image shows a word, by the patches of an encoder. */
  'evidence.get': {
    params: z.object({
      imageId: count,
      word: z.string().trim().min(1).max(200),
      encoder: encoderChoiceSchema,
      /** As in the question whose response named the word; null for the whole picture. */
      region: regionSchema.nullable(),
    }),
    result: evidenceSchema,
  },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
