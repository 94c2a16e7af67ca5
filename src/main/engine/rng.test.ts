// The generator against its authors' known answers, and its distributions against their definitions.
import { describe, expect, it } from 'vitest'
import { philox4x32, Rng } from './rng.ts'

function block(counter: readonly number[], key: readonly number[]): number[] {
  const out = new Uint32Array(4)
  const [c0, c1, c2, c3, k0, k1] = [...counter, ...key] as [number, number, number, number, number, number]
  philox4x32(out, c0, c1, c2, c3, k0, k1)
  return [...out]
}

const drawn = (rng: Rng, count: number): number[] => Array.from({ length: count }, () => rng.uniform())

describe('Philox4x32-10', () => {
  // The three `philox4x32 10` lines of kat_vectors in Random123 1.14.
  const ones = 0xffffffff
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ones, ones, ones, ones],
      [ones, ones],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('answers counter %j and key %j as published', (counter, key, expected) => {
    expect(block(counter, key)).toEqual(expected)
  })

  it('reads counter and key from position, stream and seed, lowest word first', () => {
    const [w0, w1] = block([5, 2, 9, 3], [7, 1]) as [number, number]
    const rng = new Rng({ seed: 2 ** 32 + 7, stream: 3 * 2 ** 32 + 9, counter: 2 * 2 ** 32 + 5 })
    const expected = (BigInt(w0) << 32n) | BigInt(w1)
    expect(rng.uniform()).toBe(Number(expected >> 11n) / 2 ** 53)
    expect(rng.state).toEqual({ seed: 2 ** 32 + 7, stream: 3 * 2 ** 32 + 9, counter: 2 * 2 ** 32 + 6 })
  })
})

describe('a generator', () => {
  it('goes on from its saved state with the very next number', () => {
    const rng = new Rng({ seed: 2 ** 53 - 1 }).fork(3)
    drawn(rng, 5)
    rng.normal()
    rng.below(10)
    const saved = JSON.stringify(rng.state)
    const rest = [...drawn(rng, 5), rng.normal(), rng.below(1000)]
    const restored = new Rng(JSON.parse(saved))
    expect([...drawn(restored, 5), restored.normal(), restored.below(1000)]).toEqual(rest)
  })

  it('forks streams that follow from their labels alone, forks of forks included', () => {
    const rng = new Rng({ seed: 1 })
    const before = drawn(rng.fork(4), 3)
    drawn(rng, 7)
    expect(drawn(rng.fork(4), 3)).toEqual(before)
    const root = new Rng({ seed: 1 })
    const forks = [root, ...[0, 1, 2].map((n) => root.fork(n)), ...[0, 1, 2].map((n) => root.fork(1).fork(n))]
    const all = [...forks, new Rng({ seed: 2 }), new Rng({ seed: 2 }).fork(0)].flatMap((each) => drawn(each, 20))
    expect(new Set(all).size).toBe(all.length)
  })

  it('draws uniform numbers with their mean, spread and finest bit', () => {
    const numbers = drawn(new Rng({ seed: 11 }), 40_000)
    expect(Math.min(...numbers.slice(0, 1000))).toBeGreaterThanOrEqual(0)
    const mean = numbers.reduce((sum, u) => sum + u) / numbers.length
    const variance = numbers.reduce((sum, u) => sum + (u - mean) ** 2, 0) / numbers.length
    // Four standard errors: 4 sqrt(1/12 / n) and 4 sqrt(1/180 / n).
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.0058)
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0015)
    const finest = numbers.filter((u) => (u * 2 ** 53) % 2 === 1).length
    expect(Math.abs(finest - 20_000)).toBeLessThan(400)
  })

  it('draws normal numbers with the moments and the tail of the standard normal distribution', () => {
    const rng = new Rng({ seed: 12 })
    const numbers = Array.from({ length: 40_000 }, () => rng.normal())
    const moment = (power: number) => numbers.reduce((sum, z) => sum + z ** power, 0) / numbers.length
    // Four standard errors each: sqrt(1 / n), sqrt(2 / n), sqrt(15 / n), sqrt(96 / n).
    expect(Math.abs(moment(1))).toBeLessThan(0.02)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.0283)
    expect(Math.abs(moment(3))).toBeLessThan(0.0775)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.196)
    const beyond = numbers.filter((z) => Math.abs(z) > 1.959964).length / numbers.length
    expect(Math.abs(beyond - 0.05)).toBeLessThan(0.0044)
  })

  it('draws integers and orders without favour', () => {
    const rng = new Rng({ seed: 13 })
    const counts = new Map<string, number>()
    for (let i = 0; i < 24_000; i++) {
      const items = ['a', 'b', 'c', 'd']
      rng.shuffle(items)
      counts.set(items.join(''), (counts.get(items.join('')) ?? 0) + 1)
    }
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    expect(counts.size).toBe(24)
    // The 99.99 % quantile of chi-squared with 23 degrees of freedom.
    expect(chiSquared).toBeLessThan(56.2)
    // Two thirds of 2^53: without repeated draws the lower half of the range would come twice as often.
    const bound = 6_004_799_503_160_661
    const low = Array.from({ length: 4000 }, () => rng.below(bound)).filter((n) => n < bound / 2).length
    expect(Math.abs(low - 2000)).toBeLessThan(130)
  })

  it('refuses a state or a bound that it cannot hold exactly', () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => new Rng({ seed })).toThrow(expect.objectContaining({ code: 'run.random-state', where: 'seed' }))
    }
    expect(() => new Rng({ seed: 1 }).below(0)).toThrow(expect.objectContaining({ where: 'bound' }))
    expect(() => new Rng({ seed: 1 }).fork(-1)).toThrow(expect.objectContaining({ where: 'label' }))
  })
})
