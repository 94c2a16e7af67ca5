// One more architecture is one record and nothing else: a toy whose tensors, projector and prompt are unlike any other's,
// and whose images take more of the prompt when they are wide, is opened, answers and learns. What is not known is
// refused by name, with what to choose instead.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { presetConfig } from '../../../shared/runConfig.ts'
import { newPolicy } from '../align/policy.ts'
import { PpoLearner } from '../align/ppo/ppoLearner.ts'
import { readSection, tokenId } from '../folder/configFields.ts'
import { readAdapter, writeAdapter } from '../folder/peft.ts'
import { writeSafetensors } from '../folder/safetensors.ts'
import { Weights } from '../folder/weights.ts'
import { tensorOps } from '../graph/tensorOps.ts'
import { Rng } from '../rng.ts'
import { Generator } from '../rollout/generate.ts'
import { ImageFeatures, type SeenImage } from '../rollout/imageFeatures.ts'
import { openChatTemplate } from '../text/chatTemplate.ts'
import { openTokenizer } from '../text/tokenizer.ts'
import type { Architecture, VlmConfig } from './architecture.ts'
import { describeVlm, registerArchitecture } from './registry.ts'
import { readDecoderConfig } from './shared/decoderConfig.ts'
import { byDecoderPath, loraFeeds, peftAdapter } from './shared/lora.ts'
import { readSpecialTokens } from './shared/specialTokens.ts'
import { readVisionConfig } from './shared/towerConfig.ts'
import { towerStates } from './shared/visionTower.ts'
import { fixtureRoot } from './testing/parityFixtures.ts'
import { openVlm } from './vlm.ts'
import { responseGraph, type VlmSource } from './vlmGraphs.ts'

const section = z.record(z.string(), z.unknown())

/** Three patches become one row; a wide image is cut into a left and a right half, with a word between them. */
const toy: Architecture = {
  title: 'Toy',
  architectures: ['ToyForConditionalGeneration'],
  modelTypes: ['toy'],
  supported: 'a toy of this test',
  names: { tower: ['eyes.'], projector: ['bridge.'], decoder: ['mind.'], head: ['mouth.'] },
  peftPrefix: 'toy.mind.',
  async readConfig(folder, raw): Promise<VlmConfig> {
    const path = join(folder, 'config.json')
    const shape = { eyes: section, mind: section, image_id: tokenId }
    const fields = readSection(path, '', raw, shape, ['eos_token_id', 'pad_token_id'])
    return {
      vision: readVisionConfig(path, fields.eyes),
      decoder: readDecoderConfig(path, fields.mind, false),
      imageTokenId: fields.image_id,
      ...(await readSpecialTokens(folder, raw, fields.mind)),
    }
  },
  imageLayout(_config, { width, height }) {
    if (width <= height) return { tiles: 1, rows: 3, tokens: 3, promptText: (image) => image.repeat(3) }
    return { tiles: 2, rows: 6, tokens: 6, promptText: (image) => `${image.repeat(3)} and ${image.repeat(3)}` }
  },
  towerFeatures(g, p, { vision }, pixels) {
    const states = towerStates(g, p, vision, pixels, vision.layers).at(-1)
    return tensorOps(g).slice(states as NonNullable<typeof states>, 1, 1)
  },
  towerWidth: ({ vision }) => vision.hiddenSize,
  projector(g, p, { vision, decoder }, features) {
    const joined = tensorOps(g).reshape(features, ['images', 3, 3 * vision.hiddenSize])
    return p.linear('plank', joined, decoder.hiddenSize)
  },
}

const scratch = mkdtempSync(join(tmpdir(), 'fisao-registry-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let number = 0
/** A folder with the fixture's files but its weights, and this config. */
function folderWith(change: (config: Record<string, unknown>) => Record<string, unknown>): string {
  const folder = join(scratch, `${number++}`)
  const filter = (path: string) => !/safetensors|adapter/.test(path)
  cpSync(join(fixtureRoot, 'clip-llama'), folder, { recursive: true, filter })
  const path = join(folder, 'config.json')
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))))
  return folder
}

