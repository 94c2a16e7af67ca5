// A number as a person types it: with the decimal sign and the thousands of their language, or none. Used by runDraft.ts.

export type Reading<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: string }

export interface NumberRange {
  readonly isInteger: boolean
  /** Null when it must be above 0. */
  readonly min: number | null
  readonly max: number | null
  readonly unit?: string
}

/** An integer, as {@link readNumber}. */
export function readWhole(
  text: string,
  range: { readonly min: number; readonly max: number },
  decimal: '.' | ',',
): Reading<number> {
  return readNumber(text, { ...range, isInteger: true }, decimal)
}

/**
 * The number, or what is wrong with it as a sentence. Nothing is guessed: an empty text is no 0, `1.5.2` no number.
 * @param decimal what stands before fractions in the person's language; the other sign parts thousands
 */
export function readNumber(text: string, range: NumberRange, decimal: '.' | ','): Reading<number> {
  if (text.trim() === '') return { ok: false, problem: `Enter a number, ${rangeWords(range, decimal)}.` }
  const value = numberOf(text, decimal)
  if (value === null) return { ok: false, problem: `This is not a number. Enter one, ${rangeWords(range, decimal)}.` }
  if (range.isInteger && !Number.isSafeInteger(value)) {
    return { ok: false, problem: `It must be a whole number, ${rangeWords(range, decimal)}.` }
  }
  const { min, max } = range
  const isBelow = min === null ? value <= 0 : value < min
  if (isBelow || (max !== null && value > max)) {
    return { ok: false, problem: `It must be ${rangeWords(range, decimal)}.` }
  }
  return { ok: true, value }
}

/** `from 1 to 2048 tokens`. */
function rangeWords({ min, max, unit }: NumberRange, decimal: '.' | ','): string {
  const shown = (value: number): string => String(value).replace('.', decimal)
  const least = min === null ? 'above 0' : max === null ? `at least ${shown(min)}` : `from ${shown(min)}`
  const range = max === null ? least : min === null ? `${least} and at most ${shown(max)}` : `${least} to ${shown(max)}`
  return unit === undefined ? range : `${range} (${unit})`
}

/**
 * `0,5` and `0.5` are the same in any language; `1.000` is a thousand where a comma stands before fractions, and one
 * where a point does.
 */
function numberOf(text: string, decimal: '.' | ','): number | null {
  const group = decimal === '.' ? ',' : '.'
  // Spaces of all kinds and apostrophes part thousands in French and in Switzerland.
  let plain = text
    .trim()
    .replace(/\u2212/g, '-')
    .replace(/(?<=\d)[\s'\u2019](?=\d{3}(?!\d))/g, '')
  const hasThousands = new RegExp(`^[+-]?[1-9]\\d{0,2}(\\${group}\\d{3})+(\\${decimal}\\d+)?$`).test(plain)
  if (hasThousands) plain = plain.replaceAll(group, '')
  else if (!plain.includes(decimal)) plain = plain.replace(group, decimal)
  plain = plain.replace(decimal, '.')
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(plain) ? Number(plain) : null
}
