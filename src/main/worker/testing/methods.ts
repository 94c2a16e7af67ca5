// A small method table for the tests of the worker protocol.
import { z } from 'zod'

const none = z.object({})

export const testMethods = {
  count: {
    params: z.object({ to: z.number() }),
    progress: z.object({ at: z.number() }),
    result: z.object({ counted: z.number() }),
    quietMs: 0,
  },
  fail: { params: none, progress: none, result: none, quietMs: 0 },
  lie: { params: none, progress: none, result: z.object({ truth: z.string() }), quietMs: 0 },
  crash: { params: none, progress: none, result: none, quietMs: 0 },
  /** Blocks its thread so many times in a row, a pause of a second and a half between, as native calls do. */
  block: {
    params: z.object({ forMs: z.number(), times: z.number() }),
    progress: none,
    result: z.object({ beats: z.number() }),
    quietMs: 10 * 60_000,
  },
  /** Blocks its thread, though nothing about it says so. */
  hang: { params: z.object({ forMs: z.number() }), progress: none, result: none, quietMs: 0 },
} as const
