// PPO and DPO steps for real on a tiny checkpoint: what is rewarded becomes likelier, what is not less; a step follows
// from its seed alone; a policy that was stored and read back goes on bit for bit.
import { beforeAll, describe, expect, test } from 'vitest'
import { presetConfig, type RunConfig } from '../../../shared/runConfig.ts'
import { floatsOf } from '../graph/tensor.ts'
import { loraFeeds, loraSlots } from '../models/shared/lora.ts'
import { valueHeadShapes } from '../models/shared/valueHead.ts'
import { openSequenceCase, runOnce, type SequenceCase } from '../models/testing/sequenceCase.ts'
import { responseGraph } from '../models/vlmGraphs.ts'
import { Rng } from '../rng.ts'
import { responseFeeds, seenAgain } from '../rollout/responseFeeds.ts'
import { policyCursorSchema, restorePolicy, storePolicy } from './checkpoint.ts'
import { DpoLearner, dpoObjectives, pairFeeds, preferences } from './dpo/dpoLearner.ts'
import type { RewardedRollout } from './learner.ts'
import { openLearner } from './openLearner.ts'
import { newPolicy, type Policy } from './policy.ts'
import { PpoLearner } from './ppo/ppoLearner.ts'

const liked = 77
const disliked = 123
const config = presetConfig('quick-look', {
  adapter: { rank: 4, alpha: 8 },
  optimiser: { minibatchSize: 4, microBatchSize: 3, learningRate: 5e-3, klCoefficient: 0.01, targetKlNats: 10 },
  rollout: { responsesPerStep: 8, temperature: 1 },
})

let given: SequenceCase
beforeAll(async () => {
  given = await openSequenceCase('clip-llama')
})

const policyOf = (seed: number): Policy => newPolicy(given.source, config, new Rng({ seed }))
const optionsOf = (changed: RunConfig = config) =>
  ({ device: 'cpu', threads: 1, config: changed, rng: new Rng({ seed: 9 }) }) as const

/** Eight responses, half of them with the liked token at their third place, half with the other. */
function rollouts(): RewardedRollout[] {
  const { decoder, imageTokenId } = given.source.config
  const features = floatsOf(given.feeds, 'image_features')
  const size = features.length / 2
  const imageTokens = size / decoder.hiddenSize
  return Array.from({ length: 8 }, (_, i) => {
    const isLiked = i % 2 === 0
    const tokens = [20 + i, 30, isLiked ? liked : disliked, 40, 2]
    const row = i % 4 < 2 ? 0 : 1
    return {
      promptIds: [1, ...new Array<number>(imageTokens).fill(imageTokenId), 13],
      imageFeatures: [features.slice(row * size, (row + 1) * size)],
      tokens,
      group: `${row}`,
      reason: 'end',
      mentionEnds: [2],
      opening: 0,
      rewards: Float32Array.from(tokens, (_, t) => (t === 2 ? (isLiked ? 1 : -1) : 0)),
    }
  })
}

/** Mean log π of the third token of the responses that were liked, and of the others. */
async function likings(policy: Policy): Promise<[liked: number, other: number]> {
  const all = rollouts()
  const { graph } = responseGraph(given.source, { adapter: { rank: 4 } })
  const feeds = { ...responseFeeds(given.source.config, await seenAgain(all), 1), ...loraFeeds(policy.adapter) }
  const logProbs = floatsOf(await runOnce(graph, feeds), 'logProbs')
  const mean = (first: number) =>
    [0, 1, 2, 3].reduce((sum, i) => sum + (logProbs[(2 * i + first) * 5 + 2] as number), 0) / 4
  return [mean(0), mean(1)]
}

