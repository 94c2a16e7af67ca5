// The decoders of a tokenizer.json over aligned text: from tokens to text, with the part of the text that each token
// contributed. tokenizer.ts and streamDecoder.ts call them. Reference: the `decoders` of the `tokenizers` library.
import { z } from 'zod'
import { AlignedText } from './alignedText.ts'
import { alphabetBytes } from './byteAlphabet.ts'
import { byteLevelSchema, metaspaceSchema, prependSchemeOf } from './preTokenizer.ts'
import { compilePattern, type Pattern, patternSchema, rangesOf } from './textNormalizer.ts'
import { decodeUtf8, isUtf8Whole } from './utf8.ts'

export type DecoderConfig =
  | { type: 'Sequence'; decoders: DecoderConfig[] }
  | { type: 'Replace'; pattern: Pattern; content: string }
  | { type: 'ByteFallback' | 'Fuse' }
  | { type: 'Strip'; content: string; start: 0 | 1; stop: 0 }
  | z.infer<typeof byteLevelSchema>
  | z.infer<typeof metaspaceSchema>

/** The decoders that are computed, field by field; any other is refused by the schema. */
export const decoderSchema: z.ZodType<DecoderConfig> = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('Sequence'), decoders: z.array(decoderSchema).max(64) }),
    z.strictObject({ type: z.literal('Replace'), pattern: patternSchema, content: z.string().max(64) }),
    z.strictObject({ type: z.enum(['ByteFallback', 'Fuse']) }),
    // What is stripped at the end of the text, or more than one character, would let a stream take text back.
    z.strictObject({
      type: z.literal('Strip'),
      content: z.string().min(1).max(2),
      start: z.union([z.literal(0), z.literal(1)]),
      stop: z.literal(0),
    }),
    byteLevelSchema,
    metaspaceSchema,
  ]),
)

/** Whether decoding takes time in proportion to the tokens: no regular expressions, and no text that grows. */
export function isSteady(config: DecoderConfig): boolean {
  if (config.type === 'Sequence') return config.decoders.every(isSteady)
  if (config.type !== 'Replace') return true
  return 'String' in config.pattern && config.content.length <= config.pattern.String.length
}

/** Pieces of text on their way through the decoders; their alignment counts tokens. */
export interface Decoded {
  readonly pieces: readonly AlignedText[]
  /** The first token whose text another token after the last one could still change; the count of tokens if none. */
  readonly open: number
}

export type DecoderStep = (decoded: Decoded) => Decoded

/** @throws SyntaxError when a pattern is not a regular expression */
export function compileDecoder(config: DecoderConfig | null): DecoderStep {
  // Without a decoder the library puts spaces between tokens.
  if (config === null) return eachPiece((piece, index) => (index === 0 ? piece : piece.prepend(' ')))
  switch (config.type) {
    case 'Sequence': {
      const steps = config.decoders.map(compileDecoder)
      return (decoded) => steps.reduce((current, step) => step(current), decoded)
    }
    case 'Replace': {
      const pattern = compilePattern(config.pattern)
      return eachPiece((piece) => piece.replace(rangesOf(pattern, piece.text), config.content))
    }
    case 'Fuse':
      return ({ pieces, open }) => ({ pieces: [AlignedText.concat(pieces)], open })
    case 'Strip':
      return eachPiece((piece) => {
        const isStripped = config.start === 1 && piece.text.startsWith(config.content)
        return isStripped ? piece.trimTo(config.content.length, piece.length) : piece
      })
    case 'Metaspace': {
      const pattern = compilePattern({ String: config.replacement })
      const dropsFirst = prependSchemeOf(config) !== 'never'
      return eachPiece((piece, index) =>
        piece.replace(rangesOf(pattern, piece.text), index === 0 && dropsFirst ? '' : ' '),
      )
    }
    case 'ByteFallback':
      return decodeByteTokens
    case 'ByteLevel':
      return decodeByteLevel
  }
}

/**
 * CLIP's last step, which transformers adds to the decoder of the file: the mark of a word's end becomes a space, and
 * spaces around the text go. Source: CLIPTokenizerFast._wrap_decode_method_backend_tokenizer.
 */
export function wordEndStep(suffix: string): DecoderStep {
  const pattern = compilePattern({ String: suffix })
  return ({ pieces, open }) => {
    const text = AlignedText.concat(pieces)
    const spaced = text.replace(rangesOf(pattern, text.text), ' ')
    const from = spaced.length - spaced.text.trimStart().length
    const trimmed = spaced.trimTo(from, Math.max(from, spaced.text.trimEnd().length))
    // The space after the last token shows only when another one follows.
    return { pieces: [trimmed], open: Math.max(Math.min(open, (text.ends.at(-1) ?? 0) - 1), 0) }
  }
}

function eachPiece(change: (piece: AlignedText, index: number) => AlignedText): DecoderStep {
  return ({ pieces, open }) => ({ pieces: pieces.map(change), open })
}

const byteTokenPattern = /^<0x([0-9A-Fa-f]{2})>$/

/** Runs of byte tokens become their text; a run that is not UTF-8 becomes one U+FFFD a byte. */
function decodeByteTokens({ pieces, open }: Decoded): Decoded {
  const decoded: AlignedText[] = []
  let run: { byte: number; start: number; end: number }[] = []
  const endRun = (): void => {
    const bytes = Uint8Array.from(run, ({ byte }) => byte)
    const isText = isUtf8Whole(bytes)
    for (const { text, from, to } of isText
      ? decodeUtf8(bytes)
      : run.map((_, at) => ({ text: '\ufffd', from: at, to: at + 1 }))) {
      decoded.push(AlignedText.from(text, run[from]?.start ?? 0, run[to - 1]?.end ?? 0))
    }
    run = []
  }
  for (const piece of pieces) {
    const byte = byteTokenPattern.exec(piece.text)?.[1]
    if (byte !== undefined) {
      const [start, end] = piece.sourceOf(0, piece.length)
      run.push({ byte: Number.parseInt(byte, 16), start, end })
      continue
    }
    endRun()
    decoded.push(piece)
  }
  const openRun = run[0]?.start ?? open
  endRun()
  return { pieces: decoded, open: Math.min(open, openRun) }
}

/** All letters of all tokens are bytes of one UTF-8 text; a token with another letter stands for its own bytes. */
function decodeByteLevel({ pieces, open }: Decoded): Decoded {
  const bytes: number[] = []
  const starts: number[] = []
  const ends: number[] = []
  for (const piece of pieces) {
    const letters = Array.from(piece.text, (letter) => alphabetBytes.get(letter))
    const [start, end] = piece.sourceOf(0, piece.length)
    const known = letters.filter((byte) => byte !== undefined)
    for (const byte of known.length === letters.length ? known : Buffer.from(piece.text)) {
      bytes.push(byte)
      starts.push(start)
      ends.push(end)
    }
  }
  const characters = decodeUtf8(Uint8Array.from(bytes))
  const last = characters.at(-1)
  return {
    pieces: characters.map(({ text, from, to }) => AlignedText.from(text, starts[from] ?? 0, ends[to - 1] ?? 0)),
    open: last?.isCutShort ? Math.min(open, starts[last.from] ?? 0) : open,
  }
}
