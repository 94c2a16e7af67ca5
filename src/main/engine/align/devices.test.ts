// The graphs of a whole model in 32, 8 and 4 bits, and a training, on WebGPU, through the software adapter that the development
// runtime carries. One process for all: shaders are compiled once.
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasSoftwareGpu, linesOf } from '../graph/testing/softwareGpu.ts'
import type { TrainingComparison } from './testing/compareTraining.ts'
import type { CheckedDevice, LeftOpen, ModelComparison } from './testing/deviceComparison.ts'

const [prompt, step, response] = [
  { Add: 1, Concat: 3, Reshape: 2, Shape: 2 },
  { Add: 1, Reshape: 1 },
  { Concat: 4, Mul: 1, Reshape: 4, Shape: 3 },
]
/**
 * What WebGPU leaves to the CPU: the arithmetic of shapes that are known only at a run, none of it in a layer. The list
 * may shrink; when it grows, a kernel has left the GPU and each step pays for the way there and back.
 */
const leftToTheCpu = {
  ...{ vision: { Concat: 1 }, prompt, step, response, recomputed: response, amongKept: response, rollout: {} },
  ...{ 'int8 prompt': prompt, 'int8 step': step, 'int8 response': response, 'int8 recomputed': response },
  ...{ 'int4 prompt': prompt, 'int4 step': step, 'int4 response': response, 'int4 recomputed': response },
  ...{ 'int8 rollout': {}, 'int4 rollout': {} },
}

describe.runIf(hasSoftwareGpu)('on WebGPU', () => {
  let lines: (ModelComparison | TrainingComparison | CheckedDevice | LeftOpen)[] = []
  beforeAll(() => {
    lines = linesOf(join(import.meta.dirname, 'testing/compareModelDevices.ts'), ['clip-llama'], 290_000)
  }, 300_000)

  test('images, prompts, steps, PPO updates and rollouts agree with the CPU to 1e-3, in 8 and 4 bits too', () => {
    const compared = lines.filter((line) => 'graph' in line)
    for (const { graph, relativeError, cpuNodes } of compared) {
      process.stdout.write(
        `${graph}: ${relativeError.toExponential(1)} from the CPU; ${JSON.stringify(cpuNodes)} on it\n`,
      )
    }
    expect(compared.filter(({ relativeError }) => !(relativeError < 1e-3))).toEqual([])
    expect(Object.fromEntries(compared.map(({ graph, cpuNodes }) => [graph, cpuNodes]))).toEqual(leftToTheCpu)
  })

  test('weights of all graphs, also of 8 and 4 bits, are those that the sessions of the device share', () => {
    const shared = lines.flatMap((line) => ('graph' in line && line.sharedWeights !== undefined ? [line] : []))
    process.stdout.write(`${shared.map(({ graph, sharedWeights }) => `${graph} ${sharedWeights}`).join(', ')}\n`)
    expect(shared).toHaveLength(14)
    // The projections of a layer at least; of 4 bits only what else they are made of, and the tables.
    expect(shared.filter(({ sharedWeights = 0 }) => sharedWeights < 2)).toEqual([])
  })

  test('the cache of a rollout stays on the device while responses grow', () => {
    const rollouts = lines.filter((line) => 'graph' in line && line.heldTensors !== undefined)
    expect(rollouts).toHaveLength(3)
    // Keys and values of a layer at least.
    for (const rollout of rollouts) expect((rollout as ModelComparison).heldTensors).toBeGreaterThanOrEqual(2)
  })

  test('parameters that a device holds follow their updates and agree with the CPU to 1e-3', () => {
    const trained = lines.find((line) => 'lossRatio' in line)
    expect(Object.entries(trained?.relativeErrors ?? {}).filter(([, error]) => !(error < 1e-3))).toEqual([])
    expect(Object.keys(trained?.relativeErrors ?? {})).toHaveLength(4)
    expect(trained?.lossRatio).toBeLessThan(0.5)
  })

  test('the check that each machine takes before a device is used finds it right', () => {
    const { checked } = lines.find((line) => 'checked' in line) as CheckedDevice
    process.stdout.write(`${JSON.stringify(checked)}\n`)
    expect(checked.relativeError).toBeLessThan(1e-4)
  })

  test('nothing is left there', () => {
    expect(lines.at(-1)).toEqual({ left: { tensors: 0, sessions: 0 } })
  })
})
