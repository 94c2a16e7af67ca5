// How far a run is: what the engine reports of it (run/schedule.ts) and a screen shows.
import { z } from 'zod'

/** What a step consists of, in this order; `opening` comes once. */
export const runPhases = ['opening', 'rollout', 'reward', 'update', 'evaluate'] as const
export type RunPhase = (typeof runPhases)[number]

export const runProgressSchema = z.object({
  phase: z.enum(runPhases),
  /** Steps done. */
  step: z.int(),
  totalSteps: z.int(),
  /** From the measured times of steps; null until it can be relied on. */
  remainingMs: z.number().nullable(),
  /** Of a model's weights that are made ready, once, while it is opened. */
  share: z.number().min(0).max(1).optional(),
})
export type RunProgress = z.infer<typeof runProgressSchema>
