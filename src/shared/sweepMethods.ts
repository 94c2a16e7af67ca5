// What the sweeps process can be asked (main/headless/sweepProcess.ts): the work on a sweep's folder, which hashes files, plans
// memory and looks through results, away from main. It is started when there is something to do, and ended after it.
import { z } from 'zod'
import { deviceNameSchema } from './hardware.ts'
import { newRunSchema } from './runChannels.ts'
import { runConfigSchema } from './runConfig.ts'
import { mostCells } from './sweep.ts'
import { collectionSchema } from './sweepView.ts'
import type { MethodTable } from './workerProtocol.ts'

/** One result of many gigabytes is hashed in pieces, but its pages are checked in one call. */
const quietMs = 30 * 60_000

export const sweepMethods = {
  /** Takes the results in a folder over into the open workspace; a cancel ends it after the current cell. */
  collectSweep: {
    params: z.object({ path: z.string(), folder: z.string() }),
    progress: z.object({ done: z.number().int(), total: z.number().int() }),
    result: z.object({ sweepId: z.string(), collection: collectionSchema }),
    quietMs,
  },
  /** Writes the folder of a sweep, with the images of the workspace as they are now; it appears when it is whole. */
  writeSweep: {
    params: z.object({
      path: z.string(),
      /** A new one. */
      folder: z.string(),
      runs: z
        .array(newRunSchema.omit({ changes: true }).extend({ config: runConfigSchema, withPlacebo: z.boolean() }))
        .min(1)
        .max(mostCells),
      lexicon: z.string(),
      device: deviceNameSchema,
      threads: z.int().min(1).nullable(),
    }),
    progress: z.object({ done: z.number().int(), total: z.number().int() }),
    result: z.object({ sweepId: z.string() }),
    quietMs,
  },
} as const satisfies MethodTable
