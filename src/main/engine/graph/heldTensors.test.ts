// Tensors that live between runs, in this process and on a device: what is asked of them in testing/heldCases.ts.
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { hostMemory } from './heldTensors.ts'
import { floatsOf, tensor } from './tensor.ts'
import type { DeviceAnswer } from './testing/compareMemories.ts'
import { changedInTurn } from './testing/heldCases.ts'
import { hasSoftwareGpu, linesOf } from './testing/softwareGpu.ts'

describe('the memory of this process', () => {
  it('writes places, picks rows and makes room, for tensors of several shapes at once', async () => {
    const { sizesBytes, read } = await changedInTurn(hostMemory)
    expect(sizesBytes).toEqual([40, 80, 180, 20])
    expect(read).toEqual([
      {
        key: [
          [5, 6, 20, 21, 0, 0, 7, 8, 22, 23, 0, 0],
          [5, 6, 20, 21, 0, 0, 7, 8, 22, 23, 0, 0],
          [1, 2, 10, 11, 0, 0, 3, 4, 12, 13, 0, 0],
        ].flat(),
        mask: [
          [2, 40, 0],
          [2, 40, 0],
          [1, 30, 0],
        ].flat(),
      },
      { key: [9, 8, 7], mask: [6, 5] },
    ])
  })

  it('feeds the very array that it holds, so that the CPU reads it without a copy', () => {
    const held = hostMemory.hold({ x: tensor('float32', [2], [1, 2]) })
    const values = Float32Array.of(4, 5)
    held.replace({ x: tensor('float32', [2], values) })
    expect(floatsOf(held.feeds(), 'x')).toBe(values)
  })

  it('closes rows up in the memory that it has where all places stay, and copies where rows change their order', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const held = hostMemory.hold({ x: tensor('float32', [4, 2], values) })
    held.arrange({ rows: [0, 2, 3], axis: 1, kept: 2, size: 2 })
    expect([...floatsOf(held.feeds(), 'x')]).toEqual([1, 2, 5, 6, 7, 8])
    expect(floatsOf(held.feeds(), 'x').buffer).toBe(values.buffer)
    held.write({ x: tensor('float32', [3, 1], [10, 11, 12]) }, 1, 1)
    held.arrange({ rows: [1, 2], axis: 1, kept: 2, size: 2 })
    expect([...floatsOf(held.feeds(), 'x')]).toEqual([5, 11, 7, 12])
    held.arrange({ rows: [1, 0, 0], axis: 1, kept: 2, size: 2 })
    expect([...floatsOf(held.feeds(), 'x')]).toEqual([7, 12, 5, 11, 5, 11])
    expect(floatsOf(held.feeds(), 'x').buffer).not.toBe(values.buffer)
  })

  it('refuses parts, rows and places that do not fit', () => {
    const held = hostMemory.hold({ x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) })
    const refused = expect.objectContaining({ code: 'graph.part', where: 'x' })
    expect(() => held.write({ x: tensor('float32', [2, 2], [1, 2, 3, 4]) }, 1, 0)).toThrow(refused)
    expect(() => held.write({ x: tensor('int64', [2, 1], [1, 2]) }, 1, 0)).toThrow(refused)
    expect(() => held.write({ x: tensor('float32', [2, 1], [1, 2]) }, 1, 3)).toThrow(refused)
    expect(() => held.arrange({ rows: [2], axis: 1, kept: 1, size: 1 })).toThrow(refused)
    expect(() => held.arrange({ rows: [0], axis: 1, kept: 4, size: 4 })).toThrow(refused)
    expect(() => held.arrange({ rows: [0], axis: 1, kept: 3, size: 2 })).toThrow(refused)
    expect(() => held.write({}, 1, 0)).toThrow(expect.objectContaining({ code: 'graph.unread' }))
  })
})

test.runIf(hasSoftwareGpu)(
  'the memory of a device answers the same, feeds a graph from there, tells what failed and leaks nothing',
  async () => {
    const script = join(import.meta.dirname, 'testing/compareMemories.ts')
    const [answer] = linesOf<DeviceAnswer>(script, ['webgpu'], 110_000)
    expect(answer).toEqual({
      changed: await changedInTurn(hostMemory),
      kept: { ranOnDevice: true, doubled: [2, 4, 6, 8] },
      failure: 'device.out-of-memory',
      mended: [6, 8],
      open: { tensors: 0, sessions: 0 },
      openMeanwhile: 1,
    } satisfies DeviceAnswer)
  },
  120_000,
)
