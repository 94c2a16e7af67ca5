// Seeded damage to tokenizers and chat templates: hostile patterns, growing texts, endless loops. Before it stands
// mutateTree.ts, after it fuzzCases.ts.
import type { Rng } from '../../rng.ts'
import { mutateBytes, oneIn, pick } from './mutateBytes.ts'
import {
  bombs,
  type Container,
  mutateJson,
  nested,
  numbers,
  oddValue,
  put,
  raw,
  strangePatterns,
  strings,
  treeText,
} from './mutateTree.ts'

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
