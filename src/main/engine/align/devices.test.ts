// The graphs of a whole model, and a training, on WebGPU, through the software adapter that the development runtime carries.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasSoftwareGpu, linesOf } from '../graph/testing/softwareGpu.ts'
import type { ModelComparison } from './testing/compareModelDevices.ts'
import type { TrainingComparison } from './testing/compareTraining.ts'

/**
 * What WebGPU leaves to the CPU: the arithmetic of shapes that are known only at a run, none of it in a layer. The list
 * may shrink; when it grows, a kernel has left the GPU and each step pays for the way there and back.
 */
const leftToTheCpu = {
  vision: { Concat: 1 },
  prompt: { Add: 1, Concat: 3, Reshape: 2, Shape: 2 },
  step: { Add: 1, Reshape: 1 },
  response: { Concat: 4, Mul: 1, Reshape: 4, Shape: 3 },
  recomputed: { Concat: 4, Mul: 1, Reshape: 4, Shape: 3 },
  amongKept: { Concat: 4, Mul: 1, Reshape: 4, Shape: 3 },
  rollout: {},
}

test.runIf(hasSoftwareGpu)(
  'images, prompts, steps, PPO updates and rollouts agree with the CPU to 1e-3',
  () => {
    const script = join(import.meta.dirname, 'testing/compareModelDevices.ts')
    const compared = linesOf<ModelComparison>(script, ['clip-llama'], 290_000)
    for (const { graph, relativeError, cpuNodes } of compared) {
      process.stdout.write(
        `${graph}: ${relativeError.toExponential(1)} from the CPU; ${JSON.stringify(cpuNodes)} on it\n`,
      )
    }
    expect(compared.filter(({ relativeError }) => !(relativeError < 1e-3))).toEqual([])
    expect(Object.fromEntries(compared.map(({ graph, cpuNodes }) => [graph, cpuNodes]))).toEqual(leftToTheCpu)
  },
  300_000,
)

test.runIf(hasSoftwareGpu)(
  'parameters that a device holds follow their updates, agree with the CPU to 1e-3 and leave nothing there',
  () => {
    const script = join(import.meta.dirname, 'testing/compareTraining.ts')
    const [trained] = linesOf<TrainingComparison>(script, ['webgpu'], 170_000)
    expect(Object.entries(trained?.relativeErrors ?? {}).filter(([, error]) => !(error < 1e-3))).toEqual([])
    expect(Object.keys(trained?.relativeErrors ?? {})).toHaveLength(4)
    expect(trained?.lossRatio).toBeLessThan(0.5)
    expect(trained?.open).toEqual({ tensors: 0, sessions: 0 })
  },
  180_000,
)
