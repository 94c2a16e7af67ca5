// Calibration and rewards of a run, by its config: token-level, sentence-level, with or without annotations. Joins the
// pure parts of reward/ to the run's models for align.ts.
import type { Calibration } from '../../../shared/calibration.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { RewardedRollout } from '../align/learner.ts'
import { calibrateAnnotated, calibrateFree, requireBaselines } from '../reward/calibration.ts'
import {
  meanScoreReward,
  type RewardedMention,
  responseScoreReward,
  terminalReward,
  tokenRewards,
} from '../reward/tokenReward.ts'
import type { AlignmentModels, ScoredImageResponse } from './models.ts'
import { placeboMentions } from './placeboMentions.ts'

/** Which objects, by the lexicon's names, the annotations have in an image; null where it is not annotated. */
export type Annotations = (sha256: string) => ReadonlySet<string> | null

/** A calibration, and what sentence-level rewards are measured from. */
export interface RunCalibration {
  readonly calibration: Calibration
  /** Of the first round: all looks of a run are judged by it, so that they can be compared. */
  readonly yardstick: Calibration
  /** Mean encoder score of whole responses before training; null where it is not used. */
  readonly responseCentre: number | null
}

/** Rewards of one response, with the verdict on each of its object words. */
export interface RewardedResponse extends RewardedRollout {
  readonly response: ScoredImageResponse
  readonly mentions: readonly RewardedMention[]
}

/**
 * Baselines from the policy's own responses. Annotations are read when the config asks for them, and only then.
 * @throws StudioError `run.bad-score`
 */
export async function calibrateRun(
  models: AlignmentModels,
  responses: readonly ScoredImageResponse[],
  config: RunConfig,
  { seed, annotations }: { seed: number; annotations: Annotations | null },
): Promise<Omit<RunCalibration, 'yardstick'>> {
  const responseCentre = usesResponseScore(config) ? await meanTextScore(models, responses) : null
  if (config.calibration.method === 'annotated') {
    const labelled = responses.flatMap(({ image, scored }) => {
      const present = annotations?.(image.sha256)
      return present ? scored.mentions.map(({ name, score }) => ({ score, isPresent: present.has(name) })) : []
    })
    return { calibration: calibrateAnnotated(labelled, config.calibration), responseCentre }
  }
  const mentions = await placeboMentions(models, responses, { count: config.calibration.otherImages, seed })
  return { calibration: calibrateFree(mentions, { seed, limits: config.calibration }), responseCentre }
}

/**
 * What each response earned.
 * @throws StudioError `run.verifier-cannot-tell` unless the config goes on nevertheless, `run.baselines`
 */
export async function rewardResponses(
  models: AlignmentModels,
  responses: readonly ScoredImageResponse[],
  { calibration, responseCentre }: Omit<RunCalibration, 'yardstick'>,
  config: RunConfig,
): Promise<RewardedResponse[]> {
  const baselines = requireBaselines(calibration, config.calibration.goOnRefused)
  const { method, sentence, ...settings } = config.reward
  const rewarded: RewardedResponse[] = []
  for (const response of responses) {
    const { tokens, scored, image } = response
    const byToken = tokenRewards(tokens.length, scored.mentions, baselines, settings)
    let { rewards } = byToken
    if (method !== 'token') {
      const scores = scored.mentions.map(({ score }) => score)
      const reward =
        sentence === 'mean-score'
          ? meanScoreReward(scores, baselines, settings)
          : responseScoreReward(
              await models.verifier.textScore(models.verified(image), scored.text),
              responseCentre ?? 0,
              baselines,
              settings,
            )
      rewards = terminalReward(tokens.length, reward)
    }
    rewarded.push({ ...response, response, rewards, mentions: byToken.mentions, group: image.sha256 })
  }
  return rewarded
}

function usesResponseScore({ reward }: RunConfig): boolean {
  return reward.method !== 'token' && reward.sentence === 'response-score'
}

async function meanTextScore(models: AlignmentModels, responses: readonly ScoredImageResponse[]): Promise<number> {
  let sum = 0
  for (const { image, scored } of responses) sum += await models.verifier.textScore(models.verified(image), scored.text)
  return sum / Math.max(1, responses.length)
}
