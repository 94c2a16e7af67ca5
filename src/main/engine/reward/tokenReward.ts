// From verifier scores to rewards: on tokens (FiSAO), or one for the whole response (the baseline it is compared
// with). Before it stand calibration.ts and tokenSpans.ts, after it align/advantages.ts.
import type { Baselines } from '../../../shared/calibration.ts'
import type { SpanLabel } from '../../../shared/domain.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { type RewardRule, scaleOf } from './rewardRule.ts'
import type { Range } from './tokenSpans.ts'

/**
 * What is paid. `paper` rewards each mention; all other variants only the first mention of an object, and give each further
 * one `repeatReward`, which is not scaled, since otherwise a policy learns to repeat safe objects.
 */
export type RepeatSettings = Pick<RunConfig['reward'], 'variant' | 'repeatReward'>

type ScaleSettings = Pick<RunConfig['reward'], 'scale'>

/** A mention with its tokens and the verifier's score. */
export interface ScoredMention {
  /** Of the object; mentions of one name repeat each other. */
  readonly name: string
  /** Tokens `[start, end)` of the response. */
  readonly tokens: Range
  /** s = <f_img(x_v), f_txt(o)>. */
  readonly score: number
}

/** What a mention earned, and on which side of the baselines its score lies. */
export interface RewardedMention extends ScoredMention {
  readonly reward: number
  readonly label: SpanLabel
  readonly isRepeated: boolean
}

/** Rewards of a response. */
export interface TokenRewards {
  /** `[tokens]`; zero for every token that is not the last one of an object word. */
  readonly rewards: Float32Array
  /** In the order of the response. */
  readonly mentions: readonly RewardedMention[]
}

/** The verdict on a word by the sign of what the rule gives it. */
export function labelOf(score: number, rule: RewardRule): SpanLabel {
  const reward = rule(score)
  return reward > 0 ? 'grounded' : reward < 0 ? 'hallucinated' : 'neutral'
}

/**
 * Token rewards of one response: each mention's reward lies on the last of its tokens; mentions that share that token
 * add up.
 * @param mentions in any order
 */
export function tokenRewards(
  tokenCount: number,
  mentions: readonly ScoredMention[],
  rule: RewardRule,
  { variant, repeatReward }: RepeatSettings,
): TokenRewards {
  const rewards = new Float32Array(tokenCount)
  const seen = new Set<string>()
  const ordered = [...mentions].sort((a, b) => a.tokens[1] - b.tokens[1] || a.tokens[0] - b.tokens[0])
  const rewarded = ordered.map((mention): RewardedMention => {
    const { name, score, tokens } = mention
    const isRepeated = seen.has(name)
    seen.add(name)
    const reward = isRepeated && variant !== 'paper' ? repeatReward : rule(score)
    const last = tokens[1] - 1
    rewards[last] = (rewards[last] as number) + reward
    return { ...mention, reward, label: labelOf(score, rule), isRepeated }
  })
  return { rewards, mentions: rewarded }
}

/**
 * Sentence-level reward from the same scores: how far their mean lies above the middle between the baselines, scaled
 * as the token rewards. A response that names no object is worth as much as one that lies in the middle.
 * @throws StudioError `run.baselines`
 */
export function meanScoreReward(scores: readonly number[], baselines: Baselines, { scale }: ScaleSettings): number {
  if (scores.length === 0) return 0
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
  return scaleOf(baselines, scale) * (mean - (baselines.muGt + baselines.muHal) / 2)
}

/**
 * Sentence-level reward from the encoder's score of the whole response, <f_img(x_v), f_txt(y)>, less `centre` (the
 * mean score of responses before training), scaled as the token rewards.
 * @throws StudioError `run.baselines`
 */
export function responseScoreReward(
  score: number,
  centre: number,
  baselines: Baselines,
  { scale }: ScaleSettings,
): number {
  return scaleOf(baselines, scale) * (score - centre)
}

/** `[tokens]`: the whole reward on the last token, as sentence-level methods give it. Nothing for no tokens. */
export function terminalReward(tokenCount: number, reward: number): Float32Array {
  const rewards = new Float32Array(tokenCount)
  if (tokenCount > 0) rewards[tokenCount - 1] = reward
  return rewards
}
