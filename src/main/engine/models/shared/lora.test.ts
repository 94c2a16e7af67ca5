// The layers that an adapter changes are those that peft finds by their names, each kind's own.
import { expect, test } from 'vitest'
import { readDecoderConfig } from './decoderConfig.ts'
import { loraSlots } from './lora.ts'

const sizes = { hidden_size: 24, intermediate_size: 40, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 64 }
const slots = (raw: Record<string, unknown>) =>
  loraSlots(readDecoderConfig('config.json', { ...sizes, num_key_value_heads: 2, ...raw }, false)).map(
    ({ path, inFeatures, outFeatures }) => [path, inFeatures, outFeatures],
  )

test('a Phi3 has four in each layer: (4 + 2 * 2) heads of 6 numbers, and gate and up together', () => {
  const layer = (i: number) => [
    [`layers.${i}.self_attn.qkv_proj`, 24, 48],
    [`layers.${i}.self_attn.o_proj`, 24, 24],
    [`layers.${i}.mlp.gate_up_proj`, 24, 80],
    [`layers.${i}.mlp.down_proj`, 40, 24],
  ]
  expect(slots({ model_type: 'phi3' })).toEqual([...layer(0), ...layer(1)])
})

test('others have seven, in the order in which a new adapter draws its numbers', () => {
  for (const model_type of ['llama', 'qwen3', 'gemma2']) {
    expect(slots({ model_type, head_dim: 10 }).slice(0, 7)).toEqual([
      ['layers.0.self_attn.q_proj', 24, 40],
      ['layers.0.self_attn.k_proj', 24, 20],
      ['layers.0.self_attn.v_proj', 24, 20],
      ['layers.0.self_attn.o_proj', 40, 24],
      ['layers.0.mlp.gate_proj', 24, 40],
      ['layers.0.mlp.up_proj', 24, 40],
      ['layers.0.mlp.down_proj', 40, 24],
    ])
  }
})
