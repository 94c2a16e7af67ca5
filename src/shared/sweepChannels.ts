// What the renderer may ask of sweeps: several runs at once, in the queue or on other machines, and what they came to.
import { z } from 'zod'
import { none } from './channelTerms.ts'
import { runIdSchema } from './domain.ts'
import { newRunSchema } from './runChannels.ts'
import { mostCells } from './sweep.ts'
import { collectionSchema, sweepDetailSchema, sweepViewSchema } from './sweepView.ts'

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
  /**
   * Asks for a folder and writes a sweep for other machines into a new one in it, which is looked at from then on; null when none
   * was chosen.
   */
  'sweeps.send': { params: newSweepSchema, result: sweep.nullable() },
  /** Asks for the folder of a sweep, takes its results over and looks there from then on; null when none was chosen. */
  'sweeps.collect': { params: none, result: sweep.extend({ collection: collectionSchema }).nullable() },
  /** Looks into the folder of a sweep now. */
  'sweeps.look': { params: sweep, result: none },
  /** Looks there no more; its runs stay together, and nothing in the folder is touched. */
  'sweeps.forget': { params: sweep, result: none },
  /** Opens its folder in the file manager. */
  'sweeps.showFolder': { params: sweep, result: none },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
