// A small method table for the tests of the worker protocol.
import { z } from 'zod'

const none = z.object({})

export const testMethods = {
  count: {
    params: z.object({ to: z.number() }),
    progress: z.object({ at: z.number() }),
    result: z.object({ counted: z.number() }),
  },
  fail: { params: none, progress: none, result: none },
  lie: { params: none, progress: none, result: z.object({ truth: z.string() }) },
  crash: { params: none, progress: none, result: none },
  block: { params: z.object({ forMs: z.number(), announcedMs: z.number() }), progress: none, result: none },
} as const
