// Direct preference optimisation on responses that the model ranks itself (Rafailov et al. 2023; self-ranking as in
// CSR, Zhou et al. 2024): the baseline that PPO is compared with, behind the same interface.
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import { tensor } from '../../graph/ortSession.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import type { Objective, ResponseTerms, VlmSource } from '../../models/vlmGraphs.ts'
import type { Learner, LearnerOptions, RewardedRollout, TokenTerms, UpdateReport } from '../learner.ts'
import { LearnerSessions } from '../learnerSessions.ts'
import { trainEpochs } from '../optimiser/epochs.ts'
import type { Policy } from '../policy.ts'

/** Two responses to one image, and their tokens' log-probabilities under the reference. */
export interface Preference {
  readonly chosen: RewardedRollout & { readonly referenceLogProbs: Float32Array }
  readonly rejected: RewardedRollout & { readonly referenceLogProbs: Float32Array }
}

/**
 * loss = -log σ(β (Δ(chosen) - Δ(rejected))), Δ(y) = Σ_t log π(y_t) - log π_ref(y_t)   (Rafailov et al., equation 7)
 *
 * Inputs: `reference_log_probs` [rows]; `pair_signs` [pairs, rows], 1 on the tokens of a pair's chosen response, -1 on
 * those of its rejected one, 0 elsewhere; `pair_weight`, 1 over the pairs of the whole minibatch. Outputs besides the
 * loss: `margin`, the mean of the difference, and `accuracy`, the share of pairs in which it is positive.
 */
export function dpoObjectives(beta: number) {
  return (g: GraphBuilder, { logProbs }: ResponseTerms): Record<string, Objective> => {
    const { cast, greater, matMul, mul, neg, reduceSum, reshape, softplus, sub } = tensorOps(g)
    const signs = g.input('pair_signs', 'float32', ['pairs', 'rows'])
    const weight = g.input('pair_weight', 'float32', [])
    const moved = sub(logProbs, g.input('reference_log_probs', 'float32', ['rows']))
    const margins = reshape(matMul(signs, reshape(moved, ['rows', 1])), ['pairs'])
    const mean = (x: typeof margins) => mul(reduceSum(x, [0]), weight)
    return {
      loss: { loss: mean(softplus(neg(mul(margins, beta)))), trains: ['adapter'] },
      margin: { loss: mean(margins), trains: [] },
      accuracy: { loss: mean(cast(greater(margins, 0), 'float32')), trains: [] },
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

export class DpoLearner implements Learner {
  readonly #sessions: LearnerSessions

  private constructor(sessions: LearnerSessions) {
    this.#sessions = sessions
  }

  /** @throws StudioError as `LearnerSessions.open` does */
  static async open(source: VlmSource, policy: Policy, options: LearnerOptions): Promise<DpoLearner> {
    const losses = {
      objectives: dpoObjectives(options.config.optimiser.dpoBeta),
      // The likelihood of a response is its own, however it was sampled.
      ...{ temperature: 1, amongKept: false, trainsValueHead: false },
    }
    return new DpoLearner(await LearnerSessions.open(source, policy, options, losses))
  }

  get states(): Learner['states'] {
    return this.#sessions.training.states
  }

  /** Preferences expect nothing of a response before it is compared. */
  async warmUp(): Promise<void> {}

  async update(rollouts: readonly RewardedRollout[], step: number, signal?: AbortSignal): Promise<UpdateReport> {
    const { options, training } = this.#sessions
    const { epochs, minibatchSize, microBatchSize, learningRate } = options.config.optimiser
    const { logProbs, referenceLogProbs } = await this.#sessions.score(rollouts, signal)
    const rows = rollouts.map((rollout, i) => ({
      ...rollout,
      logProbs: logProbs[i] as Float32Array,
      referenceLogProbs: referenceLogProbs[i] as Float32Array,
    }))
    const pairs = preferences(rows)
    const { means, updates } = await trainEpochs(training, pairs, {
      ...{ epochs, minibatchSize: pairsIn(minibatchSize), microBatchSize: pairsIn(microBatchSize), signal },
      rng: options.rng.fork(step),
      feeds: (batch, minibatch) => this.#feeds(batch, minibatch.length),
      rates: () => ({ adapter: learningRate }),
    })
    return { klNats: meanLogRatio(rows), metrics: { ...means, updates, pairs: pairs.length, learningRate }, rows }
  }

  async release(): Promise<void> {
    await this.#sessions.release()
  }

  #feeds(batch: readonly Preference[], pairsOfMinibatch: number): Feeds {
    const responses = batch.flatMap(({ chosen, rejected }) => [chosen, rejected])
    return { ...this.#sessions.feeds(responses), ...pairFeeds(batch, pairsOfMinibatch) }
  }
}

/** A pair is two responses. */
function pairsIn(responses: number): number {
  return Math.max(1, Math.floor(responses / 2))
}

/** Mean of log π - log π_ref over all tokens, nats a token. */
function meanLogRatio(rows: readonly TokenTerms[]): number {
  let [sum, tokens] = [0, 0]
  for (const { logProbs, referenceLogProbs } of rows) {
    tokens += logProbs.length
    logProbs.forEach((logProb, t) => {
      sum += logProb - (referenceLogProbs[t] as number)
    })
  }
  return sum / Math.max(1, tokens)
}

/** The inputs of {@link dpoObjectives} for a batch whose rows are the responses of its pairs, chosen first. */
export function pairFeeds(batch: readonly Preference[], pairsOfMinibatch: number): Feeds {
  const rows = batch.flatMap(({ chosen, rejected }, pair) =>
    [chosen, rejected].map((response, i) => ({ pair, sign: i === 0 ? 1 : -1, reference: response.referenceLogProbs })),
  )
  const count = rows.reduce((sum, { reference }) => sum + reference.length, 0)
  const signs = new Float32Array(batch.length * count)
  const reference = new Float32Array(count)
  let at = 0
  for (const row of rows) {
    signs.fill(row.sign, row.pair * count + at, row.pair * count + at + row.reference.length)
    reference.set(row.reference, at)
    at += row.reference.length
  }
  return {
    reference_log_probs: tensor('float32', [count], reference),
    pair_signs: tensor('float32', [batch.length, count], signs),
    pair_weight: tensor('float32', [], [1 / pairsOfMinibatch]),
  }
}
