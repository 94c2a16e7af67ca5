// The pre-tokenizers of a tokenizer.json over aligned text: they cut it into the pieces inside which tokens lie.
// Before them runs textNormalizer.ts, after them the model (bpe.ts, unigram.ts). Reference: the `pre_tokenizers` of the
// `tokenizers` library.
import { z } from 'zod'
import { type AlignedText, Edit } from './alignedText.ts'
import { byteAlphabet } from './byteAlphabet.ts'
import { compilePattern, type Pattern, patternSchema, rangesOf } from './textNormalizer.ts'

const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const
type Behavior = (typeof behaviors)[number]

export type PreTokenizerConfig =
  | { type: 'Sequence'; pretokenizers: PreTokenizerConfig[] }
  | { type: 'Split'; pattern: Pattern; behavior: Behavior; invert: boolean }
  | { type: 'ByteLevel'; add_prefix_space: boolean; use_regex: boolean }
  | MetaspaceConfig
  | { type: 'Digits'; individual_digits: boolean }
  | { type: 'WhitespaceSplit' }

/** Fields of Metaspace, which is a pre-tokenizer and a decoder. */
export const metaspaceSchema = z.strictObject({
  type: z.literal('Metaspace'),
  replacement: z.string().min(1).max(8),
  prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
  split: z.boolean().default(true),
  // Files from before `prepend_scheme` say it with this one.
  add_prefix_space: z.boolean().optional(),
  str_rep: z.string().optional(),
})
export type MetaspaceConfig = z.infer<typeof metaspaceSchema>

export function prependSchemeOf(config: MetaspaceConfig): 'always' | 'first' | 'never' {
  return config.prepend_scheme ?? (config.add_prefix_space === false ? 'never' : 'always')
}

/** Fields of ByteLevel, which is a pre-tokenizer, a post-processor and a decoder. */
export const byteLevelSchema = z.strictObject({
  type: z.literal('ByteLevel'),
  add_prefix_space: z.boolean().default(true),
  trim_offsets: z.boolean().default(true),
  use_regex: z.boolean().default(true),
})

/** The pre-tokenizers that are computed, field by field; any other is refused by the schema. */
export const preTokenizerSchema: z.ZodType<PreTokenizerConfig> = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('Sequence'), pretokenizers: z.array(preTokenizerSchema).max(64) }),
    z.strictObject({
      type: z.literal('Split'),
      pattern: patternSchema,
      behavior: z.enum(behaviors),
      invert: z.boolean().default(false),
    }),
    byteLevelSchema,
    metaspaceSchema,
    z.strictObject({ type: z.literal('Digits'), individual_digits: z.boolean() }),
    z.strictObject({ type: z.literal('WhitespaceSplit') }),
  ]),
)

export type PreTokenizer = (text: AlignedText) => AlignedText[]

/** GPT-2's split of words, numbers, signs and spaces. */
const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

/** @throws SyntaxError when a pattern is not a regular expression */
export function compilePreTokenizer(config: PreTokenizerConfig | null): PreTokenizer {
  if (config === null) return (text) => [text]
  switch (config.type) {
    case 'Sequence': {
      const steps = config.pretokenizers.map(compilePreTokenizer)
      return (text) => steps.reduce((pieces, step) => pieces.flatMap(step), [text])
    }
    case 'Split':
      return splitter(config.pattern, config.behavior, config.invert)
    case 'Digits':
      return splitter({ Regex: String.raw`\p{N}` }, config.individual_digits ? 'Isolated' : 'Contiguous', false)
    case 'WhitespaceSplit':
      return splitter({ Regex: String.raw`\s` }, 'Removed', false)
    case 'ByteLevel': {
      const split = config.use_regex
        ? splitter({ Regex: gpt2Pattern }, 'Isolated', false)
        : (text: AlignedText) => [text]
      return (text) => {
        const isPrefixed = !config.add_prefix_space || text.text.startsWith(' ')
        return split(isPrefixed ? text : text.prepend(' ')).map(toByteAlphabet)
      }
    }
    case 'Metaspace':
      return metaspace(config)
  }
}

function metaspace(config: MetaspaceConfig): PreTokenizer {
  const scheme = prependSchemeOf(config)
  const space = compilePattern({ String: ' ' })
  const split = config.split ? splitter({ String: config.replacement }, 'MergedWithNext', false) : null
  return (text) => {
    let replaced = text.replace(rangesOf(space, text.text), config.replacement)
    const isPrepended = scheme === 'always' || (scheme === 'first' && text.origin === 0)
    if (isPrepended && !replaced.text.startsWith(config.replacement)) replaced = replaced.prepend(config.replacement)
    return split ? split(replaced) : [replaced]
  }
}

/** Each UTF-8 byte of a character becomes a letter that stems from that character. */
function toByteAlphabet(text: AlignedText): AlignedText {
  const edit = new Edit(text)
  let at = 0
  for (const character of text.text) {
    const code = character.charCodeAt(0)
    if (code < 0x80) edit.add(byteAlphabet[code] ?? '', at)
    else for (const byte of Buffer.from(character)) edit.add(byteAlphabet[byte] ?? '', at)
    at += character.length
  }
  return edit.done()
}

interface Segment {
  readonly from: number
  readonly to: number
  readonly isDelimiter: boolean
}

function splitter(pattern: Pattern, behavior: Behavior, invert: boolean): PreTokenizer {
  const compiled = compilePattern(pattern)
  return (text) => {
    const segments: Segment[] = []
    let at = 0
    const addUpTo = (to: number, isMatch: boolean): void => {
      if (to > at) segments.push({ from: at, to, isDelimiter: isMatch !== invert })
      at = to
    }
    for (const [from, to] of rangesOf(compiled, text.text)) {
      addUpTo(from, false)
      addUpTo(to, true)
    }
    addUpTo(text.length, false)
    return joinDelimiters(segments, behavior).map(({ from, to }) => text.slice(from, to))
  }
}

function joinDelimiters(segments: readonly Segment[], behavior: Behavior): readonly Segment[] {
  switch (behavior) {
    case 'Isolated':
      return segments
    case 'Removed':
      return segments.filter(({ isDelimiter }) => !isDelimiter)
    case 'Contiguous':
      return joinWhere(segments, (left, right) => left.isDelimiter === right.isDelimiter)
    // Of delimiters in a row the first alone joins what is before it, the last alone what is after it.
    case 'MergedWithPrevious':
      return joinWhere(segments, (left, right) => !left.isDelimiter && right.isDelimiter)
    case 'MergedWithNext':
      return joinWhere(segments, (left, right) => left.isDelimiter && !right.isDelimiter)
  }
}

/** Joins neighbours of the original list for which `isOne` holds. */
function joinWhere(segments: readonly Segment[], isOne: (left: Segment, right: Segment) => boolean): Segment[] {
  const joined: Segment[] = []
  segments.forEach((segment, index) => {
    const previous = segments[index - 1]
    const last = joined.at(-1)
    if (previous && last && isOne(previous, segment)) joined[joined.length - 1] = { ...last, to: segment.to }
    else joined.push(segment)
  })
  return joined
}
