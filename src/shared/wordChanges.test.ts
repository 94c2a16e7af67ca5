// Kept, gone and new words of pairs that were worked out by hand, and the symmetry on random ones.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wordChanges } from './wordChanges.ts'

/** As one letter a word: k, g, n. */
function marks(before: string, after: string): readonly [before: string, after: string] {
  const changes = wordChanges([...before], [...after])
  return [changes.before.map(([mark]) => mark).join(''), changes.after.map(([mark]) => mark).join('')]
}

test('an object that both name is kept, wherever it stands', () => {
  expect(marks('abc', 'abd')).toEqual(['kkg', 'kkn'])
  expect(marks('ab', 'ba')).toEqual(['kk', 'kk'])
  expect(marks('', 'ab')).toEqual(['', 'nn'])
  expect(marks('ab', '')).toEqual(['gg', ''])
})

test('of several mentions of an object those are kept that stand among the same neighbours', () => {
  // "x" before "b" is the one that is left: a x b against a x, x b.
  expect(marks('axbx', 'abx')).toEqual(['kgkk', 'kkk'])
  expect(marks('xaxbx', 'axb')).toEqual(['gkkkg', 'kkk'])
  expect(marks('xx', 'x')).toEqual(['kg', 'k'])
  // a b c d is common; the moved "e" is kept too, its second mention is new.
  expect(marks('eabcd', 'abecde')).toEqual(['kkkkk', 'kkkkkn'])
})

test('turning the responses round turns gone into new, and as many are kept as both name', () => {
  const words = fc.array(fc.constantFrom('cup', 'dog', 'bench', '\u72d7'), { maxLength: 24 })
  fc.assert(
    fc.property(words, words, (before, after) => {
      const there = wordChanges(before, after)
      const back = wordChanges(after, before)
      expect(back.after.map((mark) => mark === 'kept')).toEqual(there.before.map((mark) => mark === 'kept'))
      expect(back.before.map((mark) => mark === 'kept')).toEqual(there.after.map((mark) => mark === 'kept'))
      for (const name of new Set(before)) {
        const count = (list: readonly string[]): number => list.filter((one) => one === name).length
        const kept = before.filter((one, i) => one === name && there.before[i] === 'kept').length
        expect(kept).toBe(Math.min(count(before), count(after)))
      }
    }),
    { seed: 7, numRuns: 400 },
  )
})

test('long responses take well under a second', () => {
  const words = Array.from({ length: 3000 }, (_, i) => `word ${i % 97}`)
  const startMs = performance.now()
  expect(wordChanges(words, words.slice(1)).before.filter((mark) => mark === 'gone')).toHaveLength(1)
  expect(performance.now() - startMs).toBeLessThan(1000)
})
