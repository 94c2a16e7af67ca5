// Everything that a run of alignment can be told, once: each value with its unit, range, default and source. The wizard
// shows it, the workspace stores it, the engine obeys it; presets are changes to the defaults.
import { z } from 'zod'
import { baseChoices } from './baseFormat.ts'
import {
  byDpo,
  byPpo,
  bySentence,
  byToken,
  isAnnotated,
  isFree,
  judgesItself,
  learns,
  type SettingMeta,
} from './settingMeta.ts'

/** The paper leaves most values open; what it gives is marked as its own. */
const paper = 'arXiv 2410.14148'
const demo = 'chosen on the validation scenes of the demo world'
/** By simulated verifiers. */
const gate = 'docs/gate.md'
const ppo = 'Schulman et al. 2017, arXiv 1707.06347'
const lora = 'Hu et al. 2022, arXiv 2106.09685'

const setting = <T extends z.ZodType>(schema: T, meta: SettingMeta): T => schema.meta({ ...meta }) as T
const share = z.number().min(0).max(1)
const count = (most: number) => z.int().min(1).max(most)

export const rolloutConfigSchema = z.strictObject({
  question: setting(z.string().min(1).max(2000), { title: 'Question about each image', source: paper }).default(
    'Describe this image.',
  ),
  mostImages: setting(z.int().min(3).max(10_000_000).nullable(), {
    title: 'Images of the workspace that are used, none for all',
    source: 'the person',
  }).default(null),
  temperature: setting(z.number().min(0.05).max(2), { title: 'Sampling temperature', source: demo }).default(0.8),
  topP: setting(share.min(0.01), { title: 'Nucleus of likely tokens', unit: 'probability', source: demo }).default(1),
  topK: setting(z.int().min(0).max(100_000), { title: 'Likely tokens kept, 0 for all', source: demo }).default(0),
  maxNewTokens: setting(count(2048), { title: 'Longest response', unit: 'tokens', source: demo }).default(64),
  responsesPerStep: setting(count(4096), { title: 'Responses a step', source: demo }).default(64),
  batchSize: setting(count(512), { title: 'Responses decoded together', source: 'docs/performance.md' }).default(32),
})

export const rewardConfigSchema = z.strictObject({
  method: setting(z.enum(['token', 'sentence', 'dpo', 'none']), {
    title: 'What is rewarded',
    source: paper,
    labels: {
      token: 'Token by token (PPO)',
      sentence: 'The whole response (PPO)',
      dpo: 'Better against worse responses (DPO)',
      none: 'Nothing: look and learn nothing',
    },
  }).default('token'),
  variant: setting(z.enum(['paper', 'first-mention', 'linear', 'posterior']), {
    title: 'Rule: as published for each mention or an object’s first one, linear, or by probability',
    source: 'PAPER.md',
    labels: {
      paper: 'As published, every mention',
      'first-mention': 'As published, first mention only',
      linear: 'Linear between the baselines',
      posterior: 'By the probability of being right',
    },
  }).default('linear'),
  verifier: setting(z.enum(['own', 'placebo']), {
    title: 'Judge each image by itself, or, for a control, by another image',
    source: 'PAPER.md',
    labels: { own: 'Each image by itself', placebo: 'By another image (placebo)' },
  }).default('own'),
  margin: setting(z.number().min(0).max(1), {
    title: 'Margin λ round the baselines',
    unit: 'score',
    source: paper,
    appliesTo: [{ setting: 'reward.variant', is: ['paper', 'first-mention', 'linear'] }],
  }).default(0),
  scale: setting(z.union([z.literal('baseline-gap'), z.number().positive().max(1000)]), {
    title: 'Factor on rewards',
    unit: '1 / score',
    source: demo,
  }).default('baseline-gap'),
  repeatReward: setting(z.number().min(-10).max(0), {
    title: 'Reward of a repeated mention',
    unit: 'reward',
    source: demo,
    appliesTo: [byToken, { setting: 'reward.variant', is: ['first-mention', 'linear', 'posterior'] }],
  }).default(-0.5),
  sentence: setting(z.enum(['mean-score', 'response-score']), {
    title: 'Sentence-level: mean of the words’ scores, or score of the whole response',
    source: 'CHAIR literature; Radford et al. 2021',
    labels: { 'mean-score': 'Mean score of its words', 'response-score': 'Score of the whole response' },
    appliesTo: [bySentence],
  }).default('response-score'),
  promptTemplate: setting(z.string().max(200), {
    title: 'Sentence round a word, {} for the word',
    source: 'Radford et al. 2021, arXiv 2103.00020',
  })
    .refine((text) => text.split('{}').length === 2, 'must hold {} once')
    .default('a photo of a {}.'),
  otherNouns: setting(z.boolean(), { title: 'Score nouns outside the lexicon too', source: demo }).default(false),
})

