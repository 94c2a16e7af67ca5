// The method, from top to bottom (PAPER.md): responses, their object words, the verifier's scores, token rewards, PPO,
// checkpoint, a look at the validation images; round after round of self-alignment. Resumes where it was committed.
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { DpoLearner } from '../align/dpo/dpoLearner.ts'
import type { Learner, UpdateReport } from '../align/learner.ts'
import { newPolicy, type Policy } from '../align/policy.ts'
import { PpoLearner } from '../align/ppo/ppoLearner.ts'
import type { ModelFolders } from '../folder/modelIdentity.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { requireBaselines } from '../reward/calibration.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { Rng } from '../rng.ts'
import { bestLook, type Look, lookAt, shouldStop } from './look.ts'
import { AlignmentModels, type ImageResponse, type RunImage, type ScoredImageResponse } from './models.ts'
import {
  type Annotations,
  calibrateRun,
  type RewardedResponse,
  type RunCalibration,
  rewardResponses,
} from './rewards.ts'
import { chosenImages, type RunProgress, type StepTimes, StopWatch } from './schedule.ts'
import { requireMostImages, type SkippedImage } from './skippedImages.ts'
import type { EmbeddingStore } from './verifier.ts'

export interface AlignmentRun {
  readonly config: RunConfig
  readonly seed: number
  readonly device: DeviceName
  readonly threads?: number
  readonly folders: ModelFolders
  readonly lexicon: Lexicon
  /** Images to respond to in training, and others to look at. */
  readonly images: readonly RunImage[]
  readonly validation: readonly RunImage[]
  /** Read when calibration is annotated, never otherwise. */
  readonly annotations: Annotations | null
}

/** All that a step commits, together or not at all. */
export interface CommittedStep {
  /** Steps done; 0 is the model as it came. */
  readonly step: number
  readonly policy: Policy
  readonly looks: readonly Look[]
  readonly calibration: RunCalibration
  readonly trained: readonly RewardedResponse[]
  readonly update: UpdateReport | null
  /** Responses of the look that was due, if one was. */
  readonly looked: readonly ScoredImageResponse[]
  readonly times: StepTimes
  /** Images whose turn it was since the last commit and that could not be read. */
  readonly skipped: readonly SkippedImage[]
}

/** Where a run was committed last. */
export type StoredRun = Pick<CommittedStep, 'step' | 'policy' | 'looks' | 'calibration'>

/** What a run keeps; worker.ts joins it to the workspace file. */
export interface RunStore {
  readonly embeddings: EmbeddingStore
  /** The last committed step, or null for a new run. */
  load(models: AlignmentModels): StoredRun | null
  commit(step: CommittedStep): void
}

/** Image features of calibration responses that are kept to teach the value head with; beyond it responses only count. */
const warmUpFeatureBytes = 2 * 1024 ** 3

/** Streams of the run's random numbers, by what is drawn. */
const streams = { policy: 1, images: 2, calibration: 3, rollouts: 4, minibatches: 5 } as const

/**
 * Aligns a model with its own encoder.
 * @returns the steps done and the look that is best by the verifier alone
 * @throws StudioError `run.cancelled` between any two steps of decoding or of training; `run.verifier-cannot-tell`;
 *   `run.images-missing`; and what models, devices and the store throw. What was committed stays, and a second call goes on from there.
 */
