// Byte-pair encoding of one piece of text, byte-level or with sentencepiece's byte fallback. preTokenizer.ts cuts the
// pieces, tokenizer.ts puts the tokens together. Reference: `models::bpe` of the `tokenizers` library.
import { z } from 'zod'

/** A token of a piece; it covers the UTF-16 units `[from, to)` of the piece. */
export interface PieceToken {
  readonly id: number
  readonly from: number
  readonly to: number
}

/** A model that splits a piece of normalised text into tokens. */
export interface SubwordModel {
  readonly vocabulary: ReadonlyMap<string, number>
  tokenize(piece: string): PieceToken[]
}

/** An upper bound of token ids, so that a pair of them is one exact number. */
export const largestTokenId = 4_000_000

/** A vocabulary of up to some 256,000 tokens: checked by hand, because a schema takes long for so many. */
export const vocabularySchema = z.custom<Readonly<Record<string, number>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((id) => Number.isInteger(id) && id >= 0 && id <= largestTokenId),
  'expected token ids by token',
)

const isPair = (merge: unknown): boolean =>
  Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string')

const mergesSchema = z.custom<readonly (string | readonly [string, string])[]>(
  (value) => Array.isArray(value) && value.every((merge) => typeof merge === 'string' || isPair(merge)),
  'expected pairs of tokens',
)

export const bpeSchema = z.strictObject({
  type: z.literal('BPE'),
  // Dropout makes encoding random; it is for training tokenizers only.
  dropout: z.union([z.null(), z.literal(0)]).optional(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().max(64).nullish(),
  end_of_word_suffix: z.string().max(64).nullish(),
  fuse_unk: z.boolean().default(false),
  byte_fallback: z.boolean().default(false),
  ignore_merges: z.boolean().default(false),
  vocab: vocabularySchema,
  merges: mergesSchema,
})
export type BpeConfig = z.infer<typeof bpeSchema>

/** The token of a byte in a vocabulary with byte fallback, e.g. `<0x0A>`. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
}

/** The ids of the bytes of some text; null when one of them is not in the vocabulary. */
export function byteIds(vocabulary: ReadonlyMap<string, number>, text: string): number[] | null {
  const ids: number[] = []
  for (const byte of Buffer.from(text)) {
    const id = vocabulary.get(byteToken(byte))
    if (id === undefined) return null
    ids.push(id)
  }
  return ids
}

/** @throws Error when a merge is not in the vocabulary */
export class BpeModel implements SubwordModel {
  readonly vocabulary: ReadonlyMap<string, number>
  readonly #config: BpeConfig
  readonly #unknownId: number | null
  /** Rank of each pair of ids that merges; the lowest goes first. */
  readonly #ranks = new Map<number, number>()
  /** The id that the merge of each rank makes. */
  readonly #merged: number[] = []

  constructor(config: BpeConfig) {
    this.#config = config
    this.vocabulary = new Map(Object.entries(config.vocab))
    this.#unknownId = this.vocabulary.get(config.unk_token ?? '') ?? null
    const prefix = config.continuing_subword_prefix ?? ''
    for (const merge of config.merges) {
      const [left, right, ...rest] = typeof merge === 'string' ? merge.split(' ') : merge
      if (left === undefined || right === undefined || rest.length > 0)
        throw new Error(`the merge "${merge}" is no pair`)
      this.#ranks.set(pairKey(this.#require(left), this.#require(right)), this.#merged.length)
      this.#merged.push(this.#require(left + right.slice(prefix.length)))
    }
  }

  tokenize(piece: string): PieceToken[] {
    const whole = this.#config.ignore_merges ? this.vocabulary.get(piece) : undefined
    if (whole !== undefined) return [{ id: whole, from: 0, to: piece.length }]
    return this.#merge(this.#characters(piece))
  }

  /** One token a character, or one a byte of a character that is not in the vocabulary. */
  #characters(piece: string): PieceToken[] {
    const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = this.#config
    const tokens: PieceToken[] = []
    let to = 0
    for (const character of piece) {
      const from = to
      to += character.length
      const symbol = `${from > 0 ? (prefix ?? '') : ''}${character}${to === piece.length ? (suffix ?? '') : ''}`
      const id = this.vocabulary.get(symbol)
      const ids = id === undefined ? this.#fallback(symbol) : [id]
      const last = tokens.at(-1)
      const isFused = this.#config.fuse_unk && id === undefined && last?.id === this.#unknownId
      if (last && isFused && ids[0] === this.#unknownId) tokens[tokens.length - 1] = { ...last, to }
      else for (const each of ids) tokens.push({ id: each, from, to })
    }
    return tokens
  }

  #fallback(symbol: string): readonly number[] {
    const bytes = this.#config.byte_fallback ? byteIds(this.vocabulary, symbol) : null
    return bytes ?? (this.#unknownId === null ? [] : [this.#unknownId])
  }

  /** Merges the pair of the lowest rank, of equal ones the leftmost, until none is left. */
  #merge(tokens: PieceToken[]): PieceToken[] {
    const rankAt = (index: number): number => {
      const left = tokens[index]
      const right = tokens[index + 1]
      return (left && right && this.#ranks.get(pairKey(left.id, right.id))) ?? Number.POSITIVE_INFINITY
    }
    const ranks = tokens.map((_, index) => rankAt(index))
    for (;;) {
      let best = 0
      for (let index = 1; index < ranks.length; index++) {
        if ((ranks[index] ?? 0) < (ranks[best] ?? 0)) best = index
      }
      const left = tokens[best]
      const right = tokens[best + 1]
      const id = this.#merged[ranks[best] ?? -1]
      if (!left || !right || id === undefined) return tokens
      tokens.splice(best, 2, { id, from: left.from, to: right.to })
      ranks.splice(best, 1)
      ranks[best] = rankAt(best)
      if (best > 0) ranks[best - 1] = rankAt(best - 1)
    }
  }

  #require(token: string): number {
    const id = this.vocabulary.get(token)
    if (id === undefined) throw new Error(`the token "${token.slice(0, 100)}" is not in the vocabulary`)
    return id
  }
}

function pairKey(left: number, right: number): number {
  return left * (largestTokenId + 1) + right
}
