// What the renderer may ask of sweeps: several runs at once, in the queue or on other machines, and what they came to.
import { z } from 'zod'
import { none } from './channelTerms.ts'
import { runIdSchema } from './domain.ts'
import { newRunSchema } from './runChannels.ts'
import { mostCells } from './sweep.ts'
import { sweepDetailSchema, sweepViewSchema } from './sweepView.ts'

/** Several runs that belong together. */
export const newSweepSchema = z.object({
  name: z.string().trim().min(1).max(120),
  runs: z.array(newRunSchema).min(1).max(mostCells),
  /** Each run that can have one gets its placebo. */
  withPlacebo: z.boolean(),
})
export type NewSweep = z.infer<typeof newSweepSchema>

const sweep = z.object({ sweepId: z.string().min(1).max(100) })

export const sweepChannels = {
  /** Newest first; those that have runs or a folder. */
  'sweeps.list': { params: none, result: z.array(sweepViewSchema) },
  'sweeps.get': { params: sweep, result: sweepDetailSchema },
  /** Puts all of its runs at the end of the queue, or none where one of them is refused. */
  'sweeps.create': { params: newSweepSchema, result: sweep.extend({ runId: runIdSchema }) },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
