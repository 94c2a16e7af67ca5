// A policy that has left its reference, and responses for it to learn from, for the tests of the learners.
import { presetConfig, type RunConfig } from '../../../../shared/runConfig.ts'
import { floatsOf } from '../../graph/tensor.ts'
import type { SequenceCase } from '../../models/testing/sequenceCase.ts'
import { Rng } from '../../rng.ts'
import type { PromptedResponse } from '../../rollout/responseFeeds.ts'
import type { RewardedRollout } from '../learner.ts'
import { newPolicy, type Policy } from '../policy.ts'

/** One epoch, whose updates take all six responses. */
export const base = presetConfig('quick-look', {
  adapter: { rank: 4, alpha: 8 },
  optimiser: { epochs: 1, minibatchSize: 6, microBatchSize: 4, klCoefficient: 0.5, targetKlNats: 10 },
  rollout: { responsesPerStep: 6, temperature: 1 },
})
/** {@link base} with another optimiser. */
export const changed = (optimiser: Partial<RunConfig['optimiser']>): RunConfig => ({
  ...base,
  optimiser: { ...base.optimiser, ...optimiser },
})

/** A policy whose B and last value weights are not zero, as after some training. */
export function trainedPolicy(given: SequenceCase): Policy {
  const policy = newPolicy(given.source, base, new Rng({ seed: 1 }))
  const rng = new Rng({ seed: 2 })
  const stir = (values: Float32Array, by: number) => values.set(values.map((x) => x + by * rng.normal()))
  for (const { b } of policy.adapter.layers.values()) stir(b, 0.05)
  for (const values of policy.valueHead.values()) stir(values, 0.1)
  return policy
}

/** Six responses of 2 to 4 tokens with rewards on two of them, all of which ended by themselves. */
export function rollouts(given: SequenceCase): (RewardedRollout & PromptedResponse)[] {
  const { decoder, imageTokenId } = given.source.config
  const features = floatsOf(given.feeds, 'image_features')
  const size = features.length / 2
  const imageTokens = size / decoder.hiddenSize
  return Array.from({ length: 6 }, (_, i) => {
    const tokens = [20 + i, 77, 30 + 3 * i, 2].slice(i % 3)
    return {
      promptIds: [1, ...new Array<number>(imageTokens).fill(imageTokenId), 13 + i],
      imageFeatures: [features.slice((i % 2) * size, ((i % 2) + 1) * size)],
      tokens,
      group: `${i % 2}`,
      reason: 'end',
      mentionEnds: [0],
      opening: 0,
      rewards: Float32Array.from(tokens, (_, t) => (t === 0 ? 0.5 - i / 4 : t === 1 ? 1 : 0)),
    }
  })
}

export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length
