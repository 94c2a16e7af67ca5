// A byte-level BPE vocabulary from a corpus (Sennrich, Haddow & Birch 2016; bytes as characters: Radford et al. 2019).
// tokenizerFiles.ts writes it as a tokenizer.json.

export interface Vocabulary {
  /** Tokens by id: the 256 bytes, then one for each merge. */
  readonly tokens: readonly string[]
  readonly merges: readonly (readonly [string, string])[]
}

/** GPT-2's way to split a text, as the ByteLevel pre-tokenizer of `tokenizers` does: a word takes the space before it. */
const pieces = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** The printable character that stands for each byte (Radford et al. 2019, `bytes_to_unicode`). */
export const byteCharacters: readonly string[] = (() => {
  const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++))
})()

/** @param merges how many pairs become tokens; of equally frequent ones the first in code-point order */
export function trainBpe(corpus: Iterable<string>, merges: number): Vocabulary {
  const words = countWords(corpus)
  const found: [string, string][] = []
  while (found.length < merges) {
    const best = mostFrequentPair(words)
    if (!best) break
    found.push(best)
    for (const word of words) word.parts = merged(word.parts, best)
  }
  return { tokens: [...byteCharacters, ...found.map(([a, b]) => a + b)], merges: found }
}

interface CountedWord {
  parts: string[]
  readonly count: number
}

function countWords(corpus: Iterable<string>): CountedWord[] {
  const counts = new Map<string, number>()
  for (const text of corpus) {
    for (const [piece] of text.matchAll(pieces)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  }
  return [...counts].map(([word, count]) => ({
    parts: [...Buffer.from(word)].map((byte) => byteCharacters[byte] as string),
    count,
  }))
}

function mostFrequentPair(words: readonly CountedWord[]): [string, string] | null {
  const counts = new Map<string, number>()
  for (const { parts, count } of words) {
    for (let i = 1; i < parts.length; i++) {
      const pair = `${parts[i - 1]} ${parts[i]}`
      counts.set(pair, (counts.get(pair) ?? 0) + count)
    }
  }
  let [best, most] = ['', 0]
  for (const [pair, count] of counts) {
    if (count > most || (count === most && pair < best)) [best, most] = [pair, count]
  }
  return most === 0 ? null : (best.split(' ') as [string, string])
}

function merged(parts: readonly string[], [left, right]: readonly [string, string]): string[] {
  const result: string[] = []
  for (let i = 0; i < parts.length; i++) {
    const isPair = parts[i] === left && parts[i + 1] === right
    result.push(isPair ? left + right : (parts[i] as string))
    if (isPair) i++
  }
  return result
}
