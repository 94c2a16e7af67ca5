// Hand-worked responses, and the recursion against the sum that defines it.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateAdvantages, explainedVariance, normaliseAdvantages, penaliseKl } from './advantages.ts'

const row = (...numbers: number[]) => Float32Array.from(numbers)

describe('generalised advantage estimation', () => {
  test('of three tokens by hand', () => {
    // γ = 0.5, λ = 0.5: δ = [0 + 0.5·2 - 1, 1 + 0.5·4 - 2, -1 + 0 - 4] = [0, 1, -5]
    // A_2 = -5, A_1 = 1 - 1.25 = -0.25, A_0 = 0 - 0.0625
    const found = estimateAdvantages(row(0, 1, -1), row(1, 2, 4), { gamma: 0.5, lambda: 0.5 })
    expect([...found.advantages]).toEqual([-0.0625, -0.25, -5])
    expect([...found.returns]).toEqual([0.9375, 1.75, -1])
  })

  test('of a response that was cut off goes on with the value after it', () => {
    const found = estimateAdvantages(row(0), row(1), { gamma: 0.5, lambda: 1 }, 4)
    expect([...found.advantages]).toEqual([1])
  })

  test('with λ = 1 is the discounted return less the value, with λ = 0 the one-step error', () => {
    const [rewards, values] = [row(1, 2, 4), row(0.5, 0.25, 0.125)]
    const monteCarlo = estimateAdvantages(rewards, values, { gamma: 0.5, lambda: 1 })
    expect([...monteCarlo.returns]).toEqual([3, 4, 4])
    const oneStep = estimateAdvantages(rewards, values, { gamma: 0.5, lambda: 0 })
    expect([...oneStep.advantages]).toEqual([0.625, 1.8125, 3.875])
  })

  test('with steps of several tokens discounts at their ends alone, worked by hand', () => {
    // γ = λ = 0.5, steps end with tokens 0 and 2. A_2 = -1 + 0.5·0 - 4 = -5; token 1 is inside a step, so
    // A_1 = 0 + 4 - 2 + A_2 = -3; A_0 = 1 + 0.5·2 - 1 + 0.25·A_1 = 0.25.
    const options = { gamma: 0.5, lambda: 0.5, stepEnds: [0, 2, 2] }
    const found = estimateAdvantages(row(1, 0, -1), row(1, 2, 4), options)
    expect([...found.advantages]).toEqual([0.25, -3, -5])
    expect([...found.returns]).toEqual([1.25, -1, -1])
    // Cut off inside a step, what comes after it is discounted no more than the step: 0 + 8 - 4.
    const cutOff = estimateAdvantages(row(1, 0, 0), row(1, 2, 4), { ...options, stepEnds: [0] }, 8)
    expect([...cutOff.advantages]).toEqual([1 + 1 - 1 + 0.25 * 6, 2 + 4, 4])
  })

  test('by mentions, two objects are worth the same behind a short template and behind a long one', () => {
    const of = (tokensBetween: number, byMention: boolean) => {
      const rewards = row(0, 1, ...new Array<number>(tokensBetween).fill(0), 1, 0)
      const stepEnds = byMention ? [1, tokensBetween + 2] : undefined
      const untaught = new Float32Array(rewards.length)
      return estimateAdvantages(rewards, untaught, { gamma: 0.5, lambda: 1, stepEnds }).advantages
    }
    expect([of(1, true)[0], of(4, true)[0]]).toEqual([1.5, 1.5])
    // Each token of a template sees the next object undiscounted.
    expect([...of(4, true).subarray(2, 7)]).toEqual([1, 1, 1, 1, 1])
    // By tokens the longer template costs: 1/2 + 1/8 against 1/2 + 1/64.
    expect([of(1, false)[0], of(4, false)[0]]).toEqual([0.625, 0.515625])
  })

  test('is the sum Σ_k (γλ)^k δ_{t+k}', () => {
    const number = fc.integer({ min: -64, max: 64 }).map((n) => n / 16)
    const tokens = fc.array(fc.tuple(number, number), { maxLength: 20 })
    const share = fc.integer({ min: 0, max: 16 }).map((n) => n / 16)
    fc.assert(
      fc.property(tokens, share, share, number, (pairs, gamma, lambda, after) => {
        const rewards = row(...pairs.map(([reward]) => reward))
        const values = row(...pairs.map(([, value]) => value))
        const next = (t: number) => (t + 1 < values.length ? (values[t + 1] as number) : after)
        const delta = (t: number) => (rewards[t] as number) + gamma * next(t) - (values[t] as number)
        const { advantages, returns } = estimateAdvantages(rewards, values, { gamma, lambda }, after)
        for (let t = 0; t < rewards.length; t++) {
          let sum = 0
          for (let k = 0; t + k < rewards.length; k++) sum += (gamma * lambda) ** k * delta(t + k)
          expect(advantages[t]).toBeCloseTo(sum, 4)
          expect(returns[t]).toBeCloseTo(sum + (values[t] as number), 4)
        }
      }),
      { seed: 4 },
    )
  })

  test('refuses rows of unequal length', () => {
    expect(() => estimateAdvantages(row(1), row(), { gamma: 1, lambda: 1 })).toThrow(
      expect.objectContaining({ code: 'run.unequal-rows', where: 'values' }),
    )
  })
})

