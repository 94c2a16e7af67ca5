// How a utility process is doing, as the supervisor in main sees it and the renderer shows it.
import { z } from 'zod'
import { errorRecordSchema } from './errors.ts'

export const workerStatusSchema = z.object({
  /** `failed`: it stopped too often in a short time and is not restarted until a person asks. */
  state: z.enum(['starting', 'ready', 'restarting', 'stopped', 'failed']),
  pid: z.number().int().nullable(),
  /** How often it was restarted after an unexpected end, since the app started. */
  restarts: z.number().int(),
  /** Why it was last restarted or given up; null when it never was. */
  lastError: errorRecordSchema.nullable(),
})
export type WorkerStatus = z.infer<typeof workerStatusSchema>
