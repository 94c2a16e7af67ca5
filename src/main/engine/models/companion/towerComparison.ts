// Whether a companion encoder sees images with the very tower of the vision-language model: every tensor, byte by byte,
// in bounded pieces. Before it stand vlm.ts and encoder.ts, after it the verifier, which trusts the companion's scores
// as the model's own only then.
import { type FileHandle, open } from 'node:fs/promises'
import { StudioError } from '../../../../shared/errors.ts'
import type { StoredTensor } from '../../folder/safetensors.ts'
import { formatShape } from '../../graph/dims.ts'
import { type DType, elementBytes } from '../../graph/ir.ts'
import { throwIfCancelled } from '../../graph/ortSession.ts'
import { bfloat16Bits, bfloat16Number, float16Bits, float16Number } from '../../graph/typedValues.ts'
import { storedName } from '../shared/parameters.ts'
import type { VisionConfig } from '../shared/towerConfig.ts'
import type { VlmSource } from '../vlmGraphs.ts'
import { dualEncoderNames } from './config.ts'
import type { DualEncoderSource } from './encoder.ts'

const [companionTower] = dualEncoderNames.tower

/** Where two towers part. */
export interface TowerDifference {
  /** A tensor by its name in the companion, or a field of its config. */
  readonly where: string
  readonly expected: string
  readonly found: string
}

/**
 * `identical`: the same bytes. `same-values`: another element type, and the same numbers in it. `rounded`: the one
 * rounded to the other's element type is the same. `different`: the first difference, in the order of names.
 */
export type TowerComparison =
  | { readonly outcome: 'identical' | 'same-values' | 'rounded'; readonly tensors: number; readonly dtypes: string }
  | { readonly outcome: 'different'; readonly difference: TowerDifference }

/** Bytes of a tensor that are held at a time. */
const pieceBytes = 1 << 20

/**
 * Compares the image tower of a vision-language model with its companion's. What only the companion holds (the pooling of
 * SigLIP, layers that the model's checkpoint left out) takes no part.
 * @throws StudioError `weights.unreadable`, `run.cancelled`
 */
export async function compareTowers(
  vlm: VlmSource,
  encoder: DualEncoderSource,
  signal?: AbortSignal,
): Promise<TowerComparison> {
  const difference = configDifference(vlm.config.vision, encoder.config.vision)
  if (difference) return { outcome: 'different', difference }
  let worst: Equality = 'identical'
  let tensors = 0
  const dtypes = new Set<string>()
  for (const name of encoder.weights.names.filter(isTowerTensor).sort()) {
    const inVlm = nameInVlm(vlm, name)
    if (!vlm.weights.has(inVlm)) continue
    throwIfCancelled(signal)
    const [own, other] = [vlm.weights.get(inVlm), encoder.weights.get(name)]
    const result = await compareTensors(own, other)
    if (typeof result === 'object') return { outcome: 'different', difference: { where: name, ...result } }
    if (rank[result] > rank[worst]) worst = result
    dtypes.add(own.dtype === other.dtype ? own.dtype : `${own.dtype} and ${other.dtype}`)
    tensors++
  }
  const missing = missingTensor(vlm, encoder)
  if (missing) return { outcome: 'different', difference: missing }
  return { outcome: worst, tensors, dtypes: [...dtypes].sort().join(', ') }
}

type Equality = 'identical' | 'same-values' | 'rounded'
const rank: Readonly<Record<Equality, number>> = { identical: 0, 'same-values': 1, rounded: 2 }

/** Position ids are a table of 0, 1, 2 that old versions of transformers stored. */
const isTowerTensor = (name: string) => name.startsWith(companionTower) && !name.endsWith('.position_ids')

/** What the model calls a tensor of its companion's tower. */
function nameInVlm({ architecture, weights }: VlmSource, name: string): string {
  return storedName(weights, architecture.names.tower, name.slice(companionTower.length))
}

/** Fields of a tower that its tensors do not show. */
function configDifference(own: VisionConfig, other: VisionConfig): TowerDifference | null {
  const fields = ['kind', 'hiddenSize', 'heads', 'layers', 'imageSize', 'patchSize', 'activation', 'epsilon'] as const
  const field = fields.find((name) => own[name] !== other[name])
  if (field === undefined) return null
  return { where: `vision_config ${field}`, expected: `${own[field]}`, found: `${other[field]}` }
}

/** A tensor of the model's tower that its companion lacks. */
function missingTensor(vlm: VlmSource, encoder: DualEncoderSource): TowerDifference | null {
  const known = new Set(encoder.weights.names.filter(isTowerTensor).map((name) => nameInVlm(vlm, name)))
  const { tower } = vlm.architecture.names
  const isOwn = (name: string) => tower.some((prefix) => name.startsWith(prefix)) && !name.endsWith('.position_ids')
  const missing = vlm.weights.names.find((name) => isOwn(name) && !known.has(name))
  return missing === undefined ? null : { where: missing, expected: 'the same tensor in the companion', found: 'none' }
}

async function compareTensors(a: StoredTensor, b: StoredTensor): Promise<Equality | Omit<TowerDifference, 'where'>> {
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
    if (rank[result] > rank[worst]) worst = result
  }
  return worst
}

function comparePieces(
  left: Float64Array,
  right: Float64Array,
  leftType: DType,
  rightType: DType,
  start: number,
): Equality | Omit<TowerDifference, 'where'> {
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
      message: 'A weights file could not be read while two image towers were compared.',
      remedy: 'Check that the disk or share that holds the model is still there.',
      where,
    },
    { cause },
  )
}
