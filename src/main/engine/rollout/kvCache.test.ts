// Decoding with features and cache in a device's memory, through the software adapter of the development runtime.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasSoftwareGpu, linesOf } from '../graph/testing/softwareGpu.ts'
import type { CacheComparison, CacheStay } from './testing/compareCaches.ts'

test.runIf(hasSoftwareGpu)(
  'a cache that stays on a device gives the logits of the CPU to 1e-3 and leaves nothing there',
  () => {
    const script = join(import.meta.dirname, 'testing/compareCaches.ts')
    const lines = linesOf<CacheComparison | CacheStay>(script, ['clip-llama', 'webgpu'], 290_000)
    const compared = lines.filter((line) => 'run' in line)
    expect(compared.map(({ rows }) => rows)).toEqual([2, 3, 2, 1])
    expect(compared.filter(({ relativeError }) => !(relativeError < 1e-3))).toEqual([])
    // Keys and values of 2 layers, 2 heads of 12 float32 numbers, 33 columns of the prompts and 64 to grow into.
    const cacheBytes = 2 * 2 * 2 * 12 * 4 * (33 + 64)
    const tensorsOnDevice = 1 + 2 * 2
    expect(lines.filter((line) => 'open' in line)).toEqual([
      { cacheBytes, tensorsOnDevice, open: { tensors: 0, sessions: 0 } },
    ])
  },
  300_000,
)
