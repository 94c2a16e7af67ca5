// What the machine and the app are doing at this moment: asked once a second by a window that shows it. Measured by
// app/load.ts.
import { z } from 'zod'
import { deviceNameSchema } from './hardware.ts'

const share = z.number().min(0).max(1)

export const appLoadSchema = z.object({
  atMs: z.number(),
  cpu: z.object({
    cores: z.number().int(),
    /** Share of all cores since the last look; null at the first one. */
    app: share.nullable(),
    engine: share.nullable(),
    machine: share.nullable(),
  }),
  memory: z.object({
    machineBytes: z.number(),
    machineUsedBytes: z.number(),
    /** Resident, of all processes of the app; what they share is counted in each. */
    appBytes: z.number(),
    /** Null while the engine does not run. */
    engineBytes: z.number().nullable(),
  }),
  gpu: z.object({
    /** The device that runs use; null until it is known. */
    device: deviceNameSchema.nullable(),
    usedBytes: z.number().nullable(),
    totalBytes: z.number().nullable(),
    /** Why the memory is not known, as a sentence; null when it is. */
    unknownBecause: z.string().nullable(),
  }),
})
export type AppLoad = z.infer<typeof appLoadSchema>
