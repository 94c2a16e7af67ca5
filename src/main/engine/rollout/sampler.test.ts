// The sampler by hand at its edges, and against the steps of transformers written out in full: every score sorted,
// nothing binned, no heap. generate.test.ts compares it with transformers itself.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SamplerScratch, type SamplingSettings, sampleToken } from './sampler.ts'

const plain: SamplingSettings = { greedy: false, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }

function sample(logits: readonly number[], settings: Partial<SamplingSettings>, uniform = 0, history: number[] = []) {
  const row = Float32Array.from(logits)
  const sampled = sampleToken(row, history, { ...plain, ...settings }, uniform, new SamplerScratch(row.length))
  expect([...row], 'the logits stay as they are').toEqual(logits.map(Math.fround))
  return sampled
}

/** All tokens that can be drawn, by trying uniform numbers close to each other. */
function drawable(logits: readonly number[], settings: Partial<SamplingSettings>): number[] {
  const drawn = Array.from({ length: 64 }, (_, i) => sample(logits, settings, i / 64).token)
  return [...new Set(drawn)].sort((a, b) => a - b)
}

describe('greedy', () => {
  test('takes the likeliest, of equal ones the first, whatever the uniform number and the cuts say', () => {
    expect(sample([1, 3, 3, 2], { greedy: true, topK: 1, topP: 0.1 }, 0.99).token).toBe(1)
    // Without a choice of temperature both readings are that of the logits.
    const { logprob, logprobAtTemperature } = sample([0, 0], { greedy: true, temperature: 0.5 })
    expect([logprob, logprobAtTemperature]).toEqual([-Math.LN2, -Math.LN2])
  })

  test('penalises what was said: positive logits are divided, negative ones multiplied, once each', () => {
    // 4 / 2 < 3, and said twice is penalised once.
    expect(sample([4, 3, 1], { greedy: true, repetitionPenalty: 2 }, 0, [0, 0, 99]).token).toBe(1)
    expect(sample([4, 1.5, 1], { greedy: true, repetitionPenalty: 2 }, 0, [0, 0]).token).toBe(0)
    // -1 · 2 is less than -1.5.
    const { token, logprob, logprobProcessed } = sample([-1, -1.5], { greedy: true, repetitionPenalty: 2 }, 0, [0])
    expect(token).toBe(1)
    expect(logprob).toBeCloseTo(-1.5 - Math.log(Math.exp(-1) + Math.exp(-1.5)), 12)
    expect(logprobProcessed).toBeCloseTo(-1.5 - Math.log(Math.exp(-2) + Math.exp(-1.5)), 12)
  })
})

describe('drawing', () => {
  test('takes the first token at which the cumulative probability exceeds the uniform number', () => {
    const four = [1, 1, 1, 1]
    expect([0, 0.24, 0.25, 0.5, 0.75, 0.999].map((uniform) => sample(four, {}, uniform).token)).toEqual([
      0, 0, 1, 2, 3, 3,
    ])
    // What has no probability is never drawn, not even where rounding passes the end.
    const last = [0, Number.NEGATIVE_INFINITY]
    expect(sample(last, {}, 1 - 2 ** -53).token).toBe(0)
    expect(sample([Number.NEGATIVE_INFINITY, 0], {}, 0).token).toBe(1)
  })

  test('top-k keeps the k likeliest and all that equal the last of them', () => {
    expect(drawable([1, 5, 3, 4, 2], { topK: 2 })).toEqual([1, 3])
    expect(drawable([3, 3, 3, 0], { topK: 2 })).toEqual([0, 1, 2])
    expect(drawable([0, 1, 2], { topK: 3 })).toEqual([0, 1, 2])
    expect(drawable([0, 1, 2], { topK: 99 })).toEqual([0, 1, 2])
  })

  test('top-p keeps the likeliest until they reach the sum, of equal ones the higher ids', () => {
    const four = [1, 1, 1, 1]
    expect(drawable(four, { topP: 0.5 })).toEqual([2, 3])
    expect(drawable(four, { topP: 0.51 })).toEqual([1, 2, 3])
    expect(drawable(four, { topP: 0.01 })).toEqual([3])
    // 1/2, 1/4, 1/4: a half is reached by the first alone.
    expect(drawable([Math.log(2), 0, 0], { topP: 0.49 })).toEqual([0])
    expect(drawable([Math.log(2), 0, 0], { topP: 0.6 })).toEqual([0, 2])
  })

  test('top-p is taken of what top-k left, and temperature comes before both', () => {
    // Of 1/2 and 1/2, not of 1/3 each.
    expect(drawable([1, 1, 0.9], { topK: 2, topP: 0.5 })).toEqual([1])
    const hot = [2, 0]
    expect(drawable(hot, { topP: 0.8 })).toEqual([0])
    expect(drawable(hot, { topP: 0.8, temperature: 4 })).toEqual([0, 1])
  })
})

