// A whole run from the little of it that was measured: its time with a range, its memory and its disk. Arithmetic alone;
// before it stands measureRun.ts, after it jobs/checkJob.ts.
import type { Calibration, Interval } from '../../../shared/calibration.ts'
import type { CheckMeasurement } from '../../../shared/runCheck.ts'
import { type RunConfig, totalStepsOf } from '../../../shared/runConfig.ts'
import { storePolicy } from '../align/checkpoint.ts'
import type { Policy } from '../align/policy.ts'
import { keptFeatureBytes } from '../rollout/imageFeatures.ts'

/** How long a part took for so many responses. */
export interface Sample {
  readonly responses: number
  readonly ms: number
}

export interface RunMeasurement {
  readonly openingMs: number
  /** By part of a run. The first sample of each warms up; rollouts then have images that are new and the same again. */
  readonly rollout: readonly Sample[]
  readonly reward: readonly Sample[]
  readonly calibrated: readonly Sample[]
  readonly warmUp: readonly Sample[]
  readonly update: readonly Sample[]
  /** At images that are new, and at the same again. */
  readonly look: readonly Sample[]
  /** Of the scores, without annotations. */
  readonly calibration: Calibration
  /** With the optimisers' moments once there was an update. */
  readonly policy: Policy
  readonly responses: number
  readonly tokens: number
  readonly mentions: number
  /** Of one image, as they are kept for a step. */
  readonly featureBytes: number
  readonly memory: { readonly startBytes: number; readonly openedBytes: number; readonly peakBytes: number }
}

/** The speed of a shared machine drifts by a fifth from minute to minute (docs/performance.md). */
const drift = 0.2

/**
 * Milliseconds of a response in a part, as a range: the samples that are warm, and what the machine may drift. None for
 * a part that takes no time in this run.
 */
export function perResponse(samples: readonly Sample[]): Interval {
  const used = samples.filter(({ responses }) => responses > 0)
  const warm = used.length > 1 ? used.slice(1) : used
  if (warm.length === 0) return { value: 0, low: 0, high: 0 }
  const each = warm.map(({ responses, ms }) => ms / responses)
  const value = each.reduce((sum, one) => sum + one, 0) / each.length
  return { value, low: Math.min(...each) * (1 - drift), high: Math.max(...each) * (1 + drift) }
}

/**
 * Milliseconds of something that costs more the first time: from all of it again to all of it new.
 * @param newShare share that is new
 */
export function mixed(fresh: Sample | undefined, again: Sample | undefined, newShare: number): Interval {
  const each = ({ responses, ms }: Sample): number => ms / Math.max(1, responses)
  const first = fresh ? each(fresh) : 0
  const later = again ? Math.min(first, each(again)) : first
  const value = newShare * first + (1 - newShare) * later
  return { value, low: later * (1 - drift), high: first * (1 + drift) }
}

/** Time of a step and of the whole run, if it goes to its end. */
export function estimateTime(
  measured: RunMeasurement,
  config: RunConfig,
  images: { readonly training: number; readonly validation: number },
): CheckMeasurement['time'] {
  const { rollout, optimiser, evaluation, calibration, reward } = config
  const totalSteps = totalStepsOf(config)
  const rounds = reward.method === 'none' ? 1 : optimiser.rounds
  const responses = rounds * calibration.responses + totalSteps * rollout.responsesPerStep
  const fits = (images.training + images.validation) * measured.featureBytes <= keptFeatureBytes
  const respond = mixed(measured.rollout[1], measured.rollout[2], fits ? Math.min(1, images.training / responses) : 1)
  const score = perResponse(measured.reward)
  const stepMs = times(
    rollout.responsesPerStep,
    plus(respond, score, totalSteps === 0 ? nothing : perResponse(measured.update)),
  )
  const calibrationMs = times(
    calibration.responses,
    plus(respond, score, perResponse(measured.calibrated), perResponse(measured.warmUp)),
  )
  const looks = 1 + Math.ceil(totalSteps / evaluation.everySteps)
  const lookMs = times(looks * images.validation, mixed(measured.look[0], measured.look[1], fits ? 1 / looks : 1))
  const opening = { value: measured.openingMs, low: measured.openingMs, high: measured.openingMs }
  const totalMs = plus(opening, times(rounds, calibrationMs), times(totalSteps, stepMs), lookMs)
  return { totalSteps, stepMs: totalSteps === 0 ? nothing : stepMs, totalMs }
}

