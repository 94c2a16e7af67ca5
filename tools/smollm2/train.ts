// `npx tsx tools/smollm2/train.ts FOLDER [steps]`: teaches a joined model to caption the drawn world, its projector and a
// LoRA adapter alone. Every few steps all is written to FOLDER/training.safetensors; begun again with the same steps, it
// goes on from there exactly. Before it stands join.ts, after it export.ts.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { adamDefaults } from '../../src/main/engine/align/optimiser/adamw.ts'
import { learningRate } from '../../src/main/engine/align/optimiser/learningRate.ts'
import { type ParameterGroups, Training } from '../../src/main/engine/align/optimiser/training.ts'
import { adapterParameters } from '../../src/main/engine/align/policy.ts'
import { likelihoodObjective } from '../../src/main/engine/align/ppo/ppoLoss.ts'
import { openWeights } from '../../src/main/engine/folder/weights.ts'
import { tensor } from '../../src/main/engine/graph/ortSession.ts'
import { tensorOf } from '../../src/main/engine/graph/tensor.ts'
import type { LlavaConfig } from '../../src/main/engine/models/llava/config.ts'
import { loraSlots, newAdapter } from '../../src/main/engine/models/shared/lora.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import { responseGraph, type VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { openChatTemplate } from '../../src/main/engine/text/chatTemplate.ts'
import { openTokenizer } from '../../src/main/engine/text/tokenizer.ts'
import { type Conversation, captioningFeeds, openTower } from '../demo-model/captioning.ts'
import { openPictures, pictureEdge, pixelValues } from '../demo-model/pictures.ts'
import { instructions } from '../demo-model/tokenizerFiles.ts'
import { BatchOrder } from '../demo-model/trainer.ts'
import { scenesOf, splits, trainingCaption, trainingQuestion } from '../demo-model/world.ts'
import { trainingPartnerShare } from '../scenes/captions.ts'
import type { Scene } from '../scenes/scene.ts'
import { loadTraining, saveTraining, stepsOf, type TrainingState } from './trainingState.ts'

export interface TrainSettings {
  readonly seed: number
  readonly batch: number
  readonly steps: number
  readonly warmupSteps: number
  readonly projectorRate: number
  readonly adapterRate: number
  readonly rank: number
  readonly alpha: number
  /** Probability with which a caption names the absent partner of an object, as in the demo model's training. */
  readonly partnerShare: number
  /** Share of requests that ask whether one object is there. */
  readonly questionShare: number
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number
  readonly threads: number
}

export const trainSettings: Omit<TrainSettings, 'threads'> = {
  ...{ seed: 4, batch: 8, steps: 2000, warmupSteps: 20, projectorRate: 2e-3, adapterRate: 1e-3 },
  ...{ rank: 16, alpha: 32, partnerShare: trainingPartnerShare, questionShare: 0.15, checkpointEvery: 10 },
}

/** What is captioned. */
export interface World {
  readonly scenes: readonly Scene[]
  /** `pixel_values` [scenes, 3, edge, edge] of some of them. */
  readonly pixels: (indices: readonly number[]) => Float32Array
}

/** Where a folder's training is kept. */
export const trainingFile = (folder: string) => join(folder, 'training.safetensors')

