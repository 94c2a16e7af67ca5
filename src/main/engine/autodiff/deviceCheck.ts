// Whether a device computes what a training needs as the processor does: a layer forward and backward, products of 8 and 4
// bits. That a session opens is no proof: a norm on WebGPU once gave all gradients wrong, and cuBLAS rounds factors to 10 bits
// of mantissa unless it is told not to (docs/performance.md). Weights come from a file, as a model's do, so that a device is
// fed them as it is in a run (graph/sharedWeights.ts). Asked by jobs/deviceProbe.ts before a device is used.
import type { DeviceName } from '../../../shared/hardware.ts'
import { GraphBuilder } from '../graph/graphBuilder.ts'
import type { Graph, TypedValues } from '../graph/ir.ts'
import { OrtSession } from '../graph/ortSession.ts'
import { floatsOf, type Tensor, tensor } from '../graph/tensor.ts'
import { tensorOps } from '../graph/tensorOps.ts'
import { withWeightFiles } from '../graph/weightFile.ts'
import { gradients } from './backward.ts'

export interface DeviceCheck {
  /** Of the outputs below, the one that is furthest from the processor's, as the middle of a sentence. */
  readonly worst: (typeof checkedParts)[number]
  /** How far: largest difference over the largest element of the output. */
  readonly relativeError: number
  /**
   * The same for a product in half precision, which nothing computes with yet; null where it does not run: a session with one
   * opens on every GPU, and only a run shows whether the adapter has it.
   */
  readonly halfError: number | null
}

const checkedParts = ['results', 'gradients', 'products of 8 and 4 bits'] as const

/** Float32 results and gradients of the same model agree to about 1e-5 between devices that were tried; TF32 gave 2e-2. */
export const toleratedDifference = 1e-3

/** Outputs of a run, by name; the values of `found` and of `expected` below. */
type Results = Readonly<Record<string, Tensor>>

/** @throws StudioError as `OrtSession.open` and `OrtSession.compute` do, of the float32 graphs; what writing a file throws */
export async function checkDevice(device: DeviceName): Promise<DeviceCheck> {
  const { layer, products } = await withWeightFiles([layerGraph(), productsGraph()], async ([ofLayer, ofProducts]) => ({
    layer: await onBoth(ofLayer as Graph, layerFeeds(), device),
    products: await onBoth(ofProducts as Graph, { x: numbers([3, width], 8) }, device),
  }))
  const errors = [
    ['results', largestDifference(layer.found, layer.expected, ['loss', 'logits'])],
    ['gradients', largestDifference(layer.found, layer.expected, trained.map(gradientOf))],
    ['products of 8 and 4 bits', largestDifference(products.found, products.expected, ['bits8', 'bits4'])],
  ] as const
  // NaN, which compares false with everything, is the worst of all.
  const [worst, relativeError] = errors.reduce((a, b) => (b[1] <= a[1] || Number.isNaN(a[1]) ? a : b))
  return { worst, relativeError, halfError: await halfErrorOf(device) }
}

/**
 * Over the outputs of these names, each relative to its largest element; NaN where one holds no number or is missing.
 * @param expected what the processor said
 */
export function largestDifference(found: Results, expected: Results, names: readonly string[]): number {
  const errors = names.map((name) => {
    const right = floatsOf(expected, name)
    const values: Float32Array | undefined = found[name] && floatsOf(found, name)
    let [largest, difference] = [0, 0]
    right.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value))
      difference = Math.max(difference, Math.abs((values?.[i] ?? Number.NaN) - value))
    })
    return difference / largest
  })
  return Math.max(...errors)
}

async function onBoth(
  graph: Graph,
  feeds: Results,
  device: DeviceName,
): Promise<{ found: Results; expected: Results }> {
  return { found: await run(graph, feeds, device), expected: await run(graph, feeds, 'cpu') }
}

async function run(graph: Graph, feeds: Results, device: DeviceName): Promise<Results> {
  const session = await OrtSession.open(graph, { device })
  try {
    return await session.compute(feeds)
  } finally {
    await session.release()
  }
}

async function halfErrorOf(device: DeviceName): Promise<number | null> {
  const feeds = { x: numbers([16, width], 8) }
  try {
    const found = await run(halfGraph('float16'), feeds, device)
    return largestDifference(found, await run(halfGraph('float32'), feeds, 'cpu'), ['y'])
  } catch {
    return null
  }
}

/** Tokens, numbers of a state, heads that share keys in pairs, words, rank of the adapter. */
const [seq, width, heads, kvHeads, words, rank] = [6, 128, 4, 2, 96, 4]
const headDim = width / heads
/** Outputs of the joined projection of queries, keys and values. */
const joined = (heads + 2 * kvHeads) * headDim
const trained = ['gain', 'a', 'b'] as const
const gradientOf = (name: string) => `grad.${name}`

/**
 * A decoder's layer on a base of 8 bits with an adapter, to the mean -log π of some tokens and its gradients: every kind of op
 * that a training step spends time in.
 */
