// What the renderer may ask of sweeps: several runs at once, in the queue or on other machines, and what they came to.
import { z } from 'zod'
import { none } from './channelTerms.ts'
import { runIdSchema } from './domain.ts'
import { chairMeasureSchema } from './evaluations.ts'
import { newRunSchema } from './runChannels.ts'
import { mostCells } from './sweep.ts'
import { cellResourcesSchema } from './sweepResources.ts'
import { chairPlanSchema, collectionSchema, sweepDetailSchema, sweepViewSchema } from './sweepView.ts'

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
  'sweeps.send': { params: newSweepSchema.extend({ resources: cellResourcesSchema }), result: sweep.nullable() },
  /** The memory that a cell is given unless it is typed, as {@link memoryMb} of its resources. */
  'sweeps.memory': { params: newSweepSchema, result: z.object({ memoryMb: z.int().min(1) }) },
  /** Asks for the folder of a sweep, takes its results over and looks there from then on; null when none was chosen. */
  'sweeps.collect': { params: none, result: sweep.extend({ collection: collectionSchema }).nullable() },
  /** Looks into the folder of a sweep now. */
  'sweeps.look': { params: sweep, result: none },
  /** Looks there no more; its runs stay together, and nothing in the folder is touched. */
  'sweeps.forget': { params: sweep, result: none },
  /** What {@link measureChair} would ask for; of images that are not chosen yet where `measure` is null. */
  'sweeps.planChair': { params: sweep.extend({ measure: chairMeasureSchema.nullable() }), result: chairPlanSchema },
  /** Puts an evaluation into the queue for each run that can be measured and was not on these images, or none. */
  'sweeps.measureChair': { params: sweep.extend({ measure: chairMeasureSchema }), result: chairPlanSchema },
  /** Opens its folder in the file manager. */
  'sweeps.showFolder': { params: sweep, result: none },
} as const satisfies Record<string, { params: z.ZodType; result: z.ZodType }>
