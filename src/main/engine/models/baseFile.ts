// A model's weights in the numbers that a run computes with, written once into a cache and mapped by all sessions: one copy in
// memory, whatever the checkpoint's own format is. Before it stand vlm.ts and baseLayout.ts, after it run/models.ts.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type BaseChoice, type FileFormat, fileFormatOf } from '../../../shared/baseFormat.ts'
import { StudioError } from '../../../shared/errors.ts'
import { emptyRows, quantise } from '../folder/blockQuantisation.ts'
import { readFloatPieces } from '../folder/floatPieces.ts'
import { sha256Of, sha256OfText, weightFiles } from '../folder/hashes.ts'
import {
  readSafetensors,
  type SafetensorsDType,
  type StoredTensor,
  safetensorsDTypes,
  streamSafetensors,
  type TensorToStream,
} from '../folder/safetensors.ts'
import { Weights } from '../folder/weights.ts'
import { formatShape } from '../graph/dims.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import { type BasePart, type BaseTensor, baseTensors, partBytes, partsOf } from './baseLayout.ts'
import { modelCache } from './modelCache.ts'
import type { VlmSource } from './vlmGraphs.ts'

/** Where base files are kept, and what is known of the model beforehand. */
export interface BaseOptions {
  /** Of the cache, which may be emptied whenever no session is open; modelCache.ts says it when left out. */
  readonly folder?: string
  /** Of the model's weights (folder/modelIdentity.ts); found when left out. */
  readonly weightsSha256?: string
  /** Called after each piece that was written, with the bytes of all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
  readonly signal?: AbortSignal
}

/** What opening a base file takes. @param tell the share of one that has to be made, in whole per cent */
export function baseOptions(
  weightsSha256: string | undefined,
  tell: (share: number) => void,
  signal: AbortSignal | undefined,
): BaseOptions {
  let told = -1
  const onProgress = (doneBytes: number, totalBytes: number): void => {
    const percent = Math.floor((100 * doneBytes) / totalBytes)
    if (percent > told) tell(percent / 100)
    told = Math.max(told, percent)
  }
  return { onProgress, ...(weightsSha256 !== undefined && { weightsSha256 }), ...(signal && { signal }) }
}

/** Changed whenever the same weights would become other bytes. */
const layoutVersion = 1
const weightsFile = 'model.safetensors'
/** What was written, so that a file that nobody wrote since is taken to hold it still, as in folder/modelIdentity.ts. */
const recordFile = 'made.json'
const recordSchema = z.strictObject({
  sha256: z.string().length(64),
  sizeBytes: z.number(),
  modifiedMs: z.number(),
  changedMs: z.number(),
})
type FileRecord = z.infer<typeof recordSchema>

/** Elements of a weight that are in memory at a time. */
const pieceElements = 2 ** 21

/** The base file that a choice comes to for a model; null for its own files. */
export function formatOf(choice: BaseChoice, { weights }: Pick<VlmSource, 'weights'>): FileFormat | null {
  const tensors = weights.names.map((name) => weights.get(name))
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0)
  const isFloat32 = tensors.every(({ dtype }) => !/^b?float16$|^float64$/.test(dtype))
  return fileFormatOf(choice, { parameters, isFloat32 })
}

/** The model in the numbers that were chosen. @throws StudioError as {@link openBase} does */
export async function inChosenNumbers(source: VlmSource, choice: BaseChoice, options: BaseOptions): Promise<VlmSource> {
  const format = formatOf(choice, source)
  return format === null ? source : await openBase(source, format, options)
}

/**
 * The model on a base file, which is made where the cache has none of its weights and format, or a damaged one.
 * @throws StudioError `run.cancelled`, `weights.base-no-room`, `weights.base-not-written`, `weights.not-finite`, and what
 *   reading the model's files throws
 */
export async function openBase(source: VlmSource, format: FileFormat, options: BaseOptions): Promise<VlmSource> {
  const weightsSha256 = options.weightsSha256 ?? (await sha256Of(weightFiles(source.weights), options.signal))
  const parts = partsOf(baseTensors(source, format))
  const layout = JSON.stringify([layoutVersion, weightsSha256, ...parts.map(typeOf)])
  const place = join(
    options.folder ?? modelCache(),
    `${weightsSha256.slice(0, 16)}-${format}-${sha256OfText(layout).slice(0, 16)}`,
  )
  const stored = (await readWhole(place, parts, options.signal)) ?? (await make(place, parts, options))
  return { ...source, weights: new Weights(source.weights.folder, new Map([[weightsFile, stored]])) }
}

/** The tensors of a file that is as it was written; null when there is none or it is damaged. */
async function readWhole(
  place: string,
  parts: readonly BasePart[],
  signal: AbortSignal | undefined,
): Promise<readonly StoredTensor[] | null> {
  const path = join(place, weightsFile)
  const [known, found] = [await readRecord(place), await recordOf(path).catch(() => null)]
  if (!known || !found || known.sizeBytes !== found.sizeBytes) return null
  const isUntouched = known.modifiedMs === found.modifiedMs && known.changedMs === found.changedMs
  if (!isUntouched) {
    if ((await sha256Of([path], signal)) !== known.sha256) return null
    await writeRecord(place, { ...found, sha256: known.sha256 }).catch(() => undefined)
  }
  const stored = await readSafetensors(path).catch(() => null)
  return stored?.map(typeOf).join() === parts.map(typeOf).join() ? stored : null
}

