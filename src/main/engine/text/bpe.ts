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

  /**
   * Merges the pair of the lowest rank, of equal ones the leftmost, until none is left. One sweep merges all pairs of a
   * rank, unless a merge makes a pair that would have its turn before them.
   */
  #merge(tokens: PieceToken[]): PieceToken[] {
    const ranks = tokens.map((token, index) => this.#rankOf(token, tokens[index + 1]))
    for (;;) {
      const rank = ranks.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY)
      const id = this.#merged[rank]
      if (id === undefined) return tokens
      let isSweeping = true
      let kept = 0
      for (let index = 0; index < tokens.length; index++) {
        const [left, right] = [tokens[index], tokens[index + 1]]
        if (!left) break
        tokens[kept] = left
        ranks[kept] = ranks[index] ?? Number.POSITIVE_INFINITY
        if (right && isSweeping && ranks[kept] === rank) {
          const merged = { id, from: left.from, to: right.to }
          const [before, after] = [this.#rankOf(tokens[kept - 1], merged), this.#rankOf(merged, tokens[index + 2])]
          tokens[kept] = merged
          ranks[kept] = after
          if (kept > 0) ranks[kept - 1] = before
          isSweeping = before > rank && after > rank
          index++
        }
        kept++
      }
      tokens.length = kept
      ranks.length = kept
    }
  }

  #rankOf(left: PieceToken | undefined, right: PieceToken | undefined): number {
    return (left && right && this.#ranks.get(pairKey(left.id, right.id))) ?? Number.POSITIVE_INFINITY
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
