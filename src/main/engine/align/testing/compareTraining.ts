// Trains a value head on the CPU and on another device, which holds the parameters between their updates, and prints how
// far apart they end, one JSON line. A process of its own: the software adapter must be named in the environment before
// it starts. By hand, on a GPU:
//   npx tsx src/main/engine/align/testing/compareTraining.ts [webgpu|cuda]
import { type DeviceName, deviceNameSchema } from '../../../../shared/hardware.ts'
import { DeviceTensor, OrtSession } from '../../graph/ortSession.ts'
import { newValueHead } from '../../models/shared/valueHead.ts'
import { relativeError } from '../../models/testing/parityFixtures.ts'
import { Rng } from '../../rng.ts'
import { warmUpValueHead } from '../ppo/valueWarmup.ts'

export interface TrainingComparison {
  /** By parameter, between the two devices. */
  readonly relativeErrors: Readonly<Record<string, number>>
  /** How far the device's training brought the loss down, as a fraction. */
  readonly lossRatio: number
  /** Once everything was released. */
  readonly open: { readonly tensors: number; readonly sessions: number }
}

const [rows, hiddenSize, inner, steps] = [24, 8, 6, 20]
const compared = deviceNameSchema.parse(process.argv[2] ?? 'webgpu')

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

const [expected, found] = [await train('cpu'), await train(compared)]
const comparison: TrainingComparison = {
  relativeErrors: Object.fromEntries(
    [...expected.head].map(([name, values]) => [name, relativeError(found.head.get(name) ?? [], values)]),
  ),
  lossRatio: found.losses.after / found.losses.before,
  open: { tensors: DeviceTensor.openCount, sessions: OrtSession.openCount },
}
process.stdout.write(`${JSON.stringify(comparison)}\n`)
