// Each kind of model, by its tiles, projector or decoder, by the way of a run: the check of its folder, rollouts of images of
// different sizes in one batch, steps of PPO, and its exports, merged and not, opened again.
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

const scratch = mkdtempSync(join(tmpdir(), 'fisao-model-kinds-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Kind {
  readonly name: string
  readonly encoder: string
  /** That the wide, the narrow and the tall image take in a prompt. */
  readonly rows: readonly number[]
  /** That a photo of the usual size takes. */
  readonly imageTokens: number
  /** Of the names of the adapted layers. */
  readonly prefix: string
  readonly decoder: string
}

const llava = {
  ...{ encoder: 'clip-encoder', rows: [9, 9, 9], imageTokens: 9, prefix: 'model.language_model.' },
  decoder: 'LLaMA decoder',
} as const
const tiled = { ...llava, encoder: 'siglip-encoder' } as const
const kinds: readonly Kind[] = [
  // By tiles: 6 and an overview, 3 and one; of 4 rows each.
  { ...tiled, name: 'smolvlm-tiles', rows: [28, 16, 28], imageTokens: 40, prefix: 'model.text_model.' },
  // Nine rows of the overview, and lines: 4 of 6 patches, 3 of 9, 6 of 4, each with its end.
  { ...tiled, name: 'llava-next', rows: [37, 39, 39], imageTokens: 51, decoder: 'Mistral decoder' },
  // Four rows of the overview, and 4 lines of 7 that were 6 of 10, 2 of 10, 8 of 4.
  { ...tiled, name: 'llava-onevision', rows: [36, 26, 44], imageTokens: 24, decoder: 'Qwen2 decoder' },
  { ...tiled, name: 'vip-llava' },
  { ...llava, name: 'llava-qwen3', decoder: 'Qwen3 decoder' },
  { ...llava, name: 'llava-phi3', decoder: 'Phi3 decoder' },
  { ...llava, name: 'llava-gemma2', decoder: 'Gemma 2 decoder' },
]

test.each(kinds)(
  '$name is checked, answers images of different sizes in one batch, learns, and its exports say the same again',
  async ({ name, encoder, rows, imageTokens, prefix, decoder }) => {
    const [model, companion] = [join(fixtureRoot, name), join(fixtureRoot, encoder)]
    expect(await inspectModel(model, null)).toMatchObject({ name, imageTokens })
    const config = presetConfig('quick-look', {
      ...{ rollout: { maxNewTokens: 6, batchSize: 4 }, adapter: { rank: 4 } },
      optimiser: { epochs: 1, minibatchSize: 4, microBatchSize: 2, valueWarmupSteps: 0, targetKlNats: 100 },
    })
    const session = { device: 'cpu', threads: 1, config } as const
    const lexicon = await readLexicon(demoLexicon)
    const models = await AlignmentModels.open({ model, companion }, { ...session, lexicon })
    const policy = newPolicy(models.source, config, new Rng({ seed: 3 }))
    const images = ['wide', 'strip', 'tall', 'wide'].map((picture, imageId): RunImage => {
      const path = join(fixtureRoot, 'images', `${picture}.png`)
      return { imageId, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
    })
    const { responses } = await models.respond(images, policy, { rng: null })
    const { hiddenSize } = models.source.config.decoder
    const seen = await Promise.all(responses.map(({ imageFeatures }) => imageFeatures()))
    expect(seen.map(([features]) => (features?.length as number) / hiddenSize)).toEqual([...rows, rows[0]])
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
    const [adapter, merged] = [join(scratch, `${name}-adapter`), join(scratch, `${name}-merged`)]
    await writeAdapter(adapter, peftAdapter(source.architecture, policy.adapter), model)
    const read = await readAdapter(adapter)
    expect([...read.layers.keys()].every((name) => name.startsWith(`${prefix}layers.`))).toBe(true)
    expect(loraFeeds(byDecoderPath(source.architecture, read))).toEqual(loraFeeds(policy.adapter))
    await mergeAdapter(source.weights, storedAdapter(source.architecture, source.weights, read), merged)
    expect((await inspectModel(merged, null)).imageTokens).toBe(imageTokens)
    const { parts } = (await describeModel(merged, null)).model
    expect(parts.map(({ part }) => part)).toEqual(['tower', 'projector', 'decoder', 'head'])
    expect(parts.map(({ title }) => title)).toContain(decoder)
    const again = await AlignmentModels.open({ model: merged, companion }, { ...session, lexicon })
    const said = await again.respond(images, newPolicy(again.source, config, new Rng({ seed: 3 })), { rng: null })
    expect(said.responses.map(({ tokens }) => tokens)).toEqual(learned.responses.map(({ tokens }) => tokens))
    await again.release()
    await models.release()
  },
)
