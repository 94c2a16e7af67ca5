// The two folders of the demo model as Hugging Face lays them out: the companion encoder, and the vision-language model.
// Before it stand shapes.ts, tokenizerFiles.ts and what was trained.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TensorToWrite, writeSafetensors } from '../../src/main/engine/folder/safetensors.ts'
import type { Vocabulary } from './bpe.ts'
import { imageMean, imageStd, pictureEdge } from './pictures.ts'
import { companionConfig, patchSize, vlmConfig } from './shapes.ts'
import { chatTemplate, specialIds, tokenizerConfig, tokenizerJson } from './tokenizerFiles.ts'

export interface NamedParameters {
  readonly shapes: ReadonlyMap<string, readonly number[]>
  readonly values: Readonly<Record<string, Float32Array>>
}

/** Shrinks the shorter side with PIL's bicubic filter, as CLIP does. */
const preprocessorConfig = {
  image_processor_type: 'CLIPImageProcessor',
  ...{ do_convert_rgb: true, do_resize: true, resample: 3, size: { shortest_edge: pictureEdge } },
  ...{ do_center_crop: true, crop_size: { height: pictureEdge, width: pictureEdge } },
  ...{ do_rescale: true, rescale_factor: 1 / 255, do_normalize: true },
  image_mean: imageMean,
  image_std: imageStd,
}

function writeJson(folder: string, name: string, content: unknown): void {
  writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
}

/** All files but the weights of the companion. */
export function writeCompanionFiles(folder: string, vocabulary: Vocabulary): void {
  mkdirSync(folder, { recursive: true })
  writeJson(folder, 'config.json', companionConfig(vocabulary.tokens.length))
  writeJson(folder, 'preprocessor_config.json', preprocessorConfig)
  writeJson(folder, 'tokenizer.json', tokenizerJson(vocabulary, 'companion'))
  writeJson(folder, 'tokenizer_config.json', tokenizerConfig('companion', 64))
}

/** All files but the weights of the vision-language model. */
export function writeVlmFiles(folder: string, vocabulary: Vocabulary): void {
  mkdirSync(folder, { recursive: true })
  const ids = specialIds(vocabulary.tokens.length)
  writeJson(folder, 'config.json', vlmConfig(vocabulary.tokens.length))
  writeJson(folder, 'generation_config.json', {
    ...{ bos_token_id: ids['<s>'], eos_token_id: ids['</s>'], pad_token_id: ids['<pad>'] },
    ...{ max_new_tokens: 64, do_sample: false },
  })
  writeJson(folder, 'preprocessor_config.json', preprocessorConfig)
  writeJson(folder, 'processor_config.json', {
    processor_class: 'LlavaProcessor',
    ...{ image_token: '<image>', patch_size: patchSize, vision_feature_select_strategy: 'default' },
    num_additional_image_tokens: 1,
  })
  writeJson(folder, 'tokenizer.json', tokenizerJson(vocabulary, 'language'))
  writeJson(folder, 'tokenizer_config.json', tokenizerConfig('language', 512))
  writeFileSync(join(folder, 'chat_template.jinja'), chatTemplate)
}

/** `model.safetensors`, tensors by name. @param rename the name in the file, null for what stays out */
export async function writeModelWeights(
  folder: string,
  { shapes, values }: NamedParameters,
  rename: (name: string) => string | null = (name) => name,
): Promise<void> {
  const tensors: TensorToWrite[] = []
  for (const [name, shape] of shapes) {
    const stored = rename(name)
    const numbers = values[name] as Float32Array
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
    if (stored !== null) tensors.push({ name: stored, dtype: 'F32', shape: storedShape(stored, shape), bytes })
  }
  tensors.sort((a, b) => (a.name < b.name ? -1 : 1))
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' })
}

/** Graphs read the patch convolution as a matrix; files hold it as the convolution that it is. */
function storedShape(name: string, shape: readonly number[]): readonly number[] {
  return name.endsWith('patch_embedding.weight') ? [shape[0] as number, 3, patchSize, patchSize] : shape
}
