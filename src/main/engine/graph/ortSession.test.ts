// Graphs go through builder, verifier and writer into real sessions, and numbers come back.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GraphBuilder } from './graphBuilder.ts'
import { OrtSession } from './ortSession.ts'
import { floatsOf, requireFinite, type Tensor, tensor, tensorOf } from './tensor.ts'
import { tensorOps } from './tensorOps.ts'

async function computeOnce(g: GraphBuilder, inputs: Record<string, Tensor>): Promise<Record<string, number[]>> {
  const session = await OrtSession.open(g.build(), { device: 'cpu' })
  try {
    const results = await session.compute(inputs)
    return Object.fromEntries(Object.entries(results).map(([name, { values }]) => [name, Array.from(values, Number)]))
  } finally {
    await session.release()
  }
}

describe('a graph in a session', () => {
  it('computes with named sizes, constants and attributes of every kind', async () => {
    const g = new GraphBuilder('kinds')
    const ops = tensorOps(g)
    const x = g.input('x', 'float32', ['rows', 3])
    const moved = ops.transpose(ops.reshape(x, ['rows', 3, 1]), [1, 0, 2])
    g.output('moved', ops.reshape(moved, ['3*rows']))
    g.output('scaled', ops.gemm(x, x, { alpha: 0.5, transB: true }))
    g.output('gelu', ops.geluTanh(x))
    g.output('counted', ops.cast(ops.range('2*rows+1'), 'float32'))
    g.output('same', x)
    const results = await computeOnce(g, { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) })
    expect(results['moved']).toEqual([1, 4, 2, 5, 3, 6])
    expect(results['scaled']).toEqual([7, 16, 16, 38.5])
    expect(results['gelu']?.[0]).toBeCloseTo(0.841192, 6)
    expect(results['counted']).toEqual([0, 1, 2, 3, 4])
    expect(results['same']).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('reads sizes from its inputs where no constant shape will do', async () => {
    const g = new GraphBuilder('sizes')
    const ops = tensorOps(g)
    const x = g.input('x', 'float32', ['batch', 'seq'])
    const y = g.input('y', 'float32', ['batch', 'past'])
    const flat = ops.reshape(ops.concat([x, y], 1), ['batch*past+batch*seq'])
    const inner = ops.slice(ops.reshape(flat, ['batch', 'past+seq']), 1, 1, -1)
    g.output('inner', ops.add(inner, ops.full(['batch', 'past+seq-2'], 100)))
    const results = await computeOnce(g, {
      x: tensor('float32', [2, 2], [1, 2, 3, 4]),
      y: tensor('float32', [2, 3], [5, 6, 7, 8, 9, 10]),
    })
    expect(inner.shape).toEqual(['batch', 'past+seq-2'])
    expect(results['inner']).toEqual([102, 105, 106, 104, 108, 109])
  })

  it('attends as the formula says, with shared key heads and a mask', async () => {
    const [heads, kvHeads, seq, width] = [4, 2, 3, 2]
    const numbers = (count: number, salt: number) =>
      Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + salt))
    const q = numbers(heads * seq * width, 0)
    const [k, v] = [numbers(kvHeads * seq * width, 1), numbers(kvHeads * seq * width, 2)]
    const mask = Float32Array.from({ length: seq * seq }, (_, i) => (i % seq > Math.floor(i / seq) ? -1e9 : 0))

    const g = new GraphBuilder('attention')
    const query = g.input('q', 'float32', ['batch', heads, 'seq', width])
    const [key, value] = ['k', 'v'].map((name) => g.input(name, 'float32', ['batch', kvHeads, 'seq', width]))
    const seen = g.input('mask', 'float32', [1, 1, 'seq', 'seq'])
    g.output('y', tensorOps(g).attention(query, key as typeof query, value as typeof query, { mask: seen }))
    const { y } = await computeOnce(g, {
      q: tensor('float32', [1, heads, seq, width], q),
      k: tensor('float32', [1, kvHeads, seq, width], k),
      v: tensor('float32', [1, kvHeads, seq, width], v),
      mask: tensor('float32', [1, 1, seq, seq], mask),
    })
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < seq; i++) {
        const at = (x: Float32Array, head: number, row: number, c: number) =>
          x[(head * seq + row) * width + c] as number
        const kv = Math.floor(h / (heads / kvHeads))
        const weights = Array.from({ length: i + 1 }, (_, j) => {
          const dot = at(q, h, i, 0) * at(k, kv, j, 0) + at(q, h, i, 1) * at(k, kv, j, 1)
          return Math.exp(dot / Math.sqrt(width))
        })
        const total = weights.reduce((sum, w) => sum + w)
        for (let c = 0; c < width; c++) {
          const expected = weights.reduce((sum, w, j) => sum + (w / total) * at(v, kv, j, c), 0)
          expect(y?.[(h * seq + i) * width + c]).toBeCloseTo(expected, 5)
        }
      }
    }
  })
})

