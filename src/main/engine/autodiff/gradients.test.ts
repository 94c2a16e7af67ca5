// Every gradient rule against central differences of the very graph it differentiates, in float64 where ONNX
// Runtime has the kernels, element by element, with broadcasting and with an input that is used twice.
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../graph/graphBuilder.ts'
import type { DType, Value } from '../graph/ir.ts'
import { OrtSession, type Tensor, tensor } from '../graph/ortSession.ts'
import { type TensorOps, tensorOps } from '../graph/tensorOps.ts'
import { gradients } from './backward.ts'
import { vjpRules } from './vjpRules.ts'

type Shape = readonly number[]

interface Case {
  /** The op whose rule is meant. */
  readonly op: string
  readonly name: string
  /** Shapes of the operands that get a gradient. */
  readonly shapes: readonly Shape[]
  readonly build: (ops: TensorOps, x: readonly Value[], g: GraphBuilder) => Value
  /** Numbers are drawn from here; kept away from kinks and poles. */
  readonly range?: readonly [number, number]
  /** The CPU has no float64 kernel, so float32 is differenced with a larger step. */
  readonly single?: boolean
}

const one = (op: string, build: (ops: TensorOps, x: Value) => Value, rest: Partial<Case> = {}): Case => ({
  op,
  name: op,
  shapes: [[2, 3]],
  build: (ops, [x]) => build(ops, x as Value),
  ...rest,
})
const two = (op: string, build: (ops: TensorOps, a: Value, b: Value) => Value, rest: Partial<Case> = {}): Case[] =>
  (
    [
      [
        'same shape',
        [
          [2, 3],
          [2, 3],
        ],
      ],
      ['broadcast row', [[2, 3], [3]]],
      [
        'broadcast both ways',
        [
          [2, 1],
          [1, 3],
        ],
      ],
      ['broadcast scalar', [[], [2, 3]]],
    ] as const
  ).map(([name, shapes]) => ({
    op,
    name: `${op}, ${name}`,
    shapes,
    build: (ops, [a, b]) => build(ops, a as Value, b as Value),
    ...rest,
  }))

const positive = { range: [0.4, 2] } as const
const ids = (g: GraphBuilder, shape: Shape, numbers: readonly number[]): Value => g.constant('int64', shape, numbers)