export function layerGraph(): Graph {
  const g = new GraphBuilder('layer')
  const ops = tensorOps(g)
  const { add, attention, dequantize, gatherElements, gemm, mul, reduceLogSumExp, reduceMean, reshape, rmsNorm } = ops
  const x = g.input('x', 'float32', [seq, width])
  const mask = g.input('mask', 'float32', [1, 1, seq, seq])
  const positions = g.input('positions', 'int64', [1, seq])
  const [cos, sin] = [
    g.input('cos', 'float32', [seq, headDim / 2]),
    g.input('sin', 'float32', [seq, headDim / 2]),
  ] as const
  const gain = g.input('gain', 'float32', [width])
  const [a, b] = [g.input('a', 'float32', [rank, width]), g.input('b', 'float32', [joined, rank])]
  const eightBits = (rows: number, salt: number) => {
    const q = g.constant('uint8', [rows, width], bytes(rows * width, salt))
    const scales = g.constant('float32', [rows], numbers([rows], salt, 0.002, 0.001).values)
    return { q, scales, zeros: g.constant('uint8', [rows], new Uint8Array(rows).fill(128)) }
  }
  const linear = (input: typeof x, { q, scales, zeros }: ReturnType<typeof eightBits>, c?: typeof x) =>
    gemm(input, dequantize(q, scales, zeros, q.shape, input), { transB: true, ...(c && { c }) })

  const normed = rmsNorm(x, gain, 1e-5)
  const low = gemm(gemm(normed, a, { transB: true }), b, { transB: true })
  const projected = linear(normed, eightBits(joined, 1), low)
  const part = (from: number, count: number) => {
    const rows = ops.slice(projected, 1, from * headDim, (from + count) * headDim)
    return ops.transpose(reshape(rows, [1, seq, count, headDim]), [0, 2, 1, 3])
  }
  const turned = (from: number, count: number) => ops.rope(part(from, count), positions, cos, sin)
  const attended = attention(turned(0, heads), turned(heads, kvHeads), part(heads + kvHeads, kvHeads), { mask })
  const merged = reshape(ops.transpose(attended, [0, 2, 1, 3]), [seq, width])
  const state = add(x, linear(merged, eightBits(width, 2)))
  const logits = linear(mul(ops.silu(state), state), eightBits(words, 3))
  const said = gatherElements(logits, reshape(g.input('ids', 'int64', [seq]), [seq, 1]), 1)
  const loss = reduceMean(ops.sub(reduceLogSumExp(logits, [-1]), reshape(said, [seq])), [0])
  g.output('loss', loss)
  g.output('logits', logits)
  gradients(g, loss, [gain, a, b]).forEach((gradient, i) => {
    g.output(gradientOf(trained[i] as string), gradient)
  })
  return g.build()
}

export function layerFeeds(): Results {
  const angles = Array.from({ length: (seq * headDim) / 2 }, (_, i) => {
    const [position, pair] = [Math.floor(i / (headDim / 2)), i % (headDim / 2)]
    return position / 10_000 ** ((2 * pair) / headDim)
  })
  const masked = Array.from({ length: seq * seq }, (_, i) => (i % seq > Math.floor(i / seq) ? -1e9 : 0))
  return {
    ...{ x: numbers([seq, width], 4), a: numbers([rank, width], 5, 0.2), b: numbers([joined, rank], 6, 0.2) },
    gain: numbers([width], 7, 0.2, 1),
    mask: tensor('float32', [1, 1, seq, seq], masked),
    positions: tensor('int64', [1, seq], [...Array(seq).keys()]),
    cos: tensor('float32', [seq, headDim / 2], angles.map(Math.cos)),
    sin: tensor('float32', [seq, headDim / 2], angles.map(Math.sin)),
    ids: tensor('int64', [seq], [3, 1, 4, 1, 5, 9]),
  }
}

/** x [rows, width] times weights of 8 and 4 bits in the blocks of a base file, as a GPU's steps multiply. */
function productsGraph(): Graph {
  const g = new GraphBuilder('products')
  const x = g.input('x', 'float32', ['rows', width])
  for (const [bits, block_size] of [
    [8, 128],
    [4, 32],
  ] as const) {
    const blocks = width / block_size
    const q = g.constant('uint8', [words, blocks, (block_size * bits) / 8], bytes((words * width * bits) / 8, bits))
    const scales = g.constant('float32', [words, blocks], numbers([words, blocks], bits, 0.002, 0.001).values)
    const zeros = bits === 4 ? [g.constant('uint8', [words, blocks / 2], bytes((words * blocks) / 2, 9))] : []
    const attributes = { K: width, N: words, bits, block_size, accuracy_level: 1 }
    g.output(`bits${bits}`, g.emit('MatMulNBits', [x, q, scales, ...zeros], attributes))
  }
  return g.build()
}

/** The product of x [16, width] with a square matrix, in this precision. */
function halfGraph(dtype: 'float16' | 'float32'): Graph {
  const g = new GraphBuilder('half')
  const { cast, matMul } = tensorOps(g)
  const x = cast(g.input('x', 'float32', [16, width]), dtype)
  const weight = cast(g.constant('float32', [width, width], numbers([width, width], 1).values), dtype)
  g.output('y', cast(matMul(x, weight), 'float32'))
  return g.build()
}

/** Numbers in [middle - spread, middle + spread) that look random and are the same everywhere. */
function numbers(shape: readonly number[], salt: number, spread = 1, middle = 0): Tensor<'float32'> {
  const values = new Float32Array(shape.reduce((product, dim) => product * dim, 1))
  values.forEach((_, i) => {
    values[i] = middle + spread * (hashed(i, salt) / 2 ** 31)
  })
  return tensor('float32', shape, values)
}

function bytes(length: number, salt: number): TypedValues<'uint8'> {
  return Uint8Array.from({ length }, (_, i) => hashed(i, salt) & 0xff)
}

/** 32 bits as a whole number with a sign. */
function hashed(i: number, salt: number): number {
  const seed = i + Math.imul(salt, 0x9e3779)
  const bits = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d)
  return (bits ^ (bits >>> 12)) | 0
}
