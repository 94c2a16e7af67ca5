// A LLaVA folder of random weights, of any size: for measurements of memory and time. Has no tokenizer and says nothing.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { streamSafetensors, type TensorToStream } from '../../folder/safetensors.ts'
import { bfloat16Bits } from '../../graph/typedValues.ts'
import { Rng } from '../../rng.ts'
import { describeVlm } from '../registry.ts'
import { openVlm } from '../vlm.ts'
import { responseGraph, type VlmSource } from '../vlmGraphs.ts'

export interface RandomModel {
  readonly text: Readonly<Record<string, unknown>>
  readonly vision: Readonly<Record<string, unknown>>
}

/** LLaVA-1.5-7B's. */
export const sevenBillionShapes: RandomModel = {
  text: {
    ...{ vocab_size: 32_064, hidden_size: 4096, intermediate_size: 11_008, num_hidden_layers: 32 },
    ...{ num_attention_heads: 32, num_key_value_heads: 32, max_position_embeddings: 4096 },
  },
  vision: {
    ...{ hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16 },
    ...{ image_size: 336, patch_size: 14, projection_dim: 768, vocab_size: 32_000 },
  },
}

/** @returns shapes of all parameters that its graphs read, by name; the folder then holds its config */
export async function describeRandomModel(folder: string, { text, vision }: RandomModel) {
  const config = {
    ...{ architectures: ['LlavaForConditionalGeneration'], model_type: 'llava' },
    image_token_index: (text['vocab_size'] as number) - 64,
    text_config: { model_type: 'llama', rms_norm_eps: 1e-5, rope_theta: 10_000, tie_word_embeddings: false, ...text },
    vision_config: { model_type: 'clip_vision_model', ...vision },
    ...{ vision_feature_layer: -2, vision_feature_select_strategy: 'default', tie_word_embeddings: false },
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const source = { ...(await describeVlm(folder)), weights: { folder, names: [], has: () => false } }
  return responseGraph(source as unknown as VlmSource, { trainBase: true, images: 'pixels' }).parameters
}

/** Writes the folder in bfloat16, a piece at a time: norms of ones, else normal numbers as a model begins with. */
export async function writeRandomModel(folder: string, model: RandomModel): Promise<VlmSource> {
  const rng = new Rng({ seed: 5 })
  const uniform = () => rng.uniform() + rng.uniform() + rng.uniform() - 1.5
  const random = Uint16Array.from({ length: 2 ** 20 }, () => bfloat16Bits(0.04 * uniform()))
  const ones = new Uint16Array(2 ** 14).fill(bfloat16Bits(1))
  const tensors = [...(await describeRandomModel(folder, model))].map(([name, shape], i): TensorToStream => {
    const from = /norm\d?\.weight$/.test(name) ? ones : random
    function* pieces(): Generator<Uint8Array> {
      let left = shape.reduce((product, dim) => product * dim, 1)
      // Each begins elsewhere: of equal weights ONNX Runtime packs only one.
      for (let start = (1009 * i) % from.length; left > 0; start = 0) {
        const count = Math.min(left, from.length - start)
        yield new Uint8Array(from.buffer, 2 * start, 2 * count)
        left -= count
      }
    }
    return { name, dtype: 'BF16', shape, pieces }
  })
  await streamSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' })
  return await openVlm(folder)
}
