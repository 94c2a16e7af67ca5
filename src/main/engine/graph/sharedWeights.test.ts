// Weights that stand on a device once: who has them, with a store in this process, and through sessions of a device.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { GraphBuilder } from './graphBuilder.ts'
import type { DType, FileSlice } from './ir.ts'
import { SharedWeights, withFedWeights } from './sharedWeights.ts'
import type { SharingAnswer } from './testing/compareSharing.ts'
import { hasSoftwareGpu, linesOf } from './testing/softwareGpu.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-shared-weights-'))
  file = join(folder, 'weights')
  writeFileSync(file, Float32Array.of(1, 2, 3, 4, 5, 6))
})
afterEach(() => rmSync(folder, { recursive: true }))

const slice = (first: number, count: number): FileSlice => ({ file, offsetBytes: 4 * first, sizeBytes: 4 * count })

/** What stands in a store, which holds numbers in this process, and how many stores are open. */
function countedWeights() {
  const standing = new Set<readonly number[]>()
  let [stores, sent, atOnce, mostAtOnce] = [0, 0, 0, 0]
  const weights = new SharedWeights(async () => {
    stores++
    return {
      hold: async (words) => {
        sent++
        atOnce++
        mostAtOnce = Math.max(mostAtOnce, atOnce)
        await new Promise(setImmediate)
        atOnce--
        const numbers = [...words]
        standing.add(numbers)
        return { numbers, dispose: () => standing.delete(numbers) }
      },
      release: async () => {
        stores--
      },
    }
  })
  return { weights, state: () => ({ standing: [...standing], stores, sent }), mostAtOnce: () => mostAtOnce }
}

describe('weights on a device', () => {
  it('are sent once for all who take them, also at the same time, and go with the last of them', async () => {
    const { weights, state, mostAtOnce } = countedWeights()
    const [one, other] = await Promise.all([
      weights.take([slice(0, 2), slice(2, 1), slice(0, 2)]),
      weights.take([slice(2, 1), slice(3, 3)]),
    ])
    expect(one.held.map(({ numbers }) => numbers)).toEqual([[1, 2], [3], [1, 2]])
    expect(other.held.map(({ numbers }) => numbers)).toEqual([[3], [4, 5, 6]])
    expect(state()).toEqual({ standing: [[1, 2], [3], [4, 5, 6]], stores: 1, sent: 3 })
    expect(mostAtOnce()).toBe(1)
    await one.release()
    expect(state()).toEqual({ standing: [[3], [4, 5, 6]], stores: 1, sent: 3 })
    await other.release()
    expect(state()).toEqual({ standing: [], stores: 0, sent: 3 })
    const again = await weights.take([slice(0, 1)])
    expect(state()).toEqual({ standing: [[1]], stores: 1, sent: 4 })
    await again.release()
  })

  it('are given back when one of them cannot be read, and to those who have them they stay', async () => {
    const { weights, state } = countedWeights()
    await expect(weights.take([slice(0, 1), slice(5, 2)])).rejects.toMatchObject({ code: 'weights.missing' })
    expect(state()).toEqual({ standing: [], stores: 0, sent: 1 })
    const kept = await weights.take([slice(0, 1)])
    const gone = { ...slice(0, 1), file: join(folder, 'gone') }
    await expect(weights.take([slice(0, 1), slice(1, 1), gone])).rejects.toMatchObject({ code: 'weights.missing' })
    expect(state()).toEqual({ standing: [[1]], stores: 1, sent: 3 })
    await kept.release()
    expect(state().stores).toBe(0)
  })

  it('are read anew from a file that was put in the place of theirs', async () => {
    const { weights, state } = countedWeights()
    const before = await weights.take([slice(0, 1)])
    writeFileSync(join(folder, 'other'), Float32Array.of(7))
    renameSync(join(folder, 'other'), file)
    const after = await weights.take([slice(0, 1)])
    expect(after.held.map(({ numbers }) => numbers)).toEqual([[7]])
    expect(state().standing).toEqual([[1], [7]])
    await before.release()
    await after.release()
    expect(state()).toMatchObject({ standing: [], stores: 0 })
  })
})

it('large float32 and 8-bit weights of files are fed, all others stay in the graph', () => {
  const g = new GraphBuilder('weights')
  const external = (name: string, dtype: DType, count: number, sizeBytes: number) =>
    g.external(name, dtype, [count], { file, offsetBytes: 0, sizeBytes })
  const values = [
    external('large', 'float32', 4096, 16_384),
    external('bytes', 'uint8', 16_384, 16_384),
    external('small', 'float32', 8, 32),
    external('odd', 'uint8', 16_387, 16_387),
    external('four bits', 'uint4', 32_768, 16_384),
    external('half', 'bfloat16', 8192, 16_384),
    g.constant('float32', [4096], new Float32Array(4096)),
  ]
  const x = g.input('x', 'float32', ['n'])
  for (const one of [x, ...values]) g.output(`as ${one.name}`, one)
  const graph = g.build()
  const { graph: loaded, fed } = withFedWeights(graph)
  expect(loaded.inputs.map(({ name }) => name)).toEqual(['x', 'large', 'bytes'])
  expect(fed.map(({ value }) => value.name)).toEqual(['large', 'bytes'])
  expect(new Set([...loaded.initializers, ...fed])).toEqual(new Set(graph.initializers))
  expect(loaded.initializers).toHaveLength(5)
})

test.runIf(hasSoftwareGpu)(
  'sessions of a device read one copy, each in its own dtype and shape, and leave nothing when one cannot be opened',
  () => {
    const [answer] = linesOf<SharingAnswer>(join(import.meta.dirname, 'testing/compareSharing.ts'), ['webgpu'], 110_000)
    expect(answer).toEqual({
      held: [2, 2, 2],
      areEqual: [true, true, true],
      afterFailure: { code: 'weights.missing', tensors: 2, sessions: 4 },
      afterOne: { tensors: 2, areEqual: true },
      open: { tensors: 0, sessions: 0 },
    } satisfies SharingAnswer)
  },
  120_000,
)
