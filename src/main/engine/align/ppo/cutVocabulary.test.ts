// Learning from responses that were drawn under top-k and top-p: sampler, policy and reference speak of one distribution.
import { beforeAll, expect, test } from 'vitest'
import type { RunConfig } from '../../../../shared/runConfig.ts'
import { floatsOf } from '../../graph/tensor.ts'
import { openSequenceCase, runResponse, type SequenceCase } from '../../models/testing/sequenceCase.ts'
import { Rng } from '../../rng.ts'
import { Generator } from '../../rollout/generate.ts'
import { responseFeeds, seenAgain } from '../../rollout/responseFeeds.ts'
import { SamplerScratch, type SamplingSettings, sampleToken } from '../../rollout/sampler.ts'
import type { RewardedRollout, UpdateReport } from '../learner.ts'
import { newPolicy, type Policy } from '../policy.ts'
import { base, mean, rollouts, trainedPolicy } from '../testing/trainedPolicy.ts'
import { PpoLearner } from './ppoLearner.ts'

let given: SequenceCase
beforeAll(async () => {
  given = await openSequenceCase('clip-llama')
})

type Cuts = Pick<SamplingSettings, 'topK' | 'topP'>
const samplingOf = (cuts: Cuts): SamplingSettings => ({
  ...{ greedy: false, temperature: 0.8, repetitionPenalty: 1 },
  ...cuts,
})
const uniforms = (response: number) => new Rng({ seed: 3 }).fork(response)

/** Six responses of five tokens by the model as it came, the first of them cut off by its length. */
async function drawn(cuts: Cuts): Promise<RewardedRollout[]> {
  const stop = { endTokenIds: [], stopStrings: [], maxNewTokens: 5 }
  const generator = await Generator.open(given.source, { device: 'cpu', threads: 1, adapter: null })
  const asked = rollouts(given)
  const requests = asked.map((one, i) => ({ ...one, rng: uniforms(i) }))
  const said = await generator.generate(requests, { sampling: samplingOf(cuts), stop, batchSize: 4 })
  await generator.release()
  return said.map(({ tokens, kept }, i): RewardedRollout => {
    const rewards = Float32Array.from(tokens, (_, t) => (t === 1 ? 1 - i : 0))
    return { ...(asked[i] as RewardedRollout), tokens, kept, rewards, reason: i === 0 ? 'length' : 'end' }
  })
}

async function update(policy: Policy, cuts: Cuts, responses: readonly RewardedRollout[]): Promise<UpdateReport> {
  const config: RunConfig = { ...base, rollout: { ...base.rollout, temperature: 0.8, ...cuts } }
  const options = { device: 'cpu', threads: 1, config, rng: new Rng({ seed: 9 }) } as const
  const learner = await PpoLearner.open(given.source, policy, options)
  const report = await learner.update(responses, 0)
  await learner.release()
  return report
}

/** What the sampler says of the same tokens, on the logits of the whole responses and with the same uniform numbers. */
async function resampled(cuts: Cuts, responses: readonly RewardedRollout[]) {
  const { vocabSize } = given.source.config.decoder
  const feeds = responseFeeds(given.source.config, await seenAgain(responses), 1)
  const logits = floatsOf(await runResponse(given.source, feeds, { outputs: ['logits'] }), 'logits')
  const scratch = new SamplerScratch(vocabSize)
  const mask = new Uint8Array(vocabSize)
  return responses.flatMap(({ tokens, kept }, i) => {
    const rng = uniforms(i)
    return tokens.map((token, t) => {
      const row = logits.subarray((5 * i + t) * vocabSize, (5 * i + t + 1) * vocabSize)
      const again = sampleToken(row, [], samplingOf(cuts), rng.uniform(), scratch)
      expect(again.token).toBe(token)
      kept?.[t]?.writeTo(mask)
      const weights = [...row].filter((_, id) => mask[id]).map((logit) => Math.exp(logit / 0.8))
      const total = weights.reduce((sum, x) => sum + x, 0)
      const entropy = -weights.reduce((sum, x) => sum + (x / total) * Math.log(x / total), 0)
      return { logProb: again.logprobProcessed, entropy, drawnFrom: weights.length }
    })
  })
}

const flat = (arrays: readonly Float32Array[]): number[] => arrays.flatMap((array) => [...array])

test('log-probabilities and entropy are over what was drawn from, and KL and ratio begin at nothing', async () => {
  const cuts = { topK: 6, topP: 0.9 }
  const responses = await drawn(cuts)
  const expected = await resampled(cuts, responses)
  expect(Math.max(...expected.map(({ drawnFrom }) => drawnFrom))).toBeLessThan(7)
  expect(Math.min(...expected.map(({ logProb }) => logProb)), 'some tokens were no certainty').toBeLessThan(-0.5)
  const { rows, metrics, klNats } = await update(newPolicy(given.source, base, new Rng({ seed: 1 })), cuts, responses)
  const logProbs = expected.map(({ logProb }) => expect.closeTo(logProb, 4))
  expect(flat(rows.map((row) => row.logProbs))).toEqual(logProbs)
  expect(flat(rows.map((row) => row.referenceLogProbs))).toEqual(logProbs)
  expect(klNats).toBeCloseTo(0, 5)
  expect(metrics['approximateKl']).toBeCloseTo(0, 5)
  expect(metrics['clipFraction']).toBe(0)
  expect(metrics['entropy']).toBeCloseTo(mean(expected.map(({ entropy }) => entropy)), 4)
})

test('where one token alone was left there was no choice, and nothing is learned from it', async () => {
  const cuts = { topK: 1, topP: 1 }
  const { rows, metrics, klNats } = await update(trainedPolicy(given), cuts, await drawn(cuts))
  expect(new Set(flat(rows.map(({ logProbs }) => logProbs)))).toEqual(new Set([0]))
  expect([klNats, metrics['entropy'], metrics['gradientNorm']]).toEqual([0, 0, 0].map((x) => expect.closeTo(x, 6)))
})
