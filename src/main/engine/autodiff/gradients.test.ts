// Every gradient rule against central differences of the very graph it differentiates, in float64 where ONNX
// Runtime has the kernels, element by element, with broadcasting and with an input that is used twice.
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../graph/graphBuilder.ts'
import type { Node, Value } from '../graph/ir.ts'
import { OrtSession } from '../graph/ortSession.ts'
import { type Tensor, tensor, tensorOf } from '../graph/tensor.ts'
import { tensorOps } from '../graph/tensorOps.ts'
import { normalCdf } from '../reward/normal.ts'
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

/** All nodes that must run before this one. */
function ancestorsOf(g: GraphBuilder, node: Node): Set<Node> {
  const found = new Set<Node>()
  const visit = ({ inputs }: Node): void => {
    for (const input of inputs) {
      const producer = input && g.producer(input)
      if (!producer || found.has(producer)) continue
      found.add(producer)
      visit(producer)
    }
  }
  visit(node)
  return found
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

/** The gradient of Σ w ⊙ f(x) with w = 1, 2, 3, ... for each operand, in float64 where `dtype` does not say otherwise. */
async function gradientsAt(
  operands: readonly { readonly shape: readonly number[]; readonly values: readonly number[] }[],
  f: (ops: ReturnType<typeof tensorOps>, x: readonly Value[]) => Value,
  dtype: 'float32' | 'float64' = 'float64',
): Promise<number[][]> {
  const g = new GraphBuilder('at')
  const ops = tensorOps(g)
  const x = operands.map(({ shape }, i) => g.input(`x${i}`, dtype, shape))
  const y = f(ops, x)
  const count = sizeOf(y.shape as readonly number[])
  const weights = g.constant(
    dtype,
    [count],
    Array.from({ length: count }, (_, i) => i + 1),
  )
  const loss = ops.reduceSum(ops.mul(ops.reshape(y, [count]), weights), [0])
  for (const [i, gradient] of gradients(g, loss, x).entries()) g.output(`d${i}`, gradient)
  const feeds = operands.map(({ shape, values }, i) => [`x${i}`, tensor(dtype, shape, values)])
  const answer = await withSession(g, (session) => session.compute(Object.fromEntries(feeds)))
  return operands.map((_, i) => Array.from((answer[`d${i}`] as Tensor).values, Number))
}
const vector = (...values: number[]) => ({ shape: [values.length], values })

describe('where the function has a kink, as in PyTorch', () => {
  test.each<[string, Parameters<typeof gradientsAt>[0], Parameters<typeof gradientsAt>[1], number[][]]>([
    [
      'equal operands of Max share',
      [vector(1, 2, 0), vector(1, 0, 3)],
      (ops, [a, b]) => ops.max(a as Value, b as Value),
      [
        [0.5, 2, 0],
        [0.5, 0, 3],
      ],
    ],
    [
      'equal operands of Min share',
      [vector(1, 2, 0), vector(1, 0, 3)],
      (ops, [a, b]) => ops.min(a as Value, b as Value),
      [
        [0.5, 0, 3],
        [0.5, 2, 0],
      ],
    ],
    [
      'equal elements of ReduceMax share',
      [vector(1, 4, 4)],
      (ops, [x]) => ops.reduceMax(x as Value, [0]),
      [[0, 0.5, 0.5]],
    ],
    [
      'equal elements of ReduceMin share',
      [vector(1, 1, 4)],
      (ops, [x]) => ops.reduceMin(x as Value, [0]),
      [[0.5, 0.5, 0]],
    ],
    [
      'the bounds of Clip are inside',
      [vector(-1, -2, 1, 2)],
      (ops, [x]) => ops.clip(x as Value, -1, 1),
      [[1, 0, 3, 0]],
    ],
    ['Relu is flat at 0', [vector(-1, 0, 1)], (ops, [x]) => ops.relu(x as Value), [[0, 0, 3]]],
    ['Abs is flat at 0', [vector(-1, 0, 1)], (ops, [x]) => ops.abs(x as Value), [[-1, 0, 3]]],
    [
      'the exponent of 0 and of negative numbers gets nothing',
      [vector(-2, 0, 1), vector(2, 2, 3)],
      (ops, [a, b]) => ops.pow(a as Value, b as Value),
      [
        [-4, 0, 9],
        [0, 0, 0],
      ],
    ],
  ])('%s', async (_name, operands, f, expected) => {
    // -0 is 0.
    expect((await gradientsAt(operands, f)).map((list) => list.map((x) => x + 0))).toEqual(expected)
  })
})

describe('functions that the CPU has in float32 alone, against their formulas in float64', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
  const wave = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)
  test.each<[string, (ops: ReturnType<typeof tensorOps>, x: Value) => Value, (x: number) => number]>([
    ['gelu', (ops, x) => ops.gelu(x), (x) => x * normalCdf(x)],
    ['gelu by tanh', (ops, x) => ops.geluTanh(x), (x) => (x * (1 + Math.tanh(wave(x)))) / 2],
    ['quick gelu', (ops, x) => ops.quickGelu(x), (x) => x * sigmoid(1.702 * x)],
    ['silu', (ops, x) => ops.silu(x), (x) => x * sigmoid(x)],
    ['softplus', (ops, x) => ops.softplus(x), (x) => Math.log(1 + Math.exp(x))],
    ['erf', (ops, x) => ops.erf(x), (x) => 2 * normalCdf(x * Math.SQRT2) - 1],
  ])('%s', async (_name, f, formula) => {
    const values = Array.from({ length: 25 }, (_, i) => Math.fround(-3 + i / 4))
    const [found] = await gradientsAt([vector(...values)], (ops, [x]) => f(ops, x as Value), 'float32')
    const step = 1e-5
    values.forEach((x, i) => {
      const slope = (formula(x + step) - formula(x - step)) / (2 * step)
      expect((found?.[i] as number) / (i + 1), `at ${x}`).toBeCloseTo(slope, 5)
    })
  })
})

