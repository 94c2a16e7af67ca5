// LLaVA models with the decoders of Qwen3, Phi3 and Gemma 2 by the way of a run: the check of their folders, rollouts of
// images of different sizes in one batch, steps of PPO, and their exports, merged and not, opened again.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { presetConfig } from '../../../shared/runConfig.ts'
import { newPolicy } from '../align/policy.ts'
import { PpoLearner } from '../align/ppo/ppoLearner.ts'
import { mergeAdapter } from '../folder/mergeAdapter.ts'
import { readAdapter, writeAdapter } from '../folder/peft.ts'
import { byDecoderPath, loraFeeds, peftAdapter, storedAdapter } from '../models/shared/lora.ts'
import { fixtureRoot } from '../models/testing/parityFixtures.ts'
import { Rng } from '../rng.ts'
import { AlignmentModels, type RunImage } from '../run/models.ts'
import { describeModel } from './describeModel.ts'
import { inspectModel } from './inspectModel.ts'
import { readLexicon } from './readLexicon.ts'
import { demoLexicon } from './testing/demoRun.ts'

const scratch = mkdtempSync(join(tmpdir(), 'fisao-decoders-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const encoder = join(fixtureRoot, 'clip-encoder')
const images = ['wide', 'strip', 'tall', 'wide'].map((name, imageId): RunImage => {
  const path = join(fixtureRoot, 'images', `${name}.png`)
  return { imageId, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
})

test.each([
  ['llava-qwen3', 'Qwen3 decoder'],
  ['llava-phi3', 'Phi3 decoder'],
  ['llava-gemma2', 'Gemma 2 decoder'],
])('%s is checked, answers, learns, and its exports say the same again', async (name, title) => {
  const model = join(fixtureRoot, name)
  expect(await inspectModel(model, null)).toMatchObject({ name, imageTokens: 9 })
  const { parts } = (await describeModel(model, null)).model
  expect(parts.map((part) => part.title)).toContain(title)

  const config = presetConfig('quick-look', {
    ...{ rollout: { maxNewTokens: 6, batchSize: 4 }, adapter: { rank: 4 } },
    optimiser: { epochs: 1, minibatchSize: 4, microBatchSize: 2, valueWarmupSteps: 0, targetKlNats: 100 },
  })
  const session = { device: 'cpu', threads: 1, config } as const
  const lexicon = await readLexicon(demoLexicon)
  const models = await AlignmentModels.open({ model, companion: encoder }, { ...session, lexicon })
  const policy = newPolicy(models.source, config, new Rng({ seed: 3 }))
  const { responses } = await models.respond(images, policy, { rng: null })
  for (const [i, image] of images.slice(0, 2).entries()) {
    const alone = await models.respond([image], policy, { rng: null })
    expect(alone.responses[0]?.tokens).toEqual(responses[i]?.tokens)
  }

  const learner = await PpoLearner.open(models.source, policy, { ...session, rng: new Rng({ seed: 8 }) })
  const rollouts = responses.map((response, row) => ({
    ...{ ...response, group: `${row}`, mentionEnds: [1], opening: 0 },
    rewards: Float32Array.from(response.tokens, (_, t) => (t === 1 ? 1 - row : 0)),
  }))
  for (let step = 0; step < 2; step++) await learner.update(rollouts, step)
  await learner.release()
  const learned = await models.respond(images, policy, { rng: null })
  expect(learned.responses.map(({ logProbs }) => logProbs)).not.toEqual(responses.map(({ logProbs }) => logProbs))

  const { source } = models
  const [adapter, merged] = [join(scratch, name, 'adapter'), join(scratch, name, 'merged')]
  await writeAdapter(adapter, peftAdapter(source.architecture, policy.adapter), model)
  const read = await readAdapter(adapter)
  expect(loraFeeds(byDecoderPath(source.architecture, read))).toEqual(loraFeeds(policy.adapter))
  await mergeAdapter(source.weights, storedAdapter(source.architecture, source.weights, read), merged)
  expect((await inspectModel(merged, null)).imageTokens).toBe(9)
  const again = await AlignmentModels.open({ model: merged, companion: encoder }, { ...session, lexicon })
  const said = await again.respond(images, newPolicy(again.source, config, new Rng({ seed: 3 })), { rng: null })
  expect(said.responses.map(({ tokens }) => tokens)).toEqual(learned.responses.map(({ tokens }) => tokens))
  await again.release()
  await models.release()
})
