// What the machine can do at most, measured through the session path that the models take: products of square
// matrices, and reading weights from memory. Measured again beside every figure, because a busy machine changes.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors, streamSafetensors } from '../../src/main/engine/folder/safetensors.ts'
import { GraphBuilder } from '../../src/main/engine/graph/graphBuilder.ts'
import type { Graph } from '../../src/main/engine/graph/ir.ts'
import { OrtSession, type SessionOptions, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { tensorOps } from '../../src/main/engine/graph/tensorOps.ts'
import { piecesOf, randomBlock } from './checkpoint.ts'
import type { Settings } from './settings.ts'

/** Products in a row, so that the way into the session and out of it weighs little. */
const chained = 4

export interface Limits {
  /** By edge of the square matrices, GFLOP/s. */
  readonly gemm: ReadonlyMap<number, number>
  /** The best of them, GFLOP/s. */
  readonly gemmGflops: number
  /** Of a float32 matrix-vector product, GB/s. */
  readonly bandwidthGbPerSecond: number
}

interface Timed {
  readonly session: OrtSession
  /** FLOP or bytes of a run. */
  readonly work: number
  readonly inputShape: readonly [number, number]
  bestMs: number
}

export class Machine {
  readonly #gemms: ReadonlyMap<number, Timed>
  readonly #stream: Timed

  private constructor(gemms: ReadonlyMap<number, Timed>, stream: Timed) {
    this.#gemms = gemms
    this.#stream = stream
  }

  /** @param folder where the streamed matrix is written */
  static async open(folder: string, settings: Settings, options: SessionOptions): Promise<Machine> {
    const timed = async (graph: Graph, work: number, inputShape: Timed['inputShape']): Promise<Timed> => {
      const session = await OrtSession.open(graph, options)
      const found = { session, work, inputShape, bestMs: Number.POSITIVE_INFINITY }
      // Once to warm up, which does not count.
      await run(found)
      return found
    }
    const gemms = new Map<number, Timed>()
    for (const edge of settings.gemm_edges) {
      gemms.set(edge, await timed(gemmGraph(edge), chained * 2 * edge ** 3, [edge, edge]))
    }
    const { rows, columns } = settings.streamed_matrix
    const stream = await streamGraph(folder, rows, columns)
    return new Machine(gemms, await timed(stream, 4 * rows * columns, [1, columns]))
  }

  /** Measures once more; {@link limits} are the best so far. */
  async probe(): Promise<void> {
    for (const timed of [...this.#gemms.values(), this.#stream]) {
      timed.bestMs = Math.min(timed.bestMs, await elapsedMs(() => run(timed)))
    }
  }

  get limits(): Limits {
    const gemm = new Map([...this.#gemms].map(([edge, { work, bestMs }]) => [edge, work / bestMs / 1e6]))
    const bandwidthGbPerSecond = this.#stream.work / this.#stream.bestMs / 1e6
    return { gemm, gemmGflops: Math.max(...gemm.values()), bandwidthGbPerSecond }
  }

  async release(): Promise<void> {
    for (const { session } of [...this.#gemms.values(), this.#stream]) await session.release()
  }
}

async function run({ session, inputShape }: Timed): Promise<void> {
  const x = new Float32Array(inputShape[0] * inputShape[1]).fill(0.5)
  await session.compute({ x: tensor('float32', inputShape, x) })
}

/**
 * A vector times a matrix that lies in a file, as weights do and as they lie there: of all ways to read memory that were tried it
 * is the fastest, prepacked products included (docs/performance.md).
 */
async function streamGraph(folder: string, rows: number, columns: number): Promise<Graph> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'matrix.safetensors')
  const [random, shape] = [randomBlock(), [rows, columns]]
  await streamSafetensors(file, [{ name: 'matrix', dtype: 'F32', shape, pieces: () => piecesOf(shape, random) }])
  const slice = (await readSafetensors(file))[0]?.slice
  if (!slice) throw new Error(`${file} holds no matrix.`)
  const g = new GraphBuilder('stream')
  const x = g.input('x', 'float32', [1, columns])
  g.output('y', tensorOps(g).gemm(x, g.external('matrix', 'float32', shape, slice), { transB: true }))
  return g.build()
}

function gemmGraph(edge: number): Graph {
  const g = new GraphBuilder('gemm')
  const { gemm, slice } = tensorOps(g)
  // Of deviation 1/√edge, so that the products keep their size.
  const block = randomBlock()
  const factor = 1 / (0.02 * Math.sqrt(edge))
  const numbers = Float32Array.from({ length: edge ** 2 }, (_, i) => (block[i % block.length] as number) * factor)
  const weight = g.constant('float32', [edge, edge], numbers)
  let x = g.input('x', 'float32', [edge, edge])
  for (let i = 0; i < chained; i++) x = gemm(x, weight, { transB: true })
  g.output('y', slice(x, 0, 0, 1))
  return g.build()
}

export async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}
