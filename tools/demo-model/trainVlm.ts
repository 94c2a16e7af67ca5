// The second stage from its seed to its folder, with the companion's image tower copied in. train.ts calls it; it can
// also be run alone while settings are chosen.
import { existsSync } from 'node:fs'
import { Tokenizer } from '@huggingface/tokenizers'
import { openWeights, type Weights } from '../../src/main/engine/folder/weights.ts'
import { tensor } from '../../src/main/engine/graph/ortSession.ts'
import { tensorOf } from '../../src/main/engine/graph/tensor.ts'
import type { LlavaConfig } from '../../src/main/engine/models/llava/config.ts'
import { describeVlm } from '../../src/main/engine/models/registry.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { trainingPartnerShare } from '../scenes/captions.ts'
import type { Scene } from '../scenes/scene.ts'
import type { Vocabulary } from './bpe.ts'
import { type Conversation, captioningFeeds, captioningGraph, openTower } from './captioning.ts'
import { type CaptionQuality, captionQuality } from './captionQuality.ts'
import { writeModelWeights, writeVlmFiles } from './folders.ts'
import { initialise, transformerRule } from './initialise.ts'
import { openPictures, pictureEdge, pixelValues } from './pictures.ts'
import { encoderOf, instructions, promptText, specialIds, tokenizerConfig, tokenizerJson } from './tokenizerFiles.ts'
import { BatchOrder, Trainer } from './trainer.ts'
import { type SplitName, scenesOf, splits, trainingCaption, trainingQuestion } from './world.ts'

export interface VlmSettings {
  readonly seed: number
  readonly batch: number
  readonly steps: number
  readonly peakRate: number
  /** Probability with which a caption names the absent partner of an object. */
  readonly partnerShare: number
  /** Share of requests that ask whether one object is there. */
  readonly questionShare: number
  readonly threads: number
  readonly evaluateEvery: number
  /** Held-out scenes of an evaluation. */
  readonly evaluateOn: number
}

export const vlmSettings: Omit<VlmSettings, 'threads'> = {
  ...{ seed: 2, batch: 48, steps: 3000, peakRate: 2e-3, partnerShare: trainingPartnerShare, questionShare: 0.15 },
  ...{ evaluateEvery: 500, evaluateOn: 200 },
}

export async function trainVlm(
  folder: string,
  companionFolder: string,
  vocabulary: Vocabulary,
  settings: VlmSettings,
  print: (line: string) => void,
): Promise<void> {
  const { seed, batch, steps, threads } = settings
  writeVlmFiles(folder, vocabulary)
  const config = (await describeVlm(folder)).config as LlavaConfig
  const companion = await openWeights(companionFolder)
  const tower = await openTower(config, companion, threads)
  const pictures = await openPictures('train', threads)
  const scenes = scenesOf(splits.train)
  const { graph, parameters } = captioningGraph(config)
  const values = initialise(parameters, seed, transformerRule(config.decoder.layers))
  const trainer = await Trainer.open(graph, parameters, values, {
    ...{ steps, peakRate: settings.peakRate, warmupSteps: Math.round(steps / 20), weightDecay: 0.02, threads },
  })
  const conversation = conversations(vocabulary, settings)
  const order = new BatchOrder(seed, scenes.length, batch)
  let [sum, startMs] = [0, performance.now()]
  for (let step = 0; step < steps; step++) {
    const indices = order.next()
    const shape = [batch, 3, pictureEdge, pictureEdge]
    const seen = await tower.compute({ pixel_values: tensor('float32', shape, pixelValues(pictures, indices)) })
    const said = indices.map((index) => conversation(scenes[index] as Scene, step))
    const { loss } = await trainer.step(captioningFeeds(config, said, tensorOf(seen, 'tower_features', 'float32')))
    sum += loss?.[0] as number
    if ((step + 1) % 100 === 0) {
      const seconds = (performance.now() - startMs) / 1e5
      print(`step ${step + 1}: loss ${(sum / 100).toFixed(4)}, ${seconds.toFixed(3)} s a step`)
      ;[sum, startMs] = [0, performance.now()]
    }
    if ((step + 1) % settings.evaluateEvery === 0 || step + 1 === steps) {
      await writeVlmWeights(folder, companion, parameters, trainer.parameters)
      const { responses, ...quality } = await evaluateVlm(folder, companionFolder, vocabulary, {
        ...{ split: 'validation', count: settings.evaluateOn, threads, greedy: true },
      })
      print(`${JSON.stringify(quality)} ${((performance.now() - startMs) / 1e3).toFixed(1)} s`)
      print(responses.slice(0, 3).join(' / '))
      startMs = performance.now()
    }
  }
  await trainer.release()
  await tower.release()
}

