// Runs every case forward and backward on the CPU and on another device and prints how far they are apart, a JSON line
// a case. A process of its own: the software adapter must be named in the environment before it starts. By hand:
//   npx tsx src/main/engine/autodiff/testing/compareDevices.ts [webgpu|cuda]
import { type DeviceName, deviceNameSchema } from '../../../../shared/hardware.ts'
import { OrtSession } from '../../graph/ortSession.ts'
import { type Tensor, tensor, tensorOf } from '../../graph/tensor.ts'
import { holdDevice } from '../../graph/testing/holdDevice.ts'
import { build, type Case, cases, numbers, sizeOf } from './cases.ts'

/** What is printed for one case. */
export interface Comparison {
  readonly name: string
  /** Largest difference of a loss or gradient element, relative to the largest element there. */
  readonly relativeError: number
}

async function results(one: Case, device: DeviceName): Promise<Record<string, Tensor>> {
  const session = await OrtSession.open(build(one, 'float32', true).graph.build(), { device })
  const feeds = one.shapes.map((shape, i) => [
    `x${i}`,
    tensor('float32', shape, numbers(sizeOf(shape), i, one.range ?? [-1, 1])),
  ])
  const answer = await session.compute(Object.fromEntries(feeds))
  await session.release()
  return answer
}

const compared = deviceNameSchema.parse(process.argv[2] ?? 'webgpu')
const device = await holdDevice(compared)
for (const one of cases) {
  const [cpu, other] = [await results(one, 'cpu'), await results(one, compared)]
  const errors = Object.entries(cpu).map(([name, { dtype, values }]) => {
    const expected = [...values].map(Number)
    const found = [...tensorOf(other, name, dtype).values].map(Number)
    const largest = Math.max(1e-3, ...expected.map(Math.abs))
    return Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)))) / largest
  })
  const relativeError = Math.max(...errors)
  process.stdout.write(`${JSON.stringify({ name: one.name, relativeError } satisfies Comparison)}\n`)
}
await device.release()
