// Checkpoints of random weights in the layout of Hugging Face, written tensor by tensor, so that the bench opens what
// the app opens. Before it stands settings.ts, after it openVlm.
import { mkdirSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type StoredTensor, streamSafetensors, type TensorToStream } from '../../src/main/engine/folder/safetensors.ts'
import { Weights } from '../../src/main/engine/folder/weights.ts'
import type { LlavaConfig } from '../../src/main/engine/models/llava/config.ts'
import { type DescribedVlm, describeVlm } from '../../src/main/engine/models/registry.ts'
import { patchCount } from '../../src/main/engine/models/shared/towerConfig.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import type { VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import type { Scale, Settings, Tower } from './settings.ts'

/** Beside a decoder that is measured: too small to be noticed. */
const tinyTower: Tower = {
  ...{ hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2 },
  ...{ image_size: 32, patch_size: 16 },
}
/** Beside a tower that is measured. */
const tinyDecoder: Scale = {
  ...{ hidden_size: 32, intermediate_size: 64, num_hidden_layers: 1 },
  ...{ num_attention_heads: 2, num_key_value_heads: 2 },
}

export async function writeDecoderCheckpoint(folder: string, settings: Settings, scale: Scale): Promise<VlmSource> {
  return await writeCheckpoint(folder, settings, scale, tinyTower)
}

export async function writeTowerCheckpoint(folder: string, settings: Settings, tower: Tower): Promise<VlmSource> {
  return await writeCheckpoint(folder, { ...settings, vocab_size: 64 }, tinyDecoder, tower)
}

/** A decoder of which nothing but the config is written: its graphs can be planned with, and not be opened. */
export async function plannedDecoder(folder: string, settings: Settings, scale: Scale): Promise<VlmSource> {
  const described = await describe(folder, settings, scale, tinyTower)
  let end = 0
  const tensors = [...tensorShapes(described.config as LlavaConfig)].map(([name, shape]): StoredTensor => {
    const slice = { file: 'planned', offsetBytes: end, sizeBytes: 4 * shape.reduce((a, b) => a * b, 1) }
    end += slice.sizeBytes
    return { name, dtype: 'float32', shape, slice }
  })
  return { ...described, weights: new Weights(folder, new Map([['planned', tensors]])) }
}

async function describe(folder: string, settings: Settings, scale: Scale, tower: Tower): Promise<DescribedVlm> {
  mkdirSync(folder, { recursive: true })
  const { rms_norm_eps, rope_theta } = settings
  const { vocab_size = settings.vocab_size, tie_word_embeddings = settings.tie_word_embeddings } = scale
  const config = {
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    image_token_index: vocab_size - 1,
    tie_word_embeddings,
    vision_config: { model_type: 'clip_vision_model', ...tower },
    text_config: {
      model_type: 'llama',
      ...scale,
      ...{ vocab_size, rms_norm_eps, rope_theta, tie_word_embeddings, max_position_embeddings: 2048 },
    },
  }
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
  return await describeVlm(folder)
}

async function writeCheckpoint(folder: string, settings: Settings, scale: Scale, tower: Tower): Promise<VlmSource> {
  const shapes = tensorShapes((await describe(folder, settings, scale, tower)).config as LlavaConfig)
  await requireSpace(folder, shapes)
  const random = randomBlock()
  const tensors = [...shapes].map(([name, shape], i): TensorToStream => {
    // Each begins elsewhere: of equal weights ONNX Runtime packs only one, which would be read from the caches.
    const pieces = () => (/norm\d?\.weight$/.test(name) ? piecesOf(shape, ones) : piecesOf(shape, random, 1009 * i))
    return { name, dtype: 'F32', shape, pieces }
  })
  await streamSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' })
  return await openVlm(folder)
}

