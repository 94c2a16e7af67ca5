// A run whose work is shared between two threads against the same run on one: equal, byte for byte. And how many share it.
import { expect, test } from 'vitest'
import { presetConfig } from '../../../shared/runConfig.ts'
import { temporaryWorkspace } from '../../db/testing/temporaryWorkspace.ts'
import type { MemoryPlan } from '../run/memoryPlan.ts'
import { shareOf } from './jobWorkers.ts'
import { addDemoRun, contentOf, demoLexicon, shortConfig } from './testing/demoRun.ts'
import { alignRun } from './workspaceJobs.ts'

test('two threads leave what one leaves: checkpoints, looks, metrics, responses and tokens', {
  timeout: 120_000,
}, async () => {
  // Four micro-batches an update: of two, either order has the same sum.
  const config = { ...shortConfig, optimiser: { ...shortConfig.optimiser, stepsPerRound: 2, microBatchSize: 1 } }
  const left: Record<string, unknown>[] = []
  for (const threads of [1, 2]) {
    const { db } = temporaryWorkspace(0)
    const runId = addDemoRun(db, 24, { config })
    await alignRun(db, { runId, device: 'cpu', threads, lexicon: demoLexicon }, () => undefined)
    left.push(contentOf(db, runId))
  }
  expect(left[1]).toEqual(left[0])
})

test('as many threads as cores, batches and memory allow; the cores that are left work within each', async () => {
  // 64 responses a step in batches of 16: four are the most that have something to do.
  const config = presetConfig('quick-look', { rollout: { responsesPerStep: 64, batchSize: 16 } })
  const shared = (threads: number | null, { cores = 8, device = 'cpu' as const, most = 99 } = {}) => {
    // A machine that holds so many and not one more.
    const plan = (_: unknown, count = 1): MemoryPlan => ({
      ...{ parts: [], largestArrayBytes: 0 },
      totalBytes: count > most ? 1e18 : 1e9,
    })
    return shareOf({ device, threads, config }, cores, async () => ({ plan }))
  }
  expect(await shared(1)).toEqual({ count: 1, threads: 1 })
  expect(await shared(2)).toEqual({ count: 2, threads: 1 })
  expect(await shared(5)).toEqual({ count: 4, threads: 1 })
  expect(await shared(null)).toEqual({ count: 4, threads: 2 })
  expect(await shared(6, { most: 2 })).toEqual({ count: 2, threads: 3 })
  expect(await shared(6, { most: 1 })).toEqual({ count: 1, threads: 6 })
  expect(await shared(null, { most: 1 })).toEqual({ count: 1, threads: null })
  // A device of its own does one thing at a time.
  const onDevice = shareOf({ device: 'webgpu', threads: 8, config }, 8, () => Promise.reject(new Error('not planned')))
  expect(await onDevice).toEqual({ count: 1, threads: 8 })
})
