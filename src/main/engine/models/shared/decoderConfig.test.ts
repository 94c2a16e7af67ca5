// Sections of language models as the hub has them give the sizes and variants that they mean, with the defaults of
// transformers; what is not computed is refused by the name of its field.
import { describe, expect, test } from 'vitest'
import { readDecoderConfig } from './decoderConfig.ts'

const read = (raw: Record<string, unknown>) => readDecoderConfig('config.json', raw, false)
const factors = (count: number) => ({ short_factor: new Array(count).fill(1.1), long_factor: new Array(count).fill(4) })

describe('Qwen3', () => {
  // Qwen/Qwen3-0.6B
  const small = {
    ...{ model_type: 'qwen3', hidden_size: 1024, intermediate_size: 3072, num_hidden_layers: 4, vocab_size: 151_936 },
    ...{ num_attention_heads: 16, num_key_value_heads: 8, head_dim: 128, max_position_embeddings: 40_960 },
    ...{ attention_bias: false, max_window_layers: 28, rope_scaling: null, rope_theta: 1_000_000 },
    ...{ sliding_window: null, tie_word_embeddings: true, use_sliding_window: false, hidden_act: 'silu' },
  }

  test('has heads wider than hidden / heads, their norms, and no biases', () => {
    expect(read(small)).toMatchObject({
      ...{ kind: 'qwen3', headDim: 128, rotaryDim: 128, headNorms: true, normOffset: 0, fused: false, tied: true },
      ...{ biases: { qkv: false, o: false, mlp: false }, windows: [null, null, null, null], scoreCap: null },
      scoreScale: 1 / Math.sqrt(128),
    })
  })

  test('left to its defaults: heads of 128, biases none, keys for each head', () => {
    const plain = read({ model_type: 'qwen3' })
    expect(plain).toMatchObject({ headDim: 128, heads: 32, kvHeads: 32, hiddenSize: 4096, tied: false })
    expect(read({ model_type: 'qwen3', attention_bias: true }).biases).toEqual({ qkv: true, o: true, mlp: false })
  })

  test('windows by number or by name', () => {
    const windows = { use_sliding_window: true, sliding_window: 512 }
    expect(read({ ...small, ...windows, max_window_layers: 3 }).windows).toEqual([null, null, null, 512])
    const layer_types = ['sliding_attention', 'full_attention', 'full_attention', 'sliding_attention']
    expect(read({ ...small, ...windows, layer_types }).windows).toEqual([512, null, null, 512])
  })
})

describe('Phi3', () => {
  const mini = { model_type: 'phi3', attention_bias: false, resid_pdrop: 0.0, embd_pdrop: 0.0 }

  test('Phi-3-mini-4k: a window in every layer, all of a head rotated', () => {
    const config = read({ ...mini, sliding_window: 2047, rope_scaling: null, original_max_position_embeddings: 4096 })
    expect(config).toMatchObject({
      fused: true,
      headDim: 96,
      rotaryDim: 96,
      kvHeads: 32,
      epsilon: 1e-5,
      headNorms: false,
    })
    expect(new Set(config.windows)).toEqual(new Set([2047]))
    expect(config.rope).toEqual({ type: 'default', theta: 10_000 })
  })

  // √(1 + ln(131072 / 4096) / ln 4096) = √(1 + 5 / 12)
  test('Phi-3.5-mini and Phi-4-mini: LongRoPE up to 4,096 tokens, of all and of three quarters of a head', () => {
    const long = { max_position_embeddings: 131_072, original_max_position_embeddings: 4096, sliding_window: 262_144 }
    const whole = read({ ...mini, ...long, rope_scaling: { type: 'longrope', ...factors(48) } })
    expect(whole).toMatchObject({ rotaryDim: 96, maxPositions: 4096, rope: { type: 'longrope', originalLength: 4096 } })
    expect(whole.rope.type === 'longrope' && whole.rope.magnitude).toBeCloseTo(Math.sqrt(17 / 12), 12)
    const part = read({
      ...{ ...mini, ...long, num_attention_heads: 24, num_key_value_heads: 8, partial_rotary_factor: 0.75 },
      ...{ full_attn_mod: 1, interpolate_factor: 1, lm_head_bias: false, mlp_bias: false, tie_word_embeddings: true },
      rope_scaling: { type: 'longrope', ...factors(48) },
    })
    expect(part).toMatchObject({ headDim: 128, rotaryDim: 96, tied: true })
    const now = { rope_type: 'longrope', rope_theta: 10_000, partial_rotary_factor: 0.75, ...factors(48) }
    expect(read({ ...mini, ...long, num_attention_heads: 24, rope_parameters: now }).rotaryDim).toBe(96)
  })
})

