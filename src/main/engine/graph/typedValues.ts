// Numbers as typed arrays of a tensor's dtype, and back. Used by graphBuilder.ts for constants and by sessions.
import { StudioError } from '../../../shared/errors.ts'
import type { DType, TypedValues } from './ir.ts'

/** A type of typed arrays: `new ArrayType(length)` holds zeros. */
export interface ArrayType<T extends DType> {
  readonly name: string
  new (length: number): TypedValues<T>
}

/** The array type that holds each dtype. */
export const arrayTypes: { readonly [T in DType]: ArrayType<T> } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  uint4: Uint8Array,
  bool: Uint8Array,
}

/** Numbers rounded to each dtype. */
const rounded: { readonly [T in DType]: (numbers: readonly number[]) => TypedValues<T> } = {
  float32: (numbers) => Float32Array.from(numbers),
  float64: (numbers) => Float64Array.from(numbers),
  float16: (numbers) => Uint16Array.from(numbers, float16Bits),
  bfloat16: (numbers) => Uint16Array.from(numbers, bfloat16Bits),
  int64: (numbers) => BigInt64Array.from(numbers, BigInt),
  int32: (numbers) => Int32Array.from(numbers),
  int8: (numbers) => Int8Array.from(numbers),
  uint8: (numbers) => Uint8Array.from(numbers),
  uint4: (numbers) => Uint8Array.from(numbers),
  bool: (numbers) => Uint8Array.from(numbers),
}

/**
 * Numbers rounded to a dtype. A typed array is taken to hold that dtype already and returned as it is.
 * @throws StudioError `graph.dtype` when the array is of another type
 */
export function typedValues<T extends DType>(dtype: T, numbers: TypedValues | readonly number[]): TypedValues<T> {
  if (holds(dtype, numbers)) return numbers
  if (isList(numbers)) return rounded[dtype](numbers)
  throw new StudioError({
    code: 'graph.dtype',
    message: `Numbers of the dtype ${dtype} came in the wrong kind of array.`,
    remedy: 'Report this fault: the graph was built wrongly.',
    expected: arrayTypes[dtype].name,
    found: numbers.constructor.name,
  })
}

/** Whether the array is of the type that holds the dtype. */
export function holds<T extends DType>(dtype: T, numbers: unknown): numbers is TypedValues<T> {
  return numbers instanceof arrayTypes[dtype]
}

function isList(numbers: TypedValues | readonly number[]): numbers is readonly number[] {
  return Array.isArray(numbers)
}

const single = new Float32Array(1)
const singleBits = new Uint32Array(single.buffer)

/** Upper half of the float32, rounded to nearest even; NaN stays NaN. */
export function bfloat16Bits(number: number): number {
  single[0] = number
  const bits = singleBits[0] as number
  if (Number.isNaN(number)) return (bits >>> 16) | 0x40
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** IEEE 754 binary16, rounded to nearest even from the float32. */
export function float16Bits(number: number): number {
  single[0] = number
  const bits = singleBits[0] as number
  const sign = (bits >>> 16) & 0x8000
  if (Number.isNaN(number)) return sign | 0x7e00
  const size = Math.abs(single[0] as number)
  if (size >= 65520) return sign | 0x7c00
  if (size < 2 ** -14) return sign | roundHalfEven(size * 2 ** 24)
  const mantissa = bits & 0x7fffff
  const exponent = ((bits >>> 23) & 0xff) - 112
  return sign | roundHalfEven(((exponent << 23) + mantissa) / 2 ** 13)
}

function roundHalfEven(x: number): number {
  const rounded = Math.round(x)
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded
}

/** A bfloat16 is the upper half of a float32. */
export function bfloat16Number(bits: number): number {
  singleBits[0] = bits << 16
  return single[0] as number
}

/** IEEE 754 binary16: sign, 5 bits of exponent, 10 of mantissa. */
export function float16Number(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

/** The arrays one after the other. */
export function concat(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((length, array) => length + array.length, 0))
  let at = 0
  for (const array of arrays) {
    joined.set(array, at)
    at += array.length
  }
  return joined
}