/** All tensors of a LLaVA checkpoint with a CLIP tower and a LLaMA decoder without biases, by name. */
function tensorShapes({ vision, decoder, featureLayers }: LlavaConfig): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>()
  const affine = (path: string, outputs: number, inputs: number) => {
    shapes.set(`${path}.weight`, [outputs, inputs]).set(`${path}.bias`, [outputs])
  }
  const tower = 'vision_tower.vision_model'
  const width = vision.hiddenSize
  const norm = (path: string) => shapes.set(`${path}.weight`, [width]).set(`${path}.bias`, [width])
  shapes.set(`${tower}.embeddings.class_embedding`, [width])
  shapes.set(`${tower}.embeddings.patch_embedding.weight`, [width, vision.channels, vision.patchSize, vision.patchSize])
  shapes.set(`${tower}.embeddings.position_embedding.weight`, [patchCount(vision) + 1, width])
  norm(`${tower}.pre_layrnorm`)
  for (let layer = 0; layer < vision.layers; layer++) {
    const path = `${tower}.encoder.layers.${layer}`
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) affine(`${path}.self_attn.${name}`, width, width)
    affine(`${path}.mlp.fc1`, vision.intermediateSize, width)
    affine(`${path}.mlp.fc2`, width, vision.intermediateSize)
    norm(`${path}.layer_norm1`)
    norm(`${path}.layer_norm2`)
  }
  norm(`${tower}.post_layernorm`)
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabSize } = decoder
  affine('multi_modal_projector.linear_1', hiddenSize, width * featureLayers.length)
  affine('multi_modal_projector.linear_2', hiddenSize, hiddenSize)
  shapes.set('language_model.model.embed_tokens.weight', [vocabSize, hiddenSize])
  for (let layer = 0; layer < decoder.layers; layer++) {
    const path = `language_model.model.layers.${layer}`
    shapes.set(`${path}.self_attn.q_proj.weight`, [heads * headDim, hiddenSize])
    shapes.set(`${path}.self_attn.k_proj.weight`, [kvHeads * headDim, hiddenSize])
    shapes.set(`${path}.self_attn.v_proj.weight`, [kvHeads * headDim, hiddenSize])
    shapes.set(`${path}.self_attn.o_proj.weight`, [hiddenSize, heads * headDim])
    shapes.set(`${path}.mlp.gate_proj.weight`, [intermediateSize, hiddenSize])
    shapes.set(`${path}.mlp.up_proj.weight`, [intermediateSize, hiddenSize])
    shapes.set(`${path}.mlp.down_proj.weight`, [hiddenSize, intermediateSize])
    shapes.set(`${path}.input_layernorm.weight`, [hiddenSize])
    shapes.set(`${path}.post_attention_layernorm.weight`, [hiddenSize])
  }
  shapes.set('language_model.model.norm.weight', [hiddenSize])
  if (!decoder.tied) shapes.set('language_model.lm_head.weight', [vocabSize, hiddenSize])
  return shapes
}

async function requireSpace(folder: string, shapes: ReadonlyMap<string, readonly number[]>): Promise<void> {
  const needed = [...shapes.values()].reduce((sum, shape) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize > needed * 1.1) return
  throw new Error(
    `The bench needs ${Math.ceil(needed / 1e9)} GB of free space in ${folder}; TMPDIR names another place.`,
  )
}

const blockNumbers = 1 << 20
const ones = new Float32Array(1 << 14).fill(1)

/** A block of numbers whose length is odd, so that the rows of a matrix do not repeat one another. */
export function randomBlock(): Float32Array {
  const rng = new Rng({ seed: 3 })
  // Uniform with the deviation 0.02 that transformers initialises with.
  const bound = 0.02 * Math.sqrt(3)
  return Float32Array.from({ length: blockNumbers - 1 }, () => (2 * rng.uniform() - 1) * bound)
}

/** @param first place in the block of the first number */
export function* piecesOf(shape: readonly number[], block: Float32Array, first = 0): Generator<Uint8Array> {
  let left = shape.reduce((a, b) => a * b, 1)
  for (let start = first % block.length; left > 0; start = 0) {
    const length = Math.min(left, block.length - start)
    yield new Uint8Array(block.buffer, 4 * start, 4 * length)
    left -= length
  }
}
