// A little of what a run does, measured: rollouts, rewards and training steps on few images, with the run's own models and
// learner. Nothing is kept. Before it stands jobs/checkJob.ts, after it runEstimate.ts, which makes a whole run of it.
import { StudioError } from '../../../shared/errors.ts'
import type { RunCheckProgress } from '../../../shared/runCheck.ts'
import type { Learner, RewardedRollout } from '../align/learner.ts'
import { openLearner } from '../align/openLearner.ts'
import { newPolicy, type Policy } from '../align/policy.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { Rng } from '../rng.ts'
import type { AlignmentRun } from './alignmentRun.ts'
import { lookAt } from './look.ts'
import { AlignmentModels, type ImageResponse, type ScoredImageResponse } from './models.ts'
import { calibrateRun, type FoundCalibration, rewardResponses } from './rewards.ts'
import type { RunMeasurement, Sample } from './runEstimate.ts'
import { chosenImages } from './schedule.ts'
import { requireMostImages } from './skippedImages.ts'

/** The stream of the seed's random numbers that a check draws from; a run draws none of it (run/align.ts). */
const checkStream = 10
/** The first batch, which tells how large the others may be. */
const firstResponses = 4
/** Rollouts of a batch may take about this long; a machine that is slower measures fewer. */
const batchBudgetMs = 15_000
/** Training steps, unless the first one took longer than the budget. */
const mostUpdates = 2
const mostLooked = 8

/**
 * @throws StudioError `run.cancelled`, `run.images-missing`, and what models and devices throw
 */
export async function measureRun(
  run: Omit<AlignmentRun, 'annotations'>,
  report: (progress: RunCheckProgress) => void,
  signal?: AbortSignal,
): Promise<RunMeasurement> {
  const rng = new Rng({ seed: run.seed }).fork(checkStream)
  const startMs = performance.now()
  const startBytes = process.memoryUsage.rss()
  const highestBefore = highestEver()
  report({ phase: 'opening', share: 0 })
  const { models, policy, learner } = await openTogether(async (keep) => {
    const base = {
      ...(run.weightsSha256 !== undefined && { weightsSha256: run.weightsSha256 }),
      ...(signal && { signal }),
    }
    const models = await keep(AlignmentModels.open(run.folders, { ...run, base }))
    const policy = newPolicy(models.source, run.config, rng.fork(1))
    const learner = await keep(openLearner(models.source, policy, { ...run, rng: rng.fork(2) }))
    return { models, policy, learner }
  })
  try {
    const openingMs = performance.now() - startMs
    const openedBytes = process.memoryUsage.rss()
    const bench = { run, models, policy, learner, rng, report, signal }
    const parts = await measureParts(bench)
    return {
      ...parts,
      openingMs,
      memory: { startBytes, openedBytes, peakBytes: peakSince(highestBefore, parts.seenBytes) },
    }
  } finally {
    await releaseAll([learner, models])
  }
}

interface Bench {
  readonly run: Omit<AlignmentRun, 'annotations'>
  readonly models: AlignmentModels
  readonly policy: Policy
  readonly learner: Learner
  readonly rng: Rng
  readonly report: (progress: RunCheckProgress) => void
  readonly signal: AbortSignal | undefined
}

