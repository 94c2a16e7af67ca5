// What a training can go on from, in one file that appears when it is whole: parameters, moments and counts of each group.
// train.ts writes and reads it; export.ts reads the parameters.

import type { AdamWState, NamedArrays } from '../../src/main/engine/align/optimiser/adamw.ts'
import {
  readSafetensors,
  readTensorBytes,
  type TensorToWrite,
  writeSafetensors,
} from '../../src/main/engine/folder/safetensors.ts'

export interface GroupState {
  readonly parameters: NamedArrays
  readonly optimiser: AdamWState
}

export interface TrainingState {
  /** What the learning rate's schedule was made for. */
  readonly totalSteps: number
  readonly groups: Readonly<Record<string, GroupState>>
}

/** Steps taken so far, skipped ones counted. */
export function stepsOf({ groups }: TrainingState): number {
  return Math.max(0, ...Object.values(groups).map(({ optimiser }) => optimiser.steps + optimiser.skippedSteps))
}

const kinds = ['parameters', 'firstMoments', 'secondMoments'] as const

export async function saveTraining(path: string, { totalSteps, groups }: TrainingState): Promise<void> {
  const tensors: TensorToWrite[] = [tensorOf('totalSteps', 'I32', Int32Array.of(totalSteps))]
  for (const [group, { parameters, optimiser }] of Object.entries(groups)) {
    const { steps, skippedSteps, skippedInARow, ...moments } = optimiser
    tensors.push(tensorOf(`${group}/counts`, 'I32', Int32Array.of(steps, skippedSteps, skippedInARow)))
    const arrays = { parameters, ...moments }
    for (const kind of kinds) {
      for (const [name, values] of Object.entries(arrays[kind])) {
        tensors.push(tensorOf(`${group}/${kind}/${name}`, 'F32', values))
      }
    }
  }
  await writeSafetensors(path, tensors)
}

function tensorOf(name: string, dtype: 'F32' | 'I32', values: Float32Array | Int32Array): TensorToWrite {
  const { buffer, byteOffset, byteLength, length } = values
  return { name, dtype, shape: [length], bytes: new Uint8Array(buffer, byteOffset, byteLength) }
}

/** @throws StudioError what `readSafetensors` throws */
export async function loadTraining(path: string): Promise<TrainingState> {
  const stored = new Map<string, ArrayBuffer>()
  for (const tensor of await readSafetensors(path)) {
    stored.set(tensor.name, new Uint8Array(await readTensorBytes(tensor)).buffer)
  }
  const integers = (name: string) => new Int32Array(stored.get(name) as ArrayBuffer)
  const below = (prefix: string): NamedArrays => {
    const found = [...stored].filter(([name]) => name.startsWith(prefix))
    return Object.fromEntries(found.map(([name, buffer]) => [name.slice(prefix.length), new Float32Array(buffer)]))
  }
  const names = [...stored.keys()].filter((name) => name.endsWith('/counts'))
  const groups = names.map((name): [string, GroupState] => {
    const group = name.slice(0, -'/counts'.length)
    const [steps = 0, skippedSteps = 0, skippedInARow = 0] = integers(name)
    const moments = {
      firstMoments: below(`${group}/firstMoments/`),
      secondMoments: below(`${group}/secondMoments/`),
    }
    const optimiser = { steps, skippedSteps, skippedInARow, ...moments }
    return [group, { parameters: below(`${group}/parameters/`), optimiser }]
  })
  return { totalSteps: integers('totalSteps')[0] as number, groups: Object.fromEntries(groups) }
}
