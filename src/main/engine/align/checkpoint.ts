// A policy as the bytes of a checkpoint and back, exactly: adapter, value head and the optimisers' moments as float32 by
// name, their counts and the run's random numbers as JSON. Stored in one transaction with the step that it belongs to.
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import type { LoraFactors } from '../folder/peft.ts'
import { factorName, type LoraSlot } from '../models/shared/lora.ts'
import type { AdamWState, NamedArrays } from './optimiser/adamw.ts'
import { adapterParameters, type Policy } from './policy.ts'

const count = z.int().nonnegative()

/** What a checkpoint keeps beside its arrays; plain JSON. */
export const policyCursorSchema = z.strictObject({
  rank: z.int().positive(),
  alpha: z.number().positive(),
  /** By group of parameters: steps that were taken and skipped. */
  optimisers: z.record(
    z.string(),
    // Checkpoints of earlier versions did not count those in a row.
    z.strictObject({ steps: count, skippedSteps: count, skippedInARow: count.default(0) }),
  ),
})
export type PolicyCursor = z.infer<typeof policyCursorSchema>

export interface StoredPolicy {
  readonly cursor: PolicyCursor
  /** Bytes by name; float32, little-endian as all supported machines are. */
  readonly parts: Readonly<Record<string, Uint8Array>>
}

/** The policy's arrays, not copied: store them before the next update. */
export function storePolicy({ adapter, valueHead, optimisers }: Policy): StoredPolicy {
  const parts: Record<string, Uint8Array> = {}
  const add = (prefix: string, arrays: NamedArrays) => {
    for (const [name, { buffer, byteOffset, byteLength }] of Object.entries(arrays)) {
      parts[`${prefix}/${name}`] = new Uint8Array(buffer, byteOffset, byteLength)
    }
  }
  add('adapter', adapterParameters(adapter))
  add('valueHead', Object.fromEntries(valueHead))
  for (const [group, { firstMoments, secondMoments }] of Object.entries(optimisers)) {
    add(`optimiser/${group}/first`, firstMoments)
    add(`optimiser/${group}/second`, secondMoments)
  }
  const counts = Object.entries(optimisers).map(([group, { steps, skippedSteps, skippedInARow }]) => [
    group,
    { steps, skippedSteps, skippedInARow },
  ])
  const cursor = { rank: adapter.rank, alpha: adapter.alpha, optimisers: Object.fromEntries(counts) }
  return { cursor, parts }
}

/**
 * The policy of a checkpoint.
 * @param slots layers that the adapter changes
 * @param part reads the bytes of a part; they start at offset 0 of their buffer
 * @throws StudioError `run.bad-checkpoint` when a part does not fit the model, and what `part` throws
 */
export function restorePolicy(
  cursor: PolicyCursor,
  slots: readonly LoraSlot[],
  valueHeadShapes: ReadonlyMap<string, readonly number[]>,
  part: (name: string) => Uint8Array<ArrayBuffer>,
): Policy {
  const { rank, alpha } = cursor
  const read = (name: string, length: number): Float32Array => {
    const bytes = part(name)
    if (bytes.byteLength !== 4 * length) throw badPart(name, 4 * length, bytes.byteLength)
    return new Float32Array(bytes.buffer)
  }
  const sizes: Record<string, number> = {}
  const layers = new Map<string, LoraFactors>()
  for (const { path, inFeatures, outFeatures } of slots) {
    const [a, b] = [factorName(path, 'a'), factorName(path, 'b')]
    sizes[a] = rank * inFeatures
    sizes[b] = outFeatures * rank
    const factors = { a: read(`adapter/${a}`, rank * inFeatures), b: read(`adapter/${b}`, outFeatures * rank) }
    layers.set(path, { ...factors, inFeatures, outFeatures })
  }
  const valueSizes = Object.fromEntries(
    [...valueHeadShapes].map(([name, shape]) => [name, shape.reduce((product, dim) => product * dim, 1)]),
  )
  const arrays = (prefix: string, of: Readonly<Record<string, number>>): Record<string, Float32Array> =>
    Object.fromEntries(Object.entries(of).map(([name, length]) => [name, read(`${prefix}/${name}`, length)]))
  const optimisers = Object.entries(cursor.optimisers).map(([group, counts]): [string, AdamWState] => {
    const of = group === 'valueHead' ? valueSizes : sizes
    const moments = (order: string) => arrays(`optimiser/${group}/${order}`, of)
    return [group, { ...counts, firstMoments: moments('first'), secondMoments: moments('second') }]
  })
  return {
    adapter: { rank, alpha, layers },
    valueHead: new Map(Object.entries(arrays('valueHead', valueSizes))),
    optimisers: Object.fromEntries(optimisers),
  }
}

function badPart(name: string, expected: number, found: number): StudioError {
  return new StudioError({
    code: 'run.bad-checkpoint',
    message: 'The checkpoint does not fit this model.',
    remedy: 'Go on from another checkpoint of this run, or start the run anew.',
    expected: `${expected} bytes`,
    found: `${found} bytes`,
    where: name,
  })
}
