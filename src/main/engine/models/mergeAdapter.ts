// A model folder with a LoRA adapter merged into its weights: W + s B A (Hu et al. 2022), for programs that know no
// adapters. Before it stand weights.ts and peft.ts; what it writes, weights.ts opens again.
import { copyFile, mkdir, open, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'
import { formatShape } from '../graph/dims.ts'
import type { DType } from '../graph/ir.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import { bfloat16Bits, bfloat16Number, float16Bits, float16Number } from '../graph/typedValues.ts'
import { decoderPath, storedName } from './parameters.ts'
import { type LoraAdapter, type LoraFactors, loraScale } from './peft.ts'
import {
  readTensorPieces,
  type SafetensorsDType,
  type StoredTensor,
  safetensorsDTypes,
  streamSafetensors,
  syncFolder,
  type TensorToStream,
  weightsError,
  writeFailure,
} from './safetensors.ts'
import { indexFile, insideFolder, type Weights } from './weights.ts'

export interface MergeOptions {
  /** Factor of the adapter's own scale, 1 as trained. */
  readonly strength?: number
  readonly signal?: AbortSignal
  /** Called after each piece, with the bytes of all tensors. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
}

/** What a checkpoint needs besides its weights. Pickles, adapters and whatever else lies about are left behind. */
const companions = [
  /^(config|generation_config|preprocessor_config|processor_config)\.json$/,
  /^(tokenizer|tokenizer_config|special_tokens_map|added_tokens|chat_template|vocab)\.json$/,
  /^(vocab|merges)\.txt$/,
  /\.(jinja|model)$/,
  /^(licen[cs]e|notice)(\.(txt|md))?$/i,
]

const pieceBytes = 8 * 1024 * 1024
const dtypeNames = Object.fromEntries(
  Object.entries(safetensorsDTypes).map(([name, dtype]) => [dtype, name]),
) as Readonly<Record<DType, SafetensorsDType>>

/** How the elements of a weight are read from a piece of its bytes and written back, rounded to nearest even. */
interface Codec {
  readonly sizeBytes: number
  readonly open: (piece: Uint8Array) => { get: (i: number) => number; set: (i: number, value: number) => void }
}

const codecs: Partial<Readonly<Record<DType, Codec>>> = {
  float64: { sizeBytes: 8, open: (piece) => plain(new Float64Array(piece.buffer, 0, piece.length / 8)) },
  float32: { sizeBytes: 4, open: (piece) => plain(new Float32Array(piece.buffer, 0, piece.length / 4)) },
  float16: { sizeBytes: 2, open: (piece) => halves(piece, float16Number, float16Bits) },
  bfloat16: { sizeBytes: 2, open: (piece) => halves(piece, bfloat16Number, bfloat16Bits) },
}

function plain(values: Float32Array | Float64Array): ReturnType<Codec['open']> {
  return {
    get: (i) => values[i] as number,
    set: (i, value) => {
      values[i] = value
    },
  }
}

function halves(
  piece: Uint8Array,
  decode: (bits: number) => number,
  encode: (value: number) => number,
): ReturnType<Codec['open']> {
  const bits = new Uint16Array(piece.buffer, 0, piece.length / 2)
  return {
    get: (i) => decode(bits[i] as number),
    set: (i, value) => {
      bits[i] = encode(value)
    },
  }
}

/**
 * Writes `folder`, a Hugging Face checkpoint with the source's files, tensor names, dtypes and companions, whose
 * adapted weights are W + strength · scale · B A, summed in float64 and rounded to the dtype, to half precision by way
 * of float32. The source is only read. The folder appears under its name when it is whole; one piece of one tensor is
 * in memory at a time.
 * @param folder must not exist or be empty, and not lie in the model's own folder
 * @throws StudioError `model.bad-adapter` when the adapter is not this model's or its sums are not finite,
 *   `weights.folder-taken`, `weights.disk-full`, `weights.cannot-write`, `run.cancelled`, and what reading throws
 */
export async function mergeAdapter(
  weights: Weights,
  adapter: LoraAdapter,
  folder: string,
  options: MergeOptions = {},
): Promise<void> {
  const target = resolve(folder)
  const merged = mergedTensors(weights, adapter)
  const partial = `${target}.${process.pid}.partial`
  try {
    await mkdir(dirname(target), { recursive: true })
    await requireFree(weights.folder, target)
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial)
    await copyCompanions(weights, partial)
    await writeWeights(weights, merged, loraScale(adapter) * (options.strength ?? 1), partial, options)
    await syncFolder(partial)
    // An empty folder stands in the way of a rename on Windows.
    await rmdir(target).catch(() => undefined)
    await rename(partial, target)
    await syncFolder(dirname(target))
  } catch (cause) {
    throw writeFailure(target, cause)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/** The factors by the name of the stored tensor that they change. */
function mergedTensors(weights: Weights, { layers, rank }: LoraAdapter): Map<string, LoraFactors & { rank: number }> {
  const merged = new Map<string, LoraFactors & { rank: number }>()
  for (const [layer, factors] of layers) {
    const name = storedName(weights, `language_model.model.${decoderPath(layer)}.weight`)
    if (!weights.has(name)) throw notThisModels(weights, `It adapts ${layer}, which the model does not have.`)
    const { shape, dtype } = weights.get(name)
    const expected = [factors.outFeatures, factors.inFeatures]
    if (formatShape(shape) !== formatShape(expected)) {
      throw notThisModels(weights, `Its factors of ${layer} do not fit.`, formatShape(shape), formatShape(expected))
    }
    if (!codecs[dtype]) throw weightsError('unsupported-dtype', weights.folder, `The tensor ${name} is of ${dtype}.`)
    merged.set(name, { ...factors, rank })
  }
  return merged
}

async function writeWeights(
  weights: Weights,
  merged: ReadonlyMap<string, LoraFactors & { rank: number }>,
  scale: number,
  partial: string,
  { signal, onProgress }: MergeOptions,
): Promise<void> {
  const every = [...weights.files.values()].flat()
  const totalBytes = every.reduce((sum, { slice }) => sum + slice.sizeBytes, 0)
  let doneBytes = 0
  async function* counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      throwIfCancelled(signal)
      yield piece
      doneBytes += piece.length
      onProgress?.(doneBytes, totalBytes)
    }
  }
  for (const [file, tensors] of weights.files) {
    const streams = tensors.map((tensor): TensorToStream => {
      const factors = merged.get(tensor.name)
      const pieces = () =>
        counted(factors ? mergedPieces(tensor, factors, scale) : readTensorPieces(tensor, pieceBytes))
      return { name: tensor.name, dtype: dtypeNames[tensor.dtype], shape: tensor.shape, pieces }
    })
    await streamSafetensors(join(partial, file), streams, { format: 'pt' })
  }
}

/** Whole rows of W with their part of s B A added. */
async function* mergedPieces(
  tensor: StoredTensor,
  { a, b, inFeatures, rank }: LoraFactors & { rank: number },
  scale: number,
): AsyncGenerator<Uint8Array> {
  const codec = codecs[tensor.dtype] as Codec
  const rowBytes = inFeatures * codec.sizeBytes
  const sums = new Float64Array(inFeatures)
  let row = 0
  for await (const piece of readTensorPieces(tensor, rowBytes * Math.max(1, Math.floor(pieceBytes / rowBytes)))) {
    const elements = codec.open(piece)
    for (let start = 0; start < piece.length / codec.sizeBytes; start += inFeatures, row++) {
      sums.fill(0)
      for (let r = 0; r < rank; r++) {
        const factor = (b[row * rank + r] as number) * scale
        for (let i = 0; i < inFeatures; i++) sums[i] = (sums[i] as number) + factor * (a[r * inFeatures + i] as number)
      }
      for (let i = 0; i < inFeatures; i++) {
        elements.set(start + i, elements.get(start + i) + (sums[i] as number))
        if (!Number.isFinite(elements.get(start + i))) throw notFinite(tensor)
      }
    }
    yield piece
  }
}

async function copyCompanions({ folder, files }: Weights, partial: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => companions.some((pattern) => pattern.test(name)))
  // The parts keep their names and sizes, so the list of them stays true.
  const isSharded = !files.has('model.safetensors')
  for (const name of isSharded ? [...names, indexFile] : names) {
    const copy = join(partial, basename(name))
    await copyFile(await insideFolder(folder, name), copy)
    const handle = await open(copy, 'r+')
    await handle.sync().finally(() => handle.close())
  }
}

