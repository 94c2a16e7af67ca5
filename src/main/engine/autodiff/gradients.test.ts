// Every gradient rule against central differences of the very graph it differentiates, in float64 where ONNX
// Runtime has the kernels, element by element, with broadcasting and with an input that is used twice.
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../graph/graphBuilder.ts'
import type { Value } from '../graph/ir.ts'
import { OrtSession } from '../graph/ortSession.ts'
import { type Tensor, tensor, tensorOf } from '../graph/tensor.ts'
import { tensorOps } from '../graph/tensorOps.ts'
import { gradients } from './backward.ts'
import { build, cases, numbers, sizeOf } from './testing/cases.ts'
import { vjpRules } from './vjpRules.ts'

async function withSession<T>(g: GraphBuilder, use: (session: OrtSession) => Promise<T>): Promise<T> {
  const session = await OrtSession.open(g.build(), { device: 'cpu', threads: 1 })
  try {
    return await use(session)
  } finally {
    await session.release()
  }
}

describe('gradient rules against central differences', () => {
  test.each(cases)('$name', async (one) => {
    const dtype = one.single ? 'float32' : 'float64'
    const step = one.single ? 1e-2 : 1e-6
    // Float64: rounding of the difference, about 1e-10. Float32: the third derivative times step² and rounding / step.
    const tolerance = one.single ? 4e-3 : 1e-8
    const values = one.shapes.map((shape, i) => numbers(sizeOf(shape), i, one.range ?? [-1, 1]))
    const feed = (list: readonly (readonly number[])[]): Record<string, Tensor> =>
      Object.fromEntries(one.shapes.map((shape, i) => [`x${i}`, tensor(dtype, shape, list[i] as number[])]))

    const analytic = await withSession(build(one, dtype, true).graph, (session) => session.compute(feed(values)))
    await withSession(build(one, dtype, false).graph, async (session) => {
      const lossAt = async (operand: number, element: number, change: number): Promise<number> => {
        const moved = values.map((list) => [...list])
        ;(moved[operand] as number[])[element] = (values[operand]?.[element] as number) + change
        return Number((await session.compute(feed(moved)))['loss']?.values[0])
      }
      for (const [operand, list] of values.entries()) {
        const gradient = Array.from(tensorOf(analytic, `d${operand}`, dtype).values, Number)
        expect(gradient).toHaveLength(list.length)
        for (const element of list.keys()) {
          const difference =
            ((await lossAt(operand, element, step)) - (await lossAt(operand, element, -step))) / (2 * step)
          const error = Math.abs((gradient[element] as number) - difference) / Math.max(1, Math.abs(difference))
          expect(
            error,
            `operand ${operand}, element ${element}: ${gradient[element]} against ${difference}`,
          ).toBeLessThan(tolerance)
        }
      }
    })
  })

  test('every rule has a case that its own op is in, so that none can go unnoticed', () => {
    const covered = new Set(
      cases.filter((one) => build(one, one.single ? 'float32' : 'float64', false).ops.has(one.op)).map(({ op }) => op),
    )
    const ruled = Object.entries(vjpRules).flatMap(([op, rule]) => (typeof rule === 'function' ? [op] : []))
    expect(ruled.filter((op) => !covered.has(op))).toEqual([])
  })
})

describe('reverse mode', () => {
  test('builds nothing for what is frozen, and refuses what the loss does not depend on', () => {
    const g = new GraphBuilder('frozen')
    const ops = tensorOps(g)
    const [x, frozen, other] = ['x', 'frozen', 'other'].map((name) => g.input(name, 'float32', [2, 2])) as [
      Value,
      Value,
      Value,
    ]
    const loss = ops.reduceSum(ops.mul(ops.matMul(x, ops.exp(frozen)), 2), [0, 1])
    const before = g.nodes.length
    gradients(g, loss, [x])
    const added = g.nodes.slice(before)
    // dX = dY exp(F)ᵀ needs one product; exp's own rule, dF, is not asked for.
    expect(added.filter(({ op }) => op === 'MatMul' || op === 'Gemm')).toHaveLength(1)
    expect(() => gradients(g, loss, [other])).toThrow(expect.objectContaining({ code: 'graph.no-path' }))
  })

  test('an op without a gradient names itself', () => {
    const g = new GraphBuilder('refused')
    const ops = tensorOps(g)
    const x = g.input('x', 'float32', [2])
    const loss = ops.reduceSum(ops.mul(ops.floor(x), ops.floor(x)), [0])
    expect(() => gradients(g, loss, [x])).toThrow(expect.objectContaining({ code: 'graph.no-path' }))
    expect(() => gradients(g, ops.mul(x, 2), [x])).toThrow(expect.objectContaining({ code: 'graph.loss' }))
  })

  test('recomputation gives the same gradients, bit for bit', async () => {
    const layers = 3
    const results: number[][] = []
    for (const recompute of [false, true]) {
      const g = new GraphBuilder('deep')
      const ops = tensorOps(g)
      const x = g.input('x', 'float32', ['rows', 4])
      const weights = Array.from({ length: layers }, (_, layer) => g.input(`w${layer}`, 'float32', [4, 4]))
      let hidden: Value = x
      for (const [layer, weight] of weights.entries()) {
        hidden = g.segment(`layer ${layer}`, () =>
          ops.add(hidden, ops.geluTanh(ops.gemm(hidden, weight, { transB: true }))),
        )
      }
      const loss = ops.reduceMean(ops.square(hidden), [0, 1])
      for (const [layer, gradient] of gradients(g, loss, weights, { recompute }).entries())
        g.output(`d${layer}`, gradient)
      const feeds = Object.fromEntries(
        weights.map((_, layer) => [`w${layer}`, tensor('float32', [4, 4], numbers(16, layer, [-1, 1]))]),
      )
      const answer = await withSession(g, (session) =>
        session.compute({ ...feeds, x: tensor('float32', [5, 4], numbers(20, 9, [-1, 1])) }),
      )
      results.push(Object.values(answer).flatMap(({ values }) => Array.from(values, Number)))
    }
    expect(results[1]).toEqual(results[0])
    expect(results[0]?.some((number) => number !== 0)).toBe(true)
  })
})
