// The tokenizer of a model folder: text to token ids with exact offsets, and back. tokenizerFile.ts reads the folder;
// chatTemplate.ts makes prompts with it, rollout/ decodes responses.
import { join } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'
import { AddedTokenSplitter, type Section } from './addedTokens.ts'
import { AlignedText } from './alignedText.ts'
import { BpeModel, type SubwordModel } from './bpe.ts'
import { DeadlineError, withDeadline } from './deadline.ts'
import { compilePostProcessor, type PlacedToken, type PostProcessor } from './postProcessor.ts'
import { compilePreTokenizer, type PreTokenizer } from './preTokenizer.ts'
import { type DecodedTokens, StreamDecoder } from './streamDecoder.ts'
import { compileNormalizer, type Normalizer } from './textNormalizer.ts'
import { compileDecoder, type DecoderStep, isSteady, wordEndStep } from './tokenDecoder.ts'
import {
  readTokenizerFile,
  readTokenizerSettings,
  type TokenizerFile,
  type TokenizerSettings,
  tokenizerError,
} from './tokenizerFile.ts'
import { UnigramModel } from './unigram.ts'

/** A half-open range of UTF-16 units of a text, as JavaScript counts and slices. */
export type TextRange = readonly [start: number, end: number]

export interface Encoding {
  readonly ids: readonly number[]
  /** For each id the range of the given text that it stands for; `[0, 0]` for special tokens that were added. */
  readonly offsets: readonly TextRange[]
}

/** Text that tokens make, and what each of them contributed. */
export interface DecodedText {
  readonly text: string
  /**
   * For each id, in order, the range of `text` that it contributed to. Ranges begin at the end of the one before, or
   * share a character that several tokens make together; a token without text has an empty range. They cover the text.
   */
  readonly ranges: readonly TextRange[]
}

/** Ids of tokens with a meaning of their own; undefined when the model has none. */
export interface SpecialIds {
  readonly bos?: number
  readonly eos?: number
  readonly pad?: number
  readonly unk?: number
  readonly image?: number
}

/** What hostile patterns may cost; honest ones take a few milliseconds for a long prompt. */
const longestRunMs = 1000

/** Tried once when a model is opened, so that a broken pattern shows then and not in a run. */
const probe = "The dog's 2 cups,\n  naïve 🐈 <image>"

/** @throws StudioError what {@link readTokenizerFile} and {@link readTokenizerSettings} throw, and `tokenizer.too-slow` */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const [file, settings] = [await readTokenizerFile(folder), await readTokenizerSettings(folder)]
  return new Tokenizer(join(folder, 'tokenizer.json'), file, settings)
}

/** A tokenizer that gives the ids, offsets and texts of transformers' fast tokenizers; it holds no state. */
export class Tokenizer {
  readonly special: SpecialIds
  /** The count of distinct tokens, added ones included. */
  readonly size: number
  /** The largest id of a token; -1 when there is none. */
  readonly lastId: number
  readonly #path: string
  readonly #model: SubwordModel
  readonly #normalize: Normalizer
  readonly #preTokenize: PreTokenizer
  readonly #postProcess: PostProcessor
  readonly #decode: DecoderStep
  /** A decoder that neither searches by regular expressions nor lengthens text takes time in proportion to it. */
  readonly #isDecoderLimited: boolean
  /** Finds added tokens in the text as given, and in normalised text. */
  readonly #splitters: readonly [raw: AddedTokenSplitter, normalized: AddedTokenSplitter]
  readonly #tokens: ReadonlyMap<number, string>
  readonly #addedIds: ReadonlyMap<string, number>
  /** Contents of the added tokens that are special: left out of decoded text on demand. */
  readonly #specialTokens: ReadonlySet<string>

