// What the bench measures: shapes shared with PyTorch's side (tools/parity/bench_scales.json), and the counts of
// arithmetic and bytes that its fractions are of. Read by measure.ts and towers.ts.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { DecoderConfig } from '../../src/main/engine/models/shared/decoderConfig.ts'
import type { VisionConfig } from '../../src/main/engine/models/shared/towerConfig.ts'
import type { BaseChoice } from '../../src/shared/baseFormat.ts'

const count = z.int().positive()

const scaleSchema = z.object({
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count,
  intermediate_size: count,
  /** Those of all scales when left out. */
  vocab_size: count.optional(),
  tie_word_embeddings: z.boolean().optional(),
})
export type Scale = z.infer<typeof scaleSchema>

const towerSchema = z.object({
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  image_size: count,
  patch_size: count,
})
export type Tower = z.infer<typeof towerSchema>

/** The image towers of openai/clip-vit-base-patch32 and openai/clip-vit-large-patch14-336. */
const clipTowers: Record<string, Tower> = {
  'CLIP-B/32-224': {
    ...{ hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12, num_attention_heads: 12 },
    ...{ image_size: 224, patch_size: 32 },
  },
  'CLIP-L/14-336': {
    ...{ hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16 },
    ...{ image_size: 336, patch_size: 14 },
  },
}

const settingsSchema = z.object({
  vocab_size: count,
  rms_norm_eps: z.number(),
  rope_theta: z.number(),
  tie_word_embeddings: z.boolean(),
  scales: z.record(z.string(), scaleSchema),
  prefill: z.object({ batch: z.literal(1), tokens: count }),
  decode: z.object({ batches: z.array(count), context: count, new_tokens: count }),
  train: z.object({ batch: count, tokens: count, rank: count, alpha: count, loss_tokens: count }),
  /** Edges of the square products that the GEMM peak is the best of. */
  gemm_edges: z.array(count).default([1024, 2048]),
  /** The float32 matrix whose product with a vector measures the memory. */
  streamed_matrix: z.object({ rows: count, columns: count }).default({ rows: 16_384, columns: 8192 }),
  towers: z.record(z.string(), towerSchema).default(clipTowers),
  tower_batches: z.array(count).default([1, 8]),
})
export type Settings = z.infer<typeof settingsSchema>

export const sharedSettingsFile = fileURLToPath(new URL('../parity/bench_scales.json', import.meta.url))

export function readSettings(path: string): Settings {
  return settingsSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
}

/** Parameters of the layers and the final norm; embedding and head come on top. */
export function bodyParameters(config: DecoderConfig): number {
  return config.layers * (layerMatrices(config) + 2 * config.hiddenSize) + config.hiddenSize
}

/** With the scales and zero points of their blocks. */
const bytesPerWeight: Readonly<Record<BaseChoice, number>> = {
  ...{ auto: 4, stored: 4, float32: 4, int8: 1 + 4 / 128, int4: 1 / 2 + 4.5 / 32 },
}

/** Bytes of weights that one decoding step reads: layers and head. */
export function streamedBytes(config: DecoderConfig, format: BaseChoice = 'stored'): number {
  return bytesPerWeight[format] * (bodyParameters(config) + config.hiddenSize * config.vocabSize)
}

/** FLOP of a prompt of `tokens` tokens: every weight once a token, two attention products, the head on one row. */
export function prefillFlops(config: DecoderConfig, tokens: number): number {
  const { layers, heads, headDim, hiddenSize, vocabSize } = config
  const attention = layers * 4 * tokens ** 2 * heads * headDim
  return 2 * layers * layerMatrices(config) * tokens + attention + 2 * hiddenSize * vocabSize
}

/**
 * FLOP of one training step, as bench_torch.py counts them: forward and the inputs' gradients of the frozen weights
 * (4 FLOP a weight and token), three passes over the attention products, the head on the loss tokens only. The LoRA
 * factors are left out.
 */
export function trainFlops(config: DecoderConfig, { batch, tokens, loss_tokens }: Settings['train']): number {
  const { layers, heads, headDim, hiddenSize, vocabSize } = config
  const attention = 3 * layers * batch * 4 * tokens ** 2 * heads * headDim
  return (
    4 * layers * layerMatrices(config) * batch * tokens + attention + 4 * hiddenSize * vocabSize * batch * loss_tokens
  )
}

/** FLOP of one image through the patch embedding and `layers` layers of a CLIP tower. */
export function towerFlops(
  { hiddenSize, intermediateSize, imageSize, patchSize }: VisionConfig,
  layers: number,
): number {
  const patches = Math.floor(imageSize / patchSize) ** 2
  const tokens = patches + 1
  const layer = 2 * (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize) * tokens + 4 * tokens ** 2 * hiddenSize
  return layers * layer + 2 * 3 * patchSize ** 2 * hiddenSize * patches
}

function layerMatrices({ hiddenSize, intermediateSize, heads, kvHeads, headDim }: DecoderConfig): number {
  return 2 * hiddenSize * (heads + kvHeads) * headDim + 3 * hiddenSize * intermediateSize
}
