// Whether two stored tensors hold the same numbers, read byte by byte in bounded pieces. Asked for the towers of a model and
// its companion, and for a head that a config says is the embedding table.
import { type FileHandle, open } from 'node:fs/promises'
import { StudioError } from '../../../../shared/errors.ts'
import type { StoredTensor } from '../../folder/safetensors.ts'
import { formatShape } from '../../graph/dims.ts'
import { type DType, elementBytes } from '../../graph/ir.ts'
import { bfloat16Bits, bfloat16Number, float16Bits, float16Number } from '../../graph/typedValues.ts'

/**
 * `identical`: the same bytes. `same-values`: another element type, and the same numbers in it. `rounded`: the one
 * rounded to the other's element type is the same.
 */
export type Equality = 'identical' | 'same-values' | 'rounded'

/** Where two tensors part. */
export interface TensorDifference {
  readonly expected: string
  readonly found: string
}

/** Bytes of a tensor that are held at a time. */
const pieceBytes = 1 << 20
const rank: Readonly<Record<Equality, number>> = { identical: 0, 'same-values': 1, rounded: 2 }

/** The less equal of two. */
export const lessEqual = (a: Equality, b: Equality): Equality => (rank[b] > rank[a] ? b : a)

/** @returns how far they are equal, or their first difference. @throws StudioError `weights.unreadable` */
export async function compareTensors(a: StoredTensor, b: StoredTensor): Promise<Equality | TensorDifference> {
  if (formatShape(a.shape) !== formatShape(b.shape)) {
    return { expected: formatShape(a.shape), found: formatShape(b.shape) }
  }
  const count = a.slice.sizeBytes / elementBytes[a.dtype]
  const step = Math.floor(pieceBytes / Math.max(elementBytes[a.dtype], elementBytes[b.dtype]))
  return await withFile(a, (fileA) => withFile(b, (fileB) => compareFiles([fileA, a], [fileB, b], count, step)))
}

type Opened = readonly [file: FileHandle, tensor: StoredTensor]

async function compareFiles([fileA, a]: Opened, [fileB, b]: Opened, count: number, step: number) {
  let worst: Equality = 'identical'
  for (let start = 0; start < count; start += step) {
    const length = Math.min(step, count - start)
    const [left, right] = [await readPiece(fileA, a, start, length), await readPiece(fileB, b, start, length)]
    if (a.dtype === b.dtype && left.equals(right)) continue
    const result = comparePieces(numbersOf(left, a.dtype), numbersOf(right, b.dtype), a.dtype, b.dtype, start)
    if (typeof result === 'object') return result
    worst = lessEqual(worst, result)
  }
  return worst
}

function comparePieces(
  left: Float64Array,
  right: Float64Array,
  leftType: DType,
  rightType: DType,
  start: number,
): Equality | TensorDifference {
  let worst: Equality = leftType === rightType ? 'identical' : 'same-values'
  const [toLeft, toRight] = [rounding[leftType], rounding[rightType]]
  for (let i = 0; i < left.length; i++) {
    const [x, y] = [left[i] as number, right[i] as number]
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue
    // The wider is rounded to the narrower; which of the two that is, the other direction leaves unchanged.
    const isRounded = leftType !== rightType && (toLeft?.(y) === x || toRight?.(x) === y)
    if (!isRounded) return { expected: `${x} at element ${start + i}`, found: `${y}` }
    worst = 'rounded'
  }
  return worst
}

const rounding: Partial<Record<DType, (number: number) => number>> = {
  float32: Math.fround,
  bfloat16: (number) => bfloat16Number(bfloat16Bits(number)),
  float16: (number) => float16Number(float16Bits(number)),
}

function numbersOf(bytes: Buffer, dtype: DType): Float64Array {
  const count = bytes.length / elementBytes[dtype]
  const read: Partial<Record<DType, (i: number) => number>> = {
    float64: (i) => bytes.readDoubleLE(8 * i),
    float32: (i) => bytes.readFloatLE(4 * i),
    bfloat16: (i) => bfloat16Number(bytes.readUInt16LE(2 * i)),
    float16: (i) => float16Number(bytes.readUInt16LE(2 * i)),
  }
  const at = read[dtype]
  return Float64Array.from({ length: count }, (_, i) => at?.(i) ?? Number.NaN)
}

async function withFile<T>({ slice }: StoredTensor, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(slice.file, 'r').catch((cause: unknown) => {
    throw unreadable(slice.file, cause)
  })
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}

async function readPiece(file: FileHandle, tensor: StoredTensor, start: number, length: number): Promise<Buffer> {
  const width = elementBytes[tensor.dtype]
  const bytes = Buffer.alloc(length * width)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, tensor.slice.offsetBytes + start * width)
  if (bytesRead !== bytes.length) throw unreadable(tensor.slice.file, undefined)
  return bytes
}

function unreadable(where: string, cause: unknown): StudioError {
  return new StudioError(
    {
      code: 'weights.unreadable',
      message: 'A weights file could not be read while two tensors were compared.',
      remedy: 'Check that the disk or share that holds the model is still there.',
      where,
    },
    { cause },
  )
}
