// What one step of PPO computes before and while it updates, term by term, on a policy that has already left its
// reference. learners.test.ts sees what many steps lead to.
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunConfig } from '../../../../shared/runConfig.ts'
import { openSequenceCase, type SequenceCase } from '../../models/testing/sequenceCase.ts'
import { Rng } from '../../rng.ts'
import { Generator } from '../../rollout/generate.ts'
import type { RewardedRollout } from '../learner.ts'
import { learningRate } from '../optimiser/learningRate.ts'
import { newPolicy, type Policy } from '../policy.ts'
import { ResponseScores } from '../responseScores.ts'
import { base, changed, mean, rollouts, trainedPolicy } from '../testing/trainedPolicy.ts'
import { estimateAdvantages, normaliseAdvantages } from './advantages.ts'
import { PpoLearner } from './ppoLearner.ts'

let given: SequenceCase
beforeAll(async () => {
  given = await openSequenceCase('clip-llama')
})

async function withLearner<T>(policy: Policy, config: RunConfig, use: (learner: PpoLearner) => Promise<T>): Promise<T> {
  const options = { device: 'cpu', threads: 1, config, rng: new Rng({ seed: 9 }) } as const
  const learner = await PpoLearner.open(given.source, policy, options)
  try {
    return await use(learner)
  } finally {
    await learner.release()
  }
}

/** The terms as the learner keeps them with each rollout. */
interface Terms {
  readonly logProbs: Float32Array
  readonly referenceLogProbs: Float32Array
  readonly rewards: Float32Array
  readonly values: Float32Array
  readonly advantages: Float32Array
  readonly returns: Float32Array
}
const varianceOf = (numbers: readonly number[]) => mean(numbers.map((x) => x * x)) - mean(numbers) ** 2
const flat = (arrays: readonly Float32Array[]): number[] => arrays.flatMap((array) => [...array])

