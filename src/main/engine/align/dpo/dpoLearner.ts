// Direct preference optimisation on responses that the model ranks itself (Rafailov et al. 2023; self-ranking as in
// CSR, Zhou et al. 2024): the baseline that PPO is compared with, behind the same interface.
import type { RunConfig } from '../../../../shared/runConfig.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import { tensor } from '../../graph/ortSession.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { concat } from '../../graph/typedValues.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import type { Objective, ResponseTerms, VlmSource } from '../../models/vlmGraphs.ts'
import { columnsOf } from '../../rollout/responseFeeds.ts'
import type { Learner, LearnerOptions, RewardedRollout, TokenTerms, UpdateReport } from '../learner.ts'
import { type LearnerLosses, LearnerSessions, meanLogRatio } from '../learnerSessions.ts'
import type { Policy } from '../policy.ts'
import { k3, tokenMean } from '../tokenTerms.ts'

type ScoredRollout = RewardedRollout & Pick<TokenTerms, 'logProbs' | 'referenceLogProbs'>

/** Two responses to one image, and their tokens' log-probabilities before the step and under the reference. */
export interface Preference {
  readonly chosen: ScoredRollout
  readonly rejected: ScoredRollout
}

/**
 * loss = -log σ(β (Δ(chosen) - Δ(rejected))), Δ(y) = Σ_t log π(y_t) - log π_ref(y_t)   (Rafailov et al., equation 7)
 *
 * Inputs: `reference_log_probs` and `old_log_probs` [rows]; `token_weight`; `pair_signs` [pairs, rows], 1 on the tokens
 * of a pair's chosen response, -1 on those of its rejected one, 0 elsewhere; `pair_weight`, 1 over the pairs of the whole
 * minibatch. Outputs besides the loss: `margin`, the mean of the difference, `accuracy`, the share of pairs in which it
 * is positive, and as PPO has them `kl` and `approximateKl`, of the tokens of the best and the worst responses alone.
 */
export function dpoObjectives(beta: number) {
  return (g: GraphBuilder, { logProbs }: ResponseTerms): Record<string, Objective> => {
    const { cast, greater, matMul, mul, neg, reduceSum, reshape, softplus, sub } = tensorOps(g)
    const signs = g.input('pair_signs', 'float32', ['pairs', 'rows'])
    const weight = g.input('pair_weight', 'float32', [])
    const rows = (name: string) => g.input(name, 'float32', ['rows'])
    const reference = rows('reference_log_probs')
    const moved = sub(logProbs, reference)
    const margins = reshape(matMul(signs, reshape(moved, ['rows', 1])), ['pairs'])
    const mean = (x: typeof margins) => mul(reduceSum(x, [0]), weight)
    const overTokens = tokenMean(g)
    return {
      loss: { loss: mean(softplus(neg(mul(margins, beta)))), trains: ['adapter'] },
      margin: { loss: mean(margins), trains: [] },
      accuracy: { loss: mean(cast(greater(margins, 0), 'float32')), trains: [] },
      kl: { loss: overTokens(k3(g, sub(reference, logProbs))), trains: [] },
      approximateKl: { loss: overTokens(k3(g, sub(logProbs, rows('old_log_probs')))), trains: [] },
    }
  }
}

/** The best and the worst response of each group by the sum of their rewards; groups of equal ones give no pair. */
export function preferences<Rollout extends RewardedRollout>(
  rollouts: readonly Rollout[],
): { chosen: Rollout; rejected: Rollout }[] {
  const groups = new Map<string, Rollout[]>()
  for (const rollout of rollouts) groups.set(rollout.group, [...(groups.get(rollout.group) ?? []), rollout])
  return [...groups.values()].flatMap((responses) => {
    const ranked = responses
      .map((response) => ({ response, reward: response.rewards.reduce((sum, reward) => sum + reward, 0) }))
      .sort((a, b) => b.reward - a.reward)
    const [best, worst] = [ranked[0], ranked.at(-1)]
    if (!best || !worst || best.reward === worst.reward) return []
    return [{ chosen: best.response, rejected: worst.response }]
  })
}

