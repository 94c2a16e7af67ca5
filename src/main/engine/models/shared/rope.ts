// Rotary position embedding: which of transformers' variants a config asks for, and the tables of cosines and sines
// that the decoder's graphs take as inputs (Su et al. 2021; the scalings as in modeling_rope_utils.py of transformers).
import { z } from 'zod'
import { badConfig, unknownField } from '../../folder/configFields.ts'

export type RopeConfig =
  | { readonly type: 'default'; readonly theta: number }
  | { readonly type: 'linear'; readonly theta: number; readonly factor: number }
  | { readonly type: 'dynamic'; readonly theta: number; readonly factor: number; readonly originalLength: number }
  | {
      readonly type: 'llama3'
      readonly theta: number
      readonly factor: number
      readonly lowFrequencyFactor: number
      readonly highFrequencyFactor: number
      readonly originalLength: number
    }

export interface RopeTables {
  /** [length, headDim / 2] */
  readonly cos: Float32Array
  /** [length, headDim / 2] */
  readonly sin: Float32Array
}

const positive = z.number().positive().max(1e12)
const parametersShape = z.strictObject({
  rope_type: z.string().optional(),
  /** The oldest spelling of rope_type. */
  type: z.string().optional(),
  rope_theta: positive.optional(),
  factor: positive.optional(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: z.int().positive().optional(),
  /** Every number of a head is rotated. */
  partial_rotary_factor: z.literal(1).optional(),
})

interface RawRope {
  readonly rope_theta?: number | undefined
  readonly rope_scaling?: Record<string, unknown> | null | undefined
  readonly rope_parameters?: Record<string, unknown> | null | undefined
  readonly max_position_embeddings: number
}

/**
 * Reads `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (before).
 * @throws StudioError `model.bad-config`, `model.unknown-config-field` for a scaling that is not computed here
 */
export function readRope(path: string, raw: RawRope): RopeConfig {
  const parsed = parametersShape.safeParse(raw.rope_parameters ?? raw.rope_scaling ?? {})
  if (!parsed.success) {
    throw unknownField(path, 'text_config.rope_parameters', raw.rope_parameters ?? raw.rope_scaling)
  }
  const { rope_theta, factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = parsed.data
  const type = parsed.data.rope_type ?? parsed.data.type ?? 'default'
  const theta = rope_theta ?? raw.rope_theta ?? 10_000
  const needed = <Number>(name: string, value: Number | undefined): Number => {
    if (value !== undefined) return value
    throw badConfig(path, `The RoPE type ${type} needs ${name}.`)
  }
  if (type === 'default') return { type, theta }
  if (type === 'linear') return { type, theta, factor: needed('factor', factor) }
  if (type === 'dynamic') {
    return { type, theta, factor: needed('factor', factor), originalLength: raw.max_position_embeddings }
  }
  if (type === 'llama3') {
    const lowFrequencyFactor = needed('low_freq_factor', low_freq_factor)
    const highFrequencyFactor = needed('high_freq_factor', high_freq_factor)
    if (lowFrequencyFactor >= highFrequencyFactor)
      throw badConfig(path, 'low_freq_factor is not below high_freq_factor.')
    return {
      type,
      theta,
      factor: needed('factor', factor),
      lowFrequencyFactor,
      highFrequencyFactor,
      originalLength: needed('original_max_position_embeddings', original_max_position_embeddings),
    }
  }
  throw unknownField(path, 'text_config.rope_parameters.rope_type', type, 'default, linear, dynamic or llama3')
}

/**
 * The rotation speeds, [headDim / 2], in float32 as transformers computes them.
 * @param length positions in use: `dynamic` slows down when there are more than in training
 */
export function ropeFrequencies(rope: RopeConfig, headDim: number, length: number): Float32Array {
  const { fround } = Math
  const theta = rope.type === 'dynamic' ? dynamicTheta(rope, headDim, length) : rope.theta
  const frequencies = Float32Array.from(
    { length: headDim / 2 },
    (_, i) => 1 / fround(theta ** fround((2 * i) / headDim)),
  )
  if (rope.type === 'linear') return frequencies.map((frequency) => frequency / rope.factor)
  if (rope.type !== 'llama3') return frequencies
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalLength } = rope
  return frequencies.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency
    if (wavelength < originalLength / high) return frequency
    if (wavelength > originalLength / low) return frequency / factor
    const smooth = (originalLength / wavelength - low) / (high - low)
    return ((1 - smooth) * frequency) / factor + smooth * frequency
  })
}

/** Cosines and sines for the positions below `length`. */
export function ropeTables(rope: RopeConfig, headDim: number, length: number): RopeTables {
  const frequencies = ropeFrequencies(rope, headDim, length)
  const half = frequencies.length
  const cos = new Float32Array(length * half)
  const sin = new Float32Array(length * half)
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < half; i++) {
      // The product is rounded to float32 first, as in transformers: at far positions that moves the angle.
      const angle = Math.fround(position * (frequencies[i] as number))
      cos[position * half + i] = Math.cos(angle)
      sin[position * half + i] = Math.sin(angle)
    }
  }
  return { cos, sin }
}

/** NTK-aware base for sequences that are longer than in training. */
function dynamicTheta(rope: Extract<RopeConfig, { type: 'dynamic' }>, headDim: number, length: number): number {
  if (length <= rope.originalLength) return rope.theta
  const stretched = (rope.factor * length) / rope.originalLength - (rope.factor - 1)
  return rope.theta * stretched ** (headDim / (headDim - 2))
}
