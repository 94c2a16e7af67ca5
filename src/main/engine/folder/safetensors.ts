// One `.safetensors` file: its header, checked byte for byte, as slices that graphs point at without a copy; and
// the way to write one. weights.ts puts the files of a model folder together.
// Format: https://github.com/huggingface/safetensors#format
import type { Hash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { type ErrorCode, StudioError } from '../../../shared/errors.ts'
import { type DType, elementBytes, type FileSlice } from '../graph/ir.ts'
import { parseJson } from './json.ts'
import { standIn, standInBytes } from './standIn.ts'

/** The format's names of the element types that are supported. */
export const safetensorsDTypes = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  U8: 'uint8',
  BOOL: 'bool',
} as const satisfies Record<string, DType>
export type SafetensorsDType = keyof typeof safetensorsDTypes

/** A tensor that lies in a file. */
export interface StoredTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly slice: FileSlice
}

/** A tensor to be written; `bytes` are row-major and little-endian. */
export interface TensorToWrite {
  readonly name: string
  readonly dtype: SafetensorsDType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A tensor whose bytes are made piece by piece; a piece is written before the next one is asked for. */
export interface TensorToStream extends Omit<TensorToWrite, 'bytes'> {
  readonly pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** The limit that the reference implementation sets. */
const largestHeaderBytes = 100_000_000
const lengthBytes = 8

const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(size).max(16),
  data_offsets: z.tuple([size, size]),
})

/**
 * The tensors of a file, in the order of their bytes. Reads the header only.
 * @throws StudioError `weights.truncated`, `weights.stand-in`, `weights.not-safetensors`, `weights.bad-header`,
 *   `weights.bad-tensor`, `weights.unsupported-dtype`, `weights.unreadable`
 */
export async function readSafetensors(path: string): Promise<StoredTensor[]> {
  const handle = await open(path, 'r').catch((cause: unknown) => Promise.reject(unreadable(path, cause)))
  try {
    const { size: fileBytes } = await handle.stat()
    const header = await readHeader(handle, path, fileBytes)
    const dataStart = lengthBytes + header.length
    const tensors = parseHeader(header, path).map(([name, entry]) => toTensor(path, name, entry, dataStart))
    checkLayout(path, tensors, dataStart, fileBytes)
    return tensors
  } finally {
    await handle.close()
  }
}

async function readHeader(handle: FileHandle, path: string, fileBytes: number): Promise<Buffer> {
  const head = await readExactly(handle, path, 0, Math.min(fileBytes, standInBytes))
  const other = standIn(head.toString('latin1'))
  if (other) throw weightsError('stand-in', path, other.what, {}, undefined, other.remedy)
  if (fileBytes < lengthBytes) throw truncated(path, `at least ${lengthBytes} bytes`, `${fileBytes} bytes`)
  const length = Number(head.readBigUInt64LE())
  if (length > largestHeaderBytes) {
    throw weightsError('not-safetensors', path, 'It does not begin as a safetensors file does.', {
      expected: `a header of at most ${largestHeaderBytes} bytes`,
      found: `${length} bytes`,
    })
  }
  if (lengthBytes + length > fileBytes) {
    throw truncated(path, `at least ${lengthBytes + length} bytes`, `${fileBytes} bytes`)
  }
  return await readExactly(handle, path, lengthBytes, length)
}

async function readExactly(handle: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await handle.read(bytes, 0, length, position)
  if (bytesRead !== length) throw truncated(path, `${length} bytes at ${position}`, `${bytesRead} bytes`)
  return bytes
}

function parseHeader(header: Buffer, path: string): [string, z.infer<typeof entrySchema>][] {
  let parsed: unknown
  try {
    parsed = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(header))
  } catch (cause) {
    throw weightsError('bad-header', path, 'Its header is not readable text.', {}, cause)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw weightsError('bad-header', path, 'Its header is not a list of tensors.')
  }
  return Object.entries(parsed)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => {
      const entry = entrySchema.safeParse(value)
      if (entry.success) return [name, entry.data]
      const [issue] = entry.error.issues
      throw badTensor(path, name, `${issue?.path.join('.')}: ${issue?.message}`)
    })
}