export const calibrationConfigSchema = z.strictObject({
  method: setting(z.enum(['free', 'annotated']), {
    title: 'Baselines without or with annotations',
    source: paper,
    labels: { free: 'Without annotations', annotated: 'With a file of annotations' },
    appliesTo: [judgesItself],
  }).default('free'),
  responses: setting(count(100_000), { title: 'Responses for calibration', source: demo }).default(256),
  /** COCO instances; read when the method is `annotated`. */
  annotationFile: setting(z.string().nullable(), {
    title: 'File of annotations',
    source: 'the person',
    appliesTo: [judgesItself, isAnnotated],
  }).default(null),
  otherImages: setting(z.int().min(2).max(64), {
    title: 'Other images that each word is tried on',
    source: gate,
    appliesTo: [isFree],
  }).default(8),
  leastScores: setting(count(100_000), { title: 'Fewest scores to judge a verifier by', source: gate }).default(64),
  leastScoresOfSide: setting(count(10_000), {
    title: 'Fewest right and fewest wrong words, with annotations',
    source: 'our own',
    appliesTo: [judgesItself, isAnnotated],
  }).default(8),
  leastAuroc: setting(z.number().min(0.5).max(1), {
    title: 'Least chance that a right word scores above a wrong one',
    unit: 'AUROC, 0.5 is blind',
    source: gate,
  }).default(0.75),
  leastOwnOverOther: setting(z.number().min(0.5).max(1), {
    title: 'Least chance that a word scores higher on its own image',
    unit: 'AUROC, 0.5 is blind',
    source: gate,
    appliesTo: [isFree],
  }).default(0.55),
  goOnRefused: setting(z.boolean(), {
    title: 'Go on with a verifier that cannot tell',
    source: 'a person’s own decision',
    appliesTo: [judgesItself],
  }).default(false),
})

