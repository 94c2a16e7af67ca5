// Tensors that live between runs (a cache, features, weights), behind one interface wherever their numbers are. Here it
// stands with the memory of this process; deviceMemory.ts keeps them on a device. Used by rollout/ and align/.
import { StudioError } from '../../../shared/errors.ts'
import { elementBytes } from './ir.ts'
import type { RunInput, RunOutput } from './ortSession.ts'
import type { Releasable } from './resources.ts'
import { type AnyTensor, namedIn, requireFetched, sizeBytesOf, type Tensor, zeros } from './tensor.ts'

/** Which rows and places of its tensors a set goes on with. */
export interface Arrangement {
  /** Rows of axis 0, in their new order; a row may come several times. */
  readonly rows: readonly number[]
  /** Not 0, whose places are the rows. */
  readonly axis: number
  /** So many places of `axis` keep their numbers, those from 0 on; at most as many as it has before and after. */
  readonly kept: number
  /** Places that `axis` has afterwards; those after `kept` hold zeros. */
  readonly size: number
}

/**
 * Named tensors that live between runs. A device does what it is asked in order and later: a run that is fed the
 * tensors, and {@link read}, wait for it and throw what went wrong. No set is changed while a run reads it.
 */
export interface HeldTensors extends Releasable {
  /** Of all its tensors together. */
  readonly sizeBytes: number
  /** What runs are fed, by name; holds until the next change. */
  feeds(): Readonly<Record<string, RunInput>>
  /**
   * Other numbers for every tensor, of any shape; takes the tensors over. A set that a change failed on is whole again.
   * @throws StudioError `graph.unread` when there are none for one
   */
  replace(tensors: Readonly<Record<string, RunOutput>>): void
  /**
   * Puts a part of each tensor, which has one place on `axis`, at the place `at`; takes the parts over.
   * @throws StudioError `graph.part` when one does not fit its tensor, `graph.unread` when there is none
   */
  write(parts: Readonly<Record<string, RunOutput>>, axis: number, at: number): void
  /** @throws StudioError `graph.part` for a row or a place that a tensor does not have */
  arrange(arrangement: Arrangement): void
  /** The numbers, in this process's memory; they may be those that are held and not a copy. */
  read(): Promise<Readonly<Record<string, Tensor>>>
  /** Gives the memory back; using the set afterwards is an error. */
  release(): Promise<void>
}

/** Where tensors are held. */
export interface TensorMemory extends Releasable {
  /** Takes tensors over: whoever made them leaves them alone from now on. */
  hold(tensors: Readonly<Record<string, RunOutput>>): HeldTensors
}

/** The memory of this process. A run on the CPU reads what is held without a copy. */
export const hostMemory: TensorMemory = {
  hold: (tensors) => new HostTensors(tensors),
  release: async () => undefined,
}

class HostTensors implements HeldTensors {
  #tensors: Readonly<Record<string, Tensor>>

  constructor(tensors: Readonly<Record<string, RunOutput>>) {
    this.#tensors = mapTensors(tensors, fetched)
  }

