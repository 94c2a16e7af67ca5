// Wrong results of a device are seen: those of a real run with a planted fault. devices.test.ts in align/ has the check of a
// device that is right.
import { expect, test } from 'vitest'
import type { Graph } from '../graph/ir.ts'
import { OrtSession } from '../graph/ortSession.ts'
import { withFedWeights } from '../graph/sharedWeights.ts'
import { floatsOf, type Tensor, tensor } from '../graph/tensor.ts'
import { withWeightFiles } from '../graph/weightFile.ts'
import { chooseDevice, wrong } from '../jobs/deviceProbe.ts'
import { checkDevice, largestDifference, layerFeeds, layerGraph, toleratedDifference } from './deviceCheck.ts'

const gradients = ['grad.gain', 'grad.a', 'grad.b']
const session = await OrtSession.open(layerGraph(), { device: 'cpu' })
const right = await session.compute(layerFeeds())
await session.release()

/** The results with one output changed. */
function withFault(name: string, change: (values: Float32Array) => void): Record<string, Tensor> {
  const values = floatsOf(right, name).slice()
  change(values)
  return { ...right, [name]: tensor('float32', (right[name] as Tensor).shape, values) }
}

test('the gradients of the check are those of finite differences', async () => {
  const session = await OrtSession.open(layerGraph(), { device: 'cpu' })
  const lossAt = async (name: string, i: number, by: number) => {
    const feeds = { ...layerFeeds() }
    const moved = floatsOf(feeds, name).slice()
    moved[i] = (moved[i] as number) + by
    feeds[name] = tensor('float32', (feeds[name] as Tensor).shape, moved)
    return floatsOf(await session.compute(feeds), 'loss')[0] as number
  }
  for (const name of ['gain', 'a', 'b']) {
    const gradient = floatsOf(right, `grad.${name}`)
    const i = gradient.reduce(
      (best, value, at) => (Math.abs(value) > Math.abs(gradient[best] as number) ? at : best),
      0,
    )
    const slope = ((await lossAt(name, i, 0.02)) - (await lossAt(name, i, -0.02))) / 0.04
    expect(slope / (gradient[i] as number), name).toBeCloseTo(1, 1)
  }
  await session.release()
})

test('a device that agrees passes, and one number in a hundredth or no number at all is seen', () => {
  expect(largestDifference(right, right, ['loss', 'logits', ...gradients])).toBe(0)
  const largestOf = (values: Float32Array) => Math.max(...values.map(Math.abs))
  const moved = withFault('grad.b', (values) => {
    values[17] = (values[17] as number) + 0.01 * largestOf(values)
  })
  expect(largestDifference(moved, right, gradients)).toBeCloseTo(0.01, 4)
  expect(largestDifference(moved, right, gradients)).toBeGreaterThan(toleratedDifference)
  expect(largestDifference(moved, right, ['loss', 'logits'])).toBe(0)
  const empty = withFault('grad.a', (values) => {
    values[3] = Number.NaN
  })
  expect(largestDifference(empty, right, gradients)).toBeNaN()
  const { 'grad.gain': _, ...missing } = right
  expect(largestDifference(missing, right, gradients)).toBeNaN()
})

test('a device that is wrong says what of it is wrong and is not chosen, however fast it is', () => {
  const report = wrong('webgpu', 'gradients', 0.01)
  expect(report).toMatchObject({ state: 'wrong', relativeError: 0.01 })
  expect(report.reason).toBe('It opens, but its gradients are wrong (off by 1.0e-2), so it is not used.')
  expect(wrong('cuda', 'results', Number.NaN)).toMatchObject({ relativeError: null, reason: /not numbers/ })
  const cpu = { device: 'cpu', state: 'right', gemmGflops: 50, relativeError: 0, reason: '' } as const
  expect(chooseDevice([cpu, { ...report, gemmGflops: 5000 }]).chosen).toBe('cpu')
})

test('the check reads its weights from a file, of which a device is fed those of 8 bits', async () => {
  await withWeightFiles([layerGraph()], async ([stored]) => {
    expect(withFedWeights(stored as Graph).fed.map(({ value }) => value.dtype)).toEqual(['uint8', 'uint8', 'uint8'])
    const session = await OrtSession.open(stored as Graph, { device: 'cpu' })
    expect(await session.compute(layerFeeds())).toEqual(right)
    await session.release()
  })
})

test('the processor agrees with itself, half precision included', async () => {
  const { relativeError, halfError } = await checkDevice('cpu')
  expect(relativeError).toBe(0)
  // 11 bits of mantissa, sums of 128 products.
  expect(halfError).toBeLessThan(3e-3)
})