test.each([
  ['NaN', [0, Number.NaN], 'NaN for token 1'],
  ['plus infinity', [Number.POSITIVE_INFINITY, 0], 'Infinity for token 0'],
  ['nothing but minus infinity', [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], '-Infinity for token 0'],
])('logits of %s are refused', (_, logits, found) => {
  for (const greedy of [true, false]) {
    expect(() => sample(logits, { greedy })).toThrow(expect.objectContaining({ code: 'run.non-finite', found }))
  }
})

/** The tokens that stay, with their logits after penalty and temperature, as transformers' warpers leave them. */
function processed(logits: readonly number[], history: readonly number[], settings: SamplingSettings) {
  const { temperature, topK, topP, repetitionPenalty } = settings
  const scores = logits.map((logit, id) => {
    const penalised = logit < 0 ? logit * repetitionPenalty : logit / repetitionPenalty
    return { id, score: (history.includes(id) ? penalised : logit) / temperature }
  })
  const falling = scores.toSorted((a, b) => b.score - a.score || b.id - a.id)
  const least = topK > 0 ? (falling[Math.min(topK, falling.length) - 1]?.score as number) : Number.NEGATIVE_INFINITY
  const kept = falling.filter(({ score }) => score >= least)
  const total = kept.reduce((sum, { score }) => sum + Math.exp(score), 0)
  let before = 0
  const nucleus = kept.filter(({ score }, i) => {
    const stays = i === 0 || topP === 1 || before / total < topP
    before += Math.exp(score)
    return stays
  })
  return nucleus.sort((a, b) => a.id - b.id)
}

const logSumExp = (values: readonly number[]) => Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0))

test('any row, history and settings give the token and log-probabilities of transformers (1,000 cases)', () => {
  const logit = fc.oneof(
    { weight: 3, arbitrary: fc.double({ min: -12, max: 12, noNaN: true }).map(Math.fround) },
    { weight: 1, arbitrary: fc.integer({ min: -4, max: 4 }) },
  )
  const settings = fc.record({
    greedy: fc.constant(false),
    temperature: fc.constantFrom(0.5, 0.8, 1, 1.7),
    topK: fc.nat(12),
    topP: fc.constantFrom(0.317, 0.613, 0.911, 1),
    repetitionPenalty: fc.constantFrom(1, 1.3, 0.8),
  })
  const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const row = fc.array(logit, { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(row, fc.array(fc.nat(45), { maxLength: 6 }), settings, uniform, (logits, history, given, u) => {
      const scratch = new SamplerScratch(logits.length)
      const { token, ...found } = sampleToken(Float32Array.from(logits), history, given, u, scratch)
      const kept = processed(logits, history, given)
      const total = logSumExp(kept.map(({ score }) => score))
      let sum = 0
      const reached = kept.map(({ score }) => {
        sum += Math.exp(score - total)
        return sum
      })
      const drawn = kept.at(reached.findIndex((probability) => probability > u))
      expect(token).toBe(drawn?.id)
      expect(found.logprob).toBeCloseTo((logits[token] as number) - logSumExp(logits), 9)
      const heated = logits.map((one) => one / given.temperature)
      expect(found.logprobAtTemperature).toBeCloseTo((heated[token] as number) - logSumExp(heated), 9)
      expect(found.logprobProcessed).toBeCloseTo((drawn?.score as number) - total, 9)
      const mask = new Uint8Array(logits.length).fill(1)
      found.kept?.writeTo(mask)
      expect([...mask.keys()].filter((id) => mask[id])).toEqual(kept.map(({ id }) => id))
      expect(found.kept === null).toBe(given.topK === 0 && given.topP === 1)
    }),
    { numRuns: 1000, seed: 4 },
  )
})