function toTensor(path: string, name: string, entry: z.infer<typeof entrySchema>, dataStart: number): StoredTensor {
  if (!Object.hasOwn(safetensorsDTypes, entry.dtype)) {
    throw weightsError(
      'unsupported-dtype',
      path,
      `The tensor ${name} is of the type ${entry.dtype}, which is not supported.`,
      {
        expected: Object.keys(safetensorsDTypes).join(', '),
        found: entry.dtype,
      },
    )
  }
  const dtype = safetensorsDTypes[entry.dtype as SafetensorsDType]
  const [start, end] = entry.data_offsets
  const sizeBytes = entry.shape.reduce((product, dim) => product * dim, elementBytes[dtype])
  if (end - start !== sizeBytes) {
    throw badTensor(path, name, `its shape [${entry.shape.join(', ')}] takes ${sizeBytes} bytes, not ${end - start}`)
  }
  return { name, dtype, shape: entry.shape, slice: { file: path, offsetBytes: dataStart + start, sizeBytes } }
}

/** The tensors must fill the file from the header to its end, without a hole and without sharing a byte. */
function checkLayout(path: string, tensors: StoredTensor[], dataStart: number, fileBytes: number): void {
  tensors.sort((a, b) => a.slice.offsetBytes - b.slice.offsetBytes || a.slice.sizeBytes - b.slice.sizeBytes)
  let expected = dataStart
  for (const { name, slice } of tensors) {
    if (slice.offsetBytes !== expected) {
      throw badTensor(path, name, `it begins at byte ${slice.offsetBytes}, where byte ${expected} was next`)
    }
    expected += slice.sizeBytes
  }
  if (fileBytes < expected) throw truncated(path, `${expected} bytes`, `${fileBytes} bytes`)
  if (fileBytes > expected) {
    throw weightsError('bad-header', path, 'It holds more bytes than its header tells of.', {
      expected: `${expected} bytes`,
      found: `${fileBytes} bytes`,
    })
  }
}

/** The bytes of a tensor, row-major and little-endian. @throws StudioError `weights.truncated`, `weights.unreadable` */
export async function readTensorBytes({ slice }: StoredTensor): Promise<Buffer> {
  const handle = await open(slice.file, 'r').catch((cause: unknown) => Promise.reject(unreadable(slice.file, cause)))
  try {
    return await readExactly(handle, slice.file, slice.offsetBytes, slice.sizeBytes)
  } finally {
    await handle.close()
  }
}

/**
 * The bytes of a tensor piece by piece, so that a large one is never in memory as a whole. Each piece is overwritten
 * by the next.
 * @param pieceBytes of every piece but the last, e.g. a multiple of a row's
 * @throws StudioError `weights.truncated`, `weights.unreadable`
 */
export async function* readTensorPieces({ slice }: StoredTensor, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const handle = await open(slice.file, 'r').catch((cause: unknown) => Promise.reject(unreadable(slice.file, cause)))
  try {
    const piece = new Uint8Array(Math.min(pieceBytes, slice.sizeBytes))
    for (let done = 0; done < slice.sizeBytes; done += pieceBytes) {
      const length = Math.min(pieceBytes, slice.sizeBytes - done)
      const { bytesRead } = await handle.read(piece, 0, length, slice.offsetBytes + done)
      if (bytesRead !== length) {
        throw truncated(slice.file, `${length} bytes at ${slice.offsetBytes + done}`, `${bytesRead} bytes`)
      }
      yield length === piece.length ? piece : piece.subarray(0, length)
    }
  } finally {
    await handle.close()
  }
}

/**
 * Writes a file that appears under its name only when it is whole and on the disk.
 * @param metadata goes into the header's `__metadata__`, e.g. `{ format: 'pt' }`
 * @throws StudioError `weights.bad-tensor` when a tensor's bytes do not fit its shape or a name comes twice,
 *   `weights.disk-full`, `weights.cannot-write`
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const tensor of tensors) requireBytes(path, tensor, tensor.bytes.byteLength)
  const streams = tensors.map(({ name, dtype, shape, bytes }) => ({ name, dtype, shape, pieces: () => [bytes] }))
  await streamSafetensors(path, streams, metadata)
}

/**
 * As {@link writeSafetensors}, with one piece of one tensor in memory at a time.
 * @param hash told of every byte of the file
 */