describe('weights in files', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fisao-weights-'))
    const header = Buffer.alloc(64)
    writeFileSync(join(folder, 'blob'), Buffer.concat([header, Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)]))
    symlinkSync(join(folder, 'blob'), join(folder, 'model.safetensors'))
    writeFileSync(join(folder, 'bfloat16'), Buffer.from(Uint16Array.of(0x3f80, 0xc000).buffer))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('are read at their offset, also through a link, beside weights of another file and type', async () => {
    const g = new GraphBuilder('weights')
    const { add, cast, linear } = tensorOps(g)
    const x = g.input('x', 'float32', ['batch', 3])
    const file = join(folder, 'model.safetensors')
    const weight = g.external('w', 'float32', [2, 3], { file, offsetBytes: 64, sizeBytes: 24 })
    const bias = g.external('b', 'bfloat16', [2], { file: join(folder, 'bfloat16'), offsetBytes: 0, sizeBytes: 4 })
    g.output('y', add(linear(x, weight), cast(bias, 'float32')))
    const { y } = await computeOnce(g, { x: tensor('float32', [1, 3], [1, 1, 1]) })
    expect(y).toEqual([7, 13])
  })

  it('are refused when the file is gone, is too short, or the slice does not fit the shape', async () => {
    const open = async (file: string, offsetBytes: number) => {
      const g = new GraphBuilder('short')
      const weight = g.external('w', 'float32', [6], { file, offsetBytes, sizeBytes: 24 })
      g.output('y', tensorOps(g).neg(weight))
      return OrtSession.open(g.build(), { device: 'cpu' })
    }
    await expect(open(join(folder, 'gone'), 0)).rejects.toMatchObject({ code: 'weights.missing' })
    await expect(open(join(folder, 'blob'), 72)).rejects.toMatchObject({ code: 'device.open-failed' })
    const g = new GraphBuilder('misfit')
    const slice = { file: join(folder, 'blob'), offsetBytes: 0, sizeBytes: 20 }
    expect(() => g.external('w', 'float32', [6], slice)).toThrow(expect.objectContaining({ code: 'graph.shape' }))
  })
})

