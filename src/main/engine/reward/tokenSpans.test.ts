// Hand-worked spans for sentencepiece-like and byte-level ranges, and every span against a search of all tokens.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Range, tokenSpan } from './tokenSpans.ts'

/** Ranges of pieces that are put together to a text. */
function rangesOf(pieces: readonly string[]): Range[] {
  let end = 0
  return pieces.map((piece) => {
    const start = end
    end += piece.length
    return [start, end]
  })
}

describe('the tokens of a word', () => {
  test('hold the space before it', () => {
    const ranges = rangesOf(['', 'A', ' g', 'ira', 'ffe', ' and', ' a', ' hot', ' dog', '.', ''])
    expect(tokenSpan(ranges, [2, 9])).toEqual([2, 5])
    expect(tokenSpan(ranges, [16, 23])).toEqual([7, 9])
  })

  test('may begin or end within a token', () => {
    const ranges = rangesOf(['Ahot', 'dog.', 'B'])
    expect(tokenSpan(ranges, [1, 7])).toEqual([0, 2])
    expect(tokenSpan(ranges, [4, 7])).toEqual([1, 2])
  })

  test('are counted in UTF-16 units after characters of two', () => {
    expect(tokenSpan(rangesOf(['🍕', ' cat']), [3, 6])).toEqual([1, 2])
  })

  test('take in the bytes of a last character where they are told of', () => {
    // "né" with é as two byte tokens, of which the first has the character; then an end token.
    const ranges: Range[] = [
      [0, 1],
      [1, 2],
      [2, 2],
      [2, 2],
    ]
    expect(tokenSpan(ranges, [0, 2])).toEqual([0, 2])
    expect(tokenSpan(ranges, [0, 2], (position) => position === 2)).toEqual([0, 3])
    // A token that has characters of its own is never part of the one before it.
    expect(tokenSpan(ranges, [0, 1], () => true)).toEqual([0, 1])
  })

  test('are those that a search of all tokens finds', () => {
    const pieces = fc.array(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(pieces, fc.nat(), fc.nat(), (parts, a, b) => {
        const ranges = rangesOf(parts)
        const length = parts.join('').length
        if (length === 0) return
        const start = a % length
        const end = start + 1 + (b % (length - start))
        const holding = ranges.flatMap(([from, to], i) => (from < to && from < end && to > start ? [i] : []))
        expect(tokenSpan(ranges, [start, end])).toEqual([holding[0], (holding.at(-1) as number) + 1])
      }),
      { seed: 4 },
    )
  })

  test('are refused where there are none', () => {
    const code = 'run.token-span'
    expect(() => tokenSpan(rangesOf(['a', 'b']), [2, 4])).toThrow(expect.objectContaining({ code }))
    expect(() => tokenSpan([], [0, 1])).toThrow(expect.objectContaining({ code }))
    const withGap: Range[] = [
      [0, 2],
      [5, 7],
    ]
    expect(() => tokenSpan(withGap, [2, 5])).toThrow(expect.objectContaining({ code }))
  })

  test('are none of those without characters, at either end of a gap', () => {
    const ranges: Range[] = [
      [0, 2],
      [2, 2],
      [5, 5],
      [5, 7],
    ]
    expect(tokenSpan(ranges, [1, 4])).toEqual([0, 1])
    expect(tokenSpan(ranges, [3, 6])).toEqual([3, 4])
  })
})
