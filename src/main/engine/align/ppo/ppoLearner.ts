// One step of PPO on rewarded rollouts (method, section 4): reference and values, KL and advantages, then epochs of
// minibatches. Before it stand token rewards, after it the next rollouts and the checkpoint.
import type { RunConfig } from '../../../../shared/runConfig.ts'
import { tensor } from '../../graph/ortSession.ts'
import { concat } from '../../graph/typedValues.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import type { VlmSource } from '../../models/vlmGraphs.ts'
import { columnsOf } from '../../rollout/responseFeeds.ts'
import { cutsVocabulary } from '../../rollout/sampler.ts'
import type { Learner, LearnerOptions, RewardedRollout, TokenTerms, UpdateReport } from '../learner.ts'
import { type LearnerLosses, LearnerSessions, meanLogRatio } from '../learnerSessions.ts'
import { adamOptions } from '../optimiser/adamw.ts'
import type { Policy } from '../policy.ts'
import {
  type AdvantageOptions,
  estimateAdvantages,
  explainedVariance,
  normaliseAdvantages,
  penaliseKl,
} from './advantages.ts'
import { ppoObjectives } from './ppoLoss.ts'
import { warmUpValueHead } from './valueWarmup.ts'

/** A rollout with the terms of its loss. */
interface Example extends RewardedRollout, TokenTerms {
  readonly values: Float32Array
  readonly advantages: Float32Array
  readonly returns: Float32Array
}

export function ppoLosses({ optimiser, rollout }: RunConfig): LearnerLosses {
  const { clipRange, valueClipRange, entropyCoefficient } = optimiser
  const objectives = ppoObjectives({
    ...{ clipRange, valueClipRange, entropyCoefficient },
    // The head has an optimiser of its own, so its weight in a common loss has no meaning here.
    valueCoefficient: 1,
    klCoefficient: 0,
    detachValue: true,
  })
  // π, π_old and π_ref are all taken over what the sampler drew from, so that their ratios are those of one choice.
  const amongKept = cutsVocabulary(rollout)
  return { objectives, temperature: rollout.temperature, amongKept, trainsValueHead: true }
}

export class PpoLearner implements Learner {
  readonly #sessions: LearnerSessions

  private constructor(sessions: LearnerSessions) {
    this.#sessions = sessions
  }

  /** @throws StudioError as `LearnerSessions.open` does */
  static async open(source: VlmSource, policy: Policy, options: LearnerOptions): Promise<PpoLearner> {
    return new PpoLearner(await LearnerSessions.open(source, policy, options, ppoLosses(options.config)))
  }

  get states(): Learner['states'] {
    return this.#sessions.training.states
  }

  /**
   * Teaches the value head on rollouts whose rewards are known: the discounted sum of their rewards with the KL taken off,
   * which is what updates ask of it. After a response that was cut off comes what the head expected there before, so a
   * new head, which says 0 of everything, learns the sum of what was seen.
   * @returns its mean squared error before and after
   */
  async warmUp(rollouts: readonly RewardedRollout[], signal?: AbortSignal): Promise<{ before: number; after: number }> {
    const { policy, scores, options } = this.#sessions
    const { device, threads, config } = options
    const { klCoefficient, valueWarmupSteps, valueLearningRate } = config.optimiser
    const { logProbs, valuesAfter, hidden } = await scores.ofPolicyWithStates(rollouts, signal)
    const referenceLogProbs = await scores.ofReference(rollouts, signal)
    const returns = rollouts.map((rollout, i) => {
      const [of, reference] = [logProbs[i] as Float32Array, referenceLogProbs[i] as Float32Array]
      const { rewards } = penaliseKl(rollout.rewards, of, reference, klCoefficient)
      const unknown = new Float32Array(rewards.length)
      const monteCarlo = { ...this.#advantageOptions(rollout), lambda: 1 }
      return estimateAdvantages(rewards, unknown, monteCarlo, valuesAfter[i]).returns
    })
    return await warmUpValueHead(
      policy.valueHead,
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
    const explained = explainedVariance(
      examples.map(({ returns }) => returns),
      examples.map(({ values }) => values),
    )
    const figures = await this.#sessions.train({
      ...{ examples, responsesEach: 1, step, signal },
      feeds: (batch, minibatch) => this.#feeds(batch, tokensIn(minibatch)),
      length: columnsOf,
    })
    return {
      klNats: meanLogRatio(examples),
      metrics: { ...figures, ...(explained !== null && { explainedVariance: explained }) },
      rows: examples,
    }
  }

  async release(): Promise<void> {
    await this.#sessions.release()
  }

  /** Reference, values, KL, advantages: all that is known before the first gradient. */
  async #examples(rollouts: readonly RewardedRollout[], signal: AbortSignal | undefined): Promise<Example[]> {
    const { klCoefficient } = this.#sessions.options.config.optimiser
    const scores = await this.#sessions.score(rollouts, signal)
    const rows = rollouts.map((rollout, i) => {
      const logProbs = scores.logProbs[i] as Float32Array
      const referenceLogProbs = scores.referenceLogProbs[i] as Float32Array
      const values = scores.values[i] as Float32Array
      const { rewards } = penaliseKl(rollout.rewards, logProbs, referenceLogProbs, klCoefficient)
      const estimated = estimateAdvantages(rewards, values, this.#advantageOptions(rollout), scores.valuesAfter[i])
      return { ...rollout, logProbs, referenceLogProbs, rewards, values, ...estimated }
    })
    const { learnsOpening } = this.#sessions.options.config.optimiser
    const normalised = normaliseAdvantages(
      rows.map(({ advantages }) => advantages),
      rows.map(({ opening }) => (learnsOpening ? 0 : opening)),
    )
    return rows.map((row, i) => ({ ...row, advantages: normalised[i] as Float32Array }))
  }

  #advantageOptions({ mentionEnds }: RewardedRollout): AdvantageOptions {
    const { discount, gamma, lambda } = this.#sessions.options.config.optimiser
    return { gamma, lambda, stepEnds: discount === 'mention' ? mentionEnds : undefined }
  }

  async #feeds(batch: readonly Example[], tokensOfMinibatch: number): Promise<Feeds> {
    return {
      ...(await this.#sessions.feeds(batch)),
      ...rowsOf(batch),
      token_weight: tensor('float32', [], [1 / tokensOfMinibatch]),
    }
  }
}

function tokensIn(responses: readonly RewardedRollout[]): number {
  return responses.reduce((count, { tokens }) => count + tokens.length, 0)
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
