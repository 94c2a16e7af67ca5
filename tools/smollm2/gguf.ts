// A GGUF file's header: its metadata, and where each tensor lies. Before it stands a file's bytes, after it
// dequantise.ts and what convert.ts writes.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
import { StudioError } from '../../src/shared/errors.ts'

export type GgufValue = number | bigint | boolean | string | readonly GgufValue[]

export interface GgufTensor {
  readonly name: string
  /** Row-major, the slowest dimension first: the reverse of the file's own order. */
  readonly shape: readonly number[]
  /** A number of ggml's `enum ggml_type`. */
  readonly type: number
  /** Where its bytes begin in the file. */
  readonly offsetBytes: number
}

export interface Gguf {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly GgufTensor[]
}

const magic = 'GGUF'
const versions = [2, 3]
const defaultAlignment = 32
/** `GGUF_TYPE_ARRAY`. */
const arrayType = 9

/**
 * Reads the header of a little-endian file.
 * @param file its bytes, all of them or at least the header
 * @throws StudioError `weights.not-gguf`, `weights.truncated`, `weights.bad-header`
 */
export function readGguf(file: Buffer, where: string): Gguf {
  const reader = new Reader(file, where)
  const found = file.toString('latin1', 0, magic.length)
  if (found !== magic) throw ggufError('not-gguf', where, 'It is no GGUF file.', magic, JSON.stringify(found))
  reader.skip(magic.length)
  const version = reader.u32()
  if (!versions.includes(version)) {
    throw ggufError('not-gguf', where, 'Its version is not known.', versions.join(' or '), `${version}`)
  }
  const tensorCount = reader.u64()
  const entryCount = reader.u64()
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < entryCount; i++) metadata.set(reader.string(), reader.value(reader.u32()))
  const infos = Array.from({ length: tensorCount }, () => {
    const name = reader.string()
    const shape = Array.from({ length: reader.u32() }, () => reader.u64()).reverse()
    return { name, shape, type: reader.u32(), offset: reader.u64() }
  })
  const alignment = Number(metadata.get('general.alignment') ?? defaultAlignment)
  const start = Math.ceil(reader.at / alignment) * alignment
  return {
    metadata,
    tensors: infos.map(({ offset, ...tensor }) => ({ ...tensor, offsetBytes: start + offset })),
  }
}

/** Takes one value after the other. */
class Reader {
  at = 0
  readonly #file: Buffer
  readonly #where: string
  /** By ggml's `enum gguf_metadata_value_type`. */
  readonly #scalars: Readonly<Record<number, () => GgufValue>> = {
    0: () => this.#take(1, (at) => this.#file.readUInt8(at)),
    1: () => this.#take(1, (at) => this.#file.readInt8(at)),
    2: () => this.#take(2, (at) => this.#file.readUInt16LE(at)),
    3: () => this.#take(2, (at) => this.#file.readInt16LE(at)),
    4: () => this.u32(),
    5: () => this.#take(4, (at) => this.#file.readInt32LE(at)),
    6: () => this.#take(4, (at) => this.#file.readFloatLE(at)),
    7: () => this.#take(1, (at) => this.#file.readUInt8(at) !== 0),
    8: () => this.string(),
    10: () => this.#take(8, (at) => this.#file.readBigUInt64LE(at)),
    11: () => this.#take(8, (at) => this.#file.readBigInt64LE(at)),
    12: () => this.#take(8, (at) => this.#file.readDoubleLE(at)),
  }

  constructor(file: Buffer, where: string) {
    this.#file = file
    this.#where = where
  }

  skip(count: number): void {
    this.#take(count, () => undefined)
  }

  u32(): number {
    return this.#take(4, (at) => this.#file.readUInt32LE(at))
  }

  /** A count or an offset, which no file makes larger than a double can hold. */
  u64(): number {
    const value = this.#take(8, (at) => this.#file.readBigUInt64LE(at))
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
    throw ggufError('bad-header', this.#where, 'It counts further than any file reaches.', undefined, `${value}`)
  }

  string(): string {
    const length = this.u64()
    return this.#take(length, (at) => this.#file.toString('utf8', at, at + length))
  }

  value(type: number): GgufValue {
    if (type === arrayType) {
      const [elements, length] = [this.u32(), this.u64()]
      const values: GgufValue[] = []
      for (let i = 0; i < length; i++) values.push(this.value(elements))
      return values
    }
    const read = this.#scalars[type]
    if (read) return read()
    throw ggufError('bad-header', this.#where, 'A value of its metadata is of no known type.', '0 to 12', `${type}`)
  }

  #take<Value>(count: number, read: (at: number) => Value): Value {
    const { at } = this
    if (at + count > this.#file.length) {
      throw ggufError(
        'truncated',
        this.#where,
        'It ends inside of its header.',
        undefined,
        `${this.#file.length} bytes`,
      )
    }
    this.at += count
    return read(at)
  }
}

/** An error about a GGUF file: what is wrong in one sentence, and the one remedy that helps with all of them. */
export function ggufError(
  problem: string,
  where: string,
  what: string,
  expected?: string,
  found?: string,
): StudioError {
  return new StudioError({
    code: `weights.${problem}`,
    message: `The GGUF file cannot be used. ${what}`,
    remedy: 'Download it again, or choose a file of the LLaMA architecture of the types that tools/smollm2 knows.',
    where,
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
  })
}