describe('a session', () => {
  it('lays what no device could compute to the graph and not to a driver', async () => {
    const g = new GraphBuilder('beyond')
    const { gather } = tensorOps(g)
    g.output('y', gather(g.input('table', 'float32', [4, 2]), g.input('ids', 'int64', ['n'])))
    const session = await OrtSession.open(g.build(), { device: 'cpu' })
    const table = tensor('float32', [4, 2], new Float32Array(8))
    await expect(session.run({ table, ids: tensor('int64', [1], BigInt64Array.of(5000n)) })).rejects.toMatchObject({
      code: 'graph.run-failed',
      message: 'The model asked for what cannot be computed.',
      remedy: expect.not.stringContaining('driver'),
      found: expect.stringMatching(/out of (data )?bounds/),
    })
    await session.release()
  })

  it('stays usable after a wrong input, an allocation that cannot be met, and a cancelled run', async () => {
    const g = new GraphBuilder('large')
    const { add, expand, reduceMax } = tensorOps(g)
    const x = g.input('x', 'float32', ['n', 1])
    const y = g.input('y', 'float32', [1, 'm'])
    g.output('z', reduceMax(add(expand(x, ['n', 'm']), y), [0, 1]))
    const session = await OrtSession.open(g.build(), { device: 'cpu' })
    const vector = (length: number, shape: number[]) => tensor('float32', shape, new Float32Array(length))
    const inputs = { x: vector(1, [1, 1]), y: vector(1, [1, 1]) }
    const size = 2 ** 20

    await expect(session.run({ x: inputs.x })).rejects.toMatchObject({ code: 'graph.feed', where: 'y' })
    await expect(session.run({ x: vector(size, [size, 1]), y: vector(size, [1, size]) })).rejects.toMatchObject({
      code: 'device.out-of-memory',
      where: 'cpu',
    })
    await expect(session.run(inputs, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'run.cancelled' })
    const { z } = await session.compute(inputs)
    expect(z?.values[0]).toBe(0)
    await session.release()
  })

  it('refuses to answer an array of more than 2 GiB, which a process cannot hold in one piece', async () => {
    const g = new GraphBuilder('wide')
    const [x, y] = [g.input('x', 'float32', ['n', 1]), g.input('y', 'float32', [1, 'n'])]
    g.output('z', tensorOps(g).add(x, y))
    const session = await OrtSession.open(g.build(), { device: 'cpu' })
    const run = (n: number) =>
      session.run({
        x: tensor('float32', [n, 1], new Float32Array(n)),
        y: tensor('float32', [1, n], new Float32Array(n)),
      })
    // 23,171² numbers of 4 bytes, 97,316 bytes more than 2 GiB.
    await expect(run(23_171)).rejects.toMatchObject({
      code: 'device.array-too-large',
      found: 'an array of 2147580964 bytes',
    })
    await expect(run(23_171)).rejects.toMatchObject({ code: 'device.array-too-large' })
    await expect(run(2)).resolves.toBeDefined()
    await session.release()
  })

  it('refuses inputs that do not fit the graph or each other', async () => {
    const g = new GraphBuilder('fed')
    const x = g.input('x', 'float32', ['n', 2])
    g.output('y', tensorOps(g).add(x, g.input('b', 'float32', ['n', 1])))
    const session = await OrtSession.open(g.build(), { device: 'cpu' })
    const zeros = (...shape: number[]) => tensor('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))
    const feed = (x: Tensor, b: Tensor, more = {}) => session.run({ x, b, ...more })
    const refused = (where: string) => expect.objectContaining({ code: 'graph.feed', where })
    await expect(feed(zeros(3, 3), zeros(3, 1))).rejects.toThrow(refused('x'))
    // ONNX Runtime would broadcast the single row of b without a word.
    await expect(feed(zeros(3, 2), zeros(1, 1))).rejects.toThrow(refused('b'))
    await expect(feed(zeros(1, 2), tensor('float64', [1, 1], [0]))).rejects.toThrow(refused('b'))
    await expect(feed(zeros(1, 2), zeros(1, 1), { c: zeros(1) })).rejects.toThrow(refused('c'))
    await expect(feed(zeros(1, 2), zeros(1, 1))).resolves.toBeDefined()
    await session.release()
  })

  it('says which number is not finite', () => {
    const loss = tensor('float32', [2, 2], [0, 1, Number.NaN, 2])
    expect(() => requireFinite('loss', loss)).toThrow(
      expect.objectContaining({ code: 'run.non-finite', where: 'loss', found: 'NaN at element 2 of [2, 2]' }),
    )
    expect(() => requireFinite('ids', tensor('int64', [1], [7]))).not.toThrow()
  })
})

describe('what a run answers', () => {
  it('is read by name and dtype, and anything else is refused', async () => {
    const g = new GraphBuilder('answers')
    const ops = tensorOps(g)
    const x = g.input('x', 'float32', [2])
    g.output('doubled', ops.add(x, x))
    g.output('whole', ops.cast(x, 'int64'))
    const session = await OrtSession.open(g.build(), { device: 'cpu' })
    const results = await session.compute({ x: tensor('float32', [2], [1.5, 2.5]) })
    await session.release()
    expect(floatsOf(results, 'doubled')).toEqual(Float32Array.of(3, 5))
    expect(tensorOf(results, 'whole', 'int64')).toEqual(tensor('int64', [2], [1, 2]))
    const refused = (found: string) => expect.objectContaining({ code: 'graph.unread', found })
    expect(() => floatsOf(results, 'whole')).toThrow(refused('int64'))
    expect(() => floatsOf(results, 'halved')).toThrow(refused('none'))
    const kept = { dtype: 'float32', shape: [2] } as const
    expect(() => floatsOf({ kept }, 'kept')).toThrow(expect.objectContaining({ code: 'device.not-fetched' }))
  })
})