describe('one step', () => {
  test('takes KL off the rewards, advantages from both, and reports means over tokens', async () => {
    const report = await withLearner(trainedPolicy(given), base, (learner) => learner.update(rollouts(given), 0))
    const rows = report.rows as readonly Terms[]
    const { gamma, lambda } = base.optimiser
    const logRatios = rows.map(({ logProbs, referenceLogProbs }) =>
      logProbs.map((x, t) => x - (referenceLogProbs[t] ?? 0)),
    )
    expect(Math.max(...flat(logRatios).map(Math.abs)), 'the policy has left its reference').toBeGreaterThan(0.05)
    expect(report.klNats).toBeCloseTo(mean(flat(logRatios)), 6)
    const estimates = rows.map(({ rewards, values }, i) => {
      const penalised = rollouts(given)[i]?.rewards.map((r, t) => r - 0.5 * (logRatios[i]?.[t] ?? 0)) ?? []
      expect([...rewards]).toEqual([...penalised].map((r) => expect.closeTo(r, 5)))
      return estimateAdvantages(rewards, values, { gamma, lambda })
    })
    const advantages = normaliseAdvantages(estimates.map((one) => one.advantages))
    expect(flat(rows.map((row) => row.returns))).toEqual(flat(estimates.map((one) => one.returns)))
    expect(flat(rows.map((row) => row.advantages))).toEqual(flat(advantages))

    // Before the first update nothing has moved: the ratio to the policy that answered is 1.
    const { metrics } = report
    expect(metrics['approximateKl']).toBeCloseTo(0, 5)
    expect(metrics['clipFraction']).toBe(0)
    expect(metrics['policy']).toBeCloseTo(-mean(flat(advantages)), 4)
    const residuals = rows.flatMap(({ values, returns }) => [...values].map((v, t) => (returns[t] ?? 0) - v))
    expect(metrics['value']).toBeCloseTo(mean(residuals.map((x) => x * x)) / 2, 4)
    expect(metrics['explainedVariance']).toBeCloseTo(
      1 - varianceOf(residuals) / varianceOf(flat(rows.map((row) => row.returns))),
      4,
    )
    // Of one pass with one update the last figure of KL is that of before it: exp(d) - d - 1 of d = log π_ref - log π.
    expect(metrics['klNatsLastEpoch']).toBeCloseTo(mean(flat(logRatios).map((x) => Math.exp(-x) + x - 1)), 5)
    // The value loss trains the head alone.
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['policyLoss', 'valueLoss']))
    expect(metrics).not.toHaveProperty('loss')
    expect(metrics).toMatchObject({ updates: 1, skippedUpdates: 0 })
  })

  test('holds the values to where they were before its first update, and gives means over its updates', async () => {
    // So narrow a range that the loss can never fall below that of the old values, however fast the head learns.
    const config = changed({ epochs: 4, valueClipRange: 1e-6, valueLearningRate: 0.005, learningRate: 1e-6 })
    const { rows, metrics } = await withLearner(trainedPolicy(given), config, (learner) =>
      learner.update(rollouts(given), 0),
    )
    const errors = (rows as readonly Terms[]).flatMap(({ values, returns }) =>
      [...values].map((v, t) => (v - (returns[t] ?? 0)) ** 2),
    )
    expect(metrics['updates']).toBe(4)
    expect(metrics['value']).toBeGreaterThan((mean(errors) / 2) * 0.999)
    expect(metrics['value']).toBeLessThan((mean(errors) / 2) * 1.5)
  })

  test('shuffles its minibatches, by the step alone', async () => {
    const config = changed({ minibatchSize: 2, microBatchSize: 2, learningRate: 1e-3 })
    const factorsAfter = async (step: number) => {
      const policy = trainedPolicy(given)
      await withLearner(policy, config, (learner) => learner.update(rollouts(given), step))
      return flat([...policy.adapter.layers.values()].map(({ a }) => a))
    }
    const first = await factorsAfter(0)
    expect(await factorsAfter(0)).toEqual(first)
    expect(await factorsAfter(1)).not.toEqual(first)
  })

  test('follows its schedule over all updates of the run', async () => {
    // 6 responses a step in minibatches of 4 are 2 updates, twice: 2 · 2 · 5 steps · 3 rounds = 60.
    const peak = 1e-3
    const config = changed({
      ...{ epochs: 2, minibatchSize: 4, microBatchSize: 4, rounds: 3, stepsPerRound: 5 },
      ...{ schedule: 'cosine', learningRate: peak, warmupSteps: 2 },
    })
    const { metrics } = await withLearner(trainedPolicy(given), config, (learner) => learner.update(rollouts(given), 0))
    const after = learningRate({ kind: 'cosine', peak, warmupSteps: 2, totalSteps: 60 }, 4)
    expect(metrics).toMatchObject({ updates: 4, learningRate: after })
  })

  test('that was stopped leaves no gradients to the next one', async () => {
    const config = changed({ minibatchSize: 2, microBatchSize: 2, targetKlNats: 1e-7, learningRate: 0.01 })
    const policy = trainedPolicy(given)
    const [next, afresh] = await withLearner(policy, config, async (learner) => {
      const { metrics } = await learner.update(rollouts(given), 0)
      expect(metrics).toMatchObject({ stoppedEarly: 1, updates: 1 })
      const stored: Policy = structuredClone({ ...policy, optimisers: learner.states })
      const again = await withLearner(stored, config, (other) => other.update(rollouts(given), 1))
      return [await learner.update(rollouts(given), 1), again]
    })
    expect(next.metrics).toEqual(afresh.metrics)
  })
})

/** The same responses, every other one of them cut off by its length. */
const someCutOff = (): RewardedRollout[] =>
  rollouts(given).map((one, i) => ({ ...one, reason: i % 2 === 0 ? 'length' : 'end' }))

async function withScores<T>(policy: Policy, use: (scores: ResponseScores) => Promise<T>): Promise<T> {
  const options = {
    device: 'cpu',
    threads: 1,
    temperature: base.rollout.temperature,
    amongKept: false,
    microBatchSize: 4,
  } as const
  const scores = await ResponseScores.open(given.source, policy, options)
  try {
    return await use(scores)
  } finally {
    await scores.release()
  }
}

/** V after each response: what the head says before the next token, whichever that is. */
async function valuesAfter(policy: Policy): Promise<number[]> {
  const goingOn = rollouts(given).map((one) => ({ ...one, tokens: [...one.tokens, 99, 98] }))
  const { values } = await withScores(policy, (scores) => scores.ofPolicy(goingOn))
  return rollouts(given).map(({ tokens }, i) => values[i]?.[tokens.length] as number)
}

