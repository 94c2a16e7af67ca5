// Sets of tokens, few and many, at the edges of a byte.
import { expect, test } from 'vitest'
import { KeptTokens } from './keptTokens.ts'

function maskOf(ids: readonly number[], vocabulary: number): { mask: number[]; byteLength: number } {
  const given = Int32Array.from(ids)
  const kept = KeptTokens.from(given, vocabulary)
  given.fill(0)
  const mask = new Uint8Array(vocabulary).fill(7)
  kept.writeTo(mask)
  return { mask: [...mask], byteLength: kept.byteLength }
}

test('few ids take four bytes each, many a bit for each token of the vocabulary', () => {
  const vocabulary = 83
  const expected = (ids: readonly number[]) => Array.from({ length: vocabulary }, (_, id) => (ids.includes(id) ? 1 : 0))
  // 83 bits are 11 bytes, which hold two ids.
  const few = [82, 7]
  expect(maskOf(few, vocabulary)).toEqual({ mask: expected(few), byteLength: 8 })
  const many = [0, 7, 8, 15, 16, 80, 82]
  expect(maskOf(many, vocabulary)).toEqual({ mask: expected(many), byteLength: 11 })
  const all = Array.from({ length: vocabulary }, (_, id) => id)
  expect(maskOf(all, vocabulary)).toEqual({ mask: expected(all), byteLength: 11 })
})
