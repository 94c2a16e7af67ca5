// config.json of an Idefics3 checkpoint (Laurençon et al. 2024) or of SmolVLM (Marafioti et al. 2025), which is the same
// model in smaller sizes, with the defaults of transformers. How images are cut comes from its image processor.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  badConfig,
  epsilon,
  readJsonObject,
  readSection,
  size,
  tokenId,
  unknownField,
} from '../../folder/configFields.ts'
import { readImageProcessorConfig } from '../../image/imageProcessorConfig.ts'
import type { Tiling } from '../../image/tiling.ts'
import type { VlmConfig } from '../architecture.ts'
import { readDecoderConfig } from '../shared/decoderConfig.ts'
import { readSpecialTokens } from '../shared/specialTokens.ts'
import { patchCount, readEncoderLayers, type VisionConfig } from '../shared/towerConfig.ts'

export interface Idefics3Config extends VlmConfig {
  /** Side of the square of patches that becomes one row of the prompt. */
  readonly scaleFactor: number
  readonly tiling: Tiling
}

const anySection = z.record(z.string(), z.unknown())

const rootShape = {
  vision_config: anySection.nullish(),
  text_config: anySection.nullish(),
  image_token_id: tokenId.default(128_257),
  scale_factor: size.max(64).default(2),
  tie_word_embeddings: z.boolean().default(false),
}
const visionShape = {
  hidden_size: size.default(1152),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.max(1000).default(12),
  num_attention_heads: size.default(16),
  num_channels: z.literal(3).default(3),
  image_size: size.default(224),
  patch_size: size.default(32),
  hidden_act: z.string().default('gelu_pytorch_tanh'),
  layer_norm_eps: epsilon.default(1e-6),
}

/** What its authors' training program noted in each section, and nothing computes with. */
const notes = {
  root: ['use_reentrant_checkpointing', 'vocab_size', 'transformers.js_config'],
  vision: ['max_image_size', 'size', 'use_base_siglip', 'tie_word_embeddings'],
  text: [
    ...['is_llama_config', 'neftune_noise_alpha', 'pixel_shuffle_factor', 'perceiver_config', 'transformers.js_config'],
    ...['_flash_attn_2_enabled'],
  ],
}
const rootTokens = ['pad_token_id', '_pad_token_id', 'eos_token_id', 'bos_token_id']

/** What its vision_config calls itself, by the version of transformers. */
const visionTypes = [undefined, 'idefics3', 'idefics3_vision', 'smolvlm', 'smolvlm_vision']

/**
 * Numbers of patches a side up to 79 at which transformers, by a rounding of its own that depends on the processor, gives
 * some patches the place of their neighbour; none of the published models has one of them.
 */
const misplacedSides = new Set([
  ...[19, 25, 29, 31, 38, 40, 41, 43, 47, 49, 50, 54, 55],
  ...[58, 59, 61, 62, 67, 68, 71, 72, 73, 74, 76, 77],
])
const mostPatchesASide = 79

/**
 * The config of an `Idefics3ForConditionalGeneration` or `SmolVLMForConditionalGeneration` checkpoint.
 * @param raw config.json
 * @throws StudioError `model.missing-file`, `model.bad-config`, `model.unknown-config-field`
 */
export async function readIdefics3Config(
  folder: string,
  raw: Readonly<Record<string, unknown>>,
): Promise<Idefics3Config> {
  const path = join(folder, 'config.json')
  const section = readSection(path, '', raw, rootShape, [...rootTokens, ...notes.root])
  const vision = readTower(path, section.vision_config ?? {})
  const text = { model_type: 'llama', ...(section.text_config ?? { rms_norm_eps: 1e-5 }) }
  const decoder = readDecoderConfig(path, without(text, notes.text), section.tie_word_embeddings)
  const scaleFactor = section.scale_factor
  if (Math.sqrt(patchCount(vision)) % scaleFactor !== 0) {
    throw badConfig(path, `Its scale_factor ${scaleFactor} does not divide the patches of an image's side.`)
  }
  const imageTokenId = section.image_token_id
  if (imageTokenId >= decoder.vocabSize) throw badConfig(path, 'image_token_id is outside of the vocabulary.')
  await requireRows(folder, patchCount(vision) / scaleFactor ** 2)
  const tiling = await readTiling(folder, vision)
  return { vision, decoder, scaleFactor, tiling, imageTokenId, ...(await readSpecialTokens(folder, raw, text)) }
}

function readTower(path: string, raw: Record<string, unknown>): VisionConfig {
  const type = raw['model_type']
  if (!visionTypes.includes(type as string | undefined)) {
    throw unknownField(path, 'vision_config.model_type', type, 'idefics3_vision or smolvlm_vision')
  }
  const section = readSection(path, 'vision_config', raw, visionShape, notes.vision)
  const { image_size: imageSize, patch_size: patchSize, num_channels: channels } = section
  if (patchSize > imageSize) throw badConfig(path, 'Its patches are larger than its images.')
  const layers = readEncoderLayers(path, 'vision_config', section)
  const vision: VisionConfig = { kind: 'siglip', ...layers, imageSize, patchSize, channels, hasHead: false }
  const side = Math.sqrt(patchCount(vision))
  if (side > mostPatchesASide || misplacedSides.has(side)) {
    throw unknownField(path, 'vision_config.image_size', imageSize, `another number of patches a side than ${side}`)
  }
  return vision
}

/** The processor puts the image token into the prompt as often as it says itself. */
async function requireRows(folder: string, rows: number): Promise<void> {
  const path = join(folder, 'processor_config.json')
  const stated = existsSync(path) ? (await readJsonObject(path))['image_seq_len'] : undefined
  if (stated === undefined || stated === null || stated === rows) return
  throw badConfig(path, `Its image_seq_len is ${String(stated)}, but the model makes ${rows} rows of a tile.`)
}

async function readTiling(folder: string, { imageSize }: VisionConfig): Promise<Tiling> {
  const { tiling } = await readImageProcessorConfig(folder)
  const path = join(folder, 'preprocessor_config.json')
  if (!tiling) throw badConfig(path, 'Its image_processor_type is not Idefics3ImageProcessor or SmolVLMImageProcessor.')
  if (tiling.tile === imageSize) return tiling
  throw badConfig(path, `Its max_image_size is ${tiling.tile}, but the image tower's image_size is ${imageSize}.`)
}

function without(section: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(section).filter(([name]) => !fields.includes(name)))
}