test('learns nothing of what comes before the first object word, unless it is asked to', async () => {
  const opening = (i: number) => i % 2
  const opened = rollouts(given).map((one, i) => ({ ...one, opening: opening(i) }))
  const advantagesOf = async (learnsOpening: boolean) => {
    const config = changed({ learnsOpening })
    const { rows } = await withLearner(trainedPolicy(given), config, (learner) => learner.update(opened, 0))
    return (rows as readonly Terms[]).map(({ advantages }) => advantages)
  }
  for (const [i, advantages] of (await advantagesOf(false)).entries()) {
    expect([...advantages.subarray(0, opening(i))].every((advantage) => advantage === 0)).toBe(true)
    expect(advantages[opening(i)]).not.toBe(0)
  }
  expect((await advantagesOf(true)).every((advantages) => advantages[0] !== 0)).toBe(true)
})

test('discounts by mentions when asked to, in the warm-up too', async () => {
  const config = changed({ discount: 'mention', gamma: 0.5 })
  const mentionEnds = (i: number) => (i === 5 ? [] : [i % 2])
  const mentioning = rollouts(given).map((one, i) => ({ ...one, mentionEnds: mentionEnds(i) }))
  const { rows } = await withLearner(trainedPolicy(given), config, (learner) => learner.update(mentioning, 0))
  const { lambda } = config.optimiser
  for (const [i, { rewards, values, returns }] of (rows as readonly Terms[]).entries()) {
    const options = { gamma: 0.5, lambda, stepEnds: mentionEnds(i) }
    expect([...returns]).toEqual([...estimateAdvantages(rewards, values, options).returns])
  }
  // A new head says 0 of everything, and a new policy is its reference.
  const policy = newPolicy(given.source, base, new Rng({ seed: 1 }))
  const { before } = await withLearner(policy, config, (learner) => learner.warmUp(mentioning))
  const returnsOf = ({ rewards, mentionEnds }: RewardedRollout) =>
    [...rewards].map((_, t) =>
      [...rewards.subarray(t)].reduce((sum, r, k) => {
        const passed = mentionEnds.filter((end) => end >= t && end < t + k).length
        return sum + 0.5 ** passed * r
      }, 0),
    )
  expect(before).toBeCloseTo(mean(mentioning.flatMap(returnsOf).map((r) => r * r)), 5)
})

describe('a response that was cut off by its length', () => {
  test('has the value of the state after its last token, one that ended by itself has none', async () => {
    const policy = trainedPolicy(given)
    const [ended, cutOff, after] = await withScores(policy, async (scores) => [
      await scores.ofPolicyWithStates(rollouts(given)),
      await scores.ofPolicyWithStates(someCutOff()),
      await valuesAfter(policy),
    ])
    expect(ended.valuesAfter).toEqual([0, 0, 0, 0, 0, 0])
    expect(Math.min(...after.map(Math.abs))).toBeGreaterThan(1e-3)
    const expected = after.map((value, i) => (i % 2 === 0 ? expect.closeTo(value, 4) : 0))
    expect(cutOff.valuesAfter).toEqual(expected)
    for (const name of ['logProbs', 'values', 'hidden'] as const) {
      expect(flat(cutOff[name])).toEqual(flat(ended[name]).map((x) => expect.closeTo(x, 4)))
    }
  })

  test('goes on with it in the advantages', async () => {
    const policy = trainedPolicy(given)
    const after = await valuesAfter(policy)
    const report = await withLearner(policy, base, (learner) => learner.update(someCutOff(), 0))
    const { gamma, lambda } = base.optimiser
    for (const [i, { rewards, values, returns }] of (report.rows as readonly Terms[]).entries()) {
      const valueAfter = i % 2 === 0 ? (after[i] as number) : 0
      const expected = estimateAdvantages(rewards, values, { gamma, lambda }, valueAfter).returns
      expect([...returns]).toEqual([...expected].map((x) => expect.closeTo(x, 4)))
    }
  })
})

test('the KL of the last pass is that of the policy as that pass met it', async () => {
  const rate = { learningRate: 5e-3 }
  const policy = trainedPolicy(given)
  await withLearner(policy, changed({ ...rate, epochs: 1 }), (learner) => learner.update(rollouts(given), 0))
  const [of, reference] = await withScores(policy, async (scores) => [
    await scores.ofPolicy(rollouts(given)),
    await scores.ofReference(rollouts(given)),
  ])
  const logRatios = flat(of.logProbs).map((x, i) => x - (flat(reference)[i] as number))
  const { metrics } = await withLearner(trainedPolicy(given), changed({ ...rate, epochs: 2 }), (learner) =>
    learner.update(rollouts(given), 0),
  )
  expect(metrics['klNatsLastEpoch']).toBeCloseTo(mean(logRatios.map((x) => Math.exp(-x) + x - 1)), 5)
  expect(Math.abs((metrics['kl'] as number) - (metrics['klNatsLastEpoch'] as number))).toBeGreaterThan(1e-4)
})

