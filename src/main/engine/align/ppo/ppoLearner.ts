// One step of PPO on rewarded rollouts (method, section 4): reference and values, KL and advantages, then epochs of
// minibatches. Before it stand token rewards, after it the next rollouts and the checkpoint.
import { tensor } from '../../graph/ortSession.ts'
import { openTogether, releaseAll } from '../../graph/resources.ts'
import { tensorOf } from '../../graph/tensor.ts'
import { loraFeeds } from '../../models/shared/lora.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import { responseGraph, type VlmSource } from '../../models/vlmGraphs.ts'
import { responseFeeds } from '../../rollout/responseFeeds.ts'
import type { Learner, LearnerOptions, RewardedRollout, TokenTerms, UpdateReport } from '../learner.ts'
import { type AdamWState, adamOptions } from '../optimiser/adamw.ts'
import { learningRate } from '../optimiser/learningRate.ts'
import { Training } from '../optimiser/training.ts'
import { adapterParameters, type Policy } from '../policy.ts'
import { ResponseScores } from '../responseScores.ts'
import { estimateAdvantages, normaliseAdvantages, penaliseKl } from './advantages.ts'
import { ppoObjectives } from './ppoLoss.ts'
import { warmUpValueHead } from './valueWarmup.ts'

/** A rollout with the terms of its loss. */
interface Example extends RewardedRollout, TokenTerms {
  readonly values: Float32Array
  readonly advantages: Float32Array
  readonly returns: Float32Array
}

export class PpoLearner implements Learner {
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
  static async open(source: VlmSource, policy: Policy, options: LearnerOptions): Promise<PpoLearner> {
    const { optimiser, rollout } = options.config
    const session = { device: options.device, ...(options.threads !== undefined && { threads: options.threads }) }
    const graph = responseGraph(source, {
      adapter: { rank: policy.adapter.rank },
      valueHead: optimiser.valueWidth,
      recompute: optimiser.recompute,
      objectives: ppoObjectives({
        clipRange: optimiser.clipRange,
        valueClipRange: optimiser.valueClipRange,
        // The head has an optimiser of its own, so its weight in a common loss has no meaning here.
        valueCoefficient: 1,
        klCoefficient: 0,
        entropyCoefficient: optimiser.entropyCoefficient,
        detachValue: true,
      }),
    })
    const group = (name: string) => ({
      optimiser: adamOptions(options.config),
      ...(policy.optimisers[name] && { state: policy.optimisers[name] as AdamWState }),
    })
    const groups = {
      adapter: { parameters: adapterParameters(policy.adapter), ...group('adapter') },
      valueHead: { parameters: Object.fromEntries(policy.valueHead), ...group('valueHead') },
    }
    return await openTogether(async (keep) => {
      const scores = await keep(
        ResponseScores.open(source, policy, {
          ...session,
          temperature: rollout.temperature,
          microBatchSize: optimiser.microBatchSize,
        }),
      )
      return new PpoLearner(source, policy, scores, await keep(Training.open(graph, groups, session)), options)
    })
  }

  get states(): Learner['states'] {
    return this.#training.states
  }

  /** Teaches the value head on rollouts whose rewards are known, before the first update. */
  async warmUp(rollouts: readonly RewardedRollout[], signal?: AbortSignal): Promise<{ before: number; after: number }> {
    const { device, threads, config } = this.#options
    const { gamma, valueWarmupSteps, valueLearningRate } = config.optimiser
    const hidden = await this.#scores.hiddenStates(rollouts, signal)
    const returns = rollouts.map(
      ({ rewards }) => estimateAdvantages(rewards, new Float32Array(rewards.length), { gamma, lambda: 1 }).returns,
    )
    return await warmUpValueHead(
      this.#policy.valueHead,
      { hidden: concat(hidden), returns: concat(returns) },
      {
        ...{ device, steps: valueWarmupSteps, learningRate: valueLearningRate, optimiser: adamOptions(config) },
        ...(threads !== undefined && { threads }),
        ...(signal && { signal }),
      },
    )
  }

