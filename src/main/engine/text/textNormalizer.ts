// The normalizers of a tokenizer.json over aligned text. tokenizer.ts runs them on what lies between added tokens, before
// preTokenizer.ts splits. Reference: the `normalizers` of the `tokenizers` library.
import { ReplaceNormalizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { type AlignedText, Edit } from './alignedText.ts'
import { charsMapNormalizer } from './charsMap.ts'

/** A pattern of a tokenizer.json: a literal string, or a regular expression in Oniguruma's syntax. */
export const patternSchema = z.union([
  z.strictObject({ String: z.string().max(4096) }),
  z.strictObject({ Regex: z.string().max(4096) }),
])
export type Pattern = z.infer<typeof patternSchema>

export type NormalizerConfig =
  | { type: 'Sequence'; normalizers: NormalizerConfig[] }
  | { type: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | 'Lowercase' | 'StripAccents' }
  | { type: 'Strip'; strip_left: boolean; strip_right: boolean }
  | { type: 'Replace'; pattern: Pattern; content: string }
  | { type: 'Prepend'; prepend: string }
  | { type: 'Precompiled'; precompiled_charsmap: string }

/** The normalizers that are computed, field by field; any other is refused by the schema. */
export const normalizerSchema: z.ZodType<NormalizerConfig> = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('Sequence'), normalizers: z.array(normalizerSchema).max(64) }),
    z.strictObject({ type: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents']) }),
    z.strictObject({ type: z.literal('Strip'), strip_left: z.boolean(), strip_right: z.boolean() }),
    z.strictObject({ type: z.literal('Replace'), pattern: patternSchema, content: z.string().max(64) }),
    z.strictObject({ type: z.literal('Prepend'), prepend: z.string().max(64) }),
    z.strictObject({ type: z.literal('Precompiled'), precompiled_charsmap: z.base64() }),
  ]),
)

export type Normalizer = (text: AlignedText) => AlignedText

/** @throws SyntaxError when a pattern is not a regular expression; Error when a charsmap is damaged */
export function compileNormalizer(config: NormalizerConfig | null): Normalizer {
  if (config === null) return (text) => text
  switch (config.type) {
    case 'Sequence': {
      const steps = config.normalizers.map(compileNormalizer)
      return (text) => steps.reduce((current, step) => step(current), text)
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = config.type
      return (text) => toForm(text, form)
    }
    // Rust lowers character by character: no final sigma.
    case 'Lowercase':
      return (text) => text.mapCharacters((character) => character.toLowerCase())
    case 'StripAccents':
      return (text) => text.mapCharacters((character) => (/\p{M}/u.test(character) ? '' : character))
    case 'Strip':
      return (text) => strip(text, config.strip_left, config.strip_right)
    case 'Replace': {
      const pattern = compilePattern(config.pattern)
      return (text) => text.replace(rangesOf(pattern, text.text), config.content)
    }
    case 'Prepend':
      return (text) => text.prepend(config.prepend)
    case 'Precompiled':
      return charsMapNormalizer(config.precompiled_charsmap)
  }
}

/** A pattern as a global regular expression of JavaScript. @throws SyntaxError */
export function compilePattern(pattern: Pattern): RegExp {
  const compiled = new ReplaceNormalizer({ type: 'Replace', pattern, content: '' }).pattern
  if (compiled === null) throw new SyntaxError('a pattern is neither a string nor a regular expression')
  return compiled
}

/** The ranges of all matches that are not empty, in order. */
export function* rangesOf(pattern: RegExp, text: string): Generator<readonly [from: number, to: number]> {
  for (const { index, 0: match } of text.matchAll(pattern)) {
    if (match.length > 0) yield [index, index + match.length]
  }
}

function strip(text: AlignedText, left: boolean, right: boolean): AlignedText {
  const from = left ? (/^\p{White_Space}*/u.exec(text.text)?.[0].length ?? 0) : 0
  let to = text.length
  while (right && to > from && /\p{White_Space}/u.test(text.text[to - 1] ?? '')) to--
  return text.trimTo(from, to)
}

type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/** A character that no Unicode form joins with the one before it: not a mark, not a vowel or final of Hangul. */
const segmentStart = /(?=[^\p{M}\u1160-\u11ff])/u

/** The text in a Unicode form. */
function toForm(text: AlignedText, form: UnicodeForm): AlignedText {
  const normalized = text.text.normalize(form)
  if (normalized === text.text) return text
  const segments = text.text.split(segmentStart)
  const isSplitRight = segments.map((segment) => segment.normalize(form)).join('') === normalized
  const edit = new Edit(text)
  let at = 0
  for (const segment of isSplitRight ? segments : [text.text]) {
    if (segment.normalize(form) === segment) edit.keep(at, at + segment.length)
    else normalizeSegment(edit, at, segment, form)
    at += segment.length
  }
  return edit.done()
}

/**
 * Adds the normalized segment. Source characters are used up in order: a character that was composed of n uses n, one
 * that a decomposition adds uses none and stems from the one before it.
 */
function normalizeSegment(edit: Edit, at: number, segment: string, form: UnicodeForm): void {
  const decomposition = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD'
  const units: number[] = []
  const parts: { character: string; isFirst: boolean }[] = []
  let unit = at
  for (const character of segment) {
    units.push(unit)
    unit += character.length
    ;[...character.normalize(decomposition)].forEach((part, index) => {
      parts.push({ character: part, isFirst: index === 0 })
    })
  }
  let used = 0
  for (const character of segment.normalize(form)) {
    let uses = 0
    for (const component of character.normalize(decomposition)) {
      const index = parts.findIndex((part) => part.character === component)
      if (index >= 0 && parts.splice(index, 1)[0]?.isFirst) uses++
    }
    edit.add(character, units[uses > 0 ? used : Math.max(used - 1, 0)] ?? at)
    used += uses
  }
}