  get sizeBytes(): number {
    return Object.values(this.#tensors).reduce((sum, one) => sum + sizeBytesOf(one), 0)
  }

  feeds(): Readonly<Record<string, Tensor>> {
    return this.#tensors
  }

  replace(tensors: Readonly<Record<string, RunOutput>>): void {
    this.#tensors = mapTensors(this.#tensors, (_, name) => fetched(namedIn(tensors, name), name))
  }

  write(parts: Readonly<Record<string, RunOutput>>, axis: number, at: number): void {
    for (const [name, whole] of Object.entries(this.#tensors)) {
      const part = fetched(namedIn(parts, name), name)
      requirePart(name, whole, part, axis, at)
      const { blocks, size, placeBytes } = blocksOf(whole, axis)
      const [to, from] = [bytesOf(whole), bytesOf(part)]
      for (let block = 0; block < blocks; block++) {
        to.set(from.subarray(block * placeBytes, (block + 1) * placeBytes), (block * size + at) * placeBytes)
      }
    }
  }

  arrange(arrangement: Arrangement): void {
    this.#tensors = mapTensors(this.#tensors, (one, name) => arranged(name, one, arrangement))
  }

  async read(): Promise<Readonly<Record<string, Tensor>>> {
    return this.#tensors
  }

  async release(): Promise<void> {
    this.#tensors = {}
  }
}

/**
 * The shape that a tensor has after an arrangement.
 * @throws StudioError `graph.part` for a row or a place that it does not have: a GPU would read whatever lies there
 */
export function arrangedShape(name: string, { shape }: AnyTensor, { rows, axis, kept, size }: Arrangement): number[] {
  const [rowCount = 0] = shape
  const missing = rows.find((row) => !(row >= 0 && row < rowCount))
  if (missing !== undefined) throw misplaced(name, `rows below ${rowCount}`, `the row ${missing}`)
  const places = Math.min(shape[axis] ?? 0, size)
  if (kept > places) throw misplaced(name, `at most ${places} places that are kept`, `${kept}`)
  return [rows.length, ...shape.slice(1)].with(axis, size)
}

/** @throws StudioError `graph.part` when the part is not one place of the axis, or the place not one of the tensor */
export function requirePart(name: string, whole: AnyTensor, part: AnyTensor, axis: number, at: number): void {
  const expected = whole.shape.with(axis, 1)
  const fits = part.dtype === whole.dtype && `${part.shape}` === `${expected}` && at < (whole.shape[axis] ?? 0)
  if (fits) return
  throw misplaced(
    name,
    `${whole.dtype} [${expected.join(', ')}] below the place ${whole.shape[axis]}`,
    `${part.dtype} [${part.shape.join(', ')}] at the place ${at}`,
  )
}

export function mapTensors<One extends AnyTensor, Other>(
  tensors: Readonly<Record<string, One>>,
  change: (one: One, name: string) => Other,
): Record<string, Other> {
  return Object.fromEntries(Object.entries(tensors).map(([name, one]) => [name, change(one, name)]))
}

function misplaced(name: string, expected: string, found: string): StudioError {
  return new StudioError({
    code: 'graph.part',
    message: `A part of the tensor ${name} does not fit it.`,
    remedy: 'Report this fault: a tensor was changed wrongly.',
    expected,
    found,
    where: name,
  })
}

function fetched(one: RunOutput, name: string): Tensor {
  requireFetched(name, one)
  return one
}

/** A tensor as blocks [blocks, size, placeBytes], where `size` counts the places of an axis. */
function blocksOf({ dtype, shape }: AnyTensor, axis: number) {
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
  const placeBytes = product(shape.slice(axis + 1)) * elementBytes[dtype]
  return { blocks: product(shape.slice(0, axis)), size: shape[axis] ?? 1, placeBytes }
}

function arranged(name: string, one: Tensor, arrangement: Arrangement): Tensor {
  const { rows, axis, kept, size: places } = arrangement
  const shape = arrangedShape(name, one, arrangement)
  const isWhole = kept === places && places === one.shape[axis]
  if (isWhole && rows.every((row, i) => i === 0 || row > (rows[i - 1] as number))) return closedUp(one, rows, shape)
  const moved = zeros(one.dtype, shape)
  const { blocks, size, placeBytes } = blocksOf(one, axis)
  const after = blocksOf(moved, axis)
  const rowBlocks = blocks / (one.shape[0] ?? 1)
  const [from, to] = [bytesOf(one), bytesOf(moved)]
  rows.forEach((row, i) => {
    for (let block = 0; block < rowBlocks; block++) {
      const start = (row * rowBlocks + block) * size * placeBytes
      to.set(from.subarray(start, start + kept * placeBytes), (i * rowBlocks + block) * after.size * placeBytes)
    }
  })
  return moved
}

/** Some of a tensor's rows in their order, in the memory that it has: a decoding batch loses rows at nearly every step. */
function closedUp({ dtype, values }: Tensor, rows: readonly number[], shape: readonly number[]): Tensor {
  const rowValues = shape.slice(1).reduce((a, b) => a * b, 1)
  rows.forEach((row, i) => {
    if (row > i) values.copyWithin(i * rowValues, row * rowValues, (row + 1) * rowValues)
  })
  return { dtype, shape, values: values.subarray(0, rows.length * rowValues) }
}

function bytesOf({ values }: Tensor): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