const nothing: Interval = { value: 0, low: 0, high: 0 }

function plus(...parts: readonly Interval[]): Interval {
  const sum = (of: (part: Interval) => number) => parts.reduce((total, part) => total + of(part), 0)
  return { value: sum(({ value }) => value), low: sum(({ low }) => low), high: sum(({ high }) => high) }
}

function times(factor: number, { value, low, high }: Interval): Interval {
  return { value: factor * value, low: factor * low, high: factor * high }
}

/**
 * Memory of a whole step: what stood open, and what the part of a step took above it, for as many responses as are decoded
 * or trained together; with the image features of a step that are kept.
 */
export function expectedBytes(
  { memory, rollout, featureBytes }: Pick<RunMeasurement, 'memory' | 'rollout' | 'featureBytes'>,
  config: RunConfig,
): number {
  const { responsesPerStep, batchSize } = config.rollout
  const together = Math.max(
    Math.min(batchSize, responsesPerStep),
    Math.min(config.optimiser.microBatchSize, responsesPerStep),
  )
  const measuredTogether = Math.max(1, ...rollout.map(({ responses }) => responses))
  const above = Math.max(0, memory.peakBytes - memory.openedBytes)
  const larger = Math.max(1, together / measuredTogether)
  const unseen = Math.max(0, responsesPerStep - measuredTogether)
  return Math.round(memory.openedBytes + above * larger + Math.min(keptFeatureBytes, featureBytes * unseen))
}

/** Bytes of a token, an object word and a response in the workspace file, with their indexes (db/rollouts.ts). */
const storedBytes = { token: 50, mention: 75, response: 420 } as const
/** Checkpoints that are kept whatever the policy says: the best one and the model as it came. */
const pinnedCheckpoints = 2

export function estimateDisk(
  { policy, responses, tokens, mentions }: Pick<RunMeasurement, 'policy' | 'responses' | 'tokens' | 'mentions'>,
  config: RunConfig,
  validation: number,
): Omit<CheckMeasurement['disk'], 'freeBytes'> {
  const { parts } = storePolicy(policy)
  const checkpointBytes = Object.values(parts).reduce((sum, { byteLength }) => sum + byteLength, 0)
  const totalSteps = totalStepsOf(config)
  const checkpoints = Math.min(totalSteps + 1, config.evaluation.keepLast + pinnedCheckpoints)
  const looks = 1 + Math.ceil(totalSteps / config.evaluation.everySteps)
  const stored = totalSteps * config.rollout.responsesPerStep + looks * validation
  const each =
    storedBytes.response +
    (storedBytes.token * tokens) / Math.max(1, responses) +
    (storedBytes.mention * mentions) / Math.max(1, responses)
  const responseBytes = Math.round(stored * each)
  return { checkpointBytes, checkpoints, responseBytes, totalBytes: checkpointBytes * checkpoints + responseBytes }
}

/** What the verifier can tell by the few words of a check; an interval that holds the limit tells nothing yet. */
export function verifierOutcome(
  { estimate, refusals, scores }: Pick<Calibration, 'estimate' | 'refusals' | 'scores'>,
  { calibration }: RunConfig,
): CheckMeasurement['verifier'] {
  const { leastScores, leastAuroc } = calibration
  const auroc = estimate?.auroc ?? null
  const isEnough = auroc !== null && scores >= leastScores
  const outcome =
    isEnough && refusals.length === 0
      ? ('can-tell' as const)
      : isEnough && auroc.high < leastAuroc
        ? ('cannot-tell' as const)
        : ('not-enough' as const)
  return { outcome, auroc, scores, leastScores }
}
