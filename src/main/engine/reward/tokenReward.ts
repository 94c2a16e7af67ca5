// From verifier scores to rewards: on tokens (FiSAO), or one for the whole response (the baseline it is compared
// with). Before it stand calibration.ts and tokenSpans.ts, after it align/advantages.ts.
import type { Baselines } from '../../../shared/calibration.ts'
import type { SpanLabel } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { Range } from './tokenSpans.ts'

/**
 * What the rule is told. `paper` rewards each mention by the piecewise rule; `first-mention` only the first mention of an
 * object, and gives each further one `repeatReward` after scaling, since otherwise a policy learns to repeat safe objects.
 * `margin` is λ in units of the score; `baseline-gap` scales by 1 / (mu_gt - mu_hal), which makes verifiers comparable.
 */
export type TokenRewardSettings = Pick<RunConfig['reward'], 'variant' | 'margin' | 'scale' | 'repeatReward'>

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

/**
 * The paper's piecewise rule (arXiv 2410.14148; our reading of its description, see PAPER.md), before scaling:
 *
 *   r = s - mu_gt    if s > mu_gt + λ
 *       s - mu_hal   if s < mu_hal - λ
 *       0            otherwise
 */
export function piecewiseReward(score: number, { muGt, muHal }: Baselines, margin: number): number {
  if (score > muGt + margin) return score - muGt
  if (score < muHal - margin) return score - muHal
  return 0
}

/** Which of the rule's three cases a score falls into. */
export function labelOf(score: number, { muGt, muHal }: Baselines, margin: number): SpanLabel {
  if (score > muGt + margin) return 'grounded'
  return score < muHal - margin ? 'hallucinated' : 'neutral'
}

/**
 * Token rewards of one response: each mention's reward lies on the last of its tokens; mentions that share that token
 * add up.
 * @param mentions in any order
 * @throws StudioError `run.baselines` when `baseline-gap` is asked for and mu_gt is not above mu_hal
 */
export function tokenRewards(
  tokenCount: number,
  mentions: readonly ScoredMention[],
  baselines: Baselines,
  settings: TokenRewardSettings,
): TokenRewards {
  const rewards = new Float32Array(tokenCount)
  const scale = scaleOf(baselines, settings)
  const seen = new Set<string>()
  const ordered = [...mentions].sort((a, b) => a.tokens[1] - b.tokens[1] || a.tokens[0] - b.tokens[0])
  const rewarded = ordered.map((mention): RewardedMention => {
    const { name, score, tokens } = mention
    const isRepeated = seen.has(name)
    seen.add(name)
    const reward =
      isRepeated && settings.variant === 'first-mention'
        ? settings.repeatReward
        : scale * piecewiseReward(score, baselines, settings.margin)
    const last = tokens[1] - 1
    rewards[last] = (rewards[last] as number) + reward
    return { ...mention, reward, label: labelOf(score, baselines, settings.margin), isRepeated }
  })
  return { rewards, mentions: rewarded }
}

/**
 * Sentence-level reward from the same scores: how far their mean lies above the middle between the baselines, scaled
 * as the token rewards. A response that names no object is worth as much as one that lies in the middle.
 * @throws StudioError `run.baselines`
 */
export function meanScoreReward(
  scores: readonly number[],
  baselines: Baselines,
  settings: TokenRewardSettings,
): number {
  if (scores.length === 0) return 0
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
  return scaleOf(baselines, settings) * (mean - (baselines.muGt + baselines.muHal) / 2)
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
  settings: TokenRewardSettings,
): number {
  return scaleOf(baselines, settings) * (score - centre)
}

/** `[tokens]`: the whole reward on the last token, as sentence-level methods give it. Nothing for no tokens. */
export function terminalReward(tokenCount: number, reward: number): Float32Array {
  const rewards = new Float32Array(tokenCount)
  if (tokenCount > 0) rewards[tokenCount - 1] = reward
  return rewards
}

function scaleOf({ muGt, muHal }: Baselines, { scale }: TokenRewardSettings): number {
  if (scale !== 'baseline-gap') return scale
  if (muGt > muHal) return 1 / (muGt - muHal)
  throw new StudioError({
    code: 'run.baselines',
    message: 'The reward cannot be scaled: right words score no higher than hallucinated ones.',
    remedy: 'Calibrate again with the encoder that the model was made with, or set the scale as a number.',
    expected: `mu_gt above ${muHal}`,
    found: String(muGt),
    where: 'baselines',
  })
}