/** A request about a scene and its answer as token ids: mostly descriptions, in the ways of asking by turns. */
function conversations(vocabulary: Vocabulary, { seed, questionShare, partnerShare }: VlmSettings) {
  const encode = encoderOf(vocabulary, 'language')
  const prompts = instructions.map((instruction) => encode(promptText(instruction)))
  const end = specialIds(vocabulary.tokens.length)['</s>']
  const rng = new Rng({ seed }).fork(2)
  return (scene: Scene, step: number): Conversation => {
    const isQuestion = rng.uniform() < questionShare
    const question = isQuestion ? trainingQuestion(scene, step) : null
    const prompt = question ? encode(promptText(question.text)) : prompts[rng.below(prompts.length)]
    const answer = question?.answer ?? trainingCaption(scene, step, partnerShare)
    return { promptIds: prompt as number[], responseIds: [...encode(` ${answer}`).slice(1), end] }
  }
}

/** Trained parameters and the tower's, by the names that transformers 4 wrote. */
async function writeVlmWeights(
  folder: string,
  companion: Weights,
  shapes: ReadonlyMap<string, readonly number[]>,
  values: Readonly<Record<string, Float32Array>>,
): Promise<void> {
  const all = new Map(shapes)
  const numbers: Record<string, Float32Array> = { ...values }
  for (const name of companion.names.filter((one) => one.startsWith('vision_model.'))) {
    const stored = `vision_tower.${name}`
    all.set(stored, companion.get(name).shape)
    numbers[stored] = new Float32Array(new Uint8Array(await companion.bytes(name)).buffer)
  }
  await writeModelWeights(folder, { shapes: all, values: numbers })
}

export interface EvaluationSettings {
  /** `test` is for the figures alone. */
  readonly split: SplitName
  /** Scenes, from the first. */
  readonly count: number
  readonly threads: number
  /** Sampled at a temperature of 0.8 otherwise. */
  readonly greedy: boolean
}

export async function evaluateVlm(
  folder: string,
  companionFolder: string,
  vocabulary: Vocabulary,
  { split, count, threads, greedy }: EvaluationSettings,
): Promise<CaptionQuality> {
  const pictures = await openPictures(split, threads)
  const tokenizer = new Tokenizer(tokenizerJson(vocabulary, 'language'), tokenizerConfig('language', 512))
  return await captionQuality({
    vlmFolder: folder,
    companionFolder,
    encodePrompt: encoderOf(vocabulary, 'language'),
    decode: (ids) => tokenizer.decode([...ids], { skip_special_tokens: true }),
    prompt: promptText(instructions[0] as string),
    scenes: scenesOf({ seed: splits[split].seed, count }),
    pictures,
    sampling: { greedy, temperature: 0.8, topK: 0, topP: 1, repetitionPenalty: 1 },
    threads,
  })
}

if (process.argv[1] === import.meta.filename) {
  const [folder, companionFolder, steps, partnerShare] = process.argv.slice(2) as [string, string, string?, string?]
  if (!existsSync(companionFolder)) throw new Error(`no companion at ${companionFolder}`)
  const { demoVocabulary } = await import('./tokenizerFiles.ts')
  const settings = {
    ...vlmSettings,
    steps: Number(steps ?? vlmSettings.steps),
    partnerShare: Number(partnerShare ?? vlmSettings.partnerShare),
    threads: Number(process.env['THREADS'] ?? 1),
  }
  await trainVlm(folder, companionFolder, demoVocabulary(), settings, (line) => void process.stdout.write(`${line}\n`))
}