describe('Gemma 2', () => {
  test('left to its defaults it is the 2B: √2304 = 48, windows in every other layer from the first on', () => {
    const config = read({ model_type: 'gemma2' })
    expect(config).toMatchObject({
      ...{ hiddenSize: 2304, layers: 26, heads: 8, kvHeads: 4, headDim: 256, vocabSize: 256_000, tied: true },
      ...{ embeddingScale: 48, normOffset: 1, outputNorms: true, scoreCap: 50, scoreScale: 1 / 16 },
      ...{ activation: 'geluTanh', fused: false, headNorms: false },
    })
    expect(config.windows.slice(0, 4)).toEqual([4096, null, 4096, null])
  })

  test('the 27B as its file says it', () => {
    const config = read({
      ...{ model_type: 'gemma2', hidden_size: 4608, intermediate_size: 36_864, num_hidden_layers: 2 },
      ...{ num_attention_heads: 32, num_key_value_heads: 16, head_dim: 128, query_pre_attn_scalar: 144 },
      ...{ hidden_act: 'gelu_pytorch_tanh', hidden_activation: 'gelu_pytorch_tanh', cache_implementation: 'hybrid' },
      ...{
        attn_logit_softcapping: 50.0,
        final_logit_softcapping: 30.0,
        sliding_window: 4096,
        sliding_window_size: 4096,
      },
    })
    expect(config).toMatchObject({ headDim: 128, scoreScale: 1 / 12, windows: [4096, null] })
  })

  test('without a cap, and with layers named', () => {
    const layer_types = ['full_attention', 'sliding_attention']
    const raw = { model_type: 'gemma2', num_hidden_layers: 2, attn_logit_softcapping: null, layer_types }
    expect(read(raw)).toMatchObject({ scoreCap: null, windows: [null, 4096] })
  })
})

test.each([
  ['qwen3', { layer_types: new Array(32).fill('chunked_attention') }, 'layer_types', '"chunked_attention"'],
  ['qwen3', { qk_norm: true }, 'qk_norm', 'true'],
  ['qwen3', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor', '0.5'],
  ['phi3', { attention_bias: true }, 'attention_bias', 'true'],
  ['phi3', { lm_head_bias: true }, 'lm_head_bias', 'true'],
  ['phi3', { interpolate_factor: 2 }, 'interpolate_factor', '2'],
  ['phi3', { rope_scaling: { type: 'linear', factor: 2 } }, 'rope_parameters.rope_type', '"linear"'],
  ['gemma2', { use_bidirectional_attention: true }, 'use_bidirectional_attention', 'true'],
  ['gemma2', { hidden_activation: 'xielu' }, 'hidden_activation', '"xielu"'],
  ['gemma2', { rope_parameters: { rope_type: 'proportional' } }, 'rope_parameters.rope_type', '"proportional"'],
  ['gemma3_text', {}, 'model_type', '"gemma3_text"'],
])('%s with %j is refused by name', (model_type, fields, field, value) => {
  expect(() => read({ model_type, ...fields })).toThrow(
    expect.objectContaining({
      code: 'model.unknown-config-field',
      message: `This model uses "text_config.${field}" = ${value}, which FiSAO Studio does not compute.`,
    }),
  )
})

test.each([
  ['phi3', { partial_rotary_factor: 0.01 }, /cannot be rotated/],
  ['phi3', { rope_scaling: { type: 'longrope', ...factors(7) } }, /short_factor has 7 numbers, and 48 are rotated/],
  ['phi3', { rope_scaling: { type: 'yarn', factor: 4 } }, /longrope needs long_factor/],
  ['gemma2', { attn_logit_softcapping: 0 }, /attn_logit_softcapping/],
  ['gemma2', { layer_types: ['full_attention'] }, /does not name every layer/],
])('%s with %j is a bad config', (model_type, fields, says) => {
  const wrong = { code: 'model.bad-config', message: expect.stringMatching(says) }
  expect(() => read({ model_type, ...fields })).toThrow(expect.objectContaining(wrong))
})
