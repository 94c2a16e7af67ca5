// A linear layer whose weight lies in a base file as 8- or 4-bit numbers (baseFile.ts). Asked by parameters.ts; linear.ts has
// the formats of checkpoints themselves.
import type { DeviceName } from '../../../../shared/hardware.ts'
import type { Weights } from '../../folder/weights.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { floatWeight, type LinearWeight } from './linear.ts'

/**
 * What products with quantised weights are for. `exact`: y = x Wᵀ with W as it was rounded, in float32, forward and backward.
 * `decoding`: a row at a time, where reading W is all the work: x is rounded to 8 bits too, in the blocks of W
 * (`MatMulNBits` at accuracy level 4), which is twice as fast and another rounding (docs/performance.md).
 * `exactDecoding`: the same op with x in float32 (level 1), as exact as the first.
 */
export type ProductUse = 'exact' | 'decoding' | 'exactDecoding'

/**
 * What a step's products are for on a device. On a GPU, where reading W is the work whatever x is, rounding x would only move
 * responses away from the numbers that they are learned with: by 1e-2 of the largest logit on WebGPU (docs/performance.md).
 */
export function decodingUse(device: DeviceName): ProductUse {
  return device === 'cpu' ? 'decoding' : 'exactDecoding'
}

/** What the parts of a quantised weight are called, after its name. */
export const quantisedParts = { 8: '.q8', 4: '.q4', scales: '.scales', zeros: '.zeros' } as const

/** Whether the decoder's products are quantised. */
export function isQuantised(weights: Pick<Weights, 'names'>): boolean {
  return weights.names.some((name) => name.endsWith(quantisedParts[8]) || name.endsWith(quantisedParts[4]))
}

/**
 * The weight of this name [outputs, inputs]; undefined when it is not quantised. Where the file also holds it as float32, as
 * of a table that is both looked up and multiplied by, its rows are those.
 */
export function quantisedWeight(
  g: GraphBuilder,
  weights: Weights,
  name: string,
  shape: readonly number[],
  use: ProductUse,
): LinearWeight | undefined {
  const bits = ([8, 4] as const).find((each) => weights.has(name + quantisedParts[each]))
  if (bits === undefined) return undefined
  const [outputs, inputs] = shape as [number, number]
  const scalesStored = weights.get(name + quantisedParts.scales)
  const blocks = scalesStored.shape[1] as number
  const part = (suffix: string, dtype: 'uint8' | 'uint4' | 'float32', of: readonly number[]) =>
    g.external(name + suffix, dtype, of, weights.get(name + suffix).slice)
  const ops = tensorOps(g)
  const whole = bits === 8 ? 'uint8' : 'uint4'
  const made = new Map<string, Value>()
  const once = (key: string, make: () => Value): Value => {
    const value = made.get(key) ?? make()
    made.set(key, value)
    return value
  }
  const block = inputs / blocks
  const dequantised = (after: Value) => {
    const rows = outputs * blocks
    const q = once('q', () => part(quantisedParts[bits], whole, [rows, block]))
    const scales = once('scales', () => part(quantisedParts.scales, 'float32', [rows]))
    const zeros = once('zeros', () => part(quantisedParts.zeros, whole, [rows]))
    return ops.dequantize(q, scales, zeros, shape, after)
  }
  const decoded = (x: Value) => {
    const scales = once('scales', () => part(quantisedParts.scales, 'float32', [outputs, blocks]))
    const q = once('q', () => part(quantisedParts[bits], 'uint8', [outputs, blocks, (block * bits) / 8]))
    // Left out, zero points are 2^(bits - 1): those of 8 bits.
    const zeros = bits === 8 ? [] : [once('zeros', () => part(quantisedParts.zeros, 'uint8', [outputs, blocks / 2]))]
    const attributes = { K: inputs, N: outputs, bits, block_size: block, accuracy_level: use === 'decoding' ? 4 : 1 }
    return g.emit('MatMulNBits', [x, q, scales, ...zeros], attributes)
  }
  return {
    dense: () => once('dense', () => part('', 'float32', shape)),
    product: (x, bias) => {
      if (use === 'exact') return floatWeight(g, dequantised(x)).product(x, bias, false)
      return bias ? ops.add(decoded(x), bias) : decoded(x)
    },
  }
}
