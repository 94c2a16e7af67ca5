// What the sweeps process can be asked (main/headless/sweepProcess.ts): the work on a sweep's folder, which hashes files, plans
// memory and looks through results, away from main. It is started when there is something to do, and ended after it.
import { z } from 'zod'
import { deviceNameSchema } from './hardware.ts'
import { newRunSchema } from './runChannels.ts'
import { runConfigSchema } from './runConfig.ts'
import { mostCells } from './sweep.ts'
import { cellResourcesSchema } from './sweepResources.ts'
import { collectionSchema } from './sweepView.ts'
import type { MethodTable } from './workerProtocol.ts'

/** One result of many gigabytes is hashed in pieces, but its pages are checked in one call. */
const quietMs = 30 * 60_000

/** What the cells of a new sweep are made of. */
const newCells = {
  /** Of the workspace, which is open. */
  path: z.string(),
  runs: z
    .array(newRunSchema.omit({ changes: true }).extend({ config: runConfigSchema, withPlacebo: z.boolean() }))
    .min(1)
    .max(mostCells),
  device: deviceNameSchema,
  threads: z.int().min(1).nullable(),
}

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
      ...newCells,
      /** A new one. */
      folder: z.string(),
      lexicon: z.string(),
      resources: cellResourcesSchema,
    }),
    progress: z.object({ done: z.number().int(), total: z.number().int() }),
    result: z.object({ sweepId: z.string() }),
    quietMs,
  },
  /** The memory that the largest of its cells needs, with a margin; no weights are read. */
  planMemory: {
    params: z.object(newCells),
    progress: z.object({}),
    result: z.object({ memoryMb: z.int().min(1) }),
    quietMs,
  },
} as const satisfies MethodTable
