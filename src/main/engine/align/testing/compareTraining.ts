// Trains a value head on the CPU and on another device, which holds the parameters between their updates. Part of
// compareModelDevices.ts.
import type { DeviceName } from '../../../../shared/hardware.ts'
import { newValueHead } from '../../models/shared/valueHead.ts'
import { relativeError } from '../../models/testing/parityFixtures.ts'
import { Rng } from '../../rng.ts'
import { warmUpValueHead } from '../ppo/valueWarmup.ts'

/** How far apart they end. */
export interface TrainingComparison {
  /** By parameter. */
  readonly relativeErrors: Readonly<Record<string, number>>
  /** How far the device's training brought the loss down, as a fraction. */
  readonly lossRatio: number
}

const [rows, hiddenSize, inner, steps] = [24, 8, 6, 20]

async function train(device: DeviceName) {
  const rng = new Rng({ seed: 3 })
  const head = newValueHead(hiddenSize, inner, () => rng.uniform())
  const hidden = Float32Array.from({ length: rows * hiddenSize }, () => rng.normal())
  const returns = Float32Array.from({ length: rows }, (_, row) => hidden[row * hiddenSize] as number)
  const losses = await warmUpValueHead(
    head,
    { hidden, returns },
    {
      ...{ device, steps, learningRate: 0.05 },
      optimiser: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
    },
  )
  return { head, losses }
}

export async function compareTraining(device: DeviceName): Promise<TrainingComparison> {
  const [expected, found] = [await train('cpu'), await train(device)]
  return {
    relativeErrors: Object.fromEntries(
      [...expected.head].map(([name, values]) => [name, relativeError(found.head.get(name) ?? [], values)]),
    ),
    lossRatio: found.losses.after / found.losses.before,
  }
}
