// Seeded damage to JSON trees: values, names and places, as accidents and hostile authors make them. Before it stands
// mutateBytes.ts, after it mutateWeights.ts and mutateText.ts, which know what the trees mean.
import type { Rng } from '../../rng.ts'
import { mutateBytes, oneIn, pick } from './mutateBytes.ts'

/** Marks a string that stands for JSON text which no value gives: numbers beyond range, lone halves, deep nesting. */
const rawMark = '@raw:'
/** JSON text as it is, which {@link treeText} puts in. */
export const raw = (json: string) => `${rawMark}${Buffer.from(json).toString('base64')}@`
/** Marks a key that comes twice under the name after it. */
const twiceMark = '@twice:'

/** Patterns that take exponential time. */
export const bombs = [
  '(a+)+$',
  '(a|a)*b',
  '(?:(?:a*)*)*c',
  '(.*)*\\d{9}',
  '(\\s*\\S*)*!',
  '(a*)*\\1b',
  '^(([a-z])+.)+[A-Z]$',
]
/** Patterns that engines read differently or not at all. */
export const strangePatterns = [
  '',
  '.',
  '(?=a)',
  '(?i)a',
  '\\p{L',
  '[',
  '(?<n>a)\\k<n>',
  '\\G',
  '(?>a+)b',
  'a{1,100000}',
  '\\u{',
]
/** Names that mean something to somebody. */
export const strings = [
  ...[
    '',
    ' ',
    'NaN',
    'Infinity',
    '-1',
    'null',
    'true',
    '▁',
    'Ġ',
    '</w>',
    '<image>',
    '<0x0A>',
    '<0xFF>',
    '🐈',
    '\u0000',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '..', '../secret', '/etc/passwd', 'C:\\x'],
  ...['model.safetensors', 'BPE', 'Unigram', 'Sequence', 'ByteLevel', 'float32', 'F32', 'BF16', 'I64', 'gelu', 'llava'],
  ...bombs,
  ...strangePatterns,
]
/** Numbers at the ends of what types hold. */
export const numbers = [
  ...[0, 1, 2, 3, 7, 64, 100, -1, 0.5, 1e-320, 255, 256, 65_536, 2 ** 31, 2 ** 32, 4_000_000, 4_000_001, 1e9],
  ...[2 ** 53 - 1, 2 ** 53, 1e21, 1e308, -1e308, -(2 ** 31)],
]
const rawValues = [
  ...['1e999', '-1e999', '-0', '1.0000000000000000001', '123456789012345678901234567890', 'NaN', 'Infinity', '01'],
  ...[
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ufeff"',
    '{"a":1,"a":[]}',
    '{"__proto__":{"type":"BPE"}}',
    'undefined',
    "'a'",
  ],
]

/** A value that a field of any type could be given; large ones are rare because they cost time. */
export function oddValue(rng: Rng): unknown {
  switch (rng.below(12)) {
    case 0:
    case 1:
    case 2:
      return pick(rng, numbers)
    case 3:
    case 4:
      return pick(rng, strings)
    case 5:
      return raw(pick(rng, rawValues))
    case 6:
      return pick(rng, [null, true, false, [], {}, [[]], [null], { type: 'X' }, { type: 'Sequence' }, [0, 1, 2]])
    case 7:
      return 'a<▁ '.charAt(rng.below(4)).repeat(oneIn(rng, 40) ? 4_000_000 : 1 + rng.below(6000))
    case 8:
      return new Array(oneIn(rng, 60) ? 1_000_000 : rng.below(3000)).fill(
        pick<unknown>(rng, [0, 'a', null, [], ['a', 'b']]),
      )
    case 9:
      return raw(nested(rng))
    case 10:
      return { Regex: pick(rng, oneIn(rng, 2) ? bombs : strangePatterns) }
    default:
      return Object.fromEntries(Array.from({ length: rng.below(oneIn(rng, 20) ? 20_000 : 20) }, (_, i) => [`k${i}`, i]))
  }
}

/** JSON text of up to 200,000 levels. */
export function nested(rng: Rng): string {
  const depth = pick(rng, [40, 300, 3000, 20_000, 200_000])
  const [open, close] = pick(rng, [
    ['[', ']'],
    ['{"a":', '}'],
    ['{"type":"Sequence","normalizers":[', ']}'],
    ['{"type":"Sequence","pretokenizers":[', ']}'],
  ] as const)
  return `${open.repeat(depth)}${open.startsWith('{"a"') ? '1' : ''}${close.repeat(depth)}`
}

export type Container = Record<string, unknown>
interface Place {
  readonly owner: Container
  readonly key: string
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

/** A place in the tree, every depth about as likely as the next. */
export function placeIn(rng: Rng, root: unknown): Place | null {
  let [place, value]: [Place | null, unknown] = [null, root]
  while (isContainer(value)) {
    const keys = Object.keys(value)
    if (keys.length === 0) break
    place = { owner: value, key: pick(rng, keys) }
    value = place.owner[place.key]
    if (rng.below(10) < 3) break
  }
  return place
}

/** Sets a field also where its name is `__proto__`. */
export function put(owner: Container, key: string, value: unknown): void {
  Object.defineProperty(owner, key, { value, enumerable: true, configurable: true, writable: true })
}

/** One to three changes to the values of a JSON tree, in place; the root itself in rare cases. */
export function mutateTree(rng: Rng, root: unknown): unknown {
  if (oneIn(rng, 60)) return oddValue(rng)
  for (let count = 1 + rng.below(3); count > 0; count--) {
    const place = placeIn(rng, root)
    if (place === null) return oddValue(rng)
    const { owner, key } = place
    const value = owner[key]
    switch (rng.below(10)) {
      case 0:
        delete owner[key]
        break
      case 1:
        delete owner[key]
        put(owner, pick(rng, [`${key}_`, key.toUpperCase(), '__proto__', 'constructor', '', '..']), value)
        break
      case 2:
        put(owner, `${twiceMark}${key}`, oneIn(rng, 2) ? value : oddValue(rng))
        break
      case 3:
        put(owner, pick(rng, ['__proto__', 'constructor', 'prototype', 'x', '']), oddValue(rng))
        break
      case 4: {
        const other = placeIn(rng, root)
        if (other) put(owner, key, structuredClone(other.owner[other.key]))
        break
      }
      case 5:
        put(owner, key, typeof value === 'number' ? value * pick(rng, [-1, 0.5, 2, 1000]) + pick(rng, [0, 1]) : [value])
        break
      case 6:
        put(owner, key, typeof value === 'string' ? value.slice(rng.below(value.length + 1)) : String(value))
        break
      default:
        put(owner, key, oddValue(rng))
    }
  }
  return root
}

/** JSON text of a tree that {@link mutateTree} changed. */
export function treeText(root: unknown): string {
  return String(JSON.stringify(root))
    .replaceAll(new RegExp(`"${rawMark}([A-Za-z0-9+/=]*)@"`, 'g'), (_, code: string) =>
      Buffer.from(code, 'base64').toString(),
    )
    .replaceAll(`"${twiceMark}`, '"')
}

/** A JSON file with changed values, or in one case of five with changed bytes. */
export function mutateJson(rng: Rng, text: Uint8Array): Buffer {
  if (oneIn(rng, 5)) return mutateBytes(rng, text)
  return Buffer.from(treeText(mutateTree(rng, JSON.parse(Buffer.from(text).toString()))))
}
