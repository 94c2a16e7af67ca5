// `npx tsx tools/smollm2/join.ts LANGUAGE_MODEL TOWER_FOLDER OUT`: a LLaVA model of a language model, the image tower of
// a CLIP model such as the demo's, and a new projector between them. Before it stands convert.ts, after it train.ts.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJsonObject } from '../../src/main/engine/folder/configFields.ts'
import {
  type StoredTensor,
  streamSafetensors,
  type TensorToStream,
  type TensorToWrite,
  writeSafetensors,
} from '../../src/main/engine/folder/safetensors.ts'
import { indexFile, openWeights, type Weights } from '../../src/main/engine/folder/weights.ts'
import { llava } from '../../src/main/engine/models/llava/llava.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { writeJson } from './convert.ts'
import { addedToken } from './tokenizerFiles.ts'

const imageToken = '<image>'
/** The projector has a file of its own, which training writes anew. */
export const [mainShard, projectorShard] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
const embeddings = 'model.embed_tokens.weight'
const seed = 3

/**
 * ChatML without the system prompt that SmolLM2's own template puts before every conversation: its 20 tokens would lie
 * in every sequence.
 */
export const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}" +
  "{% if message['content'] is string %}{{ message['content'] }}{% else %}" +
  `{% for part in message['content'] if part['type'] == 'image' %}{{ '${imageToken}\n' }}{% endfor %}` +
  "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{% endif %}" +
  "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

const languageConfig = z.looseObject({
  vocab_size: z.int(),
  hidden_size: z.int(),
  tie_word_embeddings: z.literal(true),
})
const towerConfig = z.looseObject({
  vision_config: z.looseObject({ hidden_size: z.int(), patch_size: z.int(), image_size: z.int() }),
})
const tokenizerShape = z.looseObject({ added_tokens: z.array(z.unknown()) })

/** @throws StudioError what reading the folders throws; ZodError for a language model whose head has its own weights */
export async function joinModels(languageFolder: string, towerFolder: string, folder: string): Promise<void> {
  const read = (from: string, name: string) => readJsonObject(join(from, name))
  const { architectures: _, ...language } = languageConfig.parse(await read(languageFolder, 'config.json'))
  const { vision_config: vision } = towerConfig.parse(await read(towerFolder, 'config.json'))
  const imageTokenId = language.vocab_size
  mkdirSync(folder, { recursive: true })
  writeJson(folder, 'config.json', {
    architectures: llava.architectures,
    model_type: 'llava',
    image_token_index: imageTokenId,
    ...{ projector_hidden_act: 'gelu', vision_feature_layer: -1, vision_feature_select_strategy: 'default' },
    ...{ torch_dtype: 'float32', tie_word_embeddings: true, pad_token_id: language['pad_token_id'] },
    vision_config: vision,
    text_config: { ...language, vocab_size: imageTokenId + 1 },
  })
  const tokenizer = tokenizerShape.parse(await read(languageFolder, 'tokenizer.json'))
  const added_tokens = [...tokenizer.added_tokens, addedToken(imageTokenId, imageToken)]
  writeJson(folder, 'tokenizer.json', { ...tokenizer, added_tokens })
  writeJson(folder, 'tokenizer_config.json', {
    ...(await read(languageFolder, 'tokenizer_config.json')),
    ...{ chat_template: chatTemplate, image_token: imageToken, padding_side: 'left' },
  })
  writeFileSync(join(folder, 'chat_template.jinja'), chatTemplate)
  writeJson(folder, 'generation_config.json', {
    ...(await read(languageFolder, 'generation_config.json')),
    ...{ max_new_tokens: 64, do_sample: false },
  })
  writeJson(folder, 'preprocessor_config.json', await read(towerFolder, 'preprocessor_config.json'))
  writeJson(folder, 'processor_config.json', {
    processor_class: 'LlavaProcessor',
    ...{ image_token: imageToken, patch_size: vision.patch_size, vision_feature_select_strategy: 'default' },
    num_additional_image_tokens: 1,
  })
  await writeWeights(languageFolder, towerFolder, folder, vision.hidden_size)
  // The companion that judges words is the model that the tower was trained in.
  cpSync(towerFolder, join(folder, 'encoder'), { recursive: true })
}

