// A stored tensor's numbers as float32, piece by piece. Before it stands safetensors.ts, after it baseFile.ts, which writes
// them down as they are or quantised.

import { elementBytes } from '../graph/ir.ts'
import { float16Number } from '../graph/typedValues.ts'
import { readTensorPieces, type StoredTensor, weightsError } from './safetensors.ts'

type Widen = (piece: Uint8Array) => Float32Array

const widenings: Partial<Readonly<Record<StoredTensor['dtype'], Widen>>> = {
  float32: ({ buffer, byteOffset, byteLength }) => new Float32Array(buffer, byteOffset, byteLength / 4),
  float64: ({ buffer, byteOffset, byteLength }) =>
    Float32Array.from(new Float64Array(buffer, byteOffset, byteLength / 8)),
  float16: ({ buffer, byteOffset, byteLength }) => widenHalves(new Uint16Array(buffer, byteOffset, byteLength / 2)),
  bfloat16: ({ buffer, byteOffset, byteLength }) => {
    const halves = new Uint16Array(buffer, byteOffset, byteLength / 2)
    const bits = new Uint32Array(halves.length)
    for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16
    return new Float32Array(bits.buffer)
  },
}

/** Every float16 as a number, by its bits. */
let float16Table: Float32Array | null = null

function widenHalves(halves: Uint16Array): Float32Array {
  float16Table ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => float16Number(bits))
  const values = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) values[i] = float16Table[halves[i] as number] as number
  return values
}

/**
 * @param count of every piece but the last, e.g. a multiple of a row's. A piece is overwritten by the next.
 * @throws StudioError `weights.unsupported-dtype`, and what `readTensorPieces` throws
 */
export async function* readFloatPieces(tensor: StoredTensor, count: number): AsyncGenerator<Float32Array> {
  const widen = widenings[tensor.dtype]
  if (!widen) {
    const what = `The tensor ${tensor.name} is of the type ${tensor.dtype}, which is no number with a fraction.`
    throw weightsError('unsupported-dtype', tensor.slice.file, what, { found: tensor.dtype })
  }
  for await (const piece of readTensorPieces(tensor, count * elementBytes[tensor.dtype])) yield widen(piece)
}