describe('PPO', () => {
  test('makes what is rewarded likelier and the rest less, from a reference that it equals at first', async () => {
    const policy = policyOf(1)
    const before = await likings(policy)
    const learner = await PpoLearner.open(given.source, policy, optionsOf())
    const warm = await learner.warmUp(rollouts())
    expect(warm.after).toBeLessThan(warm.before / 2)
    const first = await learner.update(rollouts(), 0)
    // B is zero: policy and reference are the same, so the KL is nothing and no ratio is clipped at the first update.
    expect(first.klNats).toBeCloseTo(0, 5)
    expect(first.rows[0]?.rewards[2]).toBeCloseTo(1, 4)
    expect(first.metrics).toMatchObject({ updates: 4, skippedUpdates: 0 })
    let last = first
    for (let step = 1; step < 16; step++) last = await learner.update(rollouts(), step)
    await learner.release()
    const after = await likings(policy)
    expect(after[0]).toBeGreaterThan(before[0] + 0.3)
    expect(after[1]).toBeLessThan(before[1] - 0.3)
    expect(last.klNats).not.toBeCloseTo(0, 3)
  })

  test('stops a step that moves too far', async () => {
    const policy = policyOf(1)
    const tight = presetConfig('quick-look', {
      ...config,
      optimiser: { ...config.optimiser, targetKlNats: 1e-4, learningRate: 0.05 },
    })
    const learner = await PpoLearner.open(given.source, policy, optionsOf(tight))
    const { metrics } = await learner.update(rollouts(), 0)
    await learner.release()
    expect(metrics['stoppedEarly']).toBe(1)
    expect(metrics['updates']).toBeLessThan(4)
  })

  test('a policy that was stored and read back goes on bit for bit', async () => {
    const run = async (breakAfter: number | null) => {
      let policy = policyOf(2)
      let learner = await PpoLearner.open(given.source, policy, optionsOf())
      for (let step = 0; step < 3; step++) {
        await learner.update(rollouts(), step)
        if (step !== breakAfter) continue
        const { cursor, parts } = storePolicy({ ...policy, optimisers: learner.states })
        const stored = structuredClone({ cursor, parts })
        await learner.release()
        policy = restorePolicy(
          stored.cursor,
          loraSlots(given.source.config.decoder),
          valueHeadShapes(given.source.config.decoder.hiddenSize, config.optimiser.valueWidth),
          (name) => Uint8Array.from(stored.parts[name] as Uint8Array),
        )
        learner = await PpoLearner.open(given.source, policy, optionsOf())
      }
      const end = structuredClone(storePolicy({ ...policy, optimisers: learner.states }))
      await learner.release()
      return end
    }
    const whole = await run(null)
    for (const breakAfter of [0, 1]) {
      const broken = await run(breakAfter)
      expect(broken.cursor).toEqual(whole.cursor)
      expect(Object.keys(broken.parts)).toEqual(Object.keys(whole.parts))
      const different = Object.keys(whole.parts).filter(
        (name) => !Buffer.from(broken.parts[name] as Uint8Array).equals(whole.parts[name] as Uint8Array),
      )
      expect(different).toEqual([])
    }
  })
})

describe('an update that leaves the numbers of float32', () => {
  // 1e30 in the factors overflows in the next forward pass.
  const wild = (optimiser: Partial<RunConfig['optimiser']> = {}): RunConfig => ({
    ...config,
    optimiser: { ...config.optimiser, learningRate: 1e30, maxGradientNorm: 1, ...optimiser },
  })

  test.each([
    ['PPO', PpoLearner],
    ['DPO', DpoLearner],
  ])('%s ends after five in a row, in words', async (_name, of) => {
    const learner = await of.open(given.source, policyOf(1), optionsOf(wild({ epochs: 6 })))
    await expect(learner.update(rollouts(), 0)).rejects.toMatchObject({
      code: 'run.non-finite',
      remedy: expect.stringContaining('lower learning rate'),
    })
    expect(learner.states['adapter']).toMatchObject({ steps: 1, skippedInARow: 5 })
    await learner.release()
  })

  test.each([
    ['PPO', PpoLearner],
    ['DPO', DpoLearner],
  ])('%s does not begin an update from log-probabilities that are none', async (_name, of) => {
    const learner = await of.open(given.source, policyOf(1), optionsOf(wild({ epochs: 1, minibatchSize: 8 })))
    await learner.update(rollouts(), 0)
    await expect(learner.update(rollouts(), 1)).rejects.toMatchObject({
      code: 'run.non-finite',
      where: expect.stringContaining('log-prob'),
    })
    await learner.release()
  })

  test('the count in a row is part of the checkpoint, and 0 in one that does not have it', async () => {
    const state = { steps: 3, skippedSteps: 9, skippedInARow: 4, firstMoments: {}, secondMoments: {} }
    const { cursor } = storePolicy({ ...policyOf(1), optimisers: { adapter: state } })
    expect(policyCursorSchema.parse(JSON.parse(JSON.stringify(cursor)))).toEqual(cursor)
    expect(cursor.optimisers['adapter']).toEqual({ steps: 3, skippedSteps: 9, skippedInARow: 4 })
    const older = { ...cursor, optimisers: { adapter: { steps: 3, skippedSteps: 9 } } }
    expect(policyCursorSchema.parse(older).optimisers['adapter']?.skippedInARow).toBe(0)
  })
})