export const optimiserConfigSchema = z.strictObject({
  rounds: setting(count(10), { title: 'Rounds of self-alignment', source: paper, appliesTo: [learns] }).default(1),
  stepsPerRound: setting(count(100_000), { title: 'Steps a round', source: demo, appliesTo: [learns] }).default(24),
  epochs: setting(count(20), {
    title: 'Passes over the responses of a step',
    source: ppo,
    appliesTo: [learns],
  }).default(2),
  minibatchSize: setting(count(4096), { title: 'Responses an update', source: demo, appliesTo: [learns] }).default(32),
  microBatchSize: setting(count(4096), {
    title: 'Responses in memory at once',
    source: 'docs/performance.md',
    appliesTo: [learns],
  }).default(8),
  recompute: setting(z.boolean(), {
    title: 'Recompute activations to save memory',
    source: 'memory',
    appliesTo: [learns],
  }).default(false),
  learningRate: setting(z.number().positive().max(1), {
    title: 'Learning rate of the adapter',
    source: demo,
    appliesTo: [learns],
  }).default(3e-4),
  schedule: setting(z.enum(['constant', 'cosine']), {
    title: 'Course of the learning rate',
    source: demo,
    labels: { constant: 'The same all along', cosine: 'Falling to nothing (cosine)' },
    appliesTo: [learns],
  }).default('constant'),
  warmupSteps: setting(z.int().min(0).max(10_000), {
    title: 'Updates of warm-up',
    source: demo,
    appliesTo: [learns],
  }).default(0),
  weightDecay: setting(share, {
    title: 'Weight decay',
    source: 'Loshchilov & Hutter 2019',
    appliesTo: [learns],
  }).default(0),
  maxGradientNorm: setting(z.number().positive().max(1000), {
    title: 'Largest gradient norm',
    source: demo,
    appliesTo: [learns],
  }).default(1),
  clipRange: setting(share, { title: 'Clip range ε of the ratio', source: ppo, appliesTo: [byPpo] }).default(0.2),
  valueClipRange: setting(z.number().positive().max(1000), {
    title: 'Clip range of values',
    source: demo,
    appliesTo: [byPpo],
  }).default(10),
  valueWidth: setting(count(4096), {
    title: 'Inner width of the value head',
    source: demo,
    appliesTo: [byPpo],
  }).default(64),
  valueLearningRate: setting(z.number().positive().max(1), {
    title: 'Learning rate of the value head',
    source: demo,
    appliesTo: [byPpo],
  }).default(3e-3),
  valueWarmupSteps: setting(z.int().min(0).max(10_000), {
    title: 'Value updates before the first step',
    source: demo,
    appliesTo: [byPpo],
  }).default(150),
  discount: setting(z.enum(['token', 'mention']), {
    title: 'γ and λ count for each token, or for each mention of an object',
    source: 'PAPER.md',
    labels: { token: 'For each token', mention: 'For each mention' },
    appliesTo: [byPpo],
  }).default('token'),
  gamma: setting(share, {
    title: 'Discount γ',
    unit: '1 / token or mention',
    source: demo,
    appliesTo: [byPpo],
  }).default(0.95),
  lambda: setting(share, { title: 'λ of advantage estimation', source: demo, appliesTo: [byPpo] }).default(0.9),
  learnsOpening: setting(z.boolean(), {
    title: 'Learn what comes before the first object word too',
    source: demo,
    appliesTo: [byPpo],
  }).default(false),
  klCoefficient: setting(z.number().min(0).max(100), {
    title: 'Price of leaving the reference, β',
    unit: 'reward / nat',
    source: demo,
    appliesTo: [byPpo],
  }).default(0.1),
  targetKlNats: setting(z.number().positive().max(100), {
    title: 'Largest move of one step',
    unit: 'nats / token',
    source: 'stops a step early as Spinning Up does (Achiam 2018); the value is our own',
    appliesTo: [learns],
  }).default(0.05),
  entropyCoefficient: setting(z.number().min(0).max(10), {
    title: 'Reward of entropy',
    unit: 'reward / nat',
    source: demo,
    appliesTo: [byPpo],
  }).default(0),
  dpoBeta: setting(z.number().positive().max(10), {
    title: 'β of DPO',
    source: 'Rafailov et al. 2023',
    appliesTo: [byDpo],
  }).default(0.1),
  dpoResponses: setting(z.int().min(2).max(64), {
    title: 'DPO: responses an image',
    source: 'CSR, Zhou et al. 2024',
    appliesTo: [byDpo],
  }).default(4),
})

export const adapterConfigSchema = z.strictObject({
  rank: setting(count(512), { title: 'Rank', source: lora, appliesTo: [learns] }).default(8),
  alpha: setting(z.number().positive().max(4096), { title: 'Alpha', source: lora, appliesTo: [learns] }).default(16),
})

export const baseConfigSchema = z.strictObject({
  format: setting(z.enum(baseChoices), {
    title: 'Numbers that the model is computed with',
    source: 'docs/performance.md',
    labels: {
      auto: 'By the size of the model',
      stored: 'As stored in its files',
      float32: '32 bits, kept in a file',
      int8: '8 bits',
      int4: '4 bits',
    },
  }).default('auto'),
})

