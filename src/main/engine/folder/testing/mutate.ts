// Seeded damage to the files of a model folder: bytes, JSON values, safetensors headers, tokenizer components and
// templates, as accidents and hostile authors make them. fuzzCases.ts puts the results into folders.
import type { Rng } from '../../rng.ts'

/** One of the items, each equally likely. */
export function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[rng.below(items.length)] as T
}

/** True in one of `n` cases. */
export function oneIn(rng: Rng, n: number): boolean {
  return rng.below(n) === 0
}

/** Bit flips, other bytes, a cut, an insertion, a span doubled, taken out or overwritten: one to four of them. */
export function mutateBytes(rng: Rng, original: Uint8Array): Buffer {
  let bytes = Buffer.from(original)
  for (let count = 1 + rng.below(4); count > 0; count--) {
    const at = rng.below(bytes.length + 1)
    const to = Math.min(at + 1 + rng.below(oneIn(rng, 4) ? 4096 : 16), bytes.length)
    const [head, span, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
    const noise = Buffer.from(Array.from({ length: 1 + rng.below(12) }, () => rng.below(256)))
    switch (rng.below(7)) {
      case 0:
      case 1:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << rng.below(8))
        break
      case 2:
        if (at < bytes.length) bytes[at] = pick(rng, [0, 9, 34, 44, 58, 91, 92, 123, 125, 0xc3, 0xed, 0xff])
        break
      case 3:
        if (oneIn(rng, 3)) bytes = Buffer.from(head)
        break
      case 4:
        bytes = Buffer.concat([head, noise, span, tail])
        break
      case 5:
        bytes = Buffer.concat([head, span, span, tail])
        break
      default:
        bytes = Buffer.concat([head, tail])
    }
  }
  return bytes
}

/** Marks a string that stands for JSON text which no value gives: numbers beyond range, lone halves, deep nesting. */
const rawMark = '@raw:'
const raw = (json: string) => `${rawMark}${Buffer.from(json).toString('base64')}@`
/** Marks a key that comes twice under the name after it. */
const twiceMark = '@twice:'

