// The post-processors of a tokenizer.json: special tokens around the text, and offsets without the spaces of tokens.
// tokenizer.ts runs them last. Reference: the `processors` of the `tokenizers` library.
import { z } from 'zod'
import { largestTokenId } from './bpe.ts'
import { byteAlphabet } from './byteAlphabet.ts'
import { byteLevelSchema } from './preTokenizer.ts'

/** A token with the UTF-16 units `[start, end)` of the text that it stands for. */
export interface PlacedToken {
  readonly id: number
  readonly start: number
  readonly end: number
}

const id = z.int().nonnegative().max(largestTokenId)
const named = z.strictObject({ id: z.string(), type_id: z.int() })
const pieceSchema = z.union([z.strictObject({ SpecialToken: named }), z.strictObject({ Sequence: named })])
const specialTokenSchema = z.strictObject({ id: z.string(), ids: z.array(id).max(64), tokens: z.array(z.string()) })
const aroundFields = { sep: z.tuple([z.string(), id]), cls: z.tuple([z.string(), id]) }

export type PostProcessorConfig =
  | { type: 'Sequence'; processors: PostProcessorConfig[] }
  | z.infer<typeof byteLevelSchema>
  | z.infer<typeof robertaSchema>
  | z.infer<typeof bertSchema>
  | z.infer<typeof templateSchema>

const robertaSchema = z.strictObject({
  type: z.literal('RobertaProcessing'),
  ...aroundFields,
  trim_offsets: z.boolean().default(true),
  add_prefix_space: z.boolean().default(true),
})
const bertSchema = z.strictObject({ type: z.literal('BertProcessing'), ...aroundFields })
const templateSchema = z.strictObject({
  type: z.literal('TemplateProcessing'),
  single: z.array(pieceSchema).max(64),
  // Pairs of texts are never encoded here.
  pair: z.unknown(),
  special_tokens: z.record(z.string(), specialTokenSchema),
})

/** The post-processors that are computed, field by field; any other is refused by the schema. */
export const postProcessorSchema: z.ZodType<PostProcessorConfig> = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('Sequence'), processors: z.array(postProcessorSchema).max(64) }),
    byteLevelSchema,
    robertaSchema,
    bertSchema,
    templateSchema,
  ]),
)

/** What offsets are trimmed by. */
interface Source {
  /** The text that was encoded. */
  readonly text: string
  /** The token of an id, as it stands in the vocabulary. */
  readonly tokenOf: (id: number) => string
}

export type PostProcessor = (
  tokens: readonly PlacedToken[],
  addSpecialTokens: boolean,
  source: Source,
) => readonly PlacedToken[]

/** @throws Error when a template names a special token that it does not define, or a second text */
export function compilePostProcessor(config: PostProcessorConfig | null): PostProcessor {
  if (config === null) return (tokens) => tokens
  switch (config.type) {
    case 'Sequence': {
      const steps = config.processors.map(compilePostProcessor)
      return (tokens, addSpecialTokens, source) =>
        steps.reduce((current, step) => step(current, addSpecialTokens, source), tokens)
    }
    case 'ByteLevel':
      return (tokens, _, source) => (config.trim_offsets ? trim(tokens, config.add_prefix_space, source) : tokens)
    case 'RobertaProcessing': {
      const around = surround([config.cls[1]], [config.sep[1]])
      return (tokens, addSpecialTokens, source) => {
        const trimmed = config.trim_offsets ? trim(tokens, config.add_prefix_space, source) : tokens
        return around(trimmed, addSpecialTokens)
      }
    }
    case 'BertProcessing':
      return surround([config.cls[1]], [config.sep[1]])
    case 'TemplateProcessing':
      return template(config)
  }
}

function template(
  config: z.infer<typeof templateSchema>,
): (tokens: readonly PlacedToken[], add: boolean) => readonly PlacedToken[] {
  const before: number[] = []
  const after: number[] = []
  let texts = 0
  for (const piece of config.single) {
    if ('Sequence' in piece) {
      if (piece.Sequence.id !== 'A') throw new Error('the template for one text names a second one')
      texts++
      continue
    }
    const special = Object.hasOwn(config.special_tokens, piece.SpecialToken.id)
      ? config.special_tokens[piece.SpecialToken.id]
      : undefined
    if (!special) throw new Error(`the template does not define "${piece.SpecialToken.id}"`)
    ;(texts === 0 ? before : after).push(...special.ids)
  }
  if (texts !== 1) throw new Error(`the template holds the text ${texts} times`)
  return surround(before, after)
}

function surround(before: readonly number[], after: readonly number[]) {
  const place = (id: number): PlacedToken => ({ id, start: 0, end: 0 })
  const [first, last] = [before.map(place), after.map(place)]
  return (tokens: readonly PlacedToken[], addSpecialTokens: boolean): readonly PlacedToken[] =>
    addSpecialTokens ? [...first, ...tokens, ...last] : tokens
}

const spaceLetter = byteAlphabet[0x20] ?? ''
const spacesAtStart = new RegExp(`^[${spaceLetter}\\p{White_Space}]*`, 'u')
const spacesAtEnd = new RegExp(`[${spaceLetter}\\p{White_Space}]*$`, 'u')

/** Offsets without the spaces with which byte-level tokens begin or end; one space takes one character away. */
function trim(tokens: readonly PlacedToken[], addPrefixSpace: boolean, { text, tokenOf }: Source): PlacedToken[] {
  return tokens.map(({ id, start, end }, index) => {
    const token = tokenOf(id)
    let leading = spacesAtStart.exec(token)?.[0].length ?? 0
    const trailing = spacesAtEnd.exec(token)?.[0].length ?? 0
    // A space that was put before the text has no place in it.
    if (leading > 0 && addPrefixSpace && (index === 0 || start === 0)) leading--
    // A character takes one or two UTF-16 units.
    const first = [...text.slice(start, start + 2 * leading)].slice(0, leading)
    const last = [...text.slice(Math.max(end - 2 * trailing, 0), end)].slice(-trailing)
    const trimmedStart = Math.min(start + unitsOf(first), end)
    const dropped = trailing > 0 && end >= trailing ? unitsOf(last) : 0
    return { id, start: trimmedStart, end: Math.max(end - dropped, trimmedStart) }
  })
}

function unitsOf(characters: readonly string[]): number {
  return characters.join('').length
}
