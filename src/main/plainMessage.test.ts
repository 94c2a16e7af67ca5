// Messages that are made to be large are told in no time, whatever they are made of.
import { expect, test } from 'vitest'
import { oddityOf } from './plainMessage.ts'

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value }
  return value
}
const loop: Record<string, unknown> = {}
loop['itself'] = loop
const sparse: unknown[] = []
sparse[2 ** 32 - 2] = 1

test.each<[string, unknown]>([
  ['a long text', 'x'.repeat(2 ** 28)],
  ['many texts', Array.from({ length: 20 }, () => 'x'.repeat(100_000))],
  ['long names', { ['x'.repeat(2 ** 24)]: 1 }],
  ['many fields', Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`k${i}`, i]))],
  ['a list without end', sparse],
  ['a list of lists', Array.from({ length: 9000 }, () => [1, 2, 3])],
  ['a deep one', nested(100_000)],
  ['one that holds itself', loop],
  ['bytes', new Uint8Array(2 ** 28)],
  ['a buffer', new ArrayBuffer(8)],
  ['a map', new Map([[1, 1]])],
  ['a set', new Set([1])],
  ['a date', new Date()],
  ['a pattern', /x/],
  ['an error', new Error('x')],
  ['a big integer', 1n],
  ['a class', new (class Odd {})()],
])('%s is refused at once', (_name, message) => {
  const startMs = performance.now()
  expect(oddityOf({ field: message })).toEqual(expect.any(String))
  expect(performance.now() - startMs).toBeLessThan(500)
})

test('what screens send passes', () => {
  const query = { search: 'a', sort: 'newest', checkpointId: null, tag: undefined, scoreRange: { from: 0, to: 1 } }
  expect(oddityOf({ query, offset: 0, limit: 500, names: Array.from({ length: 16 }, () => 'loss') })).toBe(null)
  expect(oddityOf({})).toBe(null)
  expect(oddityOf(Object.assign(Object.create(null), { a: Number.NaN, b: nested(60) }))).toBe(null)
})