describe('reverse mode', () => {
  test('takes the cotangent that it is given, and a value that is both asked for and used', async () => {
    const g = new GraphBuilder('given')
    const ops = tensorOps(g)
    const x = g.input('x', 'float64', [2])
    const y = ops.square(x)
    const z = ops.mul(y, 3)
    const cotangent = g.input('dz', 'float64', [2])
    const [dx, dy, dyAgain] = gradients(g, z, [x, y, y], { cotangent }) as [Value, Value, Value]
    for (const [name, value] of Object.entries({ dx, dy, dyAgain })) g.output(name, value)
    const feeds = { x: tensor('float64', [2], [5, 7]), dz: tensor('float64', [2], [1, 10]) }
    const found = await withSession(g, (session) => session.compute(feeds))
    // dy = 3 dz, dx = 2 x dy.
    expect(Object.values(found).map(({ values }) => [...values])).toEqual([
      [30, 420],
      [3, 30],
      [3, 30],
    ])
  })

  test('divides a mean by the length that an axis turns out to have', async () => {
    const g = new GraphBuilder('mean')
    const ops = tensorOps(g)
    const x = g.input('x', 'float64', ['rows', 2])
    const loss = ops.reduceMean(x, [0, 1])
    g.output('dx', gradients(g, loss, [x])[0] as Value)
    const found = await withSession(g, (session) =>
      session.compute({ x: tensor('float64', [4, 2], numbers(8, 1, [-1, 1])) }),
    )
    expect([...(found['dx'] as Tensor).values]).toEqual(new Array(8).fill(1 / 8))
  })

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
      const activations = g.nodes.filter(({ op }) => op === 'Gelu')
      // Each is computed again once, and not before the backward pass has left the layer after it; but for the first layer,
      // whose input is there anyway.
      expect(activations).toHaveLength(recompute ? 2 * layers : layers)
      for (let i = layers + 1; i < activations.length - 1; i++) {
        const [later, node] = [activations[i - 1], activations[i]] as [Node, Node]
        expect(ancestorsOf(g, node).has(g.producer(later.inputs[0] as Value) as Node)).toBe(true)
      }
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
