// JSON of files that come from anywhere, read as Python's `json.loads` reads their bytes: with a byte order mark before
// it, any line ends, and the numbers NaN, Infinity and -Infinity. What is nested so deeply that reading it would overflow
// the stack is refused before it is read. Used by whoever reads a model's small files.

/** Far more than any config, tokenizer or lexicon needs. */
const deepest = 64

/** Stands for NaN while the text is JSON, in a list, which no key can be; no file holds it by chance. */
const nanMark = '\u0000NaN\u0000'
/** Python's names of numbers that JSON has not, at the place where a value begins. */
const numberName = /-?(?:Infinity|NaN)/y

/** @throws SyntaxError when the text is not JSON, or nested too deeply */
export function parseJson(given: string): unknown {
  const text = given.charCodeAt(0) === 0xfeff ? given.slice(1) : given
  const names: { readonly at: number; readonly name: string }[] = []
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
    else if (unit === 0x49 || unit === 0x4e) {
      const at = text[i - 1] === '-' ? i - 1 : i
      numberName.lastIndex = at
      const name = numberName.exec(text)?.[0]
      if (name === undefined || name === '-NaN') continue
      names.push({ at, name })
      i = at + name.length - 1
    }
  }
  return names.length === 0 ? JSON.parse(text) : parseNamed(text, names)
}

/** JSON knows no name of a number, but one beyond all of them is infinite. */
const spellings: Readonly<Record<string, string>> = {
  NaN: JSON.stringify([nanMark]),
  Infinity: '1e999',
  '-Infinity': '-1e999',
}

function parseNamed(text: string, names: readonly { readonly at: number; readonly name: string }[]): unknown {
  let [plain, from] = ['', 0]
  for (const { at, name } of names) {
    plain += text.slice(from, at) + spellings[name]
    from = at + name.length
  }
  return JSON.parse(plain + text.slice(from), (_key, value) =>
    Array.isArray(value) && value.length === 1 && value[0] === nanMark ? Number.NaN : value,
  )
}