export const evaluationConfigSchema = z.strictObject({
  everySteps: setting(count(10_000), {
    title: 'Steps between looks at the validation images',
    source: demo,
    appliesTo: [learns],
  }).default(2),
  images: setting(count(100_000), { title: 'Validation images', source: demo }).default(96),
  strength: setting(z.number().min(0).max(1.5), {
    title: 'Adapter strength',
    source: 'PAPER.md',
    appliesTo: [learns],
  }).default(1),
  mostCoverageLoss: setting(share, {
    title: 'Coverage that the best checkpoint may cost',
    unit: 'of the objects named before',
    source: demo,
    appliesTo: [learns],
  }).default(0.04),
  stopsEarly: setting(z.boolean(), {
    title: 'End a run whose looks stay worse than before it',
    source: 'PAPER.md',
    appliesTo: [learns, judgesItself],
  }).default(true),
  keepLast: setting(count(1000), { title: 'Checkpoints kept besides the best', source: 'disk' }).default(3),
})

export const runConfigSchema = z.strictObject({
  rollout: rolloutConfigSchema.prefault({}),
  reward: rewardConfigSchema.prefault({}),
  calibration: calibrationConfigSchema.prefault({}),
  optimiser: optimiserConfigSchema.prefault({}),
  base: baseConfigSchema.prefault({}),
  adapter: adapterConfigSchema.prefault({}),
  evaluation: evaluationConfigSchema.prefault({}),
})
export type RunConfig = z.infer<typeof runConfigSchema>

type Changes = { readonly [Section in keyof RunConfig]?: Partial<RunConfig[Section]> }

/** A preset: a name, what it is for in a sentence, and its changes to the defaults. */
export const presets = {
  'quick-look': {
    title: 'Quick look',
    purpose: 'A short run that shows in minutes whether alignment helps this model.',
    changes: {
      optimiser: { stepsPerRound: 64, learningRate: 1e-3, schedule: 'cosine', klCoefficient: 0.04 },
      evaluation: { everySteps: 8 },
    } satisfies Changes,
  },
  paper: {
    title: 'Paper',
    purpose: 'The rule as published: every mention is rewarded.',
    changes: { reward: { variant: 'paper' }, optimiser: { gamma: 0.9 } } satisfies Changes,
  },
  thorough: {
    title: 'Thorough',
    purpose: 'Smaller steps, two rounds and more looks; takes several times as long.',
    changes: {
      optimiser: { rounds: 2, stepsPerRound: 32, learningRate: 1.5e-4 },
      rollout: { responsesPerStep: 128 },
      calibration: { responses: 512 },
      evaluation: { images: 200 },
    } satisfies Changes,
  },
} as const
export type PresetName = keyof typeof presets
export const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]]

/** The config of a preset, with further changes on top. @throws ZodError for values out of range */
export function presetConfig(name: PresetName, changes: Changes = {}): RunConfig {
  const { changes: own } = presets[name] as { changes: Changes }
  const sections = [...new Set([...Object.keys(own), ...Object.keys(changes)])] as (keyof RunConfig)[]
  return runConfigSchema.parse(
    Object.fromEntries(sections.map((section) => [section, { ...own[section], ...changes[section] }])),
  )
}

/** Whether the calibration asks for a file that was not named: it would have nothing to read. */
export function lacksAnnotations({ calibration, reward }: RunConfig): boolean {
  return calibration.method === 'annotated' && reward.verifier === 'own' && !calibration.annotationFile
}

/** Steps of training that a run takes when it is not stopped. */
export function totalStepsOf({ reward, optimiser }: RunConfig): number {
  return reward.method === 'none' ? 0 : optimiser.rounds * optimiser.stepsPerRound
}

/** How many of so many images a run trains on, and how many others it only looks at: a third of those used at most. */
export function imageSplit(all: number, { evaluation, rollout }: RunConfig): { training: number; validation: number } {
  const used = Math.min(all, rollout.mostImages ?? all)
  const validation = Math.min(evaluation.images, Math.floor(used / 3))
  return { training: used - validation, validation }
}
