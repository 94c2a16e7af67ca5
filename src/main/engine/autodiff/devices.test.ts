// The same forward and backward graphs on WebGPU, through the software adapter that the development runtime carries.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasSoftwareGpu, linesOf } from '../graph/testing/softwareGpu.ts'
import { cases } from './testing/cases.ts'
import type { Comparison } from './testing/compareDevices.ts'

test.runIf(hasSoftwareGpu)(
  'WebGPU agrees with the CPU to 1e-3 on every rule',
  () => {
    const compared = linesOf<Comparison>(join(import.meta.dirname, 'testing/compareDevices.ts'), [], 170_000)
    expect(compared.map(({ name }) => name)).toEqual(cases.map(({ name }) => name))
    expect(compared.filter(({ relativeError }) => !(relativeError < 1e-3))).toEqual([])
  },
  180_000,
)
