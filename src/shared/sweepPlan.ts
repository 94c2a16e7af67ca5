// What a sweep is made of: seeds as a person types them, and every combination of what is varied, each with a name that says
// what it has of its own. The command line (main/headless/sweep.ts) and New run make their cells of it.
import type { Reading } from './readNumber.ts'
import { largestSeed } from './runDraft.ts'
import { longestRunName, mostCells } from './sweep.ts'

/**
 * Seeds such as `1-5` or `1, 2, 7-9`, in the order in which they are typed.
 * @returns what is wrong as a sentence where they are none, or come twice
 */
export function readSeeds(text: string): Reading<number[]> {
  const seeds: number[] = []
  for (const part of text.split(',').map((one) => one.trim())) {
    const [, first = '', last = first] = /^(\d{1,10})(?:\s*[-–]\s*(\d{1,10}))?$/.exec(part) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (first === '' || to > largestSeed || to < from)
      return { ok: false, problem: `Seeds are whole numbers from 0 to ${largestSeed}, such as 1-5 or 1, 2, 7.` }
    if (to - from >= mostCells || seeds.length + to - from >= mostCells)
      return { ok: false, problem: `A sweep has at most ${mostCells} runs.` }
    for (let seed = from; seed <= to; seed++) seeds.push(seed)
  }
  if (new Set(seeds).size < seeds.length) return { ok: false, problem: 'A seed is named twice.' }
  return { ok: true, value: seeds }
}

/** One way in which something is varied, and how the names of its runs tell; null where there is only one way. */
export interface Variation<Value> {
  readonly value: Value
  readonly words: string | null
}

/** Ways of which the names of runs tell, if there are several. */
export function variations<Value>(
  values: readonly Value[],
  wordsOf: (value: Value) => string,
): readonly Variation<Value>[] {
  return values.map((value) => ({ value, words: values.length > 1 ? wordsOf(value) : null }))
}

/** A run's name with what it has of its own, which is never cut. */
export function variedName(name: string, words: readonly (string | null)[]): string {
  const own = words.filter((one) => one !== null).join(', ')
  if (own === '') return name.slice(0, longestRunName)
  return `${name.slice(0, Math.max(1, longestRunName - own.length - 2))}, ${own}`.slice(0, longestRunName)
}

/** Every combination, the last list changing first. */
export function combined<A, B, C, D>(
  first: readonly A[],
  second: readonly B[],
  third: readonly C[],
  fourth: readonly D[],
): (readonly [A, B, C, D])[] {
  return first.flatMap((a) => second.flatMap((b) => third.flatMap((c) => fourth.map((d) => [a, b, c, d] as const))))
}