export async function align(
  run: AlignmentRun,
  store: RunStore,
  report: (progress: RunProgress) => void,
  signal?: AbortSignal,
): Promise<{ steps: number; best: Look }> {
  const { config, images, validation } = run
  const rng = new Rng({ seed: run.seed })
  const totalSteps = config.reward.method === 'none' ? 0 : config.optimiser.rounds * config.optimiser.stepsPerRound
  const watch = new StopWatch(totalSteps, report)
  watch.enter('opening', 0)
  const { models, stored, policy, learner } = await openTogether(async (keep) => {
    const models = await keep(AlignmentModels.open(run.folders, { ...run, embeddings: store.embeddings }))
    const stored = store.load(models)
    const policy = stored?.policy ?? newPolicy(models.source, config, rng.fork(streams.policy))
    const learner = await keep(openLearner(models, policy, run, rng.fork(streams.minibatches)))
    return { models, stored, policy, learner }
  })
  let skipped: readonly SkippedImage[] = []
  try {
    let { calibration, looks, step } = stored ?? { calibration: null, looks: [], step: 0 }
    watch.resume(step)
    if (!calibration) {
      calibration = await beginRound(0, null)
      const first = await look(0, calibration)
      looks = [first.look]
      commit({ step: 0, calibration, looks, trained: [], update: null, looked: first.responses })
    }
    while (step < totalSteps && !shouldStop(looks, config)) {
      if (step > 0 && step % config.optimiser.stepsPerRound === 0) calibration = await beginRound(step, calibration)
      const chosen = chosenImages(images, config, rng.fork(streams.images), step)
      const responses = await respond(chosen, step, rng.fork(streams.rollouts), { needsOne: false })
      const trained = await watch.time('reward', step, async () =>
        rewardResponses(models, await models.score(responses), calibration as RunCalibration, config),
      )
      const update = await watch.time('update', step, () => learner.update(trained, step, signal))
      step++
      const isDue = step % config.evaluation.everySteps === 0 || step === totalSteps
      const looked = isDue ? await look(step, calibration) : null
      if (looked) looks = [...looks, looked.look]
      commit({ step, calibration, looks, trained, update, looked: looked?.responses ?? [] })
    }
    return { steps: step, best: bestLook(looks, config) }
  } finally {
    await releaseAll([learner, models])
  }

  function commit(done: Omit<CommittedStep, 'policy' | 'times' | 'skipped'>): void {
    requireFiniteFigures(done)
    store.commit({ ...done, skipped, policy: { ...policy, optimisers: learner.states }, times: watch.takeTimes() })
    skipped = []
  }

  /** Sampled responses of a step to the images that can be read. */
  async function respond(
    chosen: readonly RunImage[],
    step: number,
    stream: Rng,
    { needsOne, ...options }: { needsOne: boolean; keptFeatureBytes?: number },
  ): Promise<readonly ImageResponse[]> {
    const drawn = { rng: stream.fork(step), signal, ...options }
    const said = await watch.time('rollout', step, () => models.respond(chosen, policy, drawn))
    requireMostImages(new Set(chosen).size, said.skipped, needsOne)
    skipped = [...skipped, ...said.skipped]
    return said.responses
  }

  async function look(step: number, { yardstick }: RunCalibration): ReturnType<typeof lookAt> {
    const options = { step, strength: config.evaluation.strength, signal }
    const looked = await watch.time('evaluate', step, () => lookAt(models, validation, policy, yardstick, options))
    skipped = [...skipped, ...looked.skipped]
    return looked
  }

  /** Baselines from the policy as it is, and a value head that knows what to expect of it. */
  async function beginRound(step: number, before: RunCalibration | null): Promise<RunCalibration> {
    const chosen = chosenImages(images, config, rng.fork(streams.calibration), step, config.calibration.responses)
    const responses = await respond(chosen, step, rng.fork(streams.calibration), {
      needsOne: true,
      keptFeatureBytes: warmUpFeatureBytes,
    })
    const { found, rewarded } = await watch.time('reward', step, async () => {
      const scored = await models.score(responses)
      const found = await calibrateRun(models, scored, config, run)
      requireBaselines(found.calibration, config.calibration.goOnRefused)
      return { found, rewarded: await rewardResponses(models, scored, found, config) }
    })
    const taught = rewarded.filter(({ imageFeatures }) => imageFeatures.length > 0)
    if (learner instanceof PpoLearner) await watch.time('update', step, () => learner.warmUp(taught, signal))
    return { ...found, yardstick: before?.yardstick ?? found.calibration }
  }
}

/**
 * A checkpoint whose figures mean nothing is not stored: the run ends at the one before it.
 * @throws StudioError `run.non-finite`
 */
export function requireFiniteFigures({
  step,
  looks,
  update,
  trained,
}: Pick<CommittedStep, 'step' | 'looks' | 'update' | 'trained'>): void {
  const look = looks.at(-1)
  const figures = Object.entries({
    ...(look?.step === step && look),
    ...(update && { klNats: update.klNats }),
    reward: trained.reduce((sum, { rewards }) => sum + rewards.reduce((a, b) => a + b, 0), 0),
  })
  const [name, value] = figures.find(([, figure]) => !Number.isFinite(figure)) ?? []
  if (name === undefined) return
  throw new StudioError({
    code: 'run.non-finite',
    message: `Training has left the numbers that this device can hold: step ${step} cannot be judged.`,
    remedy: 'Start a run with a lower learning rate, or choose another device; the checkpoints so far are kept.',
    expected: 'finite figures',
    found: `${name} of ${value}`,
    where: `step ${step}`,
  })
}

function openLearner(models: AlignmentModels, policy: Policy, run: AlignmentRun, rng: Rng): Promise<Learner> {
  const open = run.config.reward.method === 'dpo' ? DpoLearner.open : PpoLearner.open
  return open(models.source, policy, { ...run, rng })
}
