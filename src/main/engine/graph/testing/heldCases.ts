// What is asked of every memory that holds tensors between runs; heldTensors.test.ts compares the answers.
import type { TensorMemory } from '../heldTensors.ts'
import { tensor } from '../tensor.ts'

export interface HeldAnswer {
  /** After each change. */
  readonly sizesBytes: readonly number[]
  /** The numbers by name, before and after all of them were replaced. */
  readonly read: readonly Readonly<Record<string, readonly number[]>>[]
}

/** A cache of two rows, two heads and two columns, with numbers by row and column beside it: grown, written, repeated. */
export async function changedInTurn(memory: TensorMemory): Promise<HeldAnswer> {
  const sizesBytes: number[] = []
  const held = memory.hold({
    key: tensor('float32', [2, 2, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
    mask: tensor('float32', [2, 1, 1], [1, 2]),
  })
  sizesBytes.push(held.sizeBytes)
  held.arrange({ rows: [0, 1], axis: 2, kept: 1, size: 2 })
  held.write(
    {
      key: tensor('float32', [2, 2, 1, 2], [10, 11, 12, 13, 20, 21, 22, 23]),
      mask: tensor('float32', [2, 1, 1], [30, 40]),
    },
    2,
    1,
  )
  sizesBytes.push(held.sizeBytes)
  held.arrange({ rows: [1, 1, 0], axis: 2, kept: 2, size: 3 })
  sizesBytes.push(held.sizeBytes)
  const before = await held.read()
  held.replace({ key: tensor('float32', [3], [9, 8, 7]), mask: tensor('float32', [1, 2], [6, 5]) })
  sizesBytes.push(held.sizeBytes)
  const after = await held.read()
  const read = [before, after].map((tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { values }]) => [name, Array.from(values, Number)])),
  )
  await held.release()
  return { sizesBytes, read }
}