test('the KL penalty takes β times the log-ratio off each token', () => {
  const { rewards, klNats } = penaliseKl(row(1, 0, -1), row(-1, -2, -0.5), row(-2, -1, -0.5), 0.5)
  expect([...rewards]).toEqual([0.5, 0.5, -1])
  expect(klNats).toBe(0)
  const refusal = (where: string) => expect.objectContaining({ code: 'run.unequal-rows', where })
  expect(() => penaliseKl(row(1), row(1), row(), 0.1)).toThrow(refusal('referenceLogProbs'))
  expect(() => penaliseKl(row(1), row(), row(1), 0.1)).toThrow(refusal('logProbs'))
})

describe('normalising', () => {
  test('takes mean and deviation over all tokens of the batch, not by row', () => {
    // 1, 3, 5, 7: mean 4, deviation √(20 / 3).
    const [first, second] = normaliseAdvantages([row(1), row(3, 5, 7)])
    const deviation = Math.sqrt(20 / 3)
    expect(first?.[0]).toBeCloseTo(-3 / deviation, 6)
    expect([...(second ?? [])].map((a) => a * deviation)).toEqual([
      expect.closeTo(-1, 5),
      expect.closeTo(1, 5),
      expect.closeTo(3, 5),
    ])
  })

  test('leaves the opening of each response out, whose tokens become 0', () => {
    // The rest is 3, 5 and 7: mean 5, deviation 2.
    const [first, second] = normaliseAdvantages([row(9, 3), row(-4, 8, 5, 7)], [1, 2])
    expect([...(first ?? [])]).toEqual([0, expect.closeTo(-1, 6)])
    expect([...(second ?? [])]).toEqual([0, 0, expect.closeTo(0, 6), expect.closeTo(1, 6)])
  })

  test('makes nothing of one token, of equal ones and of none', () => {
    expect(normaliseAdvantages([row(5)])).toEqual([row(0)])
    expect(normaliseAdvantages([row(2, 2), row(2)])).toEqual([row(0, 0), row(0)])
    expect(normaliseAdvantages([])).toEqual([])
  })
})

test('explained variance is that of Stable Baselines3: 1 - Var(R - V) / Var(R), over all tokens', () => {
  // R = 1, 2, 3, 6: mean 3, variance 14 / 4. R - V = 0, 1, 0, 1: mean 0.5, variance 1 / 4.
  expect(explainedVariance([row(1), row(2, 3, 6)], [row(1), row(1, 3, 5)])).toBeCloseTo(1 - 1 / 14, 12)
  // A constant error explains everything, a constant value nothing, and a turned-round one less than nothing.
  expect(explainedVariance([row(1, 3)], [row(0, 2)])).toBe(1)
  expect(explainedVariance([row(1, 3)], [row(7, 7)])).toBe(0)
  expect(explainedVariance([row(1, 3)], [row(3, 1)])).toBe(-3)
  expect(explainedVariance([row(2), row(2)], [row(1), row(0)])).toBeNull()
})
