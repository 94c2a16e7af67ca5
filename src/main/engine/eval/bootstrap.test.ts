// Intervals against theory and exhaustive resampling; pairing, seeds and undefined resamples.
import { describe, expect, test } from 'vitest'
import { philox4x32, Rng } from '../rng.ts'
import { bootstrapSums, bootstrapWeights, comparePaired, defaultBootstrap } from './bootstrap.ts'
import { detectionAuroc } from './detection.ts'

const options = { ...defaultBootstrap, seed: 1 }
const ratio = (sums: Record<'part' | 'all', number>) => sums.part / sums.all

describe('the bootstrap', () => {
  test('of a mean of 500 has the width that theory gives', () => {
    const rng = new Rng({ seed: 5 })
    const part = Float64Array.from({ length: 500 }, () => rng.normal())
    const mean = part.reduce((sum, one) => sum + one, 0) / 500
    const error = Math.sqrt(part.reduce((sum, one) => sum + (one - mean) ** 2, 0)) / 500
    const { figure } = bootstrapSums({ part, all: new Float64Array(500).fill(1) }, { figure: ratio }, options)
    expect(figure.value).toBeCloseTo(mean, 12)
    expect((figure.low as number) - mean).toBeCloseTo(-1.96 * error, 2)
    expect((figure.high as number) - mean).toBeCloseTo(1.96 * error, 2)
    expect(figure).toMatchObject({ n: 500, undefinedResamples: 0 })
  })

  test('of a ratio has the quantiles of all 256 equally likely resamples', () => {
    const [part, all] = [
      [1, 0, 2, 3],
      [4, 2, 3, 5],
    ] as const
    const exact: number[] = []
    for (let code = 0; code < 256; code++) {
      const images = [code & 3, (code >> 2) & 3, (code >> 4) & 3, code >> 6]
      const sum = (column: readonly number[]) => images.reduce((total, i) => total + (column[i] as number), 0)
      exact.push(sum(part) / sum(all))
    }
    exact.sort((a, b) => a - b)
    const { figure } = bootstrapSums({ part, all }, { figure: ratio }, { ...options, level: 0.5 })
    expect(figure.value).toBe(6 / 14)
    expect(figure.low).toBeCloseTo(exact[64] as number, 1)
    expect(figure.high).toBeCloseTo(exact[192] as number, 1)
  })

  test('has bounds between its resamples, by linear interpolation', () => {
    const rng = new Rng({ seed: 8 })
    const part = Float64Array.from({ length: 20 }, () => rng.normal())
    const seen: number[] = []
    const watched = (weights: Float64Array) => {
      seen.push(weights.reduce((sum, weight, i) => sum + weight * (part[i] as number), 0))
      return seen.at(-1) as number
    }
    const { figure } = bootstrapWeights(20, { figure: watched }, { seed: 1, resamples: 4, level: 0.5 })
    // The first is the value itself. Of four, the quantile of 1/4 lies three quarters of the way from the first to the second.
    const [a, b, c, d] = seen.slice(1).sort((x, y) => x - y) as [number, number, number, number]
    expect(figure.value).toBe(seen[0])
    expect(figure.low).toBeCloseTo(a + 0.75 * (b - a), 12)
    expect(figure.high).toBeCloseTo(c + 0.25 * (d - c), 12)
  })

  test('shares no number with a generator of its seed', () => {
    const drawn: number[][] = []
    const watched = (weights: Float64Array) => drawn.push([...weights])
    bootstrapWeights(40, { figure: watched }, { seed: 5, resamples: 1, level: 0.95 })
    const byGenerator = new Array<number>(40).fill(0)
    const block = new Uint32Array(4)
    for (let i = 0; i < 40; i += 4) {
      philox4x32(block, i, 0, 0, 0, 5, 0)
      for (const word of block) byGenerator[Math.floor((word * 40) / 2 ** 32)]!++
    }
    expect(drawn[1]?.reduce((sum, one) => sum + one, 0)).toBe(40)
    expect(drawn[1]).not.toEqual(byGenerator)
  })

  test('follows its seed alone', () => {
    const columns = { part: [1.1, 0.2, 1.7, 1.4, 0.3, 1.9], all: [1, 1, 2, 2, 1, 1] }
    const run = (seed: number) => bootstrapSums(columns, { figure: ratio }, { ...options, seed, resamples: 500 })
    expect(run(3)).toEqual(run(3))
    expect(run(3)).not.toEqual(run(4))
  })

  test('leaves out and counts resamples that have nothing to divide by', () => {
    const { figure } = bootstrapSums({ part: [0, 1], all: [0, 1] }, { figure: ratio }, options)
    expect(figure).toMatchObject({ value: 1, low: 1, high: 1 })
    // A quarter of the resamples draw the empty image twice.
    expect(figure.undefinedResamples / 10_000).toBeCloseTo(0.25, 1)
    const none = bootstrapSums({ part: [0], all: [0] }, { figure: ratio }, options)
    expect(none.figure).toMatchObject({ value: null, low: null, high: null })
  })

  test('refuses no images, and columns of different images', () => {
    const code = 'run.bootstrap'
    expect(() => bootstrapSums({ part: [], all: [] }, { figure: ratio }, options)).toThrow(
      expect.objectContaining({ code }),
    )
    const two = { part: [1, 2], all: [1, 2] }
    expect(() => comparePaired(two, { part: [1], all: [1] }, { figure: ratio }, options)).toThrow(
      expect.objectContaining({ code, where: 'part' }),
    )
  })
})