export async function streamSafetensors(
  path: string,
  tensors: readonly TensorToStream[],
  metadata: Readonly<Record<string, string>> = {},
  hash?: Pick<Hash, 'update'>,
): Promise<void> {
  const header = Buffer.from(JSON.stringify(headerOf(path, tensors, metadata)))
  // Data begin at a multiple of 8, so that a reader that maps the file finds numbers aligned.
  const padded = Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8, ' ')])
  const length = Buffer.alloc(lengthBytes)
  length.writeBigUInt64LE(BigInt(padded.length))
  const temporary = temporaryBeside(path)
  try {
    const handle = await open(temporary, 'w')
    try {
      const write = async (bytes: Uint8Array): Promise<void> => {
        hash?.update(bytes)
        await handle.writeFile(bytes)
      }
      await write(Buffer.concat([length, padded]))
      for (const tensor of tensors) await writePieces(write, path, tensor)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    throw writeFailure(path, cause)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Where a file or folder is written before it gets its name. Short: the name itself may be as long as names can be. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${process.pid}.partial`)
}

async function writePieces(
  write: (bytes: Uint8Array) => Promise<void>,
  path: string,
  tensor: TensorToStream,
): Promise<void> {
  let written = 0
  for await (const piece of tensor.pieces()) {
    await write(piece)
    written += piece.byteLength
  }
  requireBytes(path, tensor, written)
}

function requireBytes(path: string, { name, dtype, shape }: Omit<TensorToStream, 'pieces'>, found: number): void {
  const sizeBytes = bytesOf(dtype, shape)
  if (found === sizeBytes) return
  throw badTensor(path, name, `its shape [${shape.join(', ')}] takes ${sizeBytes} bytes, not ${found}`)
}

function bytesOf(dtype: SafetensorsDType, shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, elementBytes[safetensorsDTypes[dtype]])
}

function headerOf(
  path: string,
  tensors: readonly TensorToStream[],
  metadata: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  let offset = 0
  for (const { name, dtype, shape } of tensors) {
    if (Object.hasOwn(header, name)) throw badTensor(path, name, 'its name comes twice')
    const sizeBytes = bytesOf(dtype, shape)
    header[name] = { dtype, shape, data_offsets: [offset, offset + sizeBytes] }
    offset += sizeBytes
  }
  return header
}

/** Makes a rename durable; Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function truncated(path: string, expected: string, found: string): StudioError {
  return weightsError('truncated', path, 'It is cut short: the copy did not finish.', { expected, found })
}

function badTensor(path: string, name: string, why: string): StudioError {
  return weightsError('bad-tensor', path, `The tensor ${name} is described wrongly: ${why}.`)
}

function unreadable(path: string, cause: unknown): StudioError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  return weightsError('unreadable', path, `It cannot be read (${code}).`, {}, cause)
}

/** What failed while a model was written, as an error for a person; a StudioError stays what it is. */
export function writeFailure(path: string, cause: unknown): StudioError {
  if (cause instanceof StudioError) return cause
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const record = isFull
    ? {
        code: 'weights.disk-full' as const,
        message: 'The disk is full, so the weights were not written; what was there before is kept.',
        remedy: 'Free some space on the disk, or choose a folder on another one, then try again.',
      }
    : {
        code: 'weights.cannot-write' as const,
        message: `The weights could not be written (${code}).`,
        remedy: 'Choose a folder that you may write to, then try again.',
      }
  return new StudioError({ ...record, where: path }, { cause })
}

const remedies: Readonly<Record<string, string>> = {
  'unsupported-dtype': 'Get the model with its weights as F32, F16 or BF16; most models offer one of them.',
}

/** An error about a weights file: what is wrong in one sentence, and what helps: mostly a new copy. */
export function weightsError(
  problem: string,
  path: string,
  what: string,
  facts: { expected?: string; found?: string } = {},
  cause?: unknown,
  remedy = remedies[problem] ?? 'Copy or download the file again, and compare its size with the original.',
): StudioError {
  const code: ErrorCode = `weights.${problem}`
  const record = {
    code,
    message: `A weights file of the model cannot be used. ${what}`,
    remedy,
    where: path,
    ...facts,
  }
  return new StudioError(record, { cause })
}
