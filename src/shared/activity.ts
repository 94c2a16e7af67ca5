// Everything long that is under way or waits, as one list for the activity tray. Kept by app/activities.ts.
import { z } from 'zod'

export const activityKinds = [
  'import',
  'run',
  'export',
  'check',
  'model',
  'probe',
  'backup',
  'delete',
  'describe',
  'evaluate',
  'relink',
  'report',
  'sweep',
] as const
export const activityKindSchema = z.enum(activityKinds)
export type ActivityKind = z.infer<typeof activityKindSchema>

export const activitySchema = z.object({
  /** The same as long as it lasts. */
  id: z.string(),
  kind: activityKindSchema,
  /** E.g. "Quick look 2". */
  title: z.string(),
  /** What it is doing, e.g. "step 12 of 64"; null when there is nothing to say. */
  detail: z.string().nullable(),
  state: z.enum(['under-way', 'waiting', 'ending']),
  /** Share that is done, from 0 to 1; null when it cannot be known. */
  share: z.number().min(0).max(1).nullable(),
  remainingMs: z.number().nullable(),
  /** Null while it waits. */
  startedAtMs: z.number().nullable(),
  canCancel: z.boolean(),
})
export type Activity = z.infer<typeof activitySchema>
