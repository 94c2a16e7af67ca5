// Seeded damage to safetensors files and the index of their shards. Before it stands mutateTree.ts, after it fuzzCases.ts.
import type { Rng } from '../../rng.ts'
import { mutateBytes, oneIn, pick } from './mutateBytes.ts'
import { type Container, mutateJson, mutateTree, put, treeText } from './mutateTree.ts'

const dtypes = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'U8', 'BOOL', 'F8_E4M3', 'C64', 'toString', '']
const tensorNames = [
  '',
  '..',
  '../../x',
  '/etc/passwd',
  '__proto__',
  '__metadata__',
  'constructor',
  'a\u0000b',
  'x'.repeat(50_000),
]

/** A safetensors file whose header says something else, or whose length, header and data do not fit together. */
export function mutateSafetensors(rng: Rng, file: Buffer): Buffer {
  if (oneIn(rng, 5)) return mutateBytes(rng, file)
  const length = Number(file.readBigUInt64LE())
  const header = JSON.parse(file.subarray(8, 8 + length).toString()) as Container
  let data = file.subarray(8 + length)
  let text: string | null = null
  const names = Object.keys(header).filter((name) => name !== '__metadata__')
  const name = pick(rng, names)
  const entry = header[name] as { dtype: unknown; shape: number[]; data_offsets: number[] }
  switch (rng.below(10)) {
    case 0:
      entry.dtype = pick(rng, dtypes)
      break
    case 1:
    case 2: {
      const by = pick(rng, [1, 4, -4, 64, 4096, data.length, -data.length, 2 ** 32, 2 ** 53 - 1, -1])
      if (oneIn(rng, 2)) entry.data_offsets = entry.data_offsets.map((offset) => offset + by)
      else entry.data_offsets[rng.below(2)] = pick(rng, [by, (entry.data_offsets[1] ?? 0) + by])
      break
    }
    case 3: {
      const other = header[pick(rng, names)] as typeof entry
      if (oneIn(rng, 2)) entry.data_offsets = [...other.data_offsets]
      else [entry.shape, other.shape] = [other.shape, entry.shape]
      break
    }
    case 4:
      entry.shape = pick(rng, [
        [],
        [0],
        entry.shape.toReversed(),
        [...entry.shape, 1],
        [2 ** 52, 2 ** 52],
        new Array(40).fill(1),
      ])
      break
    case 5:
      delete header[name]
      put(header, oneIn(rng, 3) ? pick(rng, names) : pick(rng, tensorNames), entry)
      break
    case 6:
      data = oneIn(rng, 2)
        ? data.subarray(0, rng.below(data.length))
        : Buffer.concat([data, Buffer.alloc(1 + rng.below(99))])
      break
    case 7:
      if (oneIn(rng, 8)) text = manyTensors(pick(rng, [1000, 20_000, 200_000]))
      else text = pick(rng, ['', '{}', '[]', 'null', '{"a":', ' '.repeat(99), '"a"', '\ufeff{}', '{"__metadata__":{}}'])
      break
    default:
      text = treeText(mutateTree(rng, header))
  }
  const bytes = Buffer.from(text ?? treeText(header))
  const claimed = Buffer.alloc(8)
  claimed.writeBigUInt64LE(oneIn(rng, 8) ? pick(rng, claims(bytes.length)) : BigInt(bytes.length))
  return Buffer.concat([claimed, bytes, data])
}

function claims(length: number): bigint[] {
  const near = [length - 1, length + 1, length + 8, length * 2, 0, 1].map((claim) => BigInt(Math.max(claim, 0)))
  return [...near, 99_999_999n, 100_000_001n, 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]
}

function manyTensors(count: number): string {
  const entry = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
  return `{${Array.from({ length: count }, (_, i) => `"${i}":${entry}`).join(',')}}`
}

const shardNames = [
  ...['../outside.safetensors', '/etc/passwd', '/etc/passwd.safetensors', '..', '.', '', 'config.json', '.safetensors'],
  ...['model.safetensors.index.json', 'model-00001-of-00004.safetensors', 'model-00002-of-00004.safetensors'],
  ...['sub/x.safetensors', 'sub\\x.safetensors', 'a\u0000.safetensors', `${'x'.repeat(5000)}.safetensors`, '__proto__'],
  ...['./model-00001-of-00004.safetensors', 'MODEL-00001-OF-00004.SAFETENSORS', 'adapter', 'directory.safetensors'],
]

/** An index of shards whose tensors are said to lie in other files. */
export function mutateIndex(rng: Rng, text: Buffer): Buffer {
  if (oneIn(rng, 2)) return mutateJson(rng, text)
  const root = JSON.parse(text.toString()) as { weight_map: Container }
  for (let count = 1 + rng.below(3); count > 0; count--) {
    put(root.weight_map, pick(rng, [...Object.keys(root.weight_map), 'new', '__proto__']), pick(rng, shardNames))
  }
  return Buffer.from(JSON.stringify(root))
}
