// Text whose every UTF-16 unit knows where it came from: the one bookkeeping behind exact token offsets. Normalizers and
// splits (textNormalizer.ts, preTokenizer.ts) keep it through encoding, tokenDecoder.ts keeps it through decoding.
import { StudioError } from '../../../shared/errors.ts'

/** UTF-16 units; far above any prompt, and it stops a file whose replacements would fill the memory. */
const longestText = 200_000

/**
 * Immutable text with an alignment: unit `i` of `text` stems from the source's range `[starts[i], ends[i])`.
 * In encoding a source position is a UTF-16 unit of the text that was given; in decoding it is the index of a token.
 * The alignment of edited text follows the `tokenizers` library: a replacement stems from the last replaced character,
 * an insertion from the character before it, a composed character from its first component.
 */
export class AlignedText {
  readonly text: string
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  /** Where the source range of this section begins, kept when units at its start are removed. */
  readonly origin: number

  constructor(text: string, starts: readonly number[], ends: readonly number[], origin: number) {
    this.text = text
    this.starts = starts
    this.ends = ends
    this.origin = origin
  }

  /** The source itself: both units of a surrogate pair stem from the whole pair. */
  static of(source: string): AlignedText {
    const starts: number[] = []
    const ends: number[] = []
    let at = 0
    for (const character of source) {
      for (let unit = 0; unit < character.length; unit++) {
        starts.push(at)
        ends.push(at + character.length)
      }
      at += character.length
    }
    return new AlignedText(source, starts, ends, 0)
  }

  /** Text that stems as a whole from `[start, end)` of the source. */
  static from(text: string, start: number, end: number): AlignedText {
    return new AlignedText(text, new Array(text.length).fill(start), new Array(text.length).fill(end), start)
  }

  static concat(parts: readonly AlignedText[]): AlignedText {
    const only = parts[0]
    if (parts.length === 1 && only) return only
    return new AlignedText(
      parts.map(({ text }) => text).join(''),
      parts.flatMap(({ starts }) => starts),
      parts.flatMap(({ ends }) => ends),
      only?.origin ?? 0,
    )
  }

  get length(): number {
    return this.text.length
  }

  slice(from: number, to: number): AlignedText {
    const origin = from === 0 ? this.origin : (this.starts[from] ?? this.origin)
    return new AlignedText(this.text.slice(from, to), this.starts.slice(from, to), this.ends.slice(from, to), origin)
  }

  /** The source range of units `[from, to)`; an empty range when there is none. */
  sourceOf(from: number, to: number): readonly [start: number, end: number] {
    if (from >= to) return [this.origin, this.origin]
    return [this.starts[from] ?? this.origin, this.ends[to - 1] ?? this.origin]
  }

  /** `[from, to)` without what stands around it; the origin of the section stays. */
  trimTo(from: number, to: number): AlignedText {
    const kept = this.slice(from, to)
    return new AlignedText(kept.text, kept.starts, kept.ends, this.origin)
  }

  /** Every range replaced by `content`, which stems from the last character of what it replaces. */
  replace(ranges: Iterable<readonly [from: number, to: number]>, content: string): AlignedText {
    const edit = new Edit(this)
    let kept = 0
    for (const [from, to] of ranges) {
      edit.keep(kept, from)
      edit.add(content, Math.max(to - 1, 0))
      kept = to
    }
    if (kept === 0) return this
    edit.keep(kept, this.length)
    return edit.done()
  }

  /** Every character replaced by what `change` makes of it, which stems from that character. */
  mapCharacters(change: (character: string) => string): AlignedText {
    const edit = new Edit(this)
    let at = 0
    for (const character of this.text) {
      edit.add(change(character), at)
      at += character.length
    }
    return edit.done()
  }

  /** `prefix` before the text, stemming from its first character; empty text stays empty. */
  prepend(prefix: string): AlignedText {
    if (this.length === 0) return this
    const edit = new Edit(this)
    edit.add(prefix, 0)
    edit.keep(0, this.length)
    return edit.done()
  }
}

/** Builds an edited text: units of the old one are kept, or new text takes the place of one of them. */
export class Edit {
  private readonly old: AlignedText
  private text = ''
  private readonly starts: number[] = []
  private readonly ends: number[] = []

  constructor(old: AlignedText) {
    this.old = old
  }

  keep(from: number, to: number): void {
    this.text += this.old.text.slice(from, to)
    for (let unit = from; unit < to; unit++) this.copySource(unit)
  }

  /**
   * Adds text that stems from where unit `unit` of the old one does.
   * @throws StudioError `tokenizer.text-too-long`
   */
  add(text: string, unit: number): void {
    this.text += text
    if (this.text.length > longestText) {
      throw new StudioError({
        code: 'tokenizer.text-too-long',
        message: 'A text grew too long while the tokenizer normalised it.',
        remedy: 'Use a shorter text, or choose another model.',
        expected: `at most ${longestText} characters`,
      })
    }
    for (let count = 0; count < text.length; count++) this.copySource(unit)
  }

  done(): AlignedText {
    return new AlignedText(this.text, this.starts, this.ends, this.old.origin)
  }

  private copySource(unit: number): void {
    this.starts.push(this.old.starts[unit] ?? this.old.origin)
    this.ends.push(this.old.ends[unit] ?? this.old.origin)
  }
}
