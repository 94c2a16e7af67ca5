// What a GGUF file of the LLaMA architecture says, in Hugging Face's words: config.json, names of tensors, and the order
// of rows in queries and keys. Before it stands gguf.ts, after it convert.ts.
import { type Gguf, ggufError } from './gguf.ts'

/** Metadata by name. @throws StudioError `weights.bad-header` when a field is missing or of another type */
export class Metadata {
  readonly #file: Gguf
  readonly #where: string

  constructor(file: Gguf, where: string) {
    this.#file = file
    this.#where = where
  }

  number(name: string): number {
    const value = this.#file.metadata.get(name)
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
    throw this.#missing(name, 'a number')
  }

  string(name: string): string {
    const value = this.#file.metadata.get(name)
    if (typeof value === 'string') return value
    throw this.#missing(name, 'a text')
  }

  strings(name: string): readonly string[] {
    const value = this.#file.metadata.get(name)
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
    throw this.#missing(name, 'a list of texts')
  }

  numbers(name: string): readonly number[] {
    const value = this.#file.metadata.get(name)
    if (Array.isArray(value) && value.every((one) => typeof one === 'number')) return value
    throw this.#missing(name, 'a list of numbers')
  }

  /** @throws StudioError `weights.unsupported-model` when a text is another one */
  require(name: string, expected: string): void {
    const found = this.string(name)
    if (found === expected) return
    throw ggufError('unsupported-model', this.#where, `Its ${name} is not supported.`, expected, found)
  }

  #missing(name: string, expected: string) {
    return ggufError('bad-header', this.#where, `Its metadata has no ${name}.`, expected)
  }
}

/** config.json of a `LlamaForCausalLM` whose weights are written as float32. */
export function llamaConfig(file: Gguf, metadata: Metadata): Record<string, unknown> {
  metadata.require('general.architecture', 'llama')
  const of = (field: string) => metadata.number(`llama.${field}`)
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    torch_dtype: 'float32',
    hidden_size: of('embedding_length'),
    intermediate_size: of('feed_forward_length'),
    num_hidden_layers: of('block_count'),
    num_attention_heads: of('attention.head_count'),
    num_key_value_heads: of('attention.head_count_kv'),
    head_dim: of('rope.dimension_count'),
    hidden_act: 'silu',
    // Stored as the float32 that is nearest to a short number.
    rms_norm_eps: Number(of('attention.layer_norm_rms_epsilon').toPrecision(7)),
    rope_theta: of('rope.freq_base'),
    max_position_embeddings: of('context_length'),
    vocab_size: of('vocab_size'),
    tie_word_embeddings: !file.tensors.some(({ name }) => name === 'output.weight'),
    bos_token_id: metadata.number('tokenizer.ggml.bos_token_id'),
    eos_token_id: metadata.number('tokenizer.ggml.eos_token_id'),
    pad_token_id: metadata.number('tokenizer.ggml.padding_token_id'),
  }
}

const ofModel: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
}
const ofLayer: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

/** Hugging Face's name of a GGUF tensor; null for one that LLaMA does not have. */
export function llamaTensorName(name: string): string | null {
  const [, layer, part] = /^(?:blk\.(\d+)\.)?(\w+)\.weight$/.exec(name) ?? []
  if (part === undefined) return null
  const module = layer === undefined ? ofModel[part] : ofLayer[part]
  if (module === undefined) return null
  return layer === undefined ? `${module}.weight` : `model.layers.${layer}.${module}.weight`
}

/**
 * Rows of a query or key projection as Hugging Face has them. GGUF keeps the two numbers that RoPE turns together in
 * neighbouring rows of a head, Hugging Face half a head apart: row `half · headDim / 2 + i` is GGUF's row `2 i + half`
 * (`LlamaModel.permute` of llama.cpp's convert_hf_to_gguf.py, undone).
 * @param rows [heads · headDim, inputs]
 */
export function unpermuted(rows: Float32Array, heads: number, headDim: number): Float32Array {
  const inputs = rows.length / (heads * headDim)
  const result = new Float32Array(rows.length)
  for (let head = 0; head < heads; head++) {
    for (let half = 0; half < 2; half++) {
      for (let i = 0; i < headDim / 2; i++) {
        const from = head * headDim + 2 * i + half
        const to = head * headDim + (half * headDim) / 2 + i
        result.set(rows.subarray(from * inputs, (from + 1) * inputs), to * inputs)
      }
    }
  }
  return result
}
