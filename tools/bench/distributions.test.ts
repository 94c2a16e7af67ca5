import { expect, test } from 'vitest'
import { compare, distributions, summary } from './distributions.ts'
import { ratios, spread } from './turns.ts'

const log = (...probabilities: number[]) => probabilities.map((p) => Math.log(p) + 3)

test('surprise, KL and agreement, by hand: distributions over three tokens, two windows', () => {
  const of = (...rows: number[][]) => distributions(Float32Array.from(rows.flat()), 3)
  const p = of(log(1 / 2, 1 / 4, 1 / 4), log(1 / 2, 1 / 4, 1 / 4), log(1 / 8, 3 / 4, 1 / 8))
  const q = of(log(1 / 2, 1 / 4, 1 / 4), log(1 / 4, 1 / 2, 1 / 4), log(1 / 4, 1 / 2, 1 / 4))
  const windows = compare([[0, 1], [0]], q, p)
  expect(windows.map(({ agrees }) => agrees)).toEqual([[true, false], [true]])
  // -log 1/2, -log 1/2; -log 1/4
  expect(windows.flatMap(({ surprise }) => surprise).map((x) => x / Math.LN2)).toEqual([
    ...[expect.closeTo(1, 5), expect.closeTo(1, 5), expect.closeTo(2, 5)],
  ])
  // 1/2 log 2 - 1/4 log 2 = 1/4 log 2; 2 · 1/8 log 1/2 + 3/4 log 3/2
  const kl = [0, Math.LN2 / 4, -Math.LN2 / 4 + 0.75 * Math.log(1.5)]
  expect(windows.flatMap((one) => one.kl)).toEqual(kl.map((expected) => expect.closeTo(expected, 6)))
  const found = summary(windows)
  // 2^((1 + 1 + 2) / 3)
  expect(found).toMatchObject({ tokens: 3, perplexity: expect.closeTo(2 ** (4 / 3), 4), sameTop: 2 / 3 })
  expect(found.klP99).toBeCloseTo(Math.max(...kl), 6)
  // Window means 1 and 2 bits: deviation √½, error ½.
  expect(found.surpriseInterval).toBeCloseTo(1.96 * 0.5 * Math.LN2, 5)
})

test('ratios are of one turn, and a spread is median, least and most', () => {
  expect(ratios([10, 30, 8], [5, 10, 8])).toEqual([2, 3, 1])
  expect(spread([3, 1, 2, 10])).toEqual([2.5, 1, 10])
  expect(spread([2])).toEqual([2, 2, 2])
})
