// Sentencepiece's unigram language model over one piece of text: the split with the greatest sum of scores, by Viterbi.
// preTokenizer.ts cuts the pieces, tokenizer.ts puts the tokens together. Reference: `models::unigram` of the
// `tokenizers` library (encode_optimized).
import { z } from 'zod'
import { byteIds, largestTokenId, type PieceToken, type SubwordModel } from './bpe.ts'

const isScored = (entry: unknown): boolean =>
  Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && Number.isFinite(entry[1])

const piecesSchema = z.custom<readonly (readonly [string, number])[]>(
  (value) => Array.isArray(value) && value.length > 0 && value.length <= largestTokenId && value.every(isScored),
  'expected tokens with their scores',
)

export const unigramSchema = z.strictObject({
  type: z.literal('Unigram'),
  unk_id: z.int().nonnegative(),
  vocab: piecesSchema,
  byte_fallback: z.boolean().default(false),
})
export type UnigramConfig = z.infer<typeof unigramSchema>

/** How much worse than the worst token an unknown character scores. */
const unknownPenalty = 10

/** @throws Error when the unknown token is not in the vocabulary */
export class UnigramModel implements SubwordModel {
  readonly vocabulary: ReadonlyMap<string, number>
  readonly #config: UnigramConfig
  readonly #unknownScore: number
  /** The lengths of the tokens that begin with a UTF-16 unit, ascending. */
  readonly #lengths = new Map<string, number[]>()

  constructor(config: UnigramConfig) {
    if (config.unk_id >= config.vocab.length) throw new Error('unk_id is not in the vocabulary')
    this.#config = config
    this.vocabulary = new Map(config.vocab.map(([piece], id) => [piece, id]))
    this.#unknownScore =
      config.vocab.reduce((least, [, score]) => Math.min(least, score), Number.POSITIVE_INFINITY) - unknownPenalty
    const lengths = new Map<string, Set<number>>()
    for (const [piece] of config.vocab) {
      const first = piece.charAt(0)
      const known = lengths.get(first) ?? new Set()
      lengths.set(first, known.add(piece.length))
    }
    lengths.delete('')
    for (const [first, known] of lengths) {
      this.#lengths.set(
        first,
        [...known].sort((a, b) => a - b),
      )
    }
  }

  tokenize(piece: string): PieceToken[] {
    return this.#bestPath(piece).flatMap(({ id, from, to }) => {
      const bytes = id === null && this.#config.byte_fallback ? byteIds(this.vocabulary, piece.slice(from, to)) : null
      return (bytes ?? [id ?? this.#config.unk_id]).map((each) => ({ id: each, from, to }))
    })
  }

  /** The best split; unknown characters in a row are one part without an id. */
  #bestPath(piece: string): { id: number | null; from: number; to: number }[] {
    const best = this.#bestEnds(piece)
    const path: { id: number | null; from: number; to: number }[] = []
    for (let to = piece.length; to > 0; ) {
      const { id, from } = best[to] ?? { id: null, from: to - 1 }
      const next = path.at(-1)
      if (id === null && next?.id === null) next.from = from
      else path.push({ id, from, to })
      to = from
    }
    return path.reverse()
  }

  /** For each end of a token inside the piece, the last token of the best split up to there. */
  #bestEnds(piece: string): ({ id: number | null; from: number; score: number } | undefined)[] {
    const best: ({ id: number | null; from: number; score: number } | undefined)[] = []
    let at = 0
    for (const character of piece) {
      const score = best[at]?.score ?? 0
      const offer = (to: number, id: number | null, step: number): void => {
        if (!(score + step <= (best[to]?.score ?? Number.NEGATIVE_INFINITY)))
          best[to] = { id, from: at, score: score + step }
      }
      let hasCharacter = false
      for (const length of this.#lengths.get(piece.charAt(at)) ?? []) {
        if (at + length > piece.length) break
        const id = this.vocabulary.get(piece.slice(at, at + length))
        if (id === undefined) continue
        offer(at + length, id, this.#scoreOf(id))
        hasCharacter ||= length === character.length
      }
      if (!hasCharacter) offer(at + character.length, null, this.#unknownScore)
      at += character.length
    }
    return best
  }

  #scoreOf(id: number): number {
    return this.#config.vocab[id]?.[1] ?? this.#unknownScore
  }
}
