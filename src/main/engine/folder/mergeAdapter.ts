// A model folder with a LoRA adapter merged into its weights: W + s B A (Hu et al. 2022), for programs that know no
// adapters. Before it stand weights.ts and peft.ts; what it writes, weights.ts opens again.
import { copyFile, mkdir, open, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'
import { formatShape } from '../graph/dims.ts'
import type { DType } from '../graph/ir.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import { bfloat16Bits, bfloat16Number, float16Bits, float16Number } from '../graph/typedValues.ts'
import { type LoraAdapter, type LoraFactors, loraScale } from './peft.ts'
import {
  readTensorPieces,
  type SafetensorsDType,
  type StoredTensor,
  safetensorsDTypes,
  streamSafetensors,
  syncFolder,
  type TensorToStream,
  temporaryBeside,
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

/** A piece of a weight as numbers. */
interface Elements {
  /** Copies as many numbers as `row` has, from the element `start` on. */
  readonly read: (row: Float64Array, start: number) => void
  /** Rounds them back, to nearest even. */
  readonly write: (row: Float64Array, start: number) => void
}

const elementsOf: Partial<Readonly<Record<DType, (piece: Uint8Array) => Elements>>> = {
  float64: ({ buffer }) => plain(new Float64Array(buffer)),
  float32: ({ buffer }) => plain(new Float32Array(buffer)),
  float16: ({ buffer }) => halves(new Uint16Array(buffer), float16Number, float16Bits),
  bfloat16: ({ buffer }) => halves(new Uint16Array(buffer), bfloat16Number, bfloat16Bits),
}

function plain(values: Float32Array | Float64Array): Elements {
  return {
    read: (row, start) => row.set(values.subarray(start, start + row.length)),
    write: (row, start) => values.set(row, start),
  }
}

function halves(bits: Uint16Array, decode: (bits: number) => number, encode: (value: number) => number): Elements {
  return {
    read: (row, start) => {
      for (let i = 0; i < row.length; i++) row[i] = decode(bits[start + i] as number)
    },
    write: (row, start) => {
      for (let i = 0; i < row.length; i++) bits[start + i] = encode(row[i] as number)
    },
  }
}

/**
 * Writes `folder`, a Hugging Face checkpoint with the source's files, tensor names, dtypes and companions, whose
 * adapted weights are W + strength · scale · B A, summed in float64 and rounded to the dtype, to half precision by way
 * of float32. The source is only read. The folder appears under its name when it is whole; one piece of one tensor is
 * in memory at a time.
 * @param adapter its layers by their paths in the checkpoint (models/shared/lora.ts: `storedAdapter`)
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
  const partial = temporaryBeside(target)
  try {
    await requireFree(weights.folder, target)
    await mkdir(dirname(target), { recursive: true })
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
    const name = `${layer}.weight`
    if (!weights.has(name)) throw notThisModels(weights, `It adapts ${layer}, which the model does not have.`)
    const { shape, dtype } = weights.get(name)
    const expected = [factors.outFeatures, factors.inFeatures]
    if (formatShape(shape) !== formatShape(expected)) {
      throw notThisModels(weights, `Its factors of ${layer} do not fit.`, formatShape(shape), formatShape(expected))
    }
    if (!elementsOf[dtype])
      throw weightsError(
        'unsupported-dtype',
        weights.folder,
        `The tensor ${name} is of the type ${dtype}, which no adapter can be merged into.`,
      )
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
  { a, b, inFeatures, outFeatures, rank }: LoraFactors & { rank: number },
  scale: number,
): AsyncGenerator<Uint8Array> {
  const rowBytes = tensor.slice.sizeBytes / outFeatures
  const sums = new Float64Array(inFeatures)
  let row = 0
  for await (const piece of readTensorPieces(tensor, rowBytes * Math.max(1, Math.floor(pieceBytes / rowBytes)))) {
    const elements = elementsOf[tensor.dtype]?.(piece) as Elements
    for (let start = 0; start < (piece.length / rowBytes) * inFeatures; start += inFeatures, row++) {
      elements.read(sums, start)
      for (let r = 0; r < rank; r++) addScaled(sums, (b[row * rank + r] as number) * scale, a, r * inFeatures)
      elements.write(sums, start)
      elements.read(sums, start)
      if (!allFinite(sums)) throw notFinite(tensor)
    }
    yield piece
  }
}

/** sums += factor · values[start ...] */
function addScaled(sums: Float64Array, factor: number, values: Float32Array, start: number): void {
  const row = values.subarray(start, start + sums.length)
  for (let i = 0; i < row.length; i++) sums[i] = (sums[i] as number) + factor * (row[i] as number)
}

function allFinite(values: Float64Array): boolean {
  // x - x is 0 for every finite x, and NaN for all else.
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) - (values[i] as number)
  return sum === 0
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
  const place = await futurePath(target)
  if (place === home || place.startsWith(home + sep)) throw taken(target, "It is the model's own folder.")
  const there = await readdir(target).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw cause.code === 'ENOTDIR' ? taken(target, 'It is a file.') : cause
  })
  if (there.length > 0) throw taken(target, 'It holds other files.')
}

/** The real path that a folder will have once it and its parents are made. */
async function futurePath(path: string): Promise<string> {
  if (dirname(path) === path) return path
  return await realpath(path).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    return join(await futurePath(dirname(path)), basename(path))
  })
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
