// Direct preference optimisation on responses that the model ranks itself (Rafailov et al. 2023; self-ranking as in
// CSR, Zhou et al. 2024): the baseline that PPO is compared with, behind the same interface.
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import { tensor } from '../../graph/ortSession.ts'
import { openTogether, releaseAll } from '../../graph/resources.ts'
import { tensorOf } from '../../graph/tensor.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { loraFeeds } from '../../models/shared/lora.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import { type Objective, type ResponseTerms, responseGraph, type VlmSource } from '../../models/vlmGraphs.ts'
import { responseFeeds } from '../../rollout/responseFeeds.ts'
import type { Learner, LearnerOptions, RewardedRollout, UpdateReport } from '../learner.ts'
import { type AdamWState, adamOptions } from '../optimiser/adamw.ts'
import { Training } from '../optimiser/training.ts'
import { adapterParameters, type Policy } from '../policy.ts'
import { ResponseScores } from '../responseScores.ts'

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
  readonly #source: VlmSource
  readonly #policy: Policy
  readonly #scores: ResponseScores
  readonly #training: Training
  readonly #options: LearnerOptions

  private constructor(
    source: VlmSource,
    policy: Policy,
    scores: ResponseScores,
    training: Training,
    options: LearnerOptions,
  ) {
    this.#source = source
    this.#policy = policy
    this.#scores = scores
    this.#training = training
    this.#options = options
  }

  /** @throws StudioError as `OrtSession.open` does, `run.bad-optimiser-state` */
  static async open(source: VlmSource, policy: Policy, options: LearnerOptions): Promise<DpoLearner> {
    const { optimiser } = options.config
    const session = { device: options.device, ...(options.threads !== undefined && { threads: options.threads }) }
    const graph = responseGraph(source, {
      adapter: { rank: policy.adapter.rank },
      recompute: optimiser.recompute,
      objectives: dpoObjectives(optimiser.dpoBeta),
    })
    const state = policy.optimisers['adapter'] as AdamWState | undefined
    const group = {
      parameters: adapterParameters(policy.adapter),
      optimiser: adamOptions(options.config),
      ...(state && { state }),
    }
    return await openTogether(async (keep) => {
      // The likelihood of a response is its own, whatever temperature it was sampled at.
      const scores = await keep(
        ResponseScores.open(source, policy, {
          ...session,
          temperature: 1,
          microBatchSize: optimiser.microBatchSize,
        }),
      )
      const training = await keep(Training.open(graph, { adapter: group }, session))
      return new DpoLearner(source, policy, scores, training, options)
    })
  }

  get states(): Learner['states'] {
    return this.#training.states
  }

  async update(rollouts: readonly RewardedRollout[], step: number, signal?: AbortSignal): Promise<UpdateReport> {
    const { logProbs } = await this.#scores.ofPolicy(rollouts, signal)
    const reference = await this.#scores.ofReference(rollouts, signal)
    const scored = rollouts.map((rollout, i) => ({ ...rollout, referenceLogProbs: reference[i] as Float32Array }))
    const pairs = preferences(scored)
    const { epochs, minibatchSize, learningRate } = this.#options.config.optimiser
    const rng = this.#options.rng.fork(step)
    const sums = new Map<string, number>()
    let updates = 0
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = [...pairs]
      rng.shuffle(order)
      // A pair is two responses.
      const pairsAtOnce = Math.max(1, Math.floor(minibatchSize / 2))
      for (let start = 0; start < order.length; start += pairsAtOnce) {
        const found = await this.#minibatch(order.slice(start, start + pairsAtOnce), signal)
        const { adapter } = this.#training.step({ adapter: learningRate })
        updates++
        for (const [name, value] of Object.entries({ ...found, gradientNorm: adapter?.gradientNorm ?? 0 })) {
          sums.set(name, (sums.get(name) ?? 0) + value)
        }
      }
    }
    let [klSum, tokens] = [0, 0]
    rollouts.forEach((rollout, i) => {
      tokens += rollout.tokens.length
      logProbs[i]?.forEach((logProb, t) => {
        klSum += logProb - (reference[i]?.[t] as number)
      })
    })
    const means = [...sums].map(([name, sum]) => [name, sum / Math.max(1, updates)])
    return {
      klNats: klSum / Math.max(1, tokens),
      metrics: { ...Object.fromEntries(means), updates, pairs: pairs.length, learningRate },
      rows: scored.map((one, i) => ({ ...one, logProbs: logProbs[i] as Float32Array })),
    }
  }

  async release(): Promise<void> {
    await releaseAll([this.#scores, this.#training])
  }

  async #minibatch(pairs: readonly Preference[], signal: AbortSignal | undefined): Promise<Record<string, number>> {
    const pairsInMemory = Math.max(1, Math.floor(this.#options.config.optimiser.microBatchSize / 2))
    const totals: Record<string, number> = {}
    for (let start = 0; start < pairs.length; start += pairsInMemory) {
      const batch = pairs.slice(start, start + pairsInMemory)
      const feeds: Feeds = {
        ...responseFeeds(
          this.#source.config,
          batch.flatMap(({ chosen, rejected }) => [chosen, rejected]),
          1,
        ),
        ...pairFeeds(batch, pairs.length),
        'lora.scale': tensorOf(loraFeeds(this.#policy.adapter), 'lora.scale', 'float32'),
      }
      for (const [name, value] of Object.entries(await this.#training.accumulate(feeds, signal))) {
        totals[name] = (totals[name] ?? 0) + value
      }
    }
    return totals
  }
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
