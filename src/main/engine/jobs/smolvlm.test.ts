// A SmolVLM by the way of a run: which encoder judges its words, what the check of its folder says, rollouts of images that
// are cut into different numbers of tiles, a step of PPO, and its export, merged and not, opened again.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { presetConfig } from '../../../shared/runConfig.ts'
import { newPolicy } from '../align/policy.ts'
import { PpoLearner } from '../align/ppo/ppoLearner.ts'
import { mergeAdapter } from '../folder/mergeAdapter.ts'
import { readAdapter, writeAdapter } from '../folder/peft.ts'
import { type TensorToWrite, writeSafetensors } from '../folder/safetensors.ts'
import { openWeights } from '../folder/weights.ts'
import { compareTowers } from '../models/companion/towerComparison.ts'
import { idefics3 } from '../models/idefics3/idefics3.ts'
import { byDecoderPath, loraFeeds, peftAdapter, storedAdapter } from '../models/shared/lora.ts'
import { fixtureRoot } from '../models/testing/parityFixtures.ts'
import { openVlm } from '../models/vlm.ts'
import { Rng } from '../rng.ts'
import { AlignmentModels, type RunImage } from '../run/models.ts'
import { describeModel } from './describeModel.ts'
import { inspectModel } from './inspectModel.ts'
import { readLexicon } from './readLexicon.ts'
import { demoLexicon } from './testing/demoRun.ts'

const scratch = mkdtempSync(join(tmpdir(), 'fisao-idefics3-encoder-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const model = join(fixtureRoot, 'smolvlm-tiles')
const encoder = join(fixtureRoot, 'siglip-encoder')

test('a tower as it was is recognised, and one that was trained on is not', async () => {
  const vlm = await openVlm(model)
  const dual = (weights: Awaited<ReturnType<typeof openWeights>>) =>
    ({ config: { vision: vlm.config.vision }, weights }) as Parameters<typeof compareTowers>[1]
  const write = async (name: string, change: (bytes: Buffer, tensor: string) => void) => {
    const folder = join(scratch, name)
    mkdirSync(folder)
    const tensors = vlm.weights.names.filter((tensor) => tensor.startsWith('model.vision_model.'))
    const written = tensors.map(async (tensor): Promise<TensorToWrite> => {
      const bytes = await vlm.weights.bytes(tensor)
      change(bytes, tensor)
      return { name: tensor.slice('model.'.length), dtype: 'F32', shape: vlm.weights.get(tensor).shape, bytes }
    })
    await writeSafetensors(join(folder, 'model.safetensors'), await Promise.all(written))
    return await compareTowers(vlm, dual(await openWeights(folder)))
  }
  // Two layers of 16 tensors, the patches and their places, and the last norm.
  expect(await write('same', () => undefined)).toEqual({ outcome: 'identical', tensors: 37, dtypes: 'float32' })
  const last = 'model.vision_model.post_layernorm.weight'
  const changed = await write('trained', (bytes, tensor) => {
    if (tensor === last) bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0)
  })
  expect(changed).toMatchObject({ outcome: 'different', difference: { where: 'vision_model.post_layernorm.weight' } })
})

test('the check of a folder accepts it, and says which encoder to give it', async () => {
  expect(await inspectModel(model, null)).toMatchObject({ name: 'smolvlm-tiles', imageTokens: 40, encoder: null })
  const described = (await describeModel(model, null)).model
  expect(described).toMatchObject({ architecture: 'SmolVLM or Idefics3', imageTokens: 40 })
  expect(described.parts.map(({ part }) => part)).toEqual(['tower', 'projector', 'decoder', 'head'])
  const { encoder: found } = await inspectModel(model, encoder)
  expect(found).toMatchObject({ outcome: 'different' })
  expect(found?.difference).toBe(
    'vision_config hiddenSize: 24 here, 40 there. The image tower of this model was trained on after it was taken over, so no encoder has quite the same; the nearest is the SigLIP model that its image tower was taken from.',
  )
  await expect(inspectModel(model, model)).rejects.toMatchObject({
    ...{ code: 'model.not-encoder', remedy: 'Choose the SigLIP model that its image tower was taken from.' },
  })
  const { config } = await openVlm(model)
  const tower = (hiddenSize: number, layers: number, patchSize: number) =>
    idefics3.nearestEncoder?.({ ...config, vision: { ...config.vision, hiddenSize, layers, patchSize } } as never)
  expect(tower(768, 12, 16)).toBe('google/siglip-base-patch16-512')
  expect(tower(1152, 27, 14)).toBe('google/siglip-so400m-patch14-384')
})

test('a run answers images of different sizes in one batch, learns a step, and its exports say the same again', async () => {
  const config = presetConfig('quick-look', {
    ...{ rollout: { maxNewTokens: 6, batchSize: 4 }, adapter: { rank: 4 } },
    optimiser: { epochs: 1, minibatchSize: 4, microBatchSize: 2, valueWarmupSteps: 0, targetKlNats: 100 },
  })
  const session = { device: 'cpu', threads: 1, config } as const
  const lexicon = await readLexicon(demoLexicon)
  const models = await AlignmentModels.open({ model, companion: encoder }, { ...session, lexicon })
  const policy = newPolicy(models.source, config, new Rng({ seed: 3 }))
  const images = ['wide', 'strip', 'tall', 'wide'].map((name, imageId): RunImage => {
    const path = join(fixtureRoot, 'images', `${name}.png`)
    return { imageId, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
  })
  const { responses } = await models.respond(images, policy, { rng: null })
  const { hiddenSize } = models.source.config.decoder
  expect(responses.map(({ imageFeatures }) => (imageFeatures[0]?.length as number) / hiddenSize)).toEqual([
    28, 16, 28, 28,
  ])
  for (const [i, image] of images.entries()) {
    const alone = await models.respond([image], policy, { rng: null })
    expect(alone.responses[0]?.tokens).toEqual(responses[i]?.tokens)
  }

  const learner = await PpoLearner.open(models.source, policy, { ...session, rng: new Rng({ seed: 8 }) })
  const rollouts = responses.map((response, row) => ({
    ...{ ...response, group: `${row}`, mentionEnds: [1], opening: 0 },
    rewards: Float32Array.from(response.tokens, (_, t) => (t === 1 ? 1 - row : 0)),
  }))
  for (let step = 0; step < 3; step++) await learner.update(rollouts, step)
  await learner.release()
  const learned = await models.respond(images, policy, { rng: null })
  expect(learned.responses.map(({ logProbs }) => logProbs)).not.toEqual(responses.map(({ logProbs }) => logProbs))

  const { source } = models
  const [adapter, merged] = [join(scratch, 'adapter'), join(scratch, 'merged')]
  await writeAdapter(adapter, peftAdapter(source.architecture, policy.adapter), model)
  const read = await readAdapter(adapter)
  expect([...read.layers.keys()].every((name) => name.startsWith('model.text_model.layers.'))).toBe(true)
  expect(loraFeeds(byDecoderPath(source.architecture, read))).toEqual(loraFeeds(policy.adapter))
  await mergeAdapter(source.weights, storedAdapter(source.architecture, source.weights, read), merged)
  expect((await inspectModel(merged, null)).imageTokens).toBe(40)
  const again = await AlignmentModels.open({ model: merged, companion: encoder }, { ...session, lexicon })
  const said = await again.respond(images, newPolicy(again.source, config, new Rng({ seed: 3 })), { rng: null })
  expect(said.responses.map(({ tokens }) => tokens)).toEqual(learned.responses.map(({ tokens }) => tokens))
  await again.release()
  await models.release()
})
