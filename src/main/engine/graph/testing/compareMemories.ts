// Holds tensors on a device, changes them there, feeds them to a graph and prints what came of it, one JSON line.
// A process of its own: the software adapter must be named in the environment before it starts. By hand, on a GPU:
//   npx tsx src/main/engine/graph/testing/compareMemories.ts webgpu

import { toErrorRecord } from '../../../../shared/errors.ts'
import { deviceNameSchema } from '../../../../shared/hardware.ts'
import { openMemory } from '../deviceMemory.ts'
import { GraphBuilder } from '../graphBuilder.ts'
import { DeviceTensor, OrtSession } from '../ortSession.ts'
import { floatsOf, namedIn, tensor } from '../tensor.ts'
import { tensorOps } from '../tensorOps.ts'
import { changedInTurn, type HeldAnswer } from './heldCases.ts'

export interface DeviceAnswer {
  readonly changed: HeldAnswer
  /** An output that one session keeps and another one reads. */
  readonly kept: { readonly ranOnDevice: boolean; readonly doubled: readonly number[] }
  /** Of a change that cannot be computed, told to whoever reads the set. */
  readonly failure: string
  /** What the set then holds after a replacement. */
  readonly mended: readonly number[]
  readonly open: { readonly tensors: number; readonly sessions: number }
  /** Tensors on the device while one set of one tensor is held. */
  readonly openMeanwhile: number
}

const device = deviceNameSchema.parse(process.argv[2] ?? 'webgpu')
const memory = openMemory(device)

/** y = 2 x */
function doubling() {
  const g = new GraphBuilder('doubling')
  const x = g.input('x', 'float32', ['n', 'm'])
  g.output('y', tensorOps(g).add(x, x))
  return g.build()
}

const changed = await changedInTurn(memory)

const keeping = await OrtSession.open(doubling(), { device, keepOnDevice: ['y'] })
const reading = await OrtSession.open(doubling(), { device })
/** Twice the numbers, on the device. */
async function kept(shape: readonly number[], numbers: readonly number[]) {
  return namedIn(await keeping.run({ x: tensor('float32', shape, numbers) }), 'y')
}
const y = await kept([1, 2], [0.5, 1])
const held = memory.hold({ x: y })
held.arrange({ rows: [0, 0], axis: 1, kept: 2, size: 2 })
held.write({ x: tensor('float32', [2, 1], [1, 3]) }, 1, 0)
held.write({ x: await kept([2, 1], [1, 2]) }, 1, 1)
const doubled = floatsOf(await reading.compute(held.feeds()), 'y')
const openMeanwhile = DeviceTensor.openCount

// 4 TB: the change fails when its turn comes, and whoever reads the tensors afterwards is told.
held.arrange({ rows: new Array(2 ** 20).fill(0), axis: 1, kept: 2, size: 2 ** 20 })
const failure = await held.read().then(
  () => 'none',
  (error: unknown) => toErrorRecord(error).code,
)
held.replace({ x: await kept([1, 2], [3, 4]) })
const mended = floatsOf(await held.read(), 'x')
await held.release()
await keeping.release()
await reading.release()
await memory.release()
const answer: DeviceAnswer = {
  changed,
  kept: { ranOnDevice: y instanceof DeviceTensor, doubled: [...doubled] },
  failure,
  mended: [...mended],
  open: { tensors: DeviceTensor.openCount, sessions: OrtSession.openCount },
  openMeanwhile,
}
process.stdout.write(`${JSON.stringify(answer)}\n`)
