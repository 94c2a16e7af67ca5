import { expect, test } from 'vitest'
import { byteCharacters, trainBpe } from './bpe.ts'

test('merges the most frequent pair first, of equal ones the first in order', () => {
  // Words: "aab", " aab", " ab". Pairs: a b 3, a a 2, space a 2; then a ab 2; then space aab 1, space ab 1.
  const { merges, tokens } = trainBpe(['aab aab ab'], 3)
  expect(merges).toEqual([
    ['a', 'b'],
    ['a', 'ab'],
    ['Ġ', 'aab'],
  ])
  expect(tokens.slice(256)).toEqual(['ab', 'aab', 'Ġaab'])
})

test('stands for bytes by the characters that GPT-2 chose', () => {
  expect(new Set(byteCharacters).size).toBe(256)
  expect([0x20, 0x0a, 0x41, 0xad].map((byte) => byteCharacters[byte])).toEqual(['Ġ', 'Ċ', 'A', 'Ń'])
})

test('ends where nothing is left to merge', () => {
  expect(trainBpe(['ab'], 9).merges).toEqual([['a', 'b']])
})
