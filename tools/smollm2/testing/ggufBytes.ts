// GGUF files made by hand, for tests and for the bench: every field is written out here, not by what reads it.

/** A metadata value with ggml's number of its type. */
export type Entry = readonly [name: string, type: number, bytes: Buffer]
export type HandTensor = {
  readonly name: string
  readonly dims: readonly number[]
  readonly type: number
  readonly bytes: Buffer
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

export function f32(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer)
}

export function text(value: string): Buffer {
  return Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])
}

export const number = (name: string, value: number): Entry => [name, 4, u32(value)]
export const float = (name: string, value: number): Entry => [name, 6, f32(value)]
export const string = (name: string, value: string): Entry => [name, 8, text(value)]
export const strings = (name: string, values: readonly string[]): Entry => [name, 9, list(8, values.map(text))]
export const integers = (name: string, values: readonly number[]): Entry => [
  name,
  9,
  list(
    5,
    values.map((value) => u32(value)),
  ),
]

export function list(type: number, values: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(type), u64(values.length), ...values])
}

/** A file of version 3. @param alignment what tensors begin at a multiple of */
export function ggufBytes(entries: readonly Entry[], tensors: readonly HandTensor[], alignment = 32): Buffer {
  const sized = tensors.map(({ bytes, ...tensor }) => ({ ...tensor, sizeBytes: bytes.length }))
  return Buffer.concat([
    ggufHeader(entries, sized, alignment),
    ...tensors.map(({ bytes }) => Buffer.concat([bytes, padding(bytes.length, alignment)])),
  ])
}

/** All that stands before the tensors, which follow in their order, each with its {@link padding}. */
export function ggufHeader(
  entries: readonly Entry[],
  tensors: readonly (Omit<HandTensor, 'bytes'> & { readonly sizeBytes: number })[],
  alignment = 32,
): Buffer {
  let offset = 0
  const infos = tensors.map(({ name, dims, type, sizeBytes }) => {
    const info = Buffer.concat([text(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset)])
    offset += sizeBytes + padding(sizeBytes, alignment).length
    return info
  })
  const header = Buffer.concat([
    ...[Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length)],
    ...entries.map(([name, type, bytes]) => Buffer.concat([text(name), u32(type), bytes])),
    ...infos,
  ])
  return Buffer.concat([header, padding(header.length, alignment)])
}

export function padding(sizeBytes: number, alignment = 32): Buffer {
  return Buffer.alloc(-sizeBytes & (alignment - 1))
}
