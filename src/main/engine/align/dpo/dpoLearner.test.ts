// What one step of DPO reports, on a policy that has already left its reference. learners.test.ts works its loss out by
// hand and sees what many steps lead to.
import { beforeAll, expect, test } from 'vitest'
import type { RunConfig } from '../../../../shared/runConfig.ts'
import { openSequenceCase, type SequenceCase } from '../../models/testing/sequenceCase.ts'
import { Rng } from '../../rng.ts'
import type { TokenTerms, UpdateReport } from '../learner.ts'
import { newPolicy, type Policy } from '../policy.ts'
import { base, changed, mean, rollouts, trainedPolicy } from '../testing/trainedPolicy.ts'
import { DpoLearner } from './dpoLearner.ts'

let given: SequenceCase
beforeAll(async () => {
  given = await openSequenceCase('clip-llama')
})

/** One update; the six responses are of two images, and make two pairs. */
async function update(policy: Policy, config: RunConfig, responses = rollouts(given)): Promise<UpdateReport> {
  const learner = await DpoLearner.open(given.source, policy, {
    device: 'cpu',
    threads: 1,
    config,
    rng: new Rng({ seed: 9 }),
  })
  const report = await learner.update(responses, 0)
  await learner.release()
  return report
}

test('a policy that equals its reference has lost ln 2, in micro-batches as in one', async () => {
  for (const microBatchSize of [4, 2]) {
    const policy = newPolicy(given.source, base, new Rng({ seed: 1 }))
    const { klNats, metrics } = await update(policy, changed({ minibatchSize: 4, microBatchSize }))
    expect(metrics).toMatchObject({ pairs: 2, updates: 1, accuracy: 0 })
    expect(metrics['loss']).toBeCloseTo(Math.LN2, 5)
    expect([klNats, metrics['margin']]).toEqual([expect.closeTo(0, 5), expect.closeTo(0, 4)])
  }
})

test('a mean over tokens is that of the minibatch, however it is parted', async () => {
  const inOne = await update(trainedPolicy(given), changed({ minibatchSize: 4, microBatchSize: 4 }))
  const inTwo = await update(trainedPolicy(given), changed({ minibatchSize: 4, microBatchSize: 2 }))
  expect(inTwo.metrics['kl']).toBeCloseTo(inOne.metrics['kl'] as number, 4)
  expect(inOne.metrics['kl']).toBeGreaterThan(1e-3)
})

test('a pair counts as two responses of a minibatch', async () => {
  const { metrics } = await update(trainedPolicy(given), changed({ minibatchSize: 2, microBatchSize: 2, epochs: 2 }))
  expect(metrics).toMatchObject({ pairs: 2, updates: 4 })
})

test('follows the schedule of the run over the pairs that its steps can make', async () => {
  // 6 responses a step, 3 of each of 2 images, are 2 pairs, a pair an update, 2 passes: 2 · 2 · 5 steps · 3 rounds = 60.
  const schedule = { schedule: 'cosine', learningRate: 1e-3, warmupSteps: 5 } as const
  const sizes = { epochs: 2, minibatchSize: 2, microBatchSize: 2, rounds: 3, stepsPerRound: 5, dpoResponses: 3 }
  const config = { ...changed({ ...schedule, ...sizes }), reward: { ...base.reward, method: 'dpo' as const } }
  const { metrics } = await update(trainedPolicy(given), config)
  expect(metrics['updates']).toBe(4)
  expect(metrics['learningRate']).toBeCloseTo(1e-3, 12)
  const later = await update(trainedPolicy(given), { ...config, optimiser: { ...config.optimiser, warmupSteps: 2 } })
  const halfCosine = 0.5 * (1 + Math.cos((Math.PI * 2) / 58))
  expect(later.metrics['learningRate']).toBeCloseTo(1e-3 * halfCosine, 12)
})

test('warms up: the first update moves as far as its rate says, which is not 0', async () => {
  const moved = async (warmupSteps: number) => {
    const policy = trainedPolicy(given)
    const before = structuredClone([...policy.adapter.layers.values()])
    await update(policy, changed({ minibatchSize: 4, learningRate: 1e-3, warmupSteps }))
    const changes = [...policy.adapter.layers.values()].flatMap(({ b }, i) =>
      [...b].map((x, k) => Math.abs(x - (before[i]?.b[k] ?? 0))),
    )
    return Math.max(...changes)
  }
  // The first step of Adam is its rate.
  expect(await moved(0)).toBeCloseTo(1e-3, 5)
  expect(await moved(4)).toBeCloseTo(2.5e-4, 5)
})

test('ends a step early that moves too far, as PPO does', async () => {
  const sizes = { minibatchSize: 2, microBatchSize: 2, epochs: 4 }
  const { metrics } = await update(trainedPolicy(given), changed({ ...sizes, targetKlNats: 1e-6, learningRate: 0.01 }))
  expect(metrics).toMatchObject({ stoppedEarly: 1, updates: 1 })
  const free = await update(trainedPolicy(given), changed({ ...sizes, learningRate: 1e-6 }))
  expect(free.metrics).toMatchObject({ updates: 8 })
  expect(free.metrics).not.toHaveProperty('stoppedEarly')
  // Hardly moved, so the last pass is as far from the reference as the whole step.
  expect(free.metrics['klNatsLastEpoch']).toBeCloseTo(free.metrics['kl'] as number, 4)
})

test('KL, margin and accuracy are those of the likelihoods at temperature 1, however responses were sampled', async () => {
  const warm = { ...changed({ minibatchSize: 4 }), rollout: { ...base.rollout, temperature: 0.5 } }
  const { klNats, rows } = await update(trainedPolicy(given), warm)
  const logRatios = (rows as readonly TokenTerms[]).map(({ logProbs, referenceLogProbs }) =>
    [...logProbs].map((x, t) => x - (referenceLogProbs[t] ?? 0)),
  )
  expect(klNats).toBeCloseTo(mean(logRatios.flat()), 6)
  const plain = await update(trainedPolicy(given), changed({ minibatchSize: 4 }))
  expect(rows.map(({ logProbs }) => logProbs)).toEqual(plain.rows.map(({ logProbs }) => logProbs))

  // Of one image alone, whose one pair is ordered rightly or not.
  const one = rollouts(given).filter(({ group }) => group === '0')
  const alone = await update(trainedPolicy(given), changed({ minibatchSize: 4 }), one)
  const rewards = one.map((rollout) => rollout.rewards.reduce((sum, r) => sum + r, 0))
  const moved = [0, 2, 4].map((i) => (logRatios[i] as number[]).reduce((sum, x) => sum + x, 0))
  const [best, worst] = [Math.max(...rewards), Math.min(...rewards)].map((reward) => moved[rewards.indexOf(reward)])
  const margin = (best as number) - (worst as number)
  expect(alone.metrics['margin']).toBeCloseTo(margin, 3)
  expect(alone.metrics['accuracy']).toBe(margin > 0 ? 1 : 0)
})