async function measureParts(
  bench: Bench,
): Promise<Omit<RunMeasurement, 'openingMs' | 'memory'> & { readonly seenBytes: number }> {
  const { run, models, policy, learner, report, signal } = bench
  let seenBytes = 0
  const timed = async <T>(samples: Sample[], responses: number, work: () => Promise<T>): Promise<T> => {
    const beganMs = performance.now()
    const result = await work()
    samples.push({ responses, ms: performance.now() - beganMs })
    seenBytes = Math.max(seenBytes, process.memoryUsage.rss())
    return result
  }
  report({ phase: 'rollout', share: 0.1 })
  const rollout: Sample[] = []
  const first = await timed(rollout, firstResponses, () => respond(bench, 0, firstResponses))
  report({ phase: 'rollout', share: 0.2 })
  const count = batchFor(rollout[0] as Sample, run)
  const second = await timed(rollout, count, () => respond(bench, 1, count))
  // The same images again: what they cost once is then known from what each response costs.
  report({ phase: 'rollout', share: 0.35 })
  await timed(rollout, count, () => respond(bench, 1, count))
  report({ phase: 'reward', share: 0.45 })
  const reward: Sample[] = []
  const scoredFirst = await timed(reward, first.length, () => models.score(first))
  const scored = [...scoredFirst, ...(await timed(reward, second.length, () => models.score(second)))]
  report({ phase: 'reward', share: 0.5 })
  const calibrated: Sample[] = []
  await timed(calibrated, first.length, () => calibrate(bench, scoredFirst))
  const found = await timed(calibrated, scored.length, () => calibrate(bench, scored))
  const rewarded = await earned(bench, scored, found)
  const update: Sample[] = []
  const warmUp: Sample[] = []
  const trained = rewarded.slice(first.length)
  if (run.config.reward.method !== 'none' && trained.length > 0) {
    report({ phase: 'update', share: 0.6 })
    await timed(warmUp, trained.length, () => learner.warmUp(trained, signal))
    for (let step = 0; step < mostUpdates; step++) {
      report({ phase: 'update', share: 0.7 + 0.1 * step })
      await timed(update, trained.length, () => learner.update(trained, step, signal))
      if ((update[0]?.ms ?? 0) > batchBudgetMs) break
    }
  }
  report({ phase: 'look', share: 0.9 })
  const looked = run.validation.slice(0, Math.min(mostLooked, count))
  const look: Sample[] = []
  const options = { step: 0, strength: run.config.evaluation.strength, signal }
  for (let again = 0; again < 2; again++) {
    await timed(look, looked.length, () => lookAt(models, looked, policy, found.calibration, options))
  }
  report({ phase: 'look', share: 1 })
  return {
    ...{ rollout, reward, calibrated, warmUp, update, look, seenBytes },
    ...{ calibration: found.calibration, policy: { ...policy, optimisers: learner.states } },
    tokens: [...first, ...second].reduce((sum, { tokens }) => sum + tokens.length, 0),
    mentions: scored.reduce((sum, { scored: { mentions } }) => sum + mentions.length, 0),
    responses: scored.length,
    featureBytes: (await second[0]?.imageFeatures())?.[0]?.byteLength ?? 0,
  }
}

/** Responses of the second batch: as many as the run decodes at the same time, if the time allows. */
function batchFor({ responses, ms }: Sample, { config: { rollout }, workers }: Bench['run']): number {
  const affordable = Math.max(firstResponses, Math.floor((batchBudgetMs / Math.max(1, ms)) * responses))
  return Math.min(affordable, rollout.batchSize * (workers?.count ?? 1), rollout.responsesPerStep)
}

async function respond(bench: Bench, step: number, count: number): Promise<readonly ImageResponse[]> {
  const { run, models, policy, rng, signal } = bench
  const chosen = chosenImages(run.images, run.config, rng.fork(3), step, count)
  const said = await models.respond(chosen, policy, { rng: rng.fork(4).fork(step), signal })
  requireMostImages(new Set(chosen).size, said.skipped, true)
  return said.responses
}

/** Without annotations, whatever the run will read: what the scores alone tell, and no refusal. */
async function calibrate({ run, models }: Bench, scored: readonly ScoredImageResponse[]): Promise<FoundCalibration> {
  const see = (image: ScoredImageResponse['image']) => models.verified(image)
  return await calibrateRun(models, scored, going(run.config), {
    seed: run.seed,
    annotations: null,
    see,
    isBlind: false,
  })
}

/** What the responses earned; where too few words were said to tell, nothing, which takes as long to learn from. */
async function earned(
  { run, models }: Bench,
  scored: readonly ScoredImageResponse[],
  found: FoundCalibration,
): Promise<readonly RewardedRollout[]> {
  try {
    return await rewardResponses(models, scored, found, going(run.config))
  } catch (thrown) {
    if (!(thrown instanceof StudioError && thrown.code === 'run.verifier-cannot-tell')) throw thrown
    return scored.map((response) => ({
      ...{ ...response, mentionEnds: [], opening: 0, group: response.image.sha256 },
      rewards: new Float32Array(response.tokens.length),
    }))
  }
}

/** A refusal is told at the end and ends nothing here. */
function going(config: AlignmentRun['config']): AlignmentRun['config'] {
  return { ...config, calibration: { ...config.calibration, goOnRefused: true } }
}

/** The highest resident memory that this process has ever had, bytes. */
function highestEver(): number {
  return 1024 * process.resourceUsage().maxRSS
}

/** Of this check alone: what the system noted, when it is higher than before it; else what was seen between its parts. */
function peakSince(highestBefore: number, seenBytes: number): number {
  const highest = highestEver()
  return highest > highestBefore ? highest : seenBytes
}
