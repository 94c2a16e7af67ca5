// The method, from top to bottom (PAPER.md): responses, their object words, the verifier's scores, token rewards, PPO,
// checkpoint, a look at the validation images; round after round of self-alignment. Resumes where it was committed.
import type { Calibration } from '../../../shared/calibration.ts'
import type { Look } from '../../../shared/look.ts'
import { totalStepsOf } from '../../../shared/runConfig.ts'
import type { RunProgress } from '../../../shared/runProgress.ts'
import { openLearner } from '../align/openLearner.ts'
import { newPolicy } from '../align/policy.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { baseOptions } from '../models/baseFile.ts'
import { Rng } from '../rng.ts'
import type { AlignmentRun, CommittedStep, RunStore } from './alignmentRun.ts'
import { requireFiniteFigures } from './finiteFigures.ts'
import { lookAt } from './look.ts'
import { bestLook, placeLook, shouldStop } from './lookChoice.ts'
import { AlignmentModels, type ImageResponse, type RunImage, type ScoredImageResponse } from './models.ts'
import { derangement } from './placebo.ts'
import { calibrateRun, type RunCalibration, rewardResponses } from './rewards.ts'
import { roundCalibration } from './roundCalibration.ts'
import { chosenImages, StopWatch } from './schedule.ts'
import { requireMostImages, type SkippedImage } from './skippedImages.ts'

/** Streams of the run's random numbers, by what is drawn. */
const streams = { policy: 1, images: 2, calibration: 3, rollouts: 4, minibatches: 5, placebo: 9 } as const

/**
 * Aligns a model with its own encoder.
 * @returns the steps done, all looks, and the one that is best by the verifier alone
 * @throws StudioError `run.cancelled` between any two steps of decoding or of training; `run.verifier-cannot-tell`;
 *   `run.images-missing`; and what models, devices and the store throw. What was committed stays, and a second call goes on from there.
 */
export async function align(
  run: AlignmentRun,
  store: RunStore,
  report: (progress: RunProgress) => void,
  signal?: AbortSignal,
): Promise<{ steps: number; best: Look; looks: readonly Look[] }> {
  const { config, images, validation } = run
  const isPlacebo = config.reward.verifier === 'placebo'
  // A placebo goes as far as its run may have gone: they are compared at the same step.
  const goesToItsEnd = isPlacebo || !config.evaluation.stopsEarly
  const rng = new Rng({ seed: run.seed })
  const totalSteps = totalStepsOf(config)
  const watch = new StopWatch(totalSteps, report)
  watch.enter('opening', 0)
  const { models, stored, policy, learner } = await openTogether(async (keep) => {
    const judging = isPlacebo ? { judgingImage: derangement(images, rng.fork(streams.placebo)) } : {}
    const base = baseOptions(run.weightsSha256, (share) => watch.enter('opening', 0, share), signal)
    const options = { ...run, ...judging, base, embeddings: store.embeddings }
    const models = await keep(AlignmentModels.open(run.folders, options))
    const stored = store.load(models)
    const policy = stored?.policy ?? newPolicy(models.source, config, rng.fork(streams.policy))
    const learner = await keep(openLearner(models.source, policy, { ...run, rng: rng.fork(streams.minibatches) }))
    return { models, stored, policy, learner }
  })
  const [own, judged] = [(image: RunImage) => models.verified(image), (image: RunImage) => models.judged(image)]
  let skipped: readonly SkippedImage[] = []
  try {
    let { calibration, looks, step } = stored ?? { calibration: null, looks: [], step: 0 }
    watch.resume(step)
    if (!calibration) {
      calibration = await beginRound(0, null)
      const first = await look(0, calibration, looks)
      looks = [first.look]
      commit({ step: 0, calibration, looks, trained: [], update: null, looked: first.responses })
    }
    while (step < totalSteps && (goesToItsEnd || !shouldStop(looks, config))) {
      if (step > 0 && step % config.optimiser.stepsPerRound === 0) calibration = await beginRound(step, calibration)
      const chosen = chosenImages(images, config, rng.fork(streams.images), step)
      const responses = await respond(chosen, step, rng.fork(streams.rollouts), { needsOne: false })
      const trained = await watch.time('reward', step, async () =>
        rewardResponses(models, await models.score(responses, judged), calibration as RunCalibration, config),
      )
      const update = await watch.time('update', step, () => learner.update(trained, step, signal))
      step++
      const isDue = step % config.evaluation.everySteps === 0 || step === totalSteps
      const looked = isDue ? await look(step, calibration, looks) : null
      if (looked) looks = [...looks, looked.look]
      commit({ step, calibration, looks, trained, update, looked: looked?.responses ?? [] })
    }
    return { steps: step, best: bestLook(looks, config), looks }
  } finally {
    await releaseAll([learner, models])
  }

  function commit(done: Omit<CommittedStep, 'policy' | 'times' | 'skipped' | 'sharing'>): void {
    requireFiniteFigures(done)
    const sharing = run.workers?.takeFigures?.() ?? {}
    const soFar = { ...policy, optimisers: learner.states }
    store.commit({ ...done, skipped, sharing, policy: soFar, times: watch.takeTimes() })
    skipped = []
  }

  /** Sampled responses of a step to the images that can be read. */
  async function respond(
    chosen: readonly RunImage[],
    step: number,
    stream: Rng,
    { needsOne }: { needsOne: boolean },
  ): Promise<readonly ImageResponse[]> {
    const drawn = { rng: stream.fork(step), signal }
    const said = await watch.time('rollout', step, () => models.respond(chosen, policy, drawn))
    requireMostImages(new Set(chosen).size, said.skipped, needsOne)
    skipped = [...skipped, ...said.skipped]
    return said.responses
  }

  async function look(
    step: number,
    { yardstick }: RunCalibration,
    before: readonly Look[],
  ): Promise<{ look: Look; responses: readonly ScoredImageResponse[] }> {
    const options = { step, strength: config.evaluation.strength, signal }
    const looked = await watch.time('evaluate', step, () => lookAt(models, validation, policy, yardstick, options))
    skipped = [...skipped, ...looked.skipped]
    return { look: placeLook(before, looked.look, config), responses: looked.responses }
  }

  /** Baselines from the policy as it is, and a value head that knows what to expect of it. */
  async function beginRound(step: number, before: RunCalibration | null): Promise<RunCalibration> {
    const chosen = chosenImages(images, config, rng.fork(streams.calibration), step, config.calibration.responses)
    const responses = await respond(chosen, step, rng.fork(streams.calibration), { needsOne: true })
    const { round, rewarded } = await watch.time('reward', step, async () => {
      const scored = await models.score(responses, judged)
      // Labels leave the scores of other images no gap to measure rewards in.
      const annotations = isPlacebo ? null : run.annotations
      const found = await calibrateRun(models, scored, config, {
        ...{ seed: run.seed, see: judged, annotations, isBlind: isPlacebo },
      })
      const round = isPlacebo
        ? { ...found, yardstick: before?.yardstick ?? (await yardstickOf(responses)), kept: [], annotations: null }
        : roundCalibration(step, found, before, { goOnRefused: config.calibration.goOnRefused, annotations })
      return { round, rewarded: await rewardResponses(models, scored, round, config) }
    })
    await watch.time('update', step, () => learner.warmUp(rewarded, signal))
    return round
  }

  /** The looks of a placebo are judged by what knows, as those of the run that it is the control of. */
  async function yardstickOf(responses: readonly ImageResponse[]): Promise<Calibration> {
    const scored = await models.score(responses, own)
    return (await calibrateRun(models, scored, config, { ...run, see: own, isBlind: false })).calibration
  }
}
