// Reads the folders of tools/parity/fixtures: what torch, transformers and peft computed from the tiny checkpoints.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors, readTensorBytes } from '../../folder/safetensors.ts'

export const fixtureRoot = join(import.meta.dirname, '../../../../../tools/parity/fixtures')

export interface Expected {
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array | Int32Array | Float64Array
}

export interface ParityFixture {
  readonly folder: string
  /** expected.json */
  readonly json: ExpectedJson
  /** A tensor of expected.safetensors. */
  readonly get: (name: string) => Expected
  readonly has: (name: string) => boolean
  readonly names: readonly string[]
}

export interface ExpectedJson {
  readonly prompts: readonly { text: string; input_ids: number[]; image_token_count: number }[]
  readonly questions: readonly string[]
  readonly responses: readonly string[]
  readonly response_start: number
  readonly greedy_text: readonly string[]
  /**
   * `rows` of the features that each image takes, and `tiles`, where the images do not take the same; `sizes` [width, height]
   * where these depend on them.
   */
  readonly images: { files: string[]; rows?: number[]; tiles?: number[]; sizes?: [number, number][] }
  readonly sampling: readonly {
    temperature: number
    top_k: number
    top_p: number
    repetition_penalty: number
  }[]
  readonly losses: Readonly<Record<string, number>>
  readonly [field: string]: unknown
}

export async function readFixture(name: string): Promise<ParityFixture> {
  const folder = join(fixtureRoot, name)
  const stored = await readSafetensors(join(folder, 'expected.safetensors'))
  const tensors = new Map<string, Expected>()
  for (const tensor of stored) {
    const bytes = await readTensorBytes(tensor)
    const { buffer } = new Uint8Array(bytes)
    const make = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array, int32: Int32Array }
    const Values = make[tensor.dtype as keyof typeof make]
    tensors.set(tensor.name, { shape: tensor.shape, values: new Values(buffer) })
  }
  return {
    folder,
    json: JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as ExpectedJson,
    names: [...tensors.keys()],
    has: (key) => tensors.has(key),
    get: (key) => {
      const tensor = tensors.get(key)
      if (!tensor) throw new Error(`${name} has no ${key}`)
      return tensor
    },
  }
}

export function floats(expected: Expected): Float32Array {
  return Float32Array.from(expected.values, Number)
}

export function integers(expected: Expected): number[] {
  return Array.from(expected.values, Number)
}

/** max |a - b|; infinite when the lengths differ. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let worst = 0
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs((a[i] as number) - (b[i] as number)))
  return worst
}

/** ‖a - b‖ / ‖b‖ */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let [difference, norm] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2
    norm += (b[i] as number) ** 2
  }
  return Math.sqrt(difference / norm)
}

/** The least cosine between the rows [rows, width] of two matrices. */
export function leastCosine(a: Float32Array, b: Float32Array, width: number): number {
  let least = 1
  for (let start = 0; start < b.length; start += width) {
    let [dot, aa, bb] = [0, 0, 0]
    for (let i = start; i < start + width; i++) {
      dot += (a[i] as number) * (b[i] as number)
      aa += (a[i] as number) ** 2
      bb += (b[i] as number) ** 2
    }
    least = Math.min(least, dot / Math.sqrt(aa * bb))
  }
  return least
}