const cases: readonly Case[] = [
  one('Abs', (ops, x) => ops.abs(x)),
  one('Cast', (ops, x) => ops.cast(ops.mul(ops.cast(x, 'float64'), 2), x.dtype), { single: true }),
  one('Cos', (ops, x) => ops.cos(x)),
  one('Erf', (ops, x) => ops.erf(x), { single: true }),
  one('Exp', (ops, x) => ops.exp(x)),
  one('Gelu', (ops, x) => ops.gelu(x), { single: true }),
  one('Gelu', (ops, x) => ops.geluTanh(x), { single: true, name: 'Gelu, tanh' }),
  {
    op: 'Identity',
    name: 'Identity',
    shapes: [[2, 3]],
    build: (ops, [x], g) => ops.mul(g.emit('Identity', [x as Value]), 3),
  },
  one('Log', (ops, x) => ops.log(x), positive),
  one('Neg', (ops, x) => ops.neg(x)),
  one('QuickGelu', (ops, x) => ops.quickGelu(x), { single: true }),
  one('QuickGelu', (ops, x) => ops.silu(x), { single: true, name: 'QuickGelu, as SiLU' }),
  one('Reciprocal', (ops, x) => ops.reciprocal(x), positive),
  one('Relu', (ops, x) => ops.relu(x)),
  one('Sigmoid', (ops, x) => ops.sigmoid(x)),
  one('Sin', (ops, x) => ops.sin(x)),
  one('Softplus', (ops, x) => ops.softplus(x), { single: true }),
  one('Sqrt', (ops, x) => ops.sqrt(x), positive),
  one('Tanh', (ops, x) => ops.tanh(x)),
  ...two('Add', (ops, a, b) => ops.add(a, b)),
  ...two('Sub', (ops, a, b) => ops.sub(a, b)),
  ...two('Mul', (ops, a, b) => ops.mul(a, b)),
  ...two('Div', (ops, a, b) => ops.div(a, b), positive),
  ...two('Max', (ops, a, b) => ops.max(a, b)),
  ...two('Min', (ops, a, b) => ops.min(a, b)),
  ...two('Pow', (ops, a, b) => ops.pow(a, b), positive),
  ...two('Where', (ops, a, b) => ops.where(ops.greater(ops.add(a, b), 0.05), a, b)),
  one('Clip', (ops, x) => ops.clip(x, -0.55, 0.65)),
  one('Mul', (ops, x) => ops.mul(ops.mul(x, x), ops.add(x, x)), { name: 'an input that is used four times' }),
  one('ReduceSum', (ops, x) => ops.reduceSum(x, [0])),
  one('ReduceMean', (ops, x) => ops.reduceMean(x, [-1], { keepDims: true })),
  one('ReduceMax', (ops, x) => ops.reduceMax(x, [1])),
  one('ReduceMin', (ops, x) => ops.reduceMin(x, [0], { keepDims: true })),
  one('ReduceSumSquare', (ops, x) => ops.reduceSumSquare(x, [0, 1])),
  one('ReduceLogSumExp', (ops, x) => ops.reduceLogSumExp(x, [1])),
  one('Softmax', (ops, x) => ops.softmax(x, -1)),
  one('Softmax', (ops, x) => ops.logSoftmax(x, -1), { name: 'log-softmax', op: 'ReduceLogSumExp' }),
  one('TopK', (ops, x) => ops.topK(x, 2, 1).values),
  one('Reshape', (ops, x) => ops.reshape(x, [3, 2])),
  one('Transpose', (ops, x) => ops.transpose(x, [1, 0])),
  one('Squeeze', (ops, x) => ops.squeeze(x, [0]), { shapes: [[1, 3]] }),
  {
    op: 'Unsqueeze',
    name: 'Unsqueeze',
    shapes: [[2, 3]],
    build: (_, [x], g) => g.emit('Unsqueeze', [x as Value, ids(g, [1], [1])]),
  },
  one('Expand', (ops, x) => ops.expand(x, [4, 2, 3])),
  one('Expand', (ops, x) => ops.expand(x, [2, 3]), { shapes: [[2, 1]], name: 'Expand of an axis' }),
  one('Slice', (ops, x) => ops.slice(x, 1, 1, 3)),
  one('Pad', (ops, x) => ops.pad(x, 1, 1, 2)),
  one('Trilu', (ops, x) => ops.triangle(x, 'lower'), { shapes: [[3, 3]] }),
  {
    op: 'Concat',
    name: 'Concat',
    shapes: [
      [2, 1],
      [2, 3],
    ],
    build: (ops, x) => ops.concat(x, 1),
  },
  {
    op: 'Gather',
    name: 'Gather of rows, some twice',
    shapes: [[4, 3]],
    build: (ops, [x], g) => ops.embedding(x as Value, ids(g, [2, 2], [1, 3, 1, 0])),
  },
  {
    op: 'Gather',
    name: 'Gather of columns',
    shapes: [[2, 3]],
    build: (ops, [x], g) => ops.gather(x as Value, ids(g, [2], [2, 0]), 1),
  },
  {
    op: 'GatherElements',
    name: 'GatherElements',
    shapes: [[2, 3]],
    build: (ops, [x], g) => ops.gatherElements(x as Value, ids(g, [2, 2], [1, 1, 2, 0]), 1),
  },
  {
    op: 'GatherND',
    name: 'GatherND',
    shapes: [[2, 3]],
    build: (ops, [x], g) => ops.gatherNd(x as Value, ids(g, [2, 1], [1, 1])),
  },
  {
    op: 'ScatterElements',
    name: 'ScatterElements, added',
    shapes: [
      [2, 3],
      [2, 2],
    ],
    build: (ops, [x, u], g) => ops.scatterElements(x as Value, ids(g, [2, 2], [1, 1, 2, 0]), u as Value, 1, 'add'),
  },
  {
    op: 'ScatterND',
    name: 'ScatterND, added',
    shapes: [
      [3, 2],
      [2, 2],
    ],
    build: (ops, [x, u], g) => ops.scatterNd(x as Value, ids(g, [2, 1], [2, 2]), u as Value, 'add'),
  },
  {
    op: 'MatMul',
    name: 'MatMul',
    shapes: [
      [2, 3],
      [3, 2],
    ],
    build: (ops, [a, b]) => ops.matMul(a as Value, b as Value),
  },
  {
    op: 'MatMul',
    name: 'MatMul, leading axes broadcast',
    shapes: [
      [2, 2, 3],
      [3, 2],
    ],
    build: (ops, [a, b]) => ops.matMul(a as Value, b as Value),
  },
  {
    op: 'MatMul',
    name: 'a product with itself',
    shapes: [[3, 3]],
    build: (ops, [a]) => ops.matMul(a as Value, a as Value),
  },
  ...[
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ].map(
    ([transA, transB]): Case => ({
      op: 'Gemm',
      name: `Gemm, ${transA ? 'Aᵀ' : 'A'} ${transB ? 'Bᵀ' : 'B'} + C of one row`,
      shapes: [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4], [4]],
      build: (ops, [a, b, c]) =>
        ops.gemm(a as Value, b as Value, {
          c: c as Value,
          alpha: 0.75,
          beta: 1.25,
          transA: transA === true,
          transB: transB === true,
        }),
    }),
  ),
  {
    op: 'LayerNormalization',
    name: 'LayerNormalization',
    shapes: [[2, 4], [4], [4]],
    build: (ops, [x, scale, bias]) => ops.layerNorm(x as Value, scale as Value, bias as Value, 1e-5),
  },
  {
    op: 'SimplifiedLayerNormalization',
    name: 'RMS normalisation',
    shapes: [[2, 4], [4]],
    build: (ops, [x, scale]) => ops.rmsNorm(x as Value, scale as Value, 1e-5),
    single: true,
  },
  {
    op: 'RotaryEmbedding',
    name: 'RotaryEmbedding',
    shapes: [[1, 2, 3, 4]],
    single: true,
    build: (ops, [x], g) => {
      const angles = Array.from({ length: 8 }, (_, i) => i * 0.7)
      const table = (f: (angle: number) => number) => g.constant((x as Value).dtype, [4, 2], angles.map(f))
      return ops.rope(x as Value, ids(g, [1, 3], [0, 2, 3]), table(Math.cos), table(Math.sin))
    },
  },
  {
    op: 'Softmax',
    name: 'attention with shared key heads',
    shapes: [
      [1, 2, 3, 2],
      [1, 1, 3, 2],
      [1, 1, 3, 2],
    ],
    build: (ops, [q, k, v]) => ops.attention(q as Value, k as Value, v as Value),
  },
]

