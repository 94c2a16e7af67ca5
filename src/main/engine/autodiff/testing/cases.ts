// One small graph for each gradient rule, differenced by gradients.test.ts and compared between devices by
// devices.test.ts.
import { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { DType, Value } from '../../graph/ir.ts'
import { type TensorOps, tensorOps } from '../../graph/tensorOps.ts'
import { gradients } from '../backward.ts'

export type Shape = readonly number[]

export interface Case {
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
/** Enough numbers that some lie close to a kink on either side. */
const dense = { shapes: [[4, 4]] } as const
const ids = (g: GraphBuilder, shape: Shape, numbers: readonly number[]): Value => g.constant('int64', shape, numbers)

export const cases: readonly Case[] = [
  one('Abs', (ops, x) => ops.abs(x), dense),
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
  one('Relu', (ops, x) => ops.relu(x), dense),
  one('Sigmoid', (ops, x) => ops.sigmoid(x)),
  one('Sin', (ops, x) => ops.sin(x)),
  one('Softplus', (ops, x) => ops.softplus(x), { single: true }),
  one('Sqrt', (ops, x) => ops.sqrt(x), positive),
  one('Tanh', (ops, x) => ops.tanh(x)),
  one('Tanh', (ops, x) => ops.softCap(x, 0.7), { name: 'Tanh, as a soft cap' }),
  ...two('Add', (ops, a, b) => ops.add(a, b)),
  ...two('Sub', (ops, a, b) => ops.sub(a, b)),
  ...two('Mul', (ops, a, b) => ops.mul(a, b)),
  ...two('Div', (ops, a, b) => ops.div(a, b), positive),
  ...two('Max', (ops, a, b) => ops.max(a, b)),
  ...two('Min', (ops, a, b) => ops.min(a, b)),
  ...two('Pow', (ops, a, b) => ops.pow(a, b), positive),
  ...two('Where', (ops, a, b) => ops.where(ops.greater(ops.add(a, b), 0.05), a, b)),
  one('Clip', (ops, x) => ops.clip(x, -0.55, 0.65), dense),
  one('Mul', (ops, x) => ops.mul(ops.mul(x, x), ops.add(x, x)), { name: 'an input that is used four times' }),
  one('ReduceSum', (ops, x) => ops.reduceSum(x, [0])),
  one('ReduceMean', (ops, x) => ops.reduceMean(x, [-1], { keepDims: true })),
  one('ReduceMax', (ops, x) => ops.reduceMax(x, [1])),
  one('ReduceMin', (ops, x) => ops.reduceMin(x, [0], { keepDims: true })),
  one('ReduceSumSquare', (ops, x) => ops.reduceSumSquare(x, [0, 1])),
  one('ReduceLogSumExp', (ops, x) => ops.reduceLogSumExp(x, [1])),
  one('Softmax', (ops, x) => ops.softmax(x, -1)),
  one('Softmax', (ops, x) => ops.softmax(x, 0), { name: 'Softmax of columns' }),
  one('Softmax', (ops, x) => ops.logSoftmax(x, -1), { name: 'log-softmax', op: 'ReduceLogSumExp' }),
  one('TopK', (ops, x) => ops.topK(x, 2, 1).values),
  one('TopK', (ops, x) => ops.topK(x, 1, 0).values, { name: 'TopK of columns' }),
  one('Reshape', (ops, x) => ops.reshape(x, [3, 2])),
  one('Transpose', (ops, x) => ops.transpose(x, [1, 0])),
  one('Transpose', (ops, x) => ops.transpose(x, [1, 2, 0]), { shapes: [[2, 3, 4]], name: 'Transpose of three axes' }),
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
  one('Slice', (ops, x) => ops.slice(x, 1, 0, 2), { name: 'Slice from the beginning' }),
  one('Pad', (ops, x) => ops.pad(x, 1, 1, 2)),
  one('Trilu', (ops, x) => ops.triangle(x, 'lower'), { shapes: [[3, 3]] }),
  one('Trilu', (ops, x) => ops.triangle(x, 'lower', -1), { shapes: [[3, 3]], name: 'Trilu, below the diagonal' }),
  one('Trilu', (ops, x) => ops.triangle(x, 'upper', 1), { shapes: [[3, 3]], name: 'Trilu, above the diagonal' }),
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
    op: 'Gather',
    name: 'Gather of columns, counted from the end',
    shapes: [[2, 3]],
    build: (ops, [x], g) => ops.gather(x as Value, ids(g, [2], [2, 0]), -1),
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
    op: 'ScatterElements',
    name: 'ScatterElements, written over',
    shapes: [
      [2, 3],
      [2, 2],
    ],
    build: (ops, [x, u], g) => ops.scatterElements(x as Value, ids(g, [2, 2], [1, 0, 2, 0]), u as Value, 1),
  },
  {
    op: 'ScatterND',
    name: 'ScatterND, written over',
    shapes: [
      [3, 2],
      [2, 2],
    ],
    build: (ops, [x, u], g) => ops.scatterNd(x as Value, ids(g, [2, 1], [2, 0]), u as Value),
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
    op: 'RotaryEmbedding',
    name: 'RotaryEmbedding by two tables',
    shapes: [[1, 2, 3, 4]],
    single: true,
    build: (ops, [x], g) => {
      const turned = (value: Value, step: number) => {
        const angles = Array.from({ length: 8 }, (_, i) => i * step)
        const table = (f: (angle: number) => number) => g.constant(value.dtype, [4, 2], angles.map(f))
        return ops.rope(value, ids(g, [1, 3], [0, 2, 3]), table(Math.cos), table(Math.sin))
      }
      return turned(turned(x as Value, 0.7), 0.3)
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
  {
    op: 'Softmax',
    name: 'attention with capped scores',
    shapes: [
      [1, 2, 3, 2],
      [1, 1, 3, 2],
      [1, 1, 3, 2],
    ],
    build: (ops, [q, k, v]) => ops.attention(q as Value, k as Value, v as Value, { scale: 1.5, cap: 0.6 }),
  },
]

/** Numbers in a range that look random and are the same everywhere; no two of them are close to each other. */
export function numbers(count: number, salt: number, [low, high]: readonly [number, number]): number[] {
  return Array.from(
    { length: count },
    (_, i) => low + (high - low) * (((i + 1) * 0.754877666 + salt * 0.569840296) % 1),
  )
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, dim) => product * dim, 1)

/** Σ w ⊙ f(x) with fixed weights w, so that every element of the cotangent differs. */
function weightedLoss(g: GraphBuilder, y: Value): Value {
  const ops = tensorOps(g)
  const shape = y.shape as Shape
  const weights = g.constant(y.dtype, shape, numbers(sizeOf(shape), 7, [0.5, 1.5]))
  return ops.reduceSum(ops.reshape(ops.mul(y, weights), [sizeOf(shape)]), [0])
}

export interface Built {
  readonly graph: GraphBuilder
  readonly ops: ReadonlySet<string>
}

export function build({ shapes, build: make }: Case, dtype: DType, withGradients: boolean): Built {
  const g = new GraphBuilder('case')
  const x = shapes.map((shape, i) => g.input(`x${i}`, dtype, shape))
  const loss = weightedLoss(g, make(tensorOps(g), x, g))
  const ops = new Set(g.nodes.map(({ op }) => op))
  g.output('loss', loss)
  if (withGradients) for (const [i, gradient] of gradients(g, loss, x).entries()) g.output(`d${i}`, gradient)
  return { graph: g, ops }
}