async function requireFree(source: string, target: string): Promise<void> {
  const home = await realpath(source)
  const place = join(await realpath(dirname(target)), basename(target))
  if (place === home || place.startsWith(home + sep)) throw taken(target, "It is the model's own folder.")
  const there = await readdir(target).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw cause.code === 'ENOTDIR' ? taken(target, 'It is a file.') : cause
  })
  if (there.length > 0) throw taken(target, 'It holds other files.')
}

function taken(target: string, why: string): StudioError {
  return new StudioError({
    code: 'weights.folder-taken',
    message: `The merged model cannot be written to this folder. ${why}`,
    remedy: 'Choose a new or an empty folder.',
    where: target,
  })
}

function notThisModels({ folder }: Weights, what: string, expected?: string, found?: string): StudioError {
  return new StudioError({
    code: 'model.bad-adapter',
    message: `This adapter is not of this model. ${what}`,
    remedy: 'Choose the model that the adapter was trained with.',
    where: folder,
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
  })
}

function notFinite({ name, dtype }: StoredTensor): StudioError {
  return new StudioError({
    code: 'model.bad-adapter',
    message: `This adapter cannot be merged: it makes numbers of ${name} that ${dtype} cannot hold.`,
    remedy: 'Use an adapter whose training did not diverge, or merge it with less strength.',
    where: name,
  })
}