describe('a comparison', () => {
  const rng = new Rng({ seed: 6 })
  const all = Float64Array.from({ length: 500 }, () => 2 + rng.below(3))
  const part = all.map((mentions) => rng.below(mentions + 1))

  test('of a policy with itself is exactly nothing, since both see the same images', () => {
    const { figure } = comparePaired({ part, all }, { part, all }, { figure: ratio }, options)
    expect(figure.difference).toMatchObject({ value: 0, low: 0, high: 0 })
    expect(figure.relativeReduction).toMatchObject({ value: 0, low: 0, high: 0 })
    expect(figure.after).toEqual(figure.before)
  })

  test('of a policy that halves each part is a reduction by exactly one half', () => {
    const halved = { part: part.map((one) => one / 2), all }
    const { figure } = comparePaired({ part, all }, halved, { figure: ratio }, options)
    expect(figure.relativeReduction.value).toBeCloseTo(0.5, 12)
    expect(figure.relativeReduction.low).toBeCloseTo(0.5, 12)
    expect(figure.relativeReduction.high).toBeCloseTo(0.5, 12)
    expect(figure.difference.high as number).toBeLessThan(0)
  })
})

describe('the AUROC of hallucination detection', () => {
  test('is that of the scores, with an interval over images', () => {
    const rng = new Rng({ seed: 7 })
    const mentions = Array.from({ length: 300 }, (_, i) => {
      const isHallucinated = i % 5 === 0
      return { image: i % 100, score: rng.normal() + (isHallucinated ? 0 : 2), isHallucinated }
    })
    const estimate = detectionAuroc(mentions, 100, { ...options, resamples: 2000 })
    // Φ(2 / √2) = 0.921 for two normal distributions that far apart.
    expect(estimate.low as number).toBeLessThan(0.921)
    expect(estimate.high as number).toBeGreaterThan(0.921)
    expect(estimate.high as number).toBeLessThan(0.99)
    expect(estimate).toMatchObject({ n: 100, undefinedResamples: 0 })
  })

  test('draws the mentions of an image together', () => {
    const both = [true, false].map((isHallucinated) => ({ image: 0, score: isHallucinated ? 0 : 1, isHallucinated }))
    const estimate = detectionAuroc(both, 2, options)
    expect(estimate).toMatchObject({ value: 1, low: 1, high: 1 })
    // A quarter of the resamples draw the image without mentions twice.
    expect(estimate.undefinedResamples / 10_000).toBeCloseTo(0.25, 1)
  })

  test('is unknown when nothing is hallucinated', () => {
    expect(detectionAuroc([{ image: 0, score: 1, isHallucinated: false }], 1, options).value).toBeNull()
  })
})