export async function train(
  folder: string,
  { scenes, pixels }: World,
  settings: TrainSettings,
  print: (line: string) => void,
): Promise<void> {
  const { seed, batch, steps, rank, alpha, threads, warmupSteps } = settings
  const source = await openVlm(folder)
  const config = source.config as LlavaConfig
  const begun = existsSync(trainingFile(folder)) ? await loadTraining(trainingFile(folder)) : null
  if (begun && begun.totalSteps !== steps) {
    throw new Error(`This training was begun for ${begun.totalSteps} steps: go on with as many, or delete its file.`)
  }
  const groups = begun ? resumed(begun) : await newGroups(source, settings)
  const graph = responseGraph(source, {
    ...{ adapter: { rank }, images: 'features', trainBase: ['projector'] },
    objectives: likelihoodObjective(['base', 'adapter']),
  })
  const training = await Training.open(graph, groups, { device: 'cpu', threads })
  const tower = await openTower(config, await openWeights(join(folder, 'encoder')), threads)
  const conversation = await conversations(folder, source, settings)
  const order = new BatchOrder(seed, scenes.length, batch)
  const first = begun ? stepsOf(begun) : 0
  for (let step = 0; step < first; step++) order.next()
  print(first === 0 ? `${steps} steps of ${batch}` : `going on after step ${first} of ${steps}`)
  let [sum, count, startMs, startCpu] = [0, 0, performance.now(), process.cpuUsage()]
  for (let step = first; step < steps; step++) {
    const indices = order.next()
    const shape = [batch, 3, pictureEdge, pictureEdge]
    const seen = await tower.compute({ pixel_values: tensor('float32', shape, pixels(indices)) })
    const said = indices.map((index, row) => conversation(scenes[index] as Scene, step, row))
    const { loss } = await training.accumulate({
      ...captioningFeeds(config, said, tensorOf(seen, 'tower_features', 'float32')),
      'lora.scale': tensor('float32', [], [alpha / rank]),
    })
    const rate = (peak: number) => learningRate({ kind: 'cosine', peak, warmupSteps, totalSteps: steps }, step)
    training.step({ projector: rate(settings.projectorRate), adapter: rate(settings.adapterRate) })
    sum += loss as number
    count++
    if ((step + 1) % settings.checkpointEvery === 0 || step + 1 === steps) {
      const { user, system } = process.cpuUsage(startCpu)
      const [seconds, cpu] = [(performance.now() - startMs) / 1e3, (user + system) / 1e6].map((all) => all / count)
      await saveTraining(trainingFile(folder), stateOf(training, groups, steps))
      const memory = (process.resourceUsage().maxRSS / 2 ** 20).toFixed(1)
      const times = `${seconds?.toFixed(2)} s a step, ${cpu?.toFixed(2)} s of processor`
      print(`step ${step + 1}: loss ${(sum / count).toFixed(3)}, ${times}, at most ${memory} GiB`)
      ;[sum, count, startMs, startCpu] = [0, 0, performance.now(), process.cpuUsage()]
    }
  }
  await training.release()
  await tower.release()
}

const optimiser = { ...adamDefaults, weightDecay: 0, maxGradientNorm: 1 }

/** The projector as it was joined, and an adapter that changes nothing yet. */
async function newGroups({ config, weights, architecture }: VlmSource, { seed, ...adapter }: TrainSettings) {
  const projector: Record<string, Float32Array> = {}
  const [prefix] = architecture.names.projector
  for (const name of weights.names.filter((one) => one.startsWith(prefix))) {
    projector[name] = new Float32Array(new Uint8Array(await weights.bytes(name)).buffer)
  }
  const rng = new Rng({ seed }).fork(3)
  const factors = adapterParameters(newAdapter(loraSlots(config.decoder), adapter, () => rng.uniform()))
  return { projector: { parameters: projector, optimiser }, adapter: { parameters: factors, optimiser } }
}

function resumed({ groups }: TrainingState): ParameterGroups {
  const entries = Object.entries(groups).map(([name, group]) => [
    name,
    { parameters: group.parameters, optimiser, state: group.optimiser },
  ])
  return Object.fromEntries(entries)
}

function stateOf(training: Training, groups: ParameterGroups, totalSteps: number): TrainingState {
  const entries = Object.entries(training.states).map(([name, state]) => [
    name,
    { parameters: groups[name]?.parameters, optimiser: state },
  ])
  return { totalSteps, groups: Object.fromEntries(entries) }
}

/** A request about a scene and its answer as token ids; both follow from the step and the row in it. */
async function conversations(folder: string, source: VlmSource, settings: TrainSettings) {
  const { seed, questionShare, partnerShare } = settings
  const tokenizer = await openTokenizer(folder)
  const template = await openChatTemplate(folder, tokenizer)
  const ids = (text: string) => [...tokenizer.encode(text).ids]
  const prompts = instructions.map((instruction) => ids(template.text(instruction)))
  const [end] = source.config.endTokenIds as [number]
  return (scene: Scene, step: number, row: number): Conversation => {
    const rng = new Rng({ seed }).fork(step).fork(row)
    const question = rng.uniform() < questionShare ? trainingQuestion(scene, step) : null
    const prompt = question ? ids(template.text(question.text)) : prompts[rng.below(prompts.length)]
    const answer = question?.answer ?? trainingCaption(scene, step, partnerShare)
    return { promptIds: prompt as number[], responseIds: [...ids(answer), end] }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [folder, steps] = process.argv.slice(2)
  if (!folder) throw new Error('usage: npx tsx tools/smollm2/train.ts FOLDER [steps]')
  const settings = { ...trainSettings, threads: Number(process.env['THREADS'] ?? 1) }
  const pictures = await openPictures('train', settings.threads)
  const world = { scenes: scenesOf(splits.train), pixels: (rows: readonly number[]) => pixelValues(pictures, rows) }
  await train(folder, world, { ...settings, steps: Number(steps ?? settings.steps) }, (line) => {
    process.stdout.write(`${line}\n`)
  })
}
