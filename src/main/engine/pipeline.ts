// The method, from top to bottom (PAPER.md): responses, their object words, the verifier's scores, token rewards, PPO,
// checkpoint, a look at the validation images; round after round of self-alignment. Resumes where it was committed.
import type { DeviceName } from '../../shared/hardware.ts'
import type { RunConfig } from '../../shared/runConfig.ts'
import { DpoLearner } from './align/dpo.ts'
import type { Learner, UpdateReport } from './align/learner.ts'
import { newPolicy, type Policy } from './align/policy.ts'
import { PpoLearner } from './align/ppoUpdate.ts'
import { AlignmentModels, type ModelFolders, type RunImage, type ScoredImageResponse } from './alignmentModels.ts'
import { openTogether, releaseAll } from './graph/resources.ts'
import { requireBaselines } from './reward/calibration.ts'
import type { Lexicon } from './reward/lexicon.ts'
import type { EmbeddingStore } from './reward/verifier.ts'
import { Rng } from './rng.ts'
import { bestLook, type Look, lookAt, shouldStop } from './runLook.ts'
import {
  type Annotations,
  calibrateRun,
  type RewardedResponse,
  type RunCalibration,
  rewardResponses,
} from './runRewards.ts'
import { chosenImages, type RunProgress, type StepTimes, StopWatch } from './runSchedule.ts'

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

/** Streams of the run's random numbers, by what is drawn. */
const streams = { policy: 1, images: 2, calibration: 3, rollouts: 4, minibatches: 5 } as const

/**
 * Aligns a model with its own encoder.
 * @returns the steps done and the look that is best by the verifier alone
 * @throws StudioError `run.cancelled` between any two steps of decoding or of training; `run.verifier-cannot-tell`; and
 *   what models, devices and the store throw. What was committed stays, and a second call goes on from there.
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
  const look = (step: number, calibration: RunCalibration) =>
    lookAt(models, validation, policy, calibration.yardstick, { step, strength: config.evaluation.strength, signal })
  try {
    let { calibration, looks, step } = stored ?? { calibration: null, looks: [], step: 0 }
    watch.resume(step)
    if (!calibration) {
      calibration = await beginRound(0, null)
      const first = await watch.time('evaluate', 0, () => look(0, calibration as RunCalibration))
      looks = [first.look]
      commit({ step: 0, calibration, looks, trained: [], update: null, looked: first.responses })
    }
    while (step < totalSteps && !shouldStop(looks, config)) {
      if (step > 0 && step % config.optimiser.stepsPerRound === 0) calibration = await beginRound(step, calibration)
      const chosen = chosenImages(images, config, rng.fork(streams.images), step)
      const drawn = { rng: rng.fork(streams.rollouts).fork(step), signal }
      const responses = await watch.time('rollout', step, () => models.respond(chosen, policy, drawn))
      const trained = await watch.time('reward', step, async () =>
        rewardResponses(models, await models.score(responses), calibration as RunCalibration, config),
      )
      const update = await watch.time('update', step, () => learner.update(trained, step, signal))
      step++
      const isDue = step % config.evaluation.everySteps === 0 || step === totalSteps
      const looked = isDue ? await watch.time('evaluate', step, () => look(step, calibration as RunCalibration)) : null
      if (looked) looks = [...looks, looked.look]
      commit({ step, calibration, looks, trained, update, looked: looked?.responses ?? [] })
    }
    return { steps: step, best: bestLook(looks, config) }
  } finally {
    await releaseAll([learner, models])
  }

  function commit(done: Omit<CommittedStep, 'policy' | 'times'>): void {
    store.commit({ ...done, policy: { ...policy, optimisers: learner.states }, times: watch.takeTimes() })
  }

  /** Baselines from the policy as it is, and a value head that knows what to expect of it. */
  async function beginRound(step: number, before: RunCalibration | null): Promise<RunCalibration> {
    const chosen = chosenImages(images, config, rng.fork(streams.calibration), step, config.calibration.responses)
    const drawn = { rng: rng.fork(streams.calibration).fork(step), signal }
    const responses = await watch.time('rollout', step, () => models.respond(chosen, policy, drawn))
    const { found, rewarded } = await watch.time('reward', step, async () => {
      const scored = await models.score(responses)
      const found = await calibrateRun(models, scored, config, run)
      requireBaselines(found.calibration, config.calibration.goOnRefused)
      return { found, rewarded: await rewardResponses(models, scored, found, config) }
    })
    if (learner instanceof PpoLearner) await watch.time('update', step, () => learner.warmUp(rewarded, signal))
    return { ...found, yardstick: before?.yardstick ?? found.calibration }
  }
}

function openLearner(models: AlignmentModels, policy: Policy, run: AlignmentRun, rng: Rng): Promise<Learner> {
  const open = run.config.reward.method === 'dpo' ? DpoLearner.open : PpoLearner.open
  return open(models.source, policy, { ...run, rng })
}