/** Numbers in a range that look random and are the same everywhere; no two of them are close to each other. */
function numbers(count: number, salt: number, [low, high]: readonly [number, number]): number[] {
  return Array.from(
    { length: count },
    (_, i) => low + (((high - low) * ((((i + 1) * 0.754877666 + salt * 0.569840296) % 1) + 1)) % 1),
  )
}

const sizeOf = (shape: Shape): number => shape.reduce((product, dim) => product * dim, 1)

/** Σ w ⊙ f(x) with fixed weights w, so that every element of the cotangent differs. */
function weightedLoss(g: GraphBuilder, y: Value): Value {
  const ops = tensorOps(g)
  const shape = y.shape as Shape
  const weights = g.constant(y.dtype, shape, numbers(sizeOf(shape), 7, [0.5, 1.5]))
  return ops.reduceSum(ops.reshape(ops.mul(y, weights), [sizeOf(shape)]), [0])
}

interface Built {
  readonly graph: GraphBuilder
  readonly ops: ReadonlySet<string>
}

function build({ shapes, build: make }: Case, dtype: DType, withGradients: boolean): Built {
  const g = new GraphBuilder('case')
  const x = shapes.map((shape, i) => g.input(`x${i}`, dtype, shape))
  const loss = weightedLoss(g, make(tensorOps(g), x, g))
  const ops = new Set(g.nodes.map(({ op }) => op))
  g.output('loss', loss)
  if (withGradients) for (const [i, gradient] of gradients(g, loss, x).entries()) g.output(`d${i}`, gradient)
  return { graph: g, ops }
}

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
        const gradient = Array.from((analytic[`d${operand}`] as Tensor).values, Number)
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
