// Responses of a run hold no image features: they are looked up within a bound when they are learned from, to the same bits.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { presetConfig } from '../../../shared/runConfig.ts'
import { newPolicy } from '../align/policy.ts'
import { PpoLearner } from '../align/ppo/ppoLearner.ts'
import { Rng } from '../rng.ts'
import { seenAgain } from '../rollout/responseFeeds.ts'
import { AlignmentModels, type ImageResponse, type RunImage } from '../run/models.ts'
import { readLexicon } from './readLexicon.ts'
import { demoLexicon, demoModel, sampleScenes } from './testing/demoRun.ts'

const config = presetConfig('quick-look', {
  rollout: { maxNewTokens: 6, batchSize: 2 },
  optimiser: { epochs: 2, minibatchSize: 4, microBatchSize: 2, targetKlNats: 100 },
})
const session = { device: 'cpu', threads: 1, config } as const
const folders = { model: demoModel, companion: join(demoModel, 'encoder') }
const images = readdirSync(sampleScenes)
  .sort()
  .slice(0, 6)
  .map((name, imageId): RunImage => {
    const path = join(sampleScenes, name)
    return { imageId, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
  })

/** An update by responses to all images, with features of at most so many bytes kept. */
async function learned(featureBytes: number) {
  const lexicon = await readLexicon(demoLexicon)
  const models = await AlignmentModels.open(folders, { ...session, lexicon, featureBytes })
  const policy = newPolicy(models.source, config, new Rng({ seed: 3 }))
  const { responses } = await models.respond(images, policy, { rng: new Rng({ seed: 4 }) })
  const kept = [models.keptFeatureBytes]
  const learner = await PpoLearner.open(models.source, policy, { ...session, rng: new Rng({ seed: 5 }) })
  const rollouts = responses.map((response, i) => ({
    ...{ ...response, rewards: Float32Array.from(response.tokens, (_, t) => (t === i % 3 ? 1 : 0)) },
    ...{ group: `${i}`, mentionEnds: [], opening: 0 },
  }))
  const { rows, klNats, metrics } = await learner.update(rollouts, 0)
  const terms = rows.map(({ logProbs, referenceLogProbs, rewards }) => ({ logProbs, referenceLogProbs, rewards }))
  kept.push(models.keptFeatureBytes)
  await learner.release()
  const seen = await seenAgain(responses)
  kept.push(models.keptFeatureBytes)
  await models.release()
  const factors = [...policy.adapter.layers.values()].map(({ a, b }) => [a, b])
  return {
    responses,
    kept,
    figures: { klNats, metrics, terms },
    factors,
    features: seen.map(({ imageFeatures }) => imageFeatures),
  }
}

/** Of the arrays that a response itself holds. */
function heldBytes(response: ImageResponse): number {
  const arrays = Object.values(response).flat().filter(ArrayBuffer.isView)
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

test('an update from features that are computed again is that from features that are kept, bit for bit', async () => {
  const whole = await learned(1e9)
  const imageBytes = whole.features[0]?.[0]?.byteLength as number
  expect(whole.kept).toEqual([6, 6, 6].map((count) => count * imageBytes))

  const bounded = await learned(2 * imageBytes)
  expect(Math.max(...bounded.kept)).toBeLessThanOrEqual(2 * imageBytes)
  // Its log-probabilities alone: two numbers of 4 bytes a token.
  for (const response of bounded.responses) expect(heldBytes(response)).toBeLessThanOrEqual(6 * 8)
  expect(bounded.features).toEqual(whole.features)
  expect(bounded.figures).toEqual(whole.figures)
  expect(bounded.factors).toEqual(whole.factors)
}, 60_000)