export function dpoLosses({ optimiser }: RunConfig): LearnerLosses {
  return {
    objectives: dpoObjectives(optimiser.dpoBeta),
    // The likelihood of a response is its own, however it was sampled.
    ...{ temperature: 1, amongKept: false, trainsValueHead: false },
  }
}

export class DpoLearner implements Learner {
  readonly #sessions: LearnerSessions

  private constructor(sessions: LearnerSessions) {
    this.#sessions = sessions
  }

  /** @throws StudioError as `LearnerSessions.open` does */
  static async open(source: VlmSource, policy: Policy, options: LearnerOptions): Promise<DpoLearner> {
    return new DpoLearner(await LearnerSessions.open(source, policy, options, dpoLosses(options.config)))
  }

  get states(): Learner['states'] {
    return this.#sessions.training.states
  }

  /** Preferences expect nothing of a response before it is compared. */
  async warmUp(): Promise<void> {}

  async update(rollouts: readonly RewardedRollout[], step: number, signal?: AbortSignal): Promise<UpdateReport> {
    const { logProbs, referenceLogProbs } = await this.#sessions.score(rollouts, signal)
    const rows = rollouts.map((rollout, i) => ({
      ...rollout,
      logProbs: logProbs[i] as Float32Array,
      referenceLogProbs: referenceLogProbs[i] as Float32Array,
    }))
    const pairs = preferences(rows)
    const figures = await this.#sessions.train({
      ...{ examples: pairs, responsesEach: 2, step, signal },
      feeds: (batch, minibatch) => this.#feeds(batch, minibatch),
      length: ({ chosen, rejected }) => Math.max(columnsOf(chosen), columnsOf(rejected)),
    })
    return { klNats: meanLogRatio(rows), metrics: { ...figures, pairs: pairs.length }, rows }
  }

  async release(): Promise<void> {
    await this.#sessions.release()
  }

  async #feeds(batch: readonly Preference[], minibatch: readonly Preference[]): Promise<Feeds> {
    const responses = batch.flatMap(({ chosen, rejected }) => [chosen, rejected])
    return { ...(await this.#sessions.feeds(responses)), ...pairFeeds(batch, minibatch) }
  }
}

/**
 * The inputs of {@link dpoObjectives} for a batch whose rows are the responses of its pairs, chosen first.
 * @param minibatch the whole of it, over which the means are taken
 */
export function pairFeeds(batch: readonly Preference[], minibatch: readonly Preference[]): Feeds {
  const responses = batch.flatMap(({ chosen, rejected }) => [chosen, rejected])
  const rows = (of: (response: ScoredRollout) => Float32Array) => {
    const values = concat(responses.map(of))
    return tensor('float32', [values.length], values)
  }
  const count = tokensIn(batch)
  const signs = new Float32Array(batch.length * count)
  let at = 0
  for (const [i, { tokens }] of responses.entries()) {
    const pair = Math.floor(i / 2)
    signs.fill(i % 2 === 0 ? 1 : -1, pair * count + at, pair * count + at + tokens.length)
    at += tokens.length
  }
  return {
    reference_log_probs: rows(({ referenceLogProbs }) => referenceLogProbs),
    old_log_probs: rows(({ logProbs }) => logProbs),
    token_weight: tensor('float32', [], [1 / tokensIn(minibatch)]),
    pair_signs: tensor('float32', [batch.length, count], signs),
    pair_weight: tensor('float32', [], [1 / minibatch.length]),
  }
}

function tokensIn(pairs: readonly Preference[]): number {
  return pairs.reduce((count, { chosen, rejected }) => count + chosen.tokens.length + rejected.tokens.length, 0)
}
