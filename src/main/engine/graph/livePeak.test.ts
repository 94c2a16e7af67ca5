// Memory of graphs against arithmetic by hand; run/memoryPlan.test.ts holds it against the kernel's own count.
import { describe, expect, test } from 'vitest'
import { Arena } from './arena.ts'
import { GraphBuilder } from './graphBuilder.ts'
import { executionOrder, graphMemory } from './livePeak.ts'
import { tensorOps } from './tensorOps.ts'

const MiB = 1024 ** 2
const sizes = (rows: number) => new Map([['rows', rows]])

describe('the arena', () => {
  test('places small things in one region, and joins what is freed beside each other', () => {
    const arena = new Arena()
    for (const name of ['a', 'b', 'c']) arena.allocate(name, 1000)
    // 1000 bytes take four units of 256.
    expect(arena.touchedBytes).toBe(3 * 1024)
    arena.free('a')
    arena.free('b')
    // Both places together hold it, so nothing new is touched.
    arena.allocate('d', 2000)
    expect(arena.touchedBytes).toBe(3 * 1024)
  })

  test('takes a new region, at least twice the last, where none has room; regions do not join', () => {
    const arena = new Arena()
    // Does not fit the first region of 1 MiB: 2 MiB.
    arena.allocate('a', 1.5 * MiB)
    // Then 4 MiB, of which 3 are touched, though half a MiB is free before it.
    arena.allocate('b', 3 * MiB)
    expect(arena.touchedBytes).toBe(4.5 * MiB)
    arena.free('a')
    arena.free('b')
    // 2 and 4 MiB are free, but not 5 together: 8 MiB.
    arena.allocate('c', 5 * MiB)
    expect(arena.touchedBytes).toBe(9.5 * MiB)
  })

  test('leaves the rest of a chunk that is less than twice as large with it', () => {
    const arena = new Arena()
    arena.allocate('a', 0.7 * MiB)
    // The first region had 1 MiB, so the 0.3 left over went with it: a new region.
    arena.allocate('b', 0.2 * MiB)
    arena.free('a')
    arena.allocate('c', 0.9 * MiB)
    expect(arena.touchedBytes).toBeCloseTo((0.9 + 0.2) * MiB, -4)
  })
})

describe('the memory of a graph', () => {
  test('is that of the values alive together, outputs to the end', () => {
    const g = new GraphBuilder('chain')
    const { exp, gemm, reshape } = tensorOps(g)
    const x = g.input('x', 'float32', ['rows', 256])
    // Each [rows, 256]: 1 MiB at 1024 rows. The view costs nothing.
    const a = exp(x)
    const b = exp(reshape(a, ['rows', 256]))
    const c = exp(b)
    g.output('y', c)
    g.output('z', gemm(c, g.input('w', 'float32', [256, 256])))
    const memory = graphMemory(g.build(), sizes(1024))
    // a and b, then b and c (in the place of a), then c and z (in the place of b).
    expect(memory.computedBytes).toBe(2 * MiB)
    expect(memory).toMatchObject({ mappedBytes: 0, privateBytes: 0, outputBytes: 2 * MiB })
  })

  test('counts weights in files, and what follows from weights alone, apart', () => {
    const g = new GraphBuilder('weights')
    const { cast, matMul } = tensorOps(g)
    const slice = { file: '/nowhere/model.safetensors', offsetBytes: 0, sizeBytes: 128 * 256 * 4 }
    const w = g.external('w', 'float32', [128, 256], slice)
    // Half-precision numbers are widened once, into a copy of twice their size.
    const half = g.external('half', 'bfloat16', [256, 64], { ...slice, sizeBytes: 256 * 64 * 2 })
    const x = g.input('x', 'float32', ['rows', 128])
    g.output('y', matMul(matMul(x, w), cast(half, 'float32')))
    const { mappedBytes, privateBytes } = graphMemory(g.build(), sizes(1))
    expect(mappedBytes).toBe(128 * 256 * 4)
    expect(privateBytes).toBe(256 * 64 * 4)
  })

  test('follows the order of ONNX Runtime: the last end first, each just before what needs it', () => {
    const g = new GraphBuilder('order')
    const { add, exp, neg, sqrt } = tensorOps(g)
    const x = g.input('x', 'float32', ['rows'])
    const first = exp(x)
    const second = neg(x)
    g.output('early', sqrt(first))
    g.output('late', add(second, x))
    const ops = executionOrder(g.build()).map(({ op }) => op)
    expect(ops).toEqual(['Neg', 'Add', 'Exp', 'Sqrt'])
  })
})
