// What the renderer may ask of evaluations and of people's votes.
import { z } from 'zod'
import { count, none } from './channelTerms.ts'
import { evaluationIdSchema, voteChoiceSchema } from './domain.ts'
import {
  ballotSchema,
  ballotViewSchema,
  conceptSchema,
  conceptSorts,
  evaluatedImageSchema,
  evaluatedSelectionSchema,
  evaluationDetailSchema,
  evaluationFiles,
  evaluationTables,
  evaluationViewSchema,
  mostPolicies,
  newEvaluationSchema,
  voteCountsSchema,
  votePairSchema,
} from './evaluations.ts'

const evaluation = z.object({ evaluationId: evaluationIdSchema })

export const evaluationChannels = {
  /** All of the workspace, the newest first; `evaluations.changed` tells how far one is. */
  'evaluations.list': { params: none, result: z.object({ evaluations: z.array(evaluationViewSchema) }) },
  'evaluations.get': { params: evaluation, result: evaluationDetailSchema },
  /** Puts it at the end of the queue. */
  'evaluations.create': { params: newEvaluationSchema, result: evaluation },
  /** Asks for a file or folder of a measure. */
  'evaluations.pick': {
    params: z.object({ what: z.enum(evaluationFiles) }),
    result: z.object({ path: z.string() }).nullable(),
  },
  /** Ends it after its current step of decoding; answers so far stay. */
  'evaluations.cancel': { params: evaluation, result: none },
  /** Puts one that was cancelled or has failed back into the queue; it goes on with what is missing. */
  'evaluations.resume': { params: evaluation, result: none },
  'evaluations.delete': { params: evaluation, result: none },
  /** Object words with their counts. `hallucinated`: by the first policy; `change`: by its difference from the last one. */
  'evaluations.concepts': {
    params: evaluation.extend({ sort: z.enum(conceptSorts), offset: count, limit: count.max(500) }),
    result: z.object({ total: count, concepts: z.array(conceptSchema) }),
  },
  /**
   * The images behind a figure of a policy: those that hallucinate, name or miss a concept (any when null), or whose
   * question is answered right or wrong.
   */
  'evaluations.images': {
    params: evaluation.extend({
      select: evaluatedSelectionSchema,
      concept: z.string().max(200).nullable(),
      policy: z
        .int()
        .min(0)
        .max(mostPolicies - 1),
      offset: count,
      limit: count.max(200),
    }),
    result: z.object({ total: count, images: z.array(evaluatedImageSchema) }),
  },
  /** Asks where a table goes and writes it there as CSV. */
  'evaluations.csv': {
    params: evaluation.extend({ table: z.enum(evaluationTables) }),
    result: z.object({ path: z.string() }).nullable(),
  },

  /** How two policies' responses stand against each other, and what is missing before people can compare them. */
  'votes.begin': { params: ballotSchema, result: ballotViewSchema },
  /** The next pair, or null when there is none left. Asked again before a vote, it is the same pair on the same sides. */
  'votes.next': { params: ballotSchema, result: votePairSchema.nullable() },
  'votes.cast': { params: z.object({ pairId: count, choice: voteChoiceSchema }), result: none },
  /** Takes the ballot's last vote back; its pair is the next one then. Null when there is no vote. */
  'votes.undo': { params: ballotSchema, result: votePairSchema.nullable() },
  'votes.counts': { params: ballotSchema, result: voteCountsSchema },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