async function writeWeights(languageFolder: string, towerFolder: string, folder: string, towerWidth: number) {
  const language = await openWeights(languageFolder)
  const tower = await openWeights(towerFolder)
  const table = await floatsOf(language, embeddings)
  const [rows, width] = language.get(embeddings).shape as [number, number]
  const mean = meanRow(table, rows, width)
  const tensors: TensorToStream[] = []
  for (const name of language.names) {
    const stored = llava.names.decoder[0] + name.slice('model.'.length)
    if (name !== embeddings) tensors.push(copied(language, name, stored))
    // No row of the image's token is ever read; the mean gives it a logit that is never the largest.
    else
      tensors.push({ name: stored, dtype: 'F32', shape: [rows + 1, width], pieces: () => [table, mean].map(bytesOf) })
  }
  for (const name of tower.names.filter((one) => one.startsWith('vision_model.'))) {
    tensors.push(copied(tower, name, `vision_tower.${name}`))
  }
  await streamSafetensors(join(folder, mainShard), tensors, { format: 'pt' })
  const projector = newProjector(towerWidth, mean, Math.sqrt(table.reduce((sum, x) => sum + x * x, 0) / table.length))
  await writeSafetensors(join(folder, projectorShard), projector, { format: 'pt' })
  const shardOf = (shard: string) => (one: { readonly name: string }) => [one.name, shard] as const
  writeJson(folder, indexFile, {
    metadata: {},
    weight_map: Object.fromEntries([...tensors.map(shardOf(mainShard)), ...projector.map(shardOf(projectorShard))]),
  })
}

/** A tensor as it is, read when it is written. */
function copied(weights: Weights, name: string, stored: string): TensorToStream {
  const { shape } = float32(weights.get(name))
  return {
    ...{ name: stored, dtype: 'F32', shape },
    pieces: async function* () {
      yield await weights.bytes(name)
    },
  }
}

async function floatsOf(weights: Weights, name: string): Promise<Float32Array> {
  float32(weights.get(name))
  return new Float32Array(new Uint8Array(await weights.bytes(name)).buffer)
}

function float32(tensor: StoredTensor): StoredTensor {
  if (tensor.dtype === 'float32') return tensor
  throw new Error(`${tensor.name} of ${tensor.slice.file} is ${tensor.dtype}, not float32`)
}

function meanRow(table: Float32Array, rows: number, width: number): Float32Array {
  const sums = new Float64Array(width)
  for (let i = 0; i < table.length; i++) sums[i % width] = (sums[i % width] as number) + (table[i] as number)
  return Float32Array.from(sums, (sum) => sum / rows)
}

/**
 * linear_1 [width, towerWidth] and linear_2 [width, width], normal by their inputs, so that what an image begins with
 * lies where words lie: around the mean of their embeddings, as far from it as they are from 0.
 * @param size root mean square of the embeddings
 */
function newProjector(towerWidth: number, mean: Float32Array, size: number): TensorToWrite[] {
  const width = mean.length
  const rng = new Rng({ seed })
  const normal = (inputs: number, factor: number) =>
    Float32Array.from({ length: inputs * width }, () => rng.normal() * factor * inputs ** -0.5)
  const parameters: readonly [string, number[], Float32Array][] = [
    ['linear_1.weight', [width, towerWidth], normal(towerWidth, 1)],
    ['linear_1.bias', [width], new Float32Array(width)],
    ['linear_2.weight', [width, width], normal(width, size)],
    ['linear_2.bias', [width], mean],
  ]
  return parameters.map(([name, shape, values]) => projectorTensor(llava.names.projector[0] + name, shape, values))
}

/** A parameter of the projector for its file. */
export function projectorTensor(name: string, shape: readonly number[], values: Float32Array): TensorToWrite {
  return { name, dtype: 'F32', shape, bytes: bytesOf(values) }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

if (process.argv[1] === import.meta.filename) {
  const [language, tower, folder] = process.argv.slice(2)
  if (!language || !tower || !folder) {
    throw new Error('usage: npx tsx tools/smollm2/join.ts LANGUAGE_MODEL TOWER_FOLDER OUT')
  }
  await joinModels(language, tower, folder)
}
