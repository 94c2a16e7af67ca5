import { describe, expect, it } from 'vitest'
import { philox, Random } from './random.ts'

const hex = (words: Uint32Array): string[] => Array.from(words, (word) => word.toString(16).padStart(8, '0'))

describe('philox', () => {
  // Known answers of the authors' Random123 library (kat_vectors, philox4x32 with 10 rounds).
  it.each([
    {
      counter: '00000000 00000000 00000000 00000000',
      key: '00000000 00000000',
      out: '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
    },
    {
      counter: 'ffffffff ffffffff ffffffff ffffffff',
      key: 'ffffffff ffffffff',
      out: '408f276d 41c83b0e a20bc7c6 6d5451fd',
    },
    {
      counter: '243f6a88 85a308d3 13198a2e 03707344',
      key: 'a4093822 299f31d0',
      out: 'd16cfe09 94fdcceb 5001e420 24126ea1',
    },
  ])('gives the published numbers for counter $counter', ({ counter, key, out }) => {
    const words = (text: string): Uint32Array => Uint32Array.from(text.split(' '), (word) => Number.parseInt(word, 16))
    const found = new Uint32Array(4)
    philox(words(counter), words(key), found)
    expect(hex(found)).toEqual(out.split(' '))
  })
})

describe('Random', () => {
  const first = (random: Random): number[] => Array.from({ length: 8 }, () => random.nextUint32())

  it('depends on seed, stream and index, and on nothing else', () => {
    const drawn = first(new Random(7, 'layout', 3))
    expect(first(new Random(7, 'layout', 3))).toEqual(drawn)
    expect(new Set(drawn).size).toBe(8)
    for (const other of [new Random(8, 'layout', 3), new Random(7, 'noise', 3), new Random(7, 'layout', 4)]) {
      expect(first(other).some((number) => drawn.includes(number))).toBe(false)
    }
  })

  it('draws an index in proportion to its weight', () => {
    const random = new Random(1, 'layout', 0)
    const counts = [0, 0, 0]
    for (let i = 0; i < 10_000; i++) counts[random.weighted([1, 0, 3])]!++
    expect(counts[1]).toBe(0)
    // Five standard errors.
    expect(Math.abs(counts[0]! - 2500)).toBeLessThan(5 * Math.sqrt(10_000 * 0.25 * 0.75))
  })
})
