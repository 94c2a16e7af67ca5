// JSON of files that come from anywhere: what is nested so deeply that reading it would overflow the stack is refused
// before it is read. Used by whoever reads a model's small files.

/** Far more than any config, tokenizer or lexicon needs. */
const deepest = 64

/** @throws SyntaxError when the text is not JSON, or nested too deeply */
export function parseJson(text: string): unknown {
  let [depth, isInString] = [0, false]
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (isInString) {
      if (unit === 0x5c) i++
      else if (unit === 0x22) isInString = false
    } else if (unit === 0x22) isInString = true
    else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > deepest) throw new SyntaxError(`nested more than ${deepest} deep`)
    } else if (unit === 0x5d || unit === 0x7d) depth--
  }
  return JSON.parse(text)
}
