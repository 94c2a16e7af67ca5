// Calibration and rewards of a run, by its config: token-level, sentence-level, with or without annotations. Joins the
// pure parts of reward/ to the run's models for align.ts.
import type { AnnotationJoin } from '../../../shared/annotationJoin.ts'
import type { Calibration, KeptBaselines } from '../../../shared/calibration.ts'
import type { SpanLabel } from '../../../shared/domain.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { RewardedRollout } from '../align/learner.ts'
import {
  calibrateAnnotated,
  calibrateFree,
  requireBaselines,
  standApart,
  withSpreadBaselines,
} from '../reward/calibration.ts'
import { labelledScores } from '../reward/labels.ts'
import { rewardRule } from '../reward/rewardRule.ts'
import {
  labelOf,
  meanScoreReward,
  type RewardedMention,
  responseScoreReward,
  terminalReward,
  tokenRewards,
} from '../reward/tokenReward.ts'
import { compareMentions } from './comparedMentions.ts'
import type { AlignmentModels, RunImage, ScoredImageResponse } from './models.ts'
import type { VerifiedImage } from './verifier.ts'

/** What annotations say of the images of a run. */
export interface Annotations {
  /** Objects in an image, by the lexicon's names; null where it is not annotated. */
  readonly objectsOf: (sha256: string) => ReadonlySet<string> | null
  /** Objects that they can judge; of any other one they do not say whether it is there. */
  readonly judged: ReadonlySet<string>
  readonly join: AnnotationJoin
}

/** A calibration, and what sentence-level rewards are measured from. */
export interface RunCalibration {
  readonly calibration: Calibration
  /** Of the first round and by each image itself: all looks of a run are judged by it, so that they can be compared. */
  readonly yardstick: Calibration
  /** Mean encoder score of whole responses before training; null where it is not used. */
  readonly responseCentre: number | null
  /** Rounds that kept the first one's baselines, since their own calibration was refused. */
  readonly kept: readonly KeptBaselines[]
  /** What the annotations found of the run's images; null where none were read. */
  readonly annotations: AnnotationJoin | null
}

/** What a round finds of its own responses. */
export type FoundCalibration = Pick<RunCalibration, 'calibration' | 'responseCentre'>

/** Rewards of one response, with the verdict on each of its object words. */
export interface RewardedResponse extends RewardedRollout {
  readonly response: ScoredImageResponse
  readonly mentions: readonly RewardedMention[]
}

/**
 * Baselines from the policy's own responses. Annotations are read when the config asks for them and they are given.
 * @param see which image the responses were scored by
 * @param isBlind they were scored by other images on purpose
 * @throws StudioError `run.bad-score`
 */
export async function calibrateRun(
  models: AlignmentModels,
  responses: readonly ScoredImageResponse[],
  config: RunConfig,
  {
    seed,
    annotations,
    see,
    isBlind,
  }: {
    seed: number
    annotations: Annotations | null
    see: (image: RunImage) => VerifiedImage
    isBlind: boolean
  },
): Promise<FoundCalibration> {
  const responseCentre = usesResponseScore(config) ? await meanTextScore(models, responses, see) : null
  if (config.calibration.method === 'annotated' && annotations !== null) {
    const labelled = responses.flatMap(({ image, scored }) => {
      const present = annotations.objectsOf(image.sha256)
      return present ? labelledScores(scored.mentions, present, annotations.judged) : []
    })
    return { calibration: calibrateAnnotated(labelled, config.calibration), responseCentre }
  }
  const mentions = await compareMentions({ verifier: models.verifier, verified: see }, responses, {
    count: config.calibration.otherImages,
    seed,
  })
  const calibration = calibrateFree(mentions, { seed, limits: config.calibration })
  const cannotTell = isBlind || (config.calibration.goOnRefused && !standApart(calibration))
  const scores = mentions.map(({ score }) => score)
  return { calibration: cannotTell ? withSpreadBaselines(calibration, scores) : calibration, responseCentre }
}

/**
 * What each response earned.
 * @throws StudioError `run.verifier-cannot-tell` unless the config goes on nevertheless, `run.baselines`
 */
export async function rewardResponses(
  models: AlignmentModels,
  responses: readonly ScoredImageResponse[],
  { calibration, responseCentre }: FoundCalibration,
  config: RunConfig,
): Promise<RewardedResponse[]> {
  const baselines = requireBaselines(calibration, goesOnRefused(config))
  const { method, sentence, ...settings } = config.reward
  const rule = rewardRule(calibration, baselines, settings)
  const rewarded: RewardedResponse[] = []
  for (const response of responses) {
    const { tokens, scored, image } = response
    const byToken = tokenRewards(tokens.length, scored.mentions, rule, settings)
    let { rewards } = byToken
    if (method !== 'token') {
      const scores = scored.mentions.map(({ score }) => score)
      const reward =
        sentence === 'mean-score'
          ? meanScoreReward(scores, baselines, settings)
          : responseScoreReward(
              await models.verifier.textScore(models.judged(image), scored.text),
              responseCentre ?? 0,
              baselines,
              settings,
            )
      rewards = terminalReward(tokens.length, reward)
    }
    const mentionEnds = byToken.mentions.map((mention) => mention.tokens[1] - 1)
    const starts = byToken.mentions.map((mention) => mention.tokens[0])
    const opening = starts.length === 0 ? 0 : Math.min(...starts)
    rewarded.push({
      ...{ ...response, response, rewards, mentionEnds, opening },
      ...{ mentions: byToken.mentions, group: image.sha256 },
    })
  }
  return rewarded
}

/** The verdict on a word of each score, by the rule of the config; none where the baselines do not stand apart. */
export function verdictOf(calibration: Calibration, { reward }: RunConfig): (score: number) => SpanLabel {
  const { baselines } = calibration
  if (!baselines || !standApart(calibration)) return () => 'neutral'
  const rule = rewardRule(calibration, baselines, reward)
  return (score) => labelOf(score, rule)
}

/** A placebo is meant to be blind, so its baselines are never refused. */
function goesOnRefused({ calibration, reward }: RunConfig): boolean {
  return calibration.goOnRefused || reward.verifier === 'placebo'
}

function usesResponseScore({ reward }: RunConfig): boolean {
  return reward.method !== 'token' && reward.sentence === 'response-score'
}

async function meanTextScore(
  models: AlignmentModels,
  responses: readonly ScoredImageResponse[],
  see: (image: RunImage) => VerifiedImage,
): Promise<number> {
  let sum = 0
  for (const { image, scored } of responses) sum += await models.verifier.textScore(see(image), scored.text)
  return sum / Math.max(1, responses.length)
}