function typeOf({ name, dtype, shape }: Pick<StoredTensor | BasePart, 'name' | 'dtype' | 'shape'>): string {
  const type = dtype in safetensorsDTypes ? safetensorsDTypes[dtype as SafetensorsDType] : dtype
  return `${name} ${type}${formatShape(shape)}`
}

async function make(
  place: string,
  parts: readonly BasePart[],
  { onProgress, signal }: BaseOptions,
): Promise<readonly StoredTensor[]> {
  const path = join(place, weightsFile)
  const totalBytes = parts.reduce((sum, part) => sum + partBytes(part), 0)
  let doneBytes = 0
  async function* counted(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      throwIfCancelled(signal)
      yield piece
      doneBytes += piece.length
      onProgress?.(doneBytes, totalBytes)
    }
  }
  const streams = streamsOf(parts).map((stream) => ({ ...stream, pieces: () => counted(stream.pieces()) }))
  try {
    await mkdir(place, { recursive: true })
    await removeLeftovers(place)
    await requireRoom(place, totalBytes)
    const hash = createHash('sha256')
    await streamSafetensors(path, streams, {}, hash)
    await writeRecord(place, { ...(await recordOf(path)), sha256: hash.digest('hex') })
  } catch (cause) {
    throw notWritten(place, cause)
  }
  return await readSafetensors(path)
}

/** The parts as they are written: scales and zero points are found with the numbers, which come before them. */
function streamsOf(parts: readonly BasePart[]): TensorToStream[] {
  const found = new Map<BaseTensor, FoundBeside>()
  return parts.map(({ of, kind, name, dtype, shape }) => {
    const beside = found.get(of) ?? { scales: [], zeros: [] }
    found.set(of, beside)
    const pieces = {
      floats: () => floatsOf(of),
      q: () => quantisedOf(of, beside),
      // Each is written once and then let go.
      scales: () => beside.scales.splice(0),
      zeros: () => beside.zeros.splice(0),
    }
    return { name, dtype, shape, pieces: pieces[kind] }
  })
}

interface FoundBeside {
  readonly scales: Uint8Array[]
  readonly zeros: Uint8Array[]
}

async function* floatsOf({ from }: BaseTensor): AsyncGenerator<Uint8Array> {
  for await (const piece of readFloatPieces(from, pieceElements)) yield bytesOf(piece)
}

async function* quantisedOf({ from, shape, block }: BaseTensor, beside: FoundBeside): AsyncGenerator<Uint8Array> {
  if (block === null) return
  const inputs = shape[1] as number
  const rowsTogether = Math.max(1, Math.floor(pieceElements / inputs))
  for await (const piece of readFloatPieces(from, rowsTogether * inputs)) {
    const { q, scales, zeros } = emptyRows(block, piece.length / inputs, inputs)
    quantise(block, piece, { q, scales, zeros }, from.name)
    beside.scales.push(bytesOf(scales))
    beside.zeros.push(zeros)
    yield q
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

async function recordOf(path: string): Promise<Omit<FileRecord, 'sha256'>> {
  const { size, mtimeMs, ctimeMs } = await stat(path)
  return { sizeBytes: size, modifiedMs: mtimeMs, changedMs: ctimeMs }
}

async function readRecord(place: string): Promise<FileRecord | null> {
  const text = await readFile(join(place, recordFile), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return recordSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

async function writeRecord(place: string, record: FileRecord): Promise<void> {
  await writeFile(join(place, recordFile), `${JSON.stringify(record)}\n`, { flush: true })
}

/** What processes that ended in the middle left unfinished. */
async function removeLeftovers(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const owner = /^\.(\d+)\.partial$/.exec(name)?.[1]
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(place, name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function requireRoom(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  if (neededBytes <= freeBytes) return
  throw new StudioError({
    code: 'weights.base-no-room',
    message: `The weights of this model, made ready to be computed with, take ${gigabytes(neededBytes)}, and the disk of the cache has ${gigabytes(freeBytes)} free.`,
    remedy: 'Free some space, or choose numbers of fewer bits for the base of this run.',
    expected: `${neededBytes} bytes`,
    found: `${freeBytes} bytes`,
    where: folder,
  })
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

/** What failed while the file was written, as an error for a person; of the disk itself where it is not one yet. */
function notWritten(where: string, cause: unknown): StudioError {
  if (cause instanceof StudioError && !/^weights\.(disk-full|cannot-write)$/.test(cause.code)) return cause
  const system = cause instanceof StudioError ? cause.cause : cause
  const code = (system as NodeJS.ErrnoException | undefined)?.code ?? 'unknown'
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk of the cache is full' : `the cache answered ${code}`
  return new StudioError(
    {
      code: 'weights.base-not-written',
      message: `The weights of this model could not be made ready to be computed with: ${why}.`,
      remedy: 'Free some space, or compute with the model’s own files: choose “as stored” for the base of this run.',
      found: code,
      where,
    },
    { cause },
  )
}