/** A toy with random weights in its folder. */
async function makeToy(): Promise<string> {
  const folder = folderWith(({ vision_config, text_config }) => ({
    ...{ architectures: toy.architectures, model_type: 'toy', image_id: 400 },
    ...{ eyes: vision_config, mind: text_config },
  }))
  const unwritten = { ...(await describeVlm(folder)), weights: new Weights('none yet', new Map()) }
  const { parameters } = responseGraph(unwritten, { trainBase: true, images: 'pixels' })
  const rng = new Rng({ seed: 5 })
  const tensors = [...parameters].map(([name, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1)
    const middle = /norm.*weight/.test(name) ? 1 : 0
    const values = Float32Array.from({ length: count }, () => middle + rng.normal() / 4)
    return { name, dtype: 'F32' as const, shape, bytes: new Uint8Array(values.buffer) }
  })
  await writeSafetensors(join(folder, 'model.safetensors'), tensors)
  return folder
}

describe('an architecture that registers itself', () => {
  const config = presetConfig('quick-look', {
    rollout: { maxNewTokens: 6 },
    optimiser: { epochs: 1, minibatchSize: 4, microBatchSize: 2, valueWarmupSteps: 0, targetKlNats: 100 },
  })
  let folder: string
  let source: VlmSource
  let images: SeenImage[]
  let prompts: number[][]
  beforeAll(async () => {
    registerArchitecture(toy)
    folder = await makeToy()
    source = await openVlm(folder)
    const features = await ImageFeatures.open(source, { device: 'cpu', threads: 1, limitBytes: 1e6 })
    const rng = new Rng({ seed: 6 })
    const { imageSize } = source.config.vision
    const pixels = (tiles: number) => Float32Array.from({ length: tiles * 3 * imageSize ** 2 }, () => rng.normal())
    const entries = [
      ['square', { values: pixels(1), size: { width: 42, height: 42 } }],
      ['wide', { values: pixels(2), size: { width: 84, height: 42 } }],
    ] as const
    images = await features.of(
      entries.map(([key, image]) => [key, async () => image]),
      2,
    )
    await features.release()
    const template = await openChatTemplate(folder, await openTokenizer(folder))
    prompts = images.map(({ layout }) => template.promptIds('What is there?', layout))
  })

  test('has prompts and features as long as each image asks for', () => {
    expect(images.map(({ features }) => features.length / source.config.decoder.hiddenSize)).toEqual([3, 6])
    expect(prompts.map((ids) => ids.filter((id) => id === 400).length)).toEqual([3, 6])
    const [square, wide] = prompts as [number[], number[]]
    expect(wide.length).toBeGreaterThan(square.length + 3)
  })

  test('answers alike alone and in one batch of images of both sizes, and by what it sees', async () => {
    const generator = await Generator.open(source, { device: 'cpu', threads: 1, adapter: null })
    const settings = {
      sampling: { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
      stop: { endTokenIds: [], stopStrings: [], maxNewTokens: 6 },
      batchSize: 4,
    }
    const requests = images.map(({ features }, i) => ({
      ...{ promptIds: prompts[i] as number[], imageFeatures: [features], rng: new Rng({ seed: i }) },
    }))
    const together = await generator.generate(requests, settings)
    for (const [i, request] of requests.entries()) {
      const [alone] = await generator.generate([request], settings)
      expect(alone?.tokens).toEqual(together[i]?.tokens)
      // Its last row alone is another one.
      const changed = request.imageFeatures.map((features) =>
        features.map((value, k) => (k < features.length - 48 ? value : -value)),
      )
      const [other] = await generator.generate([{ ...request, imageFeatures: changed }], settings)
      expect(other?.logProbs).not.toEqual(alone?.logProbs)
    }
    const lacking = { ...(requests[1] as (typeof requests)[number]), imageFeatures: requests[0]?.imageFeatures ?? [] }
    await expect(generator.generate([lacking], settings)).rejects.toMatchObject({ code: 'model.image-places' })
    await generator.release()
  })

  test('learns a step by PPO, and its adapter leaves and comes back by its own names', async () => {
    const policy = newPolicy(source, config, new Rng({ seed: 7 }))
    const before = structuredClone([...policy.adapter.layers])
    const learner = await PpoLearner.open(source, policy, {
      device: 'cpu',
      threads: 1,
      config,
      rng: new Rng({ seed: 8 }),
    })
    const rollouts = [0, 1, 0, 1].map((i, row) => ({
      promptIds: prompts[i] as number[],
      imageFeatures: [(images[i] as SeenImage).features],
      ...{ tokens: [20 + row, 30, 2], group: `${i}`, rewards: Float32Array.of(0, row < 2 ? 1 : -1, 0) },
      ...{ reason: 'end' as const, mentionEnds: [1], opening: 0 },
    }))
    const { metrics } = await learner.update(rollouts, 0)
    await learner.release()
    expect(metrics['updates']).toBe(1)
    expect([...policy.adapter.layers]).not.toEqual(before)

    const exported = join(scratch, 'adapter')
    await writeAdapter(exported, peftAdapter(source.architecture, policy.adapter), folder)
    const read = await readAdapter(exported)
    expect([...read.layers.keys()].every((name) => name.startsWith('toy.mind.layers.'))).toBe(true)
    expect(loraFeeds(byDecoderPath(source.architecture, read))).toEqual(loraFeeds(policy.adapter))
  })

  test('is refused when the image processor cuts an image in another way', async () => {
    const features = await ImageFeatures.open(source, { device: 'cpu', threads: 1, limitBytes: 1e6 })
    const { imageSize } = source.config.vision
    const wide = { values: new Float32Array(3 * imageSize ** 2), size: { width: 84, height: 42 } }
    await expect(features.of([['wide', async () => wide]], 1)).rejects.toMatchObject({ code: 'model.image-layout' })
    await features.release()
  })

  test('must not take the name of another one', () => {
    expect(() => registerArchitecture({ ...toy, modelTypes: ['llava'] })).toThrow('is Toy already')
    expect(() => registerArchitecture({ ...toy, architectures: [], modelTypes: ['llava'] })).toThrow('llava is LLaVA')
  })
})

describe('a folder that cannot be opened', () => {
  test.each([
    ['another kind of LLaVA', ['LlavaNextVideoForConditionalGeneration'], 'llava_next_video', 'for films'],
    ['the form of its authors', ['LlavaLlamaForCausalLM'], 'llava_llama', 'the form of Hugging Face'],
    ['an encoder', ['CLIPModel'], 'clip', 'image encoder'],
    ['a language model', ['LlamaForCausalLM'], 'llama', 'sees no images'],
    ['an unheard-of model', ['BlimpForConditionalGeneration'], 'blimp', 'kind BlimpForConditionalGeneration'],
    ['one that its model_type alone names', undefined, 'blimp', 'kind blimp'],
    ['one without a name', undefined, undefined, 'does not say what kind'],
    ['names that are no text', [{}], 7, 'does not say what kind'],
  ])('%s says so in a sentence and names what can', async (_what, architectures, model_type, sentence) => {
    const folder = folderWith((config) => ({ ...config, architectures, model_type }))
    await expect(describeVlm(folder)).rejects.toMatchObject({
      code: 'model.unsupported',
      message: expect.stringContaining(sentence),
      remedy: expect.stringMatching(
        /^Choose (llava-hf\/[\w.-]+, or |the conversion .*, or )?a LLaVA model with .*decoder/,
      ),
      where: join(folder, 'config.json'),
    })
  })

  test('two names that contradict each other are refused', async () => {
    const folder = folderWith((config) => ({ ...config, model_type: 'llama' }))
    await expect(describeVlm(folder)).rejects.toMatchObject({
      code: 'model.unknown-config-field',
      message: expect.stringContaining('model_type'),
    })
  })

  test('a name in `architectures` alone, or in `model_type` alone, is enough', async () => {
    for (const change of [{ architectures: undefined }, { model_type: undefined }, { architectures: [] }]) {
      const { architecture } = await describeVlm(folderWith((config) => ({ ...config, ...change })))
      expect(architecture.title).toBe('LLaVA')
    }
  })

  test('what a field asks that is not computed comes with the models that are', async () => {
    const folder = folderWith((config) => ({ ...config, text_config: { model_type: 'gemma' } }))
    await expect(describeVlm(folder)).rejects.toMatchObject({
      code: 'model.unknown-config-field',
      remedy:
        'Choose a model without it: a LLaVA model with a CLIP or SigLIP tower and a decoder of LLaMA, Mistral, Qwen2, Qwen3, Phi3 or Gemma 2.',
    })
  })
})
