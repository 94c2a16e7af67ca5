// Weights as whole numbers of 8 or 4 bits with a scale and a zero point for each block of a row. Before it stand rows of
// float32, after it the files of baseFile.ts and the ops that read them: DequantizeLinear and MatMulNBits.
import { weightsError } from './safetensors.ts'

/**
 * Numbers in whole blocks along the rows of a matrix [rows, inputs], w = (q - zero point) · scale, by ONNX's `QuantizeLinear`:
 * q = saturate(round(w / scale) + zero point), halves to the even number (https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html).
 *
 * 8 bits, symmetric: scale = max |w| / 127, zero point 128 (llama.cpp's Q8_0, but for its block of 32 and its half-precision
 * scale). 4 bits, asymmetric: scale = (max - min) / 15 with 0 between the two, zero point = round(-min / scale), the rule of
 * ONNX's `DynamicQuantizeLinear` for 4 bits.
 */
export interface BlockFormat {
  readonly bits: 4 | 8
  /** Elements of a row that share a scale. */
  readonly block: number
}

/** Blocks that ONNX Runtime's `MatMulNBits` computes with: powers of two from 16 on. */
const smallestBlock = 16

/**
 * The format for rows of a length: its block, or the largest power of two below it that divides them, because a block at the
 * end of a row may not be cut short. At 4 bits a row has an even number of blocks, so that its zero points fill bytes.
 * @returns null when even the smallest block does not fit; such a weight stays as it is
 */
export function blockFormatFor(bits: 4 | 8, inputs: number): BlockFormat | null {
  for (let block = bits === 8 ? 128 : 32; block >= smallestBlock; block /= 2) {
    if (inputs % (bits === 8 ? block : 2 * block) === 0) return { bits, block }
  }
  return null
}

/** The parts of a quantised matrix [rows, inputs], row-major; at 4 bits two numbers a byte, the first in its lower half. */
export interface QuantisedRows {
  /** [rows, inputs · bits / 8] */
  readonly q: Uint8Array
  /** [rows, inputs / block] */
  readonly scales: Float32Array
  /** [rows, inputs / block · bits / 8], at 8 bits a byte each */
  readonly zeros: Uint8Array
}

/** Room for so many rows, all zero. */
export function emptyRows({ bits, block }: BlockFormat, rows: number, inputs: number): QuantisedRows {
  const [width, blocks] = [(rows * inputs * bits) / 8, (rows * inputs) / block]
  return { q: new Uint8Array(width), scales: new Float32Array(blocks), zeros: new Uint8Array((blocks * bits) / 8) }
}

/**
 * Quantises whole blocks.
 * @param values as many as `to` has room for
 * @param name of the weight, for errors
 * @throws StudioError `weights.not-finite`
 */
export function quantise({ bits, block }: BlockFormat, values: Float32Array, to: QuantisedRows, name: string): void {
  const quantiseBlock = bits === 8 ? quantiseBlock8 : quantiseBlock4
  for (let at = 0, i = 0; at < values.length; at += block, i++) quantiseBlock(values, at, block, to, i)
  // A scale is finite just where all numbers of its block are.
  if (to.scales.every(Number.isFinite)) return
  throw weightsError('not-finite', name, `The tensor ${name} holds numbers that are not finite.`)
}

function quantiseBlock8(
  values: Float32Array,
  at: number,
  block: number,
  { q, scales, zeros }: QuantisedRows,
  i: number,
) {
  const end = at + block
  let [largest, sum] = [0, 0]
  for (let k = at; k < end; k++) {
    const size = Math.abs(values[k] as number)
    if (size > largest) largest = size
    sum += size
  }
  const scale = Math.fround(largest / 127)
  // The sum is NaN where any number is; no comparison finds those.
  scales[i] = sum - sum === 0 ? scale : Number.NaN
  zeros[i] = 128
  if (scale === 0) q.fill(128, at, end)
  else for (let k = at; k < end; k++) q[k] = clamp(roundHalfEven(Math.fround((values[k] as number) / scale)) + 128, 255)
}

function quantiseBlock4(
  values: Float32Array,
  at: number,
  block: number,
  { q, scales, zeros }: QuantisedRows,
  i: number,
) {
  const end = at + block
  let [least, most, sum] = [0, 0, 0]
  for (let k = at; k < end; k++) {
    const value = values[k] as number
    if (value < least) least = value
    if (value > most) most = value
    sum += Math.abs(value)
  }
  const scale = Math.fround(Math.fround(most - least) / 15)
  scales[i] = sum - sum === 0 ? scale : Number.NaN
  const zero = scale === 0 ? 0 : clamp(roundHalfEven(Math.fround(-least / scale)), 15)
  zeros[i >> 1] = (zeros[i >> 1] as number) | (zero << (4 * (i & 1)))
  for (let k = at; k < end; k += 2) {
    const [first, second] = [values[k] as number, values[k + 1] as number]
    const low = scale === 0 ? 0 : clamp(roundHalfEven(Math.fround(first / scale)) + zero, 15)
    const high = scale === 0 ? 0 : clamp(roundHalfEven(Math.fround(second / scale)) + zero, 15)
    q[k >> 1] = low | (high << 4)
  }
}

/** Adding it leaves no bits of a float64 for fractions, so that the processor rounds, halves to the even number. */
const noFractions = 1.5 * 2 ** 52

function roundHalfEven(x: number): number {
  return x + noFractions - noFractions
}

function clamp(x: number, most: number): number {
  return Math.min(Math.max(x, 0), most)
}
