// A checkpoint of LLaMA as a GGUF file, plain or in blocks of 8 or 4 bits, so that llama.cpp runs the model that the bench
// measures. Before it stands checkpoint.ts, after it llama.ts. Blocks: `quantize_row_q8_0_ref` and `quantize_row_q4_0_ref`
// of ggml's ggml-quants.c.
import { closeSync, openSync, writeSync } from 'node:fs'
import { readFloatPieces } from '../../src/main/engine/folder/floatPieces.ts'
import type { StoredTensor } from '../../src/main/engine/folder/safetensors.ts'
import { float16Bits } from '../../src/main/engine/graph/typedValues.ts'
import type { VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { llamaTensorName } from '../smollm2/llamaFolder.ts'
import {
  type Entry,
  f32,
  float,
  ggufHeader,
  integers,
  list,
  number,
  padding,
  string,
  strings,
} from '../smollm2/testing/ggufBytes.ts'

export const ggufTypes = ['F32', 'Q8_0', 'Q4_0'] as const
export type GgufType = (typeof ggufTypes)[number]

interface BlockFormat {
  /** By ggml's `enum ggml_type`. */
  readonly type: number
  /** Numbers of a block. */
  readonly count: number
  readonly sizeBytes: number
  /** Writes the block of numbers that begins at `from` to the bytes from `at` on. */
  readonly write: (numbers: Float32Array, from: number, to: Buffer, at: number) => void
}

export const ggufFormats: Readonly<Record<GgufType, BlockFormat>> = {
  F32: {
    ...{ type: 0, count: 1, sizeBytes: 4 },
    write: (numbers, from, to, at) => {
      to.writeFloatLE(numbers[from] as number, at)
    },
  },
  /** d as float16, then 32 signed bytes; x = d q. */
  Q8_0: {
    ...{ type: 8, count: 32, sizeBytes: 34 },
    write: (numbers, from, to, at) => {
      const d = Math.abs(farthest(numbers, from)) / 127
      to.writeUInt16LE(float16Bits(d), at)
      for (let i = 0; i < 32; i++) to[at + 2 + i] = d === 0 ? 0 : Math.round((numbers[from + i] as number) / d)
    },
  },
  /** d as float16, then 16 bytes whose lower halves are the first 16 numbers; x = d (q - 8). */
  Q4_0: {
    ...{ type: 2, count: 32, sizeBytes: 18 },
    write: (numbers, from, to, at) => {
      const d = farthest(numbers, from) / -8
      to.writeUInt16LE(float16Bits(d), at)
      for (let i = 0; i < 16; i++) {
        const [low, high] = [numbers[from + i] as number, numbers[from + i + 16] as number]
        to[at + 2 + i] = d === 0 ? 0x88 : fourBits(low / d) | (fourBits(high / d) << 4)
      }
    },
  },
}

function fourBits(x: number): number {
  return Math.min(15, Math.floor(x + 8.5))
}

/** The number of a block that is farthest from 0. */
function farthest(numbers: Float32Array, from: number): number {
  let most = 0
  for (let i = from; i < from + 32; i++) {
    const x = numbers[i] as number
    if (Math.abs(x) > Math.abs(most)) most = x
  }
  return most
}

/** Numbers that are in memory at a time, at the least. */
const pieceNumbers = 2 ** 20

/** Matrices become `type`, norms stay float32, as llama.cpp's own files have it. Words are made up. */
export async function writeGguf(path: string, { config, weights }: VlmSource, type: GgufType): Promise<void> {
  const { decoder } = config
  const of = (field: string) => `llama.${field}`
  const entries = [
    string('general.architecture', 'llama'),
    number(of('vocab_size'), decoder.vocabSize),
    number(of('context_length'), decoder.maxPositions),
    number(of('embedding_length'), decoder.hiddenSize),
    number(of('block_count'), decoder.layers),
    number(of('feed_forward_length'), decoder.intermediateSize),
    number(of('attention.head_count'), decoder.heads),
    number(of('attention.head_count_kv'), decoder.kvHeads),
    float(of('attention.layer_norm_rms_epsilon'), decoder.epsilon),
    number(of('rope.dimension_count'), decoder.headDim),
    float(of('rope.freq_base'), decoder.rope.theta),
    ...vocabulary(decoder.vocabSize),
  ]
  const tensors = ggufNames(decoder.layers, decoder.tied).map((name) => {
    const stored = weights.get(`language_model.${llamaTensorName(name)}`)
    const format = ggufFormats[stored.shape.length === 1 ? 'F32' : type]
    const count = stored.shape.reduce((product, size) => product * size, 1)
    const dims = [...stored.shape].reverse()
    return { name, stored, format, type: format.type, dims, sizeBytes: (count / format.count) * format.sizeBytes }
  })
  const file = openSync(path, 'w')
  try {
    writeSync(file, ggufHeader(entries, tensors))
    for (const { name, stored, format, sizeBytes } of tensors) {
      const isTurned = name.endsWith('.attn_q.weight') || name.endsWith('.attn_k.weight')
      for await (const rows of rowsOf(stored, isTurned ? decoder.headDim : 1)) {
        writeSync(file, blocksOf(isTurned ? permuted(rows, decoder.headDim, stored.shape[1] as number) : rows, format))
      }
      writeSync(file, padding(sizeBytes))
    }
  } finally {
    closeSync(file)
  }
}

/** Of SentencePiece's kind, without which llama.cpp runs no model: three special tokens, the bytes, and words. */
function vocabulary(size: number): Entry[] {
  const special = ['<unk>', '<s>', '</s>']
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const words = Array.from({ length: Math.max(0, size - 259) }, (_, i) => `w${i}`)
  // By llama.cpp's `enum llama_token_type`: unknown, control twice, bytes, normal.
  const types = [2, 3, 3, ...bytes.map(() => 6), ...words.map(() => 1)]
  return [
    string('tokenizer.ggml.model', 'llama'),
    strings('tokenizer.ggml.tokens', [...special, ...bytes, ...words].slice(0, size)),
    [
      'tokenizer.ggml.scores',
      9,
      list(
        6,
        Array.from({ length: size }, () => f32(0)),
      ),
    ],
    integers('tokenizer.ggml.token_type', types.slice(0, size)),
    number('tokenizer.ggml.unknown_token_id', 0),
    number('tokenizer.ggml.bos_token_id', 1),
    number('tokenizer.ggml.eos_token_id', 2),
    number('tokenizer.ggml.padding_token_id', 2),
  ]
}

function ggufNames(layers: number, isTied: boolean): string[] {
  const ofLayer = [
    'attn_norm',
    'attn_q',
    'attn_k',
    'attn_v',
    'attn_output',
    'ffn_norm',
    'ffn_gate',
    'ffn_up',
    'ffn_down',
  ]
  const inLayers = Array.from({ length: layers }, (_, layer) => ofLayer.map((part) => `blk.${layer}.${part}`)).flat()
  const ofModel = ['token_embd', 'output_norm', ...(isTied ? [] : ['output'])]
  return [...ofModel, ...inLayers].map((name) => `${name}.weight`)
}

/** A tensor's numbers, a multiple of so many rows at a time. */
async function* rowsOf(stored: StoredTensor, rows: number): AsyncGenerator<Float32Array> {
  const together = rows * stored.shape.slice(1).reduce((product, size) => product * size, 1)
  yield* readFloatPieces(stored, together * Math.ceil(pieceNumbers / together))
}

function blocksOf(numbers: Float32Array, { count, sizeBytes, write }: BlockFormat): Uint8Array {
  if (count === 1) return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  const bytes = Buffer.alloc((numbers.length / count) * sizeBytes)
  for (let block = 0; block < numbers.length / count; block++) {
    write(numbers, block * count, bytes, block * sizeBytes)
  }
  return bytes
}

/**
 * Rows of queries or keys as GGUF has them, where the two numbers that RoPE turns together are neighbours: `unpermuted` of
 * tools/smollm2/llamaFolder.ts the other way.
 * @param rows [heads · headDim, inputs]
 */
export function permuted(rows: Float32Array, headDim: number, inputs: number): Float32Array {
  const result = new Float32Array(rows.length)
  for (let to = 0; to < rows.length / inputs; to++) {
    const [head, place] = [Math.floor(to / headDim), to % headDim]
    const from = head * headDim + (place % 2) * (headDim / 2) + Math.floor(place / 2)
    result.set(rows.subarray(from * inputs, (from + 1) * inputs), to * inputs)
  }
  return result
}