  /** @throws StudioError `tokenizer.bad-file`, `tokenizer.unsupported`, `tokenizer.too-slow` */
  constructor(path: string, file: TokenizerFile, settings: TokenizerSettings) {
    this.#path = path
    const added = file.added_tokens
    const parts = this.#guard(() => {
      const normalize = compileNormalizer(file.normalizer)
      const decode = compileDecoder(file.decoder)
      const suffix = file.model.type === 'BPE' ? (file.model.end_of_word_suffix ?? '') : ''
      const endWords = suffix === '' ? null : wordEndStep(suffix)
      return {
        normalize,
        decode: endWords === null ? decode : (decoded: Parameters<DecoderStep>[0]) => endWords(decode(decoded)),
        preTokenize: compilePreTokenizer(file.pre_tokenizer),
        postProcess: compilePostProcessor(file.post_processor),
        splitters: [
          new AddedTokenSplitter(
            added.filter(({ normalized }) => !normalized),
            (content) => content,
          ),
          new AddedTokenSplitter(
            added.filter(({ normalized }) => normalized),
            (content) => normalize(AlignedText.of(content)).text,
          ),
        ] as const,
      }
    })
    // Takes time in proportion to the vocabulary alone, on a slow machine more than a second for the largest.
    const model = this.#explain(() =>
      file.model.type === 'BPE' ? new BpeModel(file.model) : new UnigramModel(file.model),
    )
    this.#model = model
    this.#normalize = parts.normalize
    this.#preTokenize = parts.preTokenize
    this.#postProcess = parts.postProcess
    this.#decode = parts.decode
    this.#splitters = parts.splitters
    this.#isDecoderLimited = file.decoder !== null && !isSteady(file.decoder)
    const tokens = new Map(Array.from(model.vocabulary, ([token, id]) => [id, token]))
    for (const { id, content } of added) {
      const [token, known] = [tokens.get(id) ?? content, model.vocabulary.get(content) ?? id]
      if (token !== content || known !== id) {
        throw tokenizerError('bad-file', path, `The added token ${content.slice(0, 100)} and its vocabulary disagree.`)
      }
      tokens.set(id, content)
    }
    this.#tokens = tokens
    this.#addedIds = new Map(added.map(({ content, id }) => [content, id]))
    this.#specialTokens = new Set(added.filter(({ special }) => special).map(({ content }) => content))
    this.size = tokens.size
    this.lastId = [...tokens.keys()].reduce((last, id) => Math.max(last, id), -1)
    this.special = this.#specialIds(settings.specialTokens)
    this.#checkEnds(settings)
  }

  /**
   * Ids and offsets of a text. Lone surrogates count as U+FFFD.
   * @param options.addSpecialTokens put the tokens around the text that the model expects; true by default
   * @throws StudioError `tokenizer.too-slow`, `tokenizer.text-too-long`
   */
  encode(text: string, options: { addSpecialTokens?: boolean } = {}): Encoding {
    const tokens = this.#guard(() => {
      const wellFormed = Buffer.from(text).toString()
      const placed = this.#sections(wellFormed).flatMap((section) => this.#place(section))
      return this.#postProcess(placed, options.addSpecialTokens ?? true, {
        text: wellFormed,
        tokenOf: (id) => this.#tokens.get(id) ?? '',
      })
    })
    return { ids: tokens.map(({ id }) => id), offsets: tokens.map(({ start, end }) => [start, end]) }
  }

  /** Text of ids. @param options.skipSpecialTokens leave special tokens out; true by default */
  decode(ids: readonly number[], options: { skipSpecialTokens?: boolean } = {}): string {
    return this.decodeWithOffsets(ids, options).text
  }

  /** Text of ids, with the range that each id contributed. Ids that no token has give no text. */
  decodeWithOffsets(ids: readonly number[], options: { skipSpecialTokens?: boolean } = {}): DecodedText {
    const { text, ranges } = this.#decodeTokens(ids, options.skipSpecialTokens ?? true)
    return { text, ranges }
  }

  /** Decodes a response token by token. Special tokens are left out. */
  stream(): StreamDecoder {
    return new StreamDecoder((ids) => this.#decodeTokens(ids, true))
  }

  /** The id of a token as the vocabulary spells it; undefined when there is none. */
  idOf(token: string): number | undefined {
    return this.#addedIds.get(token) ?? this.#model.vocabulary.get(token)
  }

  /** The token of an id as the vocabulary spells it; undefined when there is none. */
  tokenOf(id: number): string | undefined {
    return this.#tokens.get(id)
  }

  /** Added tokens, and the text between them as the normalizer leaves it. */
  #sections(text: string): Section[] {
    const [raw, normalized] = this.#splitters
    return raw.split(AlignedText.of(text)).flatMap((section) => {
      return section.id === null ? normalized.split(this.#normalize(section.text)) : [section]
    })
  }

  #place({ id, text }: Section): PlacedToken[] {
    if (id !== null) {
      const [start, end] = text.sourceOf(0, text.length)
      return [{ id, start, end }]
    }
    return this.#preTokenize(text).flatMap((piece) =>
      this.#model.tokenize(piece.text).map((token) => {
        const [start, end] = piece.sourceOf(token.from, token.to)
        return { id: token.id, start, end }
      }),
    )
  }

  #decodeTokens(ids: readonly number[], skipSpecialTokens: boolean): DecodedTokens {
    const pieces: AlignedText[] = []
    ids.forEach((id, index) => {
      const token = this.#tokens.get(id)
      if (token === undefined || (skipSpecialTokens && this.#specialTokens.has(token))) return
      pieces.push(AlignedText.from(token, index, index + 1))
    })
    const decode = () => this.#decode({ pieces, open: ids.length })
    const decoded = this.#isDecoderLimited ? this.#guard(decode) : decode()
    const text = AlignedText.concat(decoded.pieces)
    return { text: text.text, ranges: rangesOfTokens(text, ids.length), open: decoded.open }
  }

  /** Versions of transformers differ in whom they believe when tokenizer.json and its settings disagree. */
  #checkEnds({ addsBos, addsEos }: TokenizerSettings): void {
    const { ids } = this.encode(probe)
    const ends = [
      ['add_bos_token', addsBos, this.special.bos, ids.at(0)],
      ['add_eos_token', addsEos, this.special.eos, ids.at(-1)],
    ] as const
    for (const [name, adds, special, end] of ends) {
      if (adds === null || special === undefined || adds === (special === end)) continue
      throw tokenizerError('unsupported', this.#path, `It does not do what its setting ${name} = ${adds} asks.`)
    }
  }

  #specialIds(names: TokenizerSettings['specialTokens']): SpecialIds {
    const idOf = (name: keyof typeof names): number | undefined => {
      const token = names[name]
      const id = token === undefined ? undefined : this.idOf(token)
      if (token === undefined || id !== undefined) return id
      throw tokenizerError('bad-file', this.#path, `The ${name} "${token.slice(0, 100)}" is not in its vocabulary.`)
    }
    const ids = {
      bos: idOf('bos_token'),
      eos: idOf('eos_token'),
      pad: idOf('pad_token'),
      unk: idOf('unk_token'),
      image: idOf('image_token') ?? this.idOf('<image>'),
    }
    return Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== undefined))
  }

  /** Runs what the file commands within the time limit. */
  #guard<Result>(run: () => Result): Result {
    return this.#explain(() => withDeadline(longestRunMs, run))
  }

  /** Says of what fails that the file is wrong. */
  #explain<Result>(run: () => Result): Result {
    try {
      return run()
    } catch (cause) {
      if (cause instanceof StudioError) throw cause
      if (cause instanceof DeadlineError) {
        throw tokenizerError('too-slow', this.#path, 'Its patterns take too long on this text.', {}, cause)
      }
      throw tokenizerError('bad-file', this.#path, `It contradicts itself: ${String(cause).slice(0, 200)}.`, {}, cause)
    }
  }
}

/** For each token the units of the text that stem from it. */
function rangesOfTokens(text: AlignedText, count: number): TextRange[] {
  const starts = new Array<number>(count).fill(-1)
  const ends = new Array<number>(count).fill(0)
  for (let unit = 0; unit < text.length; unit++) {
    for (let token = text.starts[unit] ?? 0; token < (text.ends[unit] ?? 0); token++) {
      if (starts[token] === -1) starts[token] = unit
      ends[token] = unit + 1
    }
  }
  let last = 0
  return starts.map((start, token) => {
    if (start === -1) return [last, last]
    last = ends[token] ?? last
    return [start, last]
  })
}
