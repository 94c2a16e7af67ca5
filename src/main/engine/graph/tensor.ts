// Tensors in this process's memory: what runs are fed and what they answer, typed by their dtype.
// Before it stand ir.ts and typedValues.ts, after it ortSession.ts and everybody who feeds a graph or reads its outputs.
import { StudioError } from '../../../shared/errors.ts'
import { type DType, elementBytes, type TypedValues } from './ir.ts'
import { arrayTypes, typedValues } from './typedValues.ts'

/** Element types that can be fed and fetched; bfloat16 and uint4 live in weight files only. */
export type TensorDType = Exclude<DType, 'bfloat16' | 'uint4'>

/** A tensor in this process's memory, row-major. Feeding it copies nothing on the CPU. */
export interface Tensor<T extends TensorDType = TensorDType> {
  readonly dtype: T
  readonly shape: readonly number[]
  readonly values: TypedValues<T>
}

/** `shape` times `dtype`; numbers are rounded to it. @throws StudioError `graph.dtype` */
export function tensor<T extends TensorDType>(
  dtype: T,
  shape: readonly number[],
  numbers: TypedValues<T> | readonly number[],
): Tensor<T> {
  return { dtype, shape, values: typedValues(dtype, numbers) }
}

/** A tensor of zeros. */
export function zeros<T extends TensorDType>(dtype: T, shape: readonly number[]): Tensor<T> {
  return { dtype, shape, values: new arrayTypes[dtype](shape.reduce((a, b) => a * b, 1)) }
}

/** What is known of a tensor wherever its numbers are: a {@link Tensor}, or a `DeviceTensor` of ortSession.ts. */
export interface AnyTensor<T extends TensorDType = TensorDType> {
  readonly dtype: T
  readonly shape: readonly number[]
}

/** Bytes of a tensor's numbers. */
export function sizeBytesOf({ dtype, shape }: AnyTensor): number {
  return shape.reduce((a, b) => a * b, elementBytes[dtype])
}

/** One of several tensors, wherever it is. @throws StudioError `graph.unread` when there is none of that name */
export function namedIn<One extends AnyTensor>(tensors: Readonly<Record<string, One>>, name: string): One {
  const found = tensors[name]
  if (!found) throw unreadable(name, 'any', 'none')
  return found
}

/**
 * One of several tensors, in this process's memory and of the dtype that its reader needs.
 * @param tensors the outputs of a run, or feeds
 * @throws StudioError `graph.unread` when there is none of that name or it has another dtype, `device.not-fetched`
 *   when its numbers stay on a device
 */
export function tensorOf<T extends TensorDType>(
  tensors: Readonly<Record<string, AnyTensor>>,
  name: string,
  dtype: T,
): Tensor<T> {
  const found = namedIn(tensors, name)
  if (!hasDType(found, dtype)) throw unreadable(name, dtype, found.dtype)
  requireFetched(name, found)
  return found
}

/** The numbers of one of several float32 tensors. @throws StudioError as {@link tensorOf} does */
export function floatsOf(tensors: Readonly<Record<string, AnyTensor>>, name: string): Float32Array {
  return tensorOf(tensors, name, 'float32').values
}

/** @throws StudioError `device.not-fetched` when the numbers stay on a device */
export function requireFetched<T extends TensorDType>(name: string, one: AnyTensor<T>): asserts one is Tensor<T> {
  if ('values' in one) return
  throw new StudioError({
    code: 'device.not-fetched',
    message: `The output ${name} stays on the device and cannot be read here.`,
    remedy: 'Report this fault: a session was asked for numbers that it keeps on the device.',
    where: name,
  })
}

/**
 * Checks numbers before they are used: NaN passes silently through every op.
 * @throws StudioError `run.non-finite` naming the tensor and the first place
 */
export function requireFinite(name: string, { values, shape }: Tensor): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value === 'bigint' || Number.isFinite(value)) continue
    throw new StudioError({
      code: 'run.non-finite',
      message: `${name} hold a number that is not finite.`,
      remedy: 'Lower the learning rate, or choose another device if it happens in the first step.',
      expected: 'finite numbers',
      found: `${value} at element ${i} of [${shape.join(', ')}]`,
      where: name,
    })
  }
}

function hasDType<T extends TensorDType>(one: AnyTensor, dtype: T): one is AnyTensor<T> {
  return one.dtype === dtype
}

function unreadable(name: string, expected: TensorDType | 'any', found: string): StudioError {
  return new StudioError({
    code: 'graph.unread',
    message: `There is no tensor ${name} of the dtype that is needed.`,
    remedy: 'Report this fault: a graph was read wrongly.',
    expected,
    found,
    where: name,
  })
}
