// Arithmetic on the sizes of tensor axes, which may be known only when a graph runs.
// The op catalogue works out shapes with it; graphBuilder.ts turns the results into nodes where a run needs them.
import { StudioError } from '../../../shared/errors.ts'

/**
 * The size of an axis: a number, or a polynomial in named sizes in canonical form, e.g. `seq`, `past+seq`,
 * `2*batch*seq-1`. Canonical form makes equality of sizes equality of values (`===`).
 */
export type Dim = number | string
export type Shape = readonly Dim[]

/** Monomial (`''` for the constant, else sorted names joined by `*`) to coefficient; no coefficient is zero. */
type Polynomial = ReadonlyMap<string, number>

const parsed = new Map<string, Polynomial>()

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  return canonical([...polynomial(a), ...polynomial(b)])
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(-1, b))
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  if (a === 1) return b
  if (b === 1) return a
  const terms: [string, number][] = []
  for (const [left, m] of polynomial(a)) {
    for (const [right, n] of polynomial(b)) terms.push([multiplyMonomials(left, right), m * n])
  }
  return canonical(terms)
}

/** `a / b` where `b` has one term and divides every term of `a` exactly, else null. */
export function divideDims(a: Dim, b: Dim): Dim | null {
  if (a === b) return 1
  const [divisor, ...rest] = polynomial(b)
  if (divisor === undefined || rest.length > 0) return null
  const terms: [string, number][] = []
  for (const [monomial, coefficient] of polynomial(a)) {
    const names = namesOf(monomial)
    for (const name of namesOf(divisor[0])) {
      const at = names.indexOf(name)
      if (at < 0) return null
      names.splice(at, 1)
    }
    if (coefficient % divisor[1] !== 0) return null
    terms.push([names.join('*'), coefficient / divisor[1]])
  }
  return canonical(terms)
}

/** Product of the sizes: the number of elements of a tensor of this shape. */
export function elementCount(shape: Shape): Dim {
  return shape.reduce(multiplyDims, 1)
}

/** The terms of a dim: each its coefficient and the names it multiplies. */
export function dimTerms(dim: Dim): { coefficient: number; names: string[] }[] {
  return [...polynomial(dim)].map(([monomial, coefficient]) => ({ coefficient, names: namesOf(monomial) }))
}

/** The dim as a number, its names replaced by sizes. @throws StudioError `graph.dim` for a name without a size */
export function evaluateDim(dim: Dim, sizes: ReadonlyMap<string, number>): number {
  if (typeof dim === 'number') return dim
  const named = sizes.get(dim)
  if (named !== undefined) return named
  let total = 0
  for (const { coefficient, names } of dimTerms(dim)) {
    let product = coefficient
    for (const name of names) {
      const size = sizes.get(name)
      if (size === undefined) throw malformed(dim, `a size for ${name}`)
      product *= size
    }
    total += product
  }
  return total
}

/** The dim brought into canonical form: `seq*batch` becomes `batch*seq`. @throws StudioError `graph.dim` */
export function canonicalDim(dim: Dim): Dim {
  return typeof dim === 'number' ? dim : canonical([...polynomial(dim)])
}

/** `[batch, seq, 64]` for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

function polynomial(dim: Dim): Polynomial {
  if (typeof dim === 'number') return dim === 0 ? new Map() : new Map([['', dim]])
  let found = parsed.get(dim)
  if (!found) {
    found = collect(parse(dim))
    parsed.set(dim, found)
  }
  return found
}

function parse(text: string): [string, number][] {
  const terms = text.match(/[+-]?[^+-]+/g)
  if (!terms || terms.join('') !== text) throw malformed(text)
  return terms.map((term) => {
    const sign = term.startsWith('-') ? -1 : 1
    const names: string[] = []
    let coefficient = sign
    for (const factor of term.replace(/^[+-]/, '').split('*')) {
      if (/^\d+$/.test(factor)) coefficient *= Number(factor)
      else if (/^[A-Za-z_]\w*$/.test(factor)) names.push(factor)
      else throw malformed(text)
    }
    return [names.sort().join('*'), coefficient]
  })
}

function collect(terms: Iterable<[string, number]>): Polynomial {
  const sum = new Map<string, number>()
  for (const [monomial, coefficient] of terms) {
    const total = (sum.get(monomial) ?? 0) + coefficient
    if (total === 0) sum.delete(monomial)
    else sum.set(monomial, total)
  }
  return sum
}

function canonical(terms: Iterable<[string, number]>): Dim {
  const sum = collect(terms)
  if (sum.size === 0) return 0
  const constant = sum.get('')
  if (sum.size === 1 && constant !== undefined) return constant
  let text = ''
  for (const [monomial, coefficient] of [...sum].sort(byMonomial)) {
    const sign = coefficient < 0 ? '-' : text === '' ? '' : '+'
    const size = Math.abs(coefficient)
    const factor = monomial === '' ? `${size}` : size === 1 ? monomial : `${size}*${monomial}`
    text += sign + factor
  }
  if (!parsed.has(text)) parsed.set(text, sum)
  return text
}

/** Alphabetical, the constant last. */
function byMonomial([a]: [string, number], [b]: [string, number]): number {
  if (a === '' || b === '') return a === b ? 0 : a === '' ? 1 : -1
  return a < b ? -1 : a > b ? 1 : 0
}

function multiplyMonomials(a: string, b: string): string {
  return a === '' ? b : b === '' ? a : [...namesOf(a), ...namesOf(b)].sort().join('*')
}

function namesOf(monomial: string): string[] {
  return monomial === '' ? [] : monomial.split('*')
}

function malformed(text: string, expected = 'a polynomial in named sizes, such as 2*batch*seq+1'): StudioError {
  return new StudioError({
    code: 'graph.dim',
    message: `The size "${text}" cannot be read.`,
    remedy: 'Report this fault: the graph was built wrongly.',
    expected,
    found: text,
  })
}