const bombs = ['(a+)+$', '(a|a)*b', '(?:(?:a*)*)*c', '(.*)*\\d{9}', '(\\s*\\S*)*!', '(a*)*\\1b', '^(([a-z])+.)+[A-Z]$']
const strangePatterns = [
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
const strings = [
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
const numbers = [
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
function oddValue(rng: Rng): unknown {
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

function nested(rng: Rng): string {
  const depth = pick(rng, [40, 300, 3000, 20_000, 200_000])
  const [open, close] = pick(rng, [
    ['[', ']'],
    ['{"a":', '}'],
    ['{"type":"Sequence","normalizers":[', ']}'],
    ['{"type":"Sequence","pretokenizers":[', ']}'],
  ] as const)
  return `${open.repeat(depth)}${open.startsWith('{"a"') ? '1' : ''}${close.repeat(depth)}`
}

type Container = Record<string, unknown>
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

function put(owner: Container, key: string, value: unknown): void {
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

const sequence = (list: string, steps: unknown[]) => ({ type: 'Sequence', [list]: steps })
const replaceBy = (pattern: object, content: string) => ({ type: 'Replace', pattern, content })

/** A tokenizer.json with a hostile component, a damaged vocabulary or merges, or otherwise changed values. */
export function mutateTokenizer(rng: Rng, text: Buffer): Buffer {
  if (oneIn(rng, 2)) return mutateJson(rng, text)
  const root = JSON.parse(text.toString()) as Container & { model: Container; added_tokens: Container[] }
  const pattern = { Regex: pick(rng, oneIn(rng, 3) ? strangePatterns : bombs) }
  const growing = new Array(pick(rng, [3, 8, 64])).fill(replaceBy({ String: 'a' }, 'a'.repeat(pick(rng, [2, 64]))))
  switch (rng.below(8)) {
    case 0:
      root['normalizer'] = oneIn(rng, 2) ? replaceBy(pattern, 'x') : sequence('normalizers', growing)
      break
    case 1:
      root['pre_tokenizer'] = { type: 'Split', pattern, behavior: pick(rng, ['Isolated', 'Removed']), invert: false }
      break
    case 2:
      root['decoder'] = oneIn(rng, 2) ? replaceBy(pattern, 'y') : sequence('decoders', growing)
      break
    case 3: {
      const component = pick(rng, ['normalizer', 'pre_tokenizer', 'decoder', 'post_processor'])
      root[component] = oneIn(rng, 2) ? raw(nested(rng)) : structuredClone(root[pick(rng, ['normalizer', 'decoder'])])
      break
    }
    case 4: {
      const added = { id: rng.below(2000), content: pick(rng, strings), special: oneIn(rng, 2), lstrip: oneIn(rng, 2) }
      const many = Array.from({ length: 20_000 }, (_, i) => ({
        id: 1000 + i,
        content: `<t${i}>`,
        normalized: oneIn(rng, 2),
      }))
      root.added_tokens = oneIn(rng, 20) ? many : [...root.added_tokens, added]
      break
    }
    default:
      mutateModel(rng, root.model)
  }
  return Buffer.from(treeText(root))
}

function mutateModel(rng: Rng, model: Container): void {
  const { vocab, merges } = model as { vocab: Container; merges?: unknown[] }
  for (let count = 1 + rng.below(4); count > 0; count--) {
    const key = pick(rng, Object.keys(vocab))
    switch (rng.below(6)) {
      case 0:
        delete vocab[key]
        break
      case 1:
        put(vocab, Array.isArray(vocab) ? key : pick(rng, strings), oddValue(rng))
        break
      case 2:
        put(vocab, key, Array.isArray(vocab) ? [pick(rng, strings), -1e300] : pick(rng, numbers))
        break
      case 3:
        if (merges)
          merges[rng.below(merges.length + 1)] = pick<unknown>(rng, ['a', 'a b c', '', ' ', ['a', 'b'], [], 7, 'zz q'])
        break
      case 4:
        if (merges && merges.length > 1) merges.splice(rng.below(merges.length), 1 + rng.below(20))
        break
      default:
        put(model, pick(rng, ['unk_token', 'unk_id', 'byte_fallback', 'end_of_word_suffix', 'type']), oddValue(rng))
    }
  }
}

const snippets = [
  ...[
    '{% for i in range(99999999) %}x{% endfor %}',
    '{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}',
  ],
  ...[
    '{% set ns = namespace(s="x") %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s | upper }}',
  ],
  ...['{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{{ ns.a }}'],
  ...[
    '{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}',
    '{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}',
  ],
  ...[
    '{% set s = "aaaaaaaaaaaaaaaaaaaa" %}{% for i in range(9) %}{% set s = s | replace("a", s) %}{% endfor %}{{ s }}',
  ],
  ...[
    '{% set ns = namespace(s="a") %}{% for i in range(9) %}{% set ns.s = ns.s | replace("a", ns.s ~ "aaaaaaaaa") %}{% endfor %}',
  ],
  ...[
    '{% set ns = namespace(s="x") %}{% for i in range(17) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ range(9999) | join(ns.s) }}',
  ],
  ...[
    '{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = ns.l + [ns.l] %}{% endfor %}{{ ns.l | tojson }}',
  ],
  ...[
    '{{ messages | tojson(indent=99999999) }}',
    '{{ "a\\nb" | indent(999999999) }}',
    '{{ 9 ** 9 ** 9 }}',
    '{{ 1 / 0 }}',
  ],
  ...[
    '{{ range(-1, -1e9, -1) }}',
    '{{ range(0, 5, 0) }}',
    '{{ range("a") }}',
    '{{ "".constructor.constructor("return 1")() }}',
  ],
  ...[
    '{{ messages.__proto__ }}',
    '{{ self }}',
    '{% include "/etc/passwd" %}',
    '{% import "x" as y %}',
    '{{ raise_exception("no") }}',
  ],
  ...[
    '{% break %}',
    '{% if',
    '{{',
    '{%',
    '}}',
    '{# ',
    '{% endfor %}',
    '{{ bos_token * 99999 }}',
    '{{ messages[0].content[9].x.y }}',
  ],
  ...[
    '{{ messages[::0] }}',
    '{{ strftime_now("%Y") }}',
    '{% set messages = [] %}',
    '<image>',
    '{{ "\ud800" }}',
    '\u0000',
  ],
]

/** A template with hostile or broken parts between its own, or with changed bytes. */
export function mutateTemplate(rng: Rng, text: string): string {
  if (oneIn(rng, 4)) return mutateBytes(rng, Buffer.from(text)).toString('latin1')
  if (oneIn(rng, 12)) {
    const depth = pick(rng, [50, 1000, 20_000])
    return pick(rng, [
      `{{ ${'('.repeat(depth)}1${')'.repeat(depth)} }}${text}`,
      `${'{% if true %}'.repeat(depth)}${text}${'{% endif %}'.repeat(depth)}`,
      `{{ ${'[1,'.repeat(depth)} }}`,
      `{{ ${'not '.repeat(depth)}1 }}${text}`,
      `{{ "a"${' ~ "a"'.repeat(depth)} }}${text}`,
      text.repeat(depth),
    ])
  }
  let changed = text
  for (let count = 1 + rng.below(2); count > 0; count--) {
    const cuts = [0, changed.length, ...Array.from(changed.matchAll(/[}]\}|%\}|\{[{%]/g), ({ index }) => index)]
    const at = pick(rng, cuts)
    const after = oneIn(rng, 3) ? at + rng.below(30) : at
    changed = changed.slice(0, at) + (oneIn(rng, 5) ? '' : pick(rng, snippets)) + changed.slice(after)
  }
  return changed
}
