// A GGUF tensor's blocks as float32 numbers. Before it stands gguf.ts, after it convert.ts.
// Blocks: `dequantize_row_q4_1` and `dequantize_row_q8_0` of ggml's ggml-quants.c.
import { float16Number } from '../../src/main/engine/graph/typedValues.ts'
import { type GgufTensor, ggufError } from './gguf.ts'

interface BlockFormat {
  /** Numbers of a block. */
  readonly count: number
  readonly sizeBytes: number
  /** Writes the block that begins at byte `from` into `to`, which has `count` places. */
  readonly read: (file: Buffer, from: number, to: Float32Array) => void
}

/** The types of SmolLM2's file, by ggml's `enum ggml_type`. */
const formats: Readonly<Record<number, BlockFormat>> = {
  /** F32 */
  0: {
    ...{ count: 1, sizeBytes: 4 },
    read: (file, from, to) => {
      to[0] = file.readFloatLE(from)
    },
  },
  /** Q4_1: d, m as float16, then 16 bytes whose lower halves are the first 16 numbers; x = d q + m. */
  3: {
    ...{ count: 32, sizeBytes: 20 },
    read: (file, from, to) => {
      const [d, m] = [float16Number(file.readUInt16LE(from)), float16Number(file.readUInt16LE(from + 2))]
      for (let i = 0; i < 16; i++) {
        const byte = file[from + 4 + i] as number
        to[i] = d * (byte & 15) + m
        to[i + 16] = d * (byte >> 4) + m
      }
    },
  },
  /** Q8_0: d as float16, then 32 signed bytes; x = d q. */
  8: {
    ...{ count: 32, sizeBytes: 34 },
    read: (file, from, to) => {
      const d = float16Number(file.readUInt16LE(from))
      for (let i = 0; i < 32; i++) to[i] = d * file.readInt8(from + 2 + i)
    },
  },
}

/**
 * The numbers of a tensor, row-major. Products of a float16 and a small integer are exact in float32, so nothing but
 * Q4_1's sum is rounded.
 * @throws StudioError `weights.unsupported-dtype`, `weights.bad-tensor` for part of a block, `weights.truncated`
 */
export function dequantise(file: Buffer, { name, shape, type, offsetBytes }: GgufTensor, where: string): Float32Array {
  const format = formats[type]
  if (!format) {
    const known = Object.keys(formats).join(', ')
    throw ggufError('unsupported-dtype', where, `The tensor ${name} is of a type that is not read.`, known, `${type}`)
  }
  const count = shape.reduce((product, dim) => product * dim, 1)
  const blocks = count / format.count
  if (!Number.isInteger(blocks)) {
    throw ggufError('bad-tensor', where, `${name} ends inside of a block.`, `a multiple of ${format.count}`, `${count}`)
  }
  if (offsetBytes + blocks * format.sizeBytes > file.length) {
    throw ggufError('truncated', where, `It ends inside of the tensor ${name}.`, undefined, `${file.length} bytes`)
  }
  const numbers = new Float32Array(count)
  for (let block = 0; block < blocks; block++) {
    const to = numbers.subarray(block * format.count, (block + 1) * format.count)
    format.read(file, offsetBytes + block * format.sizeBytes, to)
  }
  return numbers
}