describe('DPO', () => {
  test('pairs the best with the worst of each image, and nothing where all are equal', () => {
    const of = (group: string, reward: number) => ({
      group,
      rewards: Float32Array.of(0, reward),
      ...({ promptIds: [], tokens: [1, 2], imageFeatures: [], reason: 'end', mentionEnds: [1], opening: 0 } as const),
    })
    const given = [of('a', 0.5), of('b', 1), of('a', 2), of('b', 1), of('a', -1), of('c', 3)]
    const pairs = preferences(given)
    expect(pairs.map(({ chosen, rejected }) => [chosen.rewards[1], rejected.rewards[1]])).toEqual([[2, -1]])
  })

  test('its loss is -log σ(β Δ), worked out by hand on the log-probabilities of the graph', async () => {
    const [a, b, c, d] = rollouts() as [RewardedRollout, RewardedRollout, RewardedRollout, RewardedRollout]
    const reference = [0, 1, 2, 3].map((i) => Float32Array.from({ length: 5 }, (_, t) => -1 - 0.3 * i + 0.1 * t))
    const old = reference.map((row) => row.map((x, t) => x + 0.2 * t))
    const scored = (one: RewardedRollout, i: number) => ({
      ...one,
      ...{ logProbs: old[i] as Float32Array, referenceLogProbs: reference[i] as Float32Array },
    })
    const pairs = [
      { chosen: scored(a, 0), rejected: scored(b, 1) },
      { chosen: scored(c, 2), rejected: scored(d, 3) },
    ]
    const policy = policyOf(3)
    const { graph } = responseGraph(given.source, { adapter: { rank: 4 }, objectives: dpoObjectives(0.3) })
    const feeds = {
      ...responseFeeds(given.source.config, await seenAgain([a, b, c, d]), 1),
      ...loraFeeds(policy.adapter),
      ...pairFeeds(pairs, pairs),
    }
    const found = await runOnce(graph, feeds)
    const logProbs = floatsOf(found, 'logProbs')
    const moved = [0, 1, 2, 3].map((i) =>
      [0, 1, 2, 3, 4].reduce((sum, t) => sum + (logProbs[i * 5 + t] as number) - (reference[i]?.[t] as number), 0),
    ) as [number, number, number, number]
    const margins = [moved[0] - moved[1], moved[2] - moved[3]]
    const loss = margins.reduce((sum, margin) => sum + Math.log(1 + Math.exp(-0.3 * margin)), 0) / 2
    expect(found['loss']?.values[0]).toBeCloseTo(loss, 4)
    expect(found['margin']?.values[0]).toBeCloseTo((margins[0] as number) / 2 + (margins[1] as number) / 2, 3)
    // exp x - 1 - x of x = log q - log p, over all twenty tokens.
    const k3 = (of: (logProb: number, i: number, t: number) => number) =>
      [...logProbs].reduce((sum, logProb, row) => {
        const x = of(logProb, Math.floor(row / 5), row % 5)
        return sum + Math.exp(x) - 1 - x
      }, 0) / 20
    const kl = k3((logProb, i, t) => (reference[i]?.[t] as number) - logProb)
    const approximateKl = k3((logProb, i, t) => logProb - (old[i]?.[t] as number))
    expect((found['kl']?.values[0] as number) / kl).toBeCloseTo(1, 4)
    expect((found['approximateKl']?.values[0] as number) / approximateKl).toBeCloseTo(1, 4)
    expect(Math.abs(Math.log(kl / approximateKl)), 'the two can be told apart').toBeGreaterThan(0.1)
  })

  test('makes the preferred responses likelier than the others', async () => {
    const policy = policyOf(4)
    const before = await likings(policy)
    const learner = await DpoLearner.open(given.source, policy, optionsOf())
    const first = await learner.update(rollouts(), 0)
    expect(first.metrics['pairs']).toBe(2)
    for (let step = 1; step < 6; step++) await learner.update(rollouts(), step)
    await learner.release()
    const after = await likings(policy)
    expect(after[0] - after[1]).toBeGreaterThan(before[0] - before[1] + 0.5)
  })
})

test('a part that does not fit the model is refused', () => {
  const { cursor } = storePolicy(policyOf(1))
  const shapes = valueHeadShapes(given.source.config.decoder.hiddenSize, config.optimiser.valueWidth)
  const read = () => restorePolicy(cursor, loraSlots(given.source.config.decoder), shapes, () => new Uint8Array(8))
  expect(read).toThrow(expect.objectContaining({ code: 'run.bad-checkpoint' }))
})

test.each([
  ['token', PpoLearner, true],
  ['sentence', PpoLearner, true],
  ['dpo', DpoLearner, false],
  ['none', PpoLearner, true],
] as const)('%s is learned by its own learner, which warms up what it has to', async (method, kind, hasValueHead) => {
  const policy = policyOf(5)
  const before = storePolicy(structuredClone(policy)).parts
  const learner = await openLearner(
    given.source,
    policy,
    optionsOf({ ...config, reward: { ...config.reward, method } }),
  )
  expect(learner).toBeInstanceOf(kind)
  await learner.warmUp(rollouts())
  const after = storePolicy(policy).parts
  await learner.release()
  const changed = Object.keys(after).filter(
    (name) => !Buffer.from(before[name] as Uint8Array).equals(after[name] as Uint8Array),
  )
  expect(changed.length > 0).toBe(hasValueHead)
  expect(changed.every((name) => name.startsWith('valueHead/'))).toBe(true)
})