describe('the warm-up', () => {
  test('teaches the discounted sum of the rewards', async () => {
    const policy = newPolicy(given.source, base, new Rng({ seed: 1 }))
    const { before, after } = await withLearner(policy, base, (learner) => learner.warmUp(rollouts(given)))
    const { gamma } = base.optimiser
    const returns = rollouts(given).flatMap(({ rewards }) =>
      [...rewards].map((_, t) => [...rewards.subarray(t)].reduce((sum, r, k) => sum + gamma ** k * r, 0)),
    )
    // A new head says 0 of everything.
    expect(before).toBeCloseTo(mean(returns.map((r) => r * r)), 5)
    expect(after).toBeLessThan(before / 2)
  })

  test('of a later round takes the KL off, as updates do, and goes on after what was cut off', async () => {
    const policy = trainedPolicy(given)
    const [of, reference, after] = await withScores(policy, async (scores) => [
      await scores.ofPolicy(rollouts(given)),
      await scores.ofReference(rollouts(given)),
      await valuesAfter(policy),
    ])
    const { gamma, klCoefficient } = base.optimiser
    const errors = someCutOff().flatMap(({ rewards, reason }, i) =>
      [...rewards].map((_, t) => {
        let sum = reason === 'length' ? gamma ** (rewards.length - t) * (after[i] as number) : 0
        for (let k = t; k < rewards.length; k++) {
          const logRatio = (of.logProbs[i]?.[k] as number) - (reference[i]?.[k] as number)
          sum += gamma ** (k - t) * ((rewards[k] as number) - klCoefficient * logRatio)
        }
        return ((of.values[i]?.[t] as number) - sum) ** 2
      }),
    )
    const { before } = await withLearner(policy, base, (learner) => learner.warmUp(someCutOff()))
    expect(before).toBeCloseTo(mean(errors), 4)
  })
})

test('log-probabilities are those that the rollout had, at its temperature', async () => {
  const settings = { greedy: false, temperature: 0.8, topK: 0, topP: 1, repetitionPenalty: 1 }
  const stop = { endTokenIds: [], stopStrings: [], maxNewTokens: 5 }
  const generator = await Generator.open(given.source, { device: 'cpu', threads: 1, adapter: null })
  const asked = rollouts(given).map((one, i) => ({ ...one, rng: new Rng({ seed: 3 }).fork(i) }))
  const said = await generator.generate(asked, { sampling: settings, stop, batchSize: 4 })
  await generator.release()
  const scores = await ResponseScores.open(given.source, trainedPolicy(given), {
    ...{ device: 'cpu', threads: 1, temperature: 0.8, amongKept: false, microBatchSize: 4 },
  })
  const found = await scores.ofReference(said.map(({ tokens }, i) => ({ ...(asked[i] as RewardedRollout), tokens })))
  await scores.release()
  for (const [i, { logProbsAtTemperature }] of said.entries()) {
    expect([...(found[i] as Float32Array)]).toEqual([...logProbsAtTemperature].map((x) => expect.closeTo(x, 4)))
  }
})

test('scores and hidden states of a response are its own, whatever responses stand beside it', async () => {
  const policy = trainedPolicy(given)
  const scores = await ResponseScores.open(given.source, policy, {
    ...{ device: 'cpu', threads: 1, temperature: 0.8, amongKept: false, microBatchSize: 4 },
  })
  const all = rollouts(given)
  const together = await scores.ofPolicyWithStates(all)
  const reference = await scores.ofReference(all)
  for (const [i, one] of all.entries()) {
    const alone = await scores.ofPolicyWithStates([one])
    const expected = [alone.logProbs, alone.values, await scores.ofReference([one]), alone.hidden]
    const found = [together.logProbs, together.values, reference, together.hidden].map(
      (rows) => rows[i] as Float32Array,
    )
    for (const [k, values] of found.entries()) {
      expect([...values]).toEqual([...(expected[k]?.[0] ?? [])].map((x) => expect.closeTo(x, 4)))
    }
    expect(together.hidden[i]?.length).toBe(one.tokens.length * given.source.config.decoder.hiddenSize)
  }
  await scores.release()
})