  async update(rollouts: readonly RewardedRollout[], step: number, signal?: AbortSignal): Promise<UpdateReport> {
    const examples = await this.#examples(rollouts, signal)
    const { optimiser } = this.#options.config
    const rng = this.#options.rng.fork(step)
    const sums = new Map<string, number>()
    let [updates, skipped] = [0, 0]
    epochs: for (let epoch = 0; epoch < optimiser.epochs; epoch++) {
      const order = examples.map((_, i) => i)
      rng.shuffle(order)
      for (let start = 0; start < order.length; start += optimiser.minibatchSize) {
        const minibatch = order.slice(start, start + optimiser.minibatchSize).map((i) => examples[i] as Example)
        const found = await this.#minibatch(minibatch, signal)
        // The gradients of a move that is already too far are not taken.
        if ((found['approximateKl'] as number) > optimiser.targetKlNats) {
          sums.set('stoppedEarly', 1)
          this.#training.discard()
          break epochs
        }
        const { adapter } = this.#training.step({
          adapter: this.#rate(),
          valueHead: optimiser.valueLearningRate,
        })
        if (adapter?.isSkipped) skipped++
        updates++
        for (const [name, value] of Object.entries({ ...found, gradientNorm: adapter?.gradientNorm ?? 0 })) {
          sums.set(name, (sums.get(name) ?? 0) + value)
        }
      }
    }
    const means = [...sums].map(([name, sum]) => [name, name === 'stoppedEarly' ? sum : sum / Math.max(1, updates)])
    const tokens = examples.reduce((count, { tokens }) => count + tokens.length, 0)
    const klSum = examples.reduce((sum, one) => sum + sumOf(one.logProbs) - sumOf(one.referenceLogProbs), 0)
    return {
      klNats: klSum / Math.max(1, tokens),
      metrics: { ...Object.fromEntries(means), updates, skippedUpdates: skipped, learningRate: this.#rate() },
      rows: examples,
    }
  }

  async release(): Promise<void> {
    await releaseAll([this.#scores, this.#training])
  }

  /** Reference, values, KL, advantages: all that is known before the first gradient. */
  async #examples(rollouts: readonly RewardedRollout[], signal: AbortSignal | undefined): Promise<Example[]> {
    const { gamma, lambda, klCoefficient } = this.#options.config.optimiser
    const { logProbs, values } = await this.#scores.ofPolicy(rollouts, signal)
    const reference = await this.#scores.ofReference(rollouts, signal)
    const rows = rollouts.map((rollout, i) => {
      const terms = { logProbs: logProbs[i] as Float32Array, referenceLogProbs: reference[i] as Float32Array }
      const { rewards } = penaliseKl(rollout.rewards, terms.logProbs, terms.referenceLogProbs, klCoefficient)
      return {
        ...rollout,
        ...terms,
        rewards,
        ...estimateAdvantages(rewards, values[i] as Float32Array, { gamma, lambda }),
      }
    })
    const normalised = normaliseAdvantages(rows.map(({ advantages }) => advantages))
    return rows.map((row, i) => ({
      ...row,
      values: values[i] as Float32Array,
      advantages: normalised[i] as Float32Array,
    }))
  }

  /** Gradients of one minibatch, in micro-batches. @returns its losses and other scalars */
  async #minibatch(minibatch: readonly Example[], signal: AbortSignal | undefined): Promise<Record<string, number>> {
    const { rollout, optimiser } = this.#options.config
    const tokens = minibatch.reduce((count, one) => count + one.tokens.length, 0)
    const totals: Record<string, number> = {}
    for (let start = 0; start < minibatch.length; start += optimiser.microBatchSize) {
      const batch = minibatch.slice(start, start + optimiser.microBatchSize)
      const feeds: Feeds = {
        ...responseFeeds(this.#source.config, batch, rollout.temperature),
        ...rowsOf(batch),
        'lora.scale': tensorOf(loraFeeds(this.#policy.adapter), 'lora.scale', 'float32'),
        token_weight: tensor('float32', [], [1 / tokens]),
      }
      for (const [name, value] of Object.entries(await this.#training.accumulate(feeds, signal))) {
        totals[name] = (totals[name] ?? 0) + value
      }
    }
    return totals
  }

  #rate(): number {
    const {
      learningRate: peak,
      schedule,
      warmupSteps,
      rounds,
      stepsPerRound,
      epochs,
      minibatchSize,
    } = this.#options.config.optimiser
    const perStep = epochs * Math.ceil(this.#options.config.rollout.responsesPerStep / minibatchSize)
    const totalSteps = rounds * stepsPerRound * perStep
    return learningRate({ kind: schedule, peak, warmupSteps, totalSteps }, this.states['adapter']?.steps ?? 0)
  }
}

/** The inputs of the PPO losses, [rows] each. */
function rowsOf(batch: readonly Example[]): Feeds {
  const rows = (of: (example: Example) => Float32Array) => {
    const values = concat(batch.map(of))
    return tensor('float32', [values.length], values)
  }
  return {
    old_log_probs: rows(({ logProbs }) => logProbs),
    reference_log_probs: rows(({ referenceLogProbs }) => referenceLogProbs),
    advantages: rows(({ advantages }) => advantages),
    returns: rows(({ returns }) => returns),
    old_values: rows(({ values }) => values),
  }
}

function concat(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((length, array) => length + array.length, 0))
  let at = 0
  for (const array of arrays) {
    joined.set(array, at)
    at += array.length
  }
  return joined
}

function sumOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}
