// Runs every case forward and backward on the CPU and on WebGPU and prints how far they are apart, a JSON line a
// case. A process of its own: the software adapter must be named in the environment before it starts.
import { OrtSession, type Tensor, tensor } from '../../graph/ortSession.ts'
import { build, type Case, cases, numbers, sizeOf } from './cases.ts'

/** What is printed for one case. */
export interface Comparison {
  readonly name: string
  /** Largest difference of a loss or gradient element, relative to the largest element there. */
  readonly relativeError: number
}

async function results(one: Case, device: 'cpu' | 'webgpu'): Promise<Record<string, Tensor>> {
  const session = await OrtSession.open(build(one, 'float32', true).graph.build(), { device })
  const feeds = one.shapes.map((shape, i) => [
    `x${i}`,
    tensor('float32', shape, numbers(sizeOf(shape), i, one.range ?? [-1, 1])),
  ])
  const answer = await session.compute(Object.fromEntries(feeds))
  await session.release()
  return answer
}

for (const one of cases) {
  const [cpu, webgpu] = [await results(one, 'cpu'), await results(one, 'webgpu')]
  const errors = Object.entries(cpu).map(([name, { values }]) => {
    const expected = [...values].map(Number)
    const found = [...(webgpu[name] as Tensor).values].map(Number)
    const largest = Math.max(1e-3, ...expected.map(Math.abs))
    return Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)))) / largest
  })
  const relativeError = Math.max(...errors)
  process.stdout.write(`${JSON.stringify({ name: one.name, relativeError } satisfies Comparison)}\n`)
}
