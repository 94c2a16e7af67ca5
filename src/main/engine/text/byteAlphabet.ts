// GPT-2's alphabet: one printable letter for each of the 256 bytes. preTokenizer.ts writes it, tokenDecoder.ts reads it.
// Reference: bytes_to_unicode of github.com/openai/gpt-2/blob/master/src/encoder.py

/** Printable Latin-1 stands for itself; the other bytes are U+0100 and up, in order. */
function letters(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++))
}

/** The letter of each byte. */
export const byteAlphabet: readonly string[] = letters()

/** The byte of each letter. */
export const alphabetBytes: ReadonlyMap<string, number> = new Map(byteAlphabet.map((letter, byte) => [letter, byte]))
