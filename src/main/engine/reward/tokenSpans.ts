// From the characters of a word to the tokens that spell it. Before it stand objectWords.ts and the tokenizer's
// character ranges, after it the token reward, which a word's last token receives.
import { StudioError } from '../../../shared/errors.ts'

/** A half-open range: of UTF-16 units where it belongs to a text, of positions where it belongs to tokens. */
export type Range = readonly [start: number, end: number]

/**
 * The tokens `[first, last + 1)` that spell the characters `[start, end)` of the text: each that holds at least one of
 * them. A token that also holds the space before or the full stop after the word counts whole. Bytes of one character
 * may be several tokens, whichever of them the range was given to: those without characters right after the last one
 * belong to it when they end where the character does and `isContinuation` says so.
 * @param ranges of each token in the text, in order; those of special tokens are empty
 * @param isContinuation whether a token without characters finishes the character before it; none does by default
 * @throws StudioError `run.token-span` when no token holds a character of the range
 */
export function tokenSpan(
  ranges: readonly Range[],
  [start, end]: Range,
  isContinuation: (position: number) => boolean = () => false,
): Range {
  let first = firstEndingAfter(ranges, start)
  while (first < ranges.length && isEmpty(ranges[first] as Range)) first++
  if (first === ranges.length || (ranges[first] as Range)[0] >= end) throw notCovered(ranges, start, end)
  let last = first
  for (let next = first + 1; next < ranges.length && (ranges[next] as Range)[0] < end; next++) {
    if (!isEmpty(ranges[next] as Range)) last = next
  }
  while (last + 1 < ranges.length && isEmpty(ranges[last + 1] as Range) && isContinuation(last + 1)) last++
  return [first, last + 1]
}

/** By bisection: ends never fall from token to token. */
function firstEndingAfter(ranges: readonly Range[], position: number): number {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as Range)[1] > position) high = middle
    else low = middle + 1
  }
  return low
}

function isEmpty([start, end]: Range): boolean {
  return end <= start
}

function notCovered(ranges: readonly Range[], start: number, end: number): StudioError {
  return new StudioError({
    code: 'run.token-span',
    message: 'A word of a response belongs to none of its tokens.',
    remedy: 'Report this fault: the tokenizer and the text do not fit each other.',
    expected: `a token with characters from ${start} to ${end}`,
    found: `${ranges.length} tokens up to character ${ranges.at(-1)?.[1] ?? 0}`,
    where: 'token ranges',
  })
}
