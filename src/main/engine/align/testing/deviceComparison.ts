// Runs one graph on the CPU and on another device: how far apart they are, and which nodes the device leaves to the CPU.
// For the scripts beside it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeviceName } from '../../../../shared/hardware.ts'
import type { DeviceCheck } from '../../autodiff/deviceCheck.ts'
import type { Graph } from '../../graph/ir.ts'
import { DeviceTensor, OrtSession, type RunInput } from '../../graph/ortSession.ts'
import { cpuNodes, takeProfile } from '../../graph/profile.ts'
import { type Tensor, tensorOf } from '../../graph/tensor.ts'
import { holdDevice } from '../../graph/testing/holdDevice.ts'

/** What is printed for one graph. */
export interface ModelComparison {
  readonly graph: string
  /** Largest difference of an output's element, relative to the largest element of that output. */
  readonly relativeError: number
  /** Nodes that the device leaves to the CPU, counted by op. */
  readonly cpuNodes: Readonly<Record<string, number>>
  /** Of a graph: weights that its session reads from what all sessions of the device share. */
  readonly sharedWeights?: number
  /** Of a rollout: tensors that the device held while its responses grew, at most. */
  readonly heldTensors?: number
}

/** What the check of a device says of it that each machine takes before it is used. */
export interface CheckedDevice {
  readonly checked: DeviceCheck
}

/** What the script left open at its end. */
export interface LeftOpen {
  readonly left: { readonly tensors: number; readonly sessions: number }
}

type Inputs = Readonly<Record<string, RunInput>>
type Results = Record<string, Tensor>

export interface DeviceComparison {
  readonly device: DeviceName
  /** For files of the script; goes with {@link release}. */
  readonly scratch: string
  /**
   * Runs both and prints a {@link ModelComparison}.
   * @param witness the graph whose numbers are right on the CPU; the graph itself when left out
   * @returns what the witness said
   */
  compare(graph: Graph, inputs: Inputs, witness?: Graph): Promise<Results>
  release(): Promise<void>
}

export async function openComparison(device: DeviceName): Promise<DeviceComparison> {
  const scratch = mkdtempSync(join(tmpdir(), 'fisao-devices-'))
  const held = await holdDevice(device)
  return {
    ...{ device, scratch },
    compare: async (graph, inputs, witness = graph) => {
      const { results: expected } = await run(witness, inputs, 'cpu')
      const prefix = join(scratch, graph.name)
      const { results: found, sharedWeights } = await run(graph, inputs, device, prefix)
      const errors = Object.entries(expected).map(([name, one]) => difference(tensorOf(found, name, one.dtype), one))
      const relativeError = Math.max(...errors)
      print({ graph: graph.name, relativeError, cpuNodes: cpuNodes(takeProfile(prefix)), sharedWeights })
      return expected
    },
    release: async () => {
      await held.release()
      rmSync(scratch, { recursive: true })
    },
  }
}

export function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function run(
  graph: Graph,
  inputs: Inputs,
  device: DeviceName,
  profilePrefix?: string,
): Promise<{ results: Results; sharedWeights: number }> {
  const profile = profilePrefix === undefined ? {} : { profilePrefix }
  const before = DeviceTensor.openCount
  const session = await OrtSession.open(graph, { device, threads: 1, ...profile })
  const sharedWeights = DeviceTensor.openCount - before
  const results = await session.compute(inputs)
  if (profilePrefix !== undefined) session.endProfiling()
  await session.release()
  return { results, sharedWeights }
}

function difference(found: Tensor, expected: Tensor): number {
  const [a, b] = [Array.from(found.values, Number), Array.from(expected.values, Number)]
  const largest = Math.max(1e-3, ...b.map(Math.abs))
  return Math.max(...b.map((value, i) => Math.abs(value - (a[i] ?? Number.NaN)))) / largest
}
