// Rotary position embedding: which of transformers' variants a config asks for, and the tables of cosines and sines
// that the decoder's graphs take as inputs (Su et al. 2021; the scalings as in modeling_rope_utils.py of transformers).
import { z } from 'zod'
import { StudioError } from '../../../../shared/errors.ts'
import { badConfig, unknownField } from '../../folder/configFields.ts'

export type RopeConfig =
  | { readonly type: 'default'; readonly theta: number }
  | { readonly type: 'linear'; readonly theta: number; readonly factor: number }
  /** Up to `originalLength` positions as `default`, and no more are computed: {@link requireTrainedLength}. */
  | { readonly type: 'dynamic'; readonly theta: number; readonly originalLength: number }
  | {
      readonly type: 'llama3'
      readonly theta: number
      readonly factor: number
      readonly lowFrequencyFactor: number
      readonly highFrequencyFactor: number
      readonly originalLength: number
    }
  /** As `dynamic`, each speed divided by a factor of its own, cosines and sines multiplied by `magnitude`. */
  | {
      readonly type: 'longrope'
      readonly theta: number
      readonly factors: readonly number[]
      readonly magnitude: number
      readonly originalLength: number
    }

export interface RopeTables {
  /** [length, rotaryDim / 2] */
  readonly cos: Float32Array
  /** [length, rotaryDim / 2] */
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
  /** Of LongRoPE; the long ones count beyond the trained length. */
  short_factor: z.array(positive).max(4096).optional(),
  long_factor: z.array(positive).max(4096).optional(),
  attention_factor: positive.optional(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
})
const ofLongRope = ['short_factor', 'long_factor', 'attention_factor'] as const

interface RawRope {
  readonly rope_theta?: number | undefined
  readonly rope_scaling?: Record<string, unknown> | null | undefined
  readonly rope_parameters?: Record<string, unknown> | null | undefined
  readonly max_position_embeddings: number
}

/** What Phi3 says of its rotation outside of `rope_parameters`. */
interface PhiFields {
  readonly partial_rotary_factor: number
  readonly original_max_position_embeddings: number
}

/**
 * Reads `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (before).
 * @param phi of a Phi3, which may rotate a part of each head, and calls LongRoPE also `su` and `yarn`
 * @throws StudioError `model.bad-config`, `model.unknown-config-field` for a scaling that is not computed here
 */
export function readRope(path: string, raw: RawRope, phi: PhiFields | null = null): RopeConfig {
  const parsed = parametersShape.safeParse(raw.rope_parameters ?? raw.rope_scaling ?? {})
  if (!parsed.success) {
    throw unknownField(path, 'text_config.rope_parameters', raw.rope_parameters ?? raw.rope_scaling)
  }
  const { rope_theta, factor, low_freq_factor, high_freq_factor, partial_rotary_factor: partial = 1 } = parsed.data
  const { original_max_position_embeddings } = parsed.data
  const named = parsed.data.rope_type ?? parsed.data.type ?? 'default'
  const type = phi && (named === 'su' || named === 'yarn') ? 'longrope' : named
  if (!phi && partial !== 1) throw unknownField(path, 'text_config.rope_parameters.partial_rotary_factor', partial, '1')
  const foreign = type === 'longrope' ? undefined : ofLongRope.find((field) => parsed.data[field] !== undefined)
  if (foreign) throw unknownField(path, `text_config.rope_parameters.${foreign}`, parsed.data[foreign], 'nothing')
  const theta = rope_theta ?? raw.rope_theta ?? 10_000
  const needed = <Number>(name: string, value: Number | undefined): Number => {
    if (value !== undefined) return value
    throw badConfig(path, `The RoPE type ${type} needs ${name}.`)
  }
  if (type === 'default') return { type, theta }
  if (type === 'longrope') {
    needed('long_factor', parsed.data.long_factor)
    const factors = needed('short_factor', parsed.data.short_factor)
    const trained = original_max_position_embeddings ?? raw.max_position_embeddings
    const originalLength = phi?.original_max_position_embeddings ?? trained
    const stretched = factor ?? raw.max_position_embeddings / originalLength
    const suggested = stretched <= 1 ? 1 : Math.sqrt(1 + Math.log(stretched) / Math.log(originalLength))
    return { type, theta, factors, magnitude: parsed.data.attention_factor ?? suggested, originalLength }
  }
  if (phi) throw unknownField(path, 'text_config.rope_parameters.rope_type', type, 'default or longrope')
  if (type === 'linear') return { type, theta, factor: needed('factor', factor) }
  if (type === 'dynamic') {
    needed('factor', factor)
    return { type, theta, originalLength: raw.max_position_embeddings }
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
  throw unknownField(
    path,
    'text_config.rope_parameters.rope_type',
    type,
    'default, linear, dynamic, llama3 or longrope',
  )
}

/** How much of each head of a Phi3 is rotated, 0 to 1. */
export function rotaryFactor(raw: RawRope, phi: PhiFields): number {
  const stated = (raw.rope_parameters ?? raw.rope_scaling)?.['partial_rotary_factor']
  return typeof stated === 'number' ? stated : phi.partial_rotary_factor
}

/** Whether a RoPE is computed up to its trained length only. */
export function endsAtTrainedLength(rope: RopeConfig): rope is Extract<RopeConfig, { type: 'dynamic' | 'longrope' }> {
  return rope.type === 'dynamic' || rope.type === 'longrope'
}

/**
 * Beyond the trained length `dynamic` and `longrope` slow all rotations down by the longest row of the batch, in
 * transformers anew as it grows: a response would have other log-probabilities alone, in a batch, while it grows and when
 * it is whole.
 * @param length positions in use
 * @throws StudioError `model.beyond-trained-length`
 */
export function requireTrainedLength(rope: RopeConfig, length: number): void {
  if (!endsAtTrainedLength(rope) || length <= rope.originalLength) return
  throw new StudioError({
    code: 'model.beyond-trained-length',
    message: `This model stretches its positions (RoPE of the type ${rope.type}) beyond ${rope.originalLength} tokens, which FiSAO Studio does not compute.`,
    remedy: 'Ask a shorter question or let responses be shorter, or choose a model that was trained on longer texts.',
    expected: `at most ${rope.originalLength} tokens of prompt and response together`,
    found: `${length}`,
  })
}

/** The rotation speeds, [rotaryDim / 2], in float32 as transformers computes them. */
export function ropeFrequencies(rope: RopeConfig, rotaryDim: number): Float32Array {
  const { fround } = Math
  const stretch = (i: number): number => (rope.type === 'longrope' ? fround(rope.factors[i] as number) : 1)
  const frequencies = Float32Array.from(
    { length: rotaryDim / 2 },
    (_, i) => 1 / fround(stretch(i) * fround(rope.theta ** fround((2 * i) / rotaryDim))),
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

/** Cosines and sines for the positions below `length`. @throws StudioError `model.beyond-trained-length` */
export function ropeTables(rope: RopeConfig, rotaryDim: number, length: number): RopeTables {
  requireTrainedLength(rope, length)
  const frequencies = ropeFrequencies(rope, rotaryDim)
  const magnitude = rope.type === 'longrope' ? rope.magnitude : 1
  const half = frequencies.length
  const cos = new Float32Array(length * half)
  const sin = new Float32Array(length * half)
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < half; i++) {
      // The product is rounded to float32 first, as in transformers: at far positions that moves the angle.
      const angle = Math.fround(position * (frequencies[i] as number))
      cos[position * half + i] = magnitude * Math.cos(angle)
      sin[position * half + i] = magnitude * Math.sin(angle)
    }
  }
  return { cos, sin }
}
