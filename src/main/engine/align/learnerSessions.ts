// What every learner works with: the sessions that score responses under policy and reference, and those that train it.
// Before it stand a policy and a learner's losses, after it ppo/ppoLearner.ts and dpo/dpoLearner.ts.
import type { RunConfig } from '../../../shared/runConfig.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { tensorOf } from '../graph/tensor.ts'
import { loraFeeds } from '../models/shared/lora.ts'
import type { Feeds } from '../models/shared/sequenceFeeds.ts'
import { type ResponseGraph, type ResponseGraphOptions, responseGraph, type VlmSource } from '../models/vlmGraphs.ts'
import { type EndedResponse, type RecalledResponse, responseFeeds, seenAgain } from '../rollout/responseFeeds.ts'
import type { LearnerOptions, TokenTerms } from './learner.ts'
import { type AdamWState, adamOptions, type NamedArrays } from './optimiser/adamw.ts'
import { type EpochOptions, trainEpochs } from './optimiser/epochs.ts'
import { learningRate } from './optimiser/learningRate.ts'
import { Training } from './optimiser/training.ts'
import { adapterParameters, type Policy } from './policy.ts'
import { type PolicyScores, ResponseScores } from './responseScores.ts'

/** Where learners differ. */
export interface LearnerLosses {
  readonly objectives: NonNullable<ResponseGraphOptions['objectives']>
  /** Of the log-probabilities that the losses compare. */
  readonly temperature: number
  /** Whether they are over the tokens that the sampler kept, where it cut the vocabulary. */
  readonly amongKept: boolean
  readonly trainsValueHead: boolean
}

/** The graph of a learner's micro-batches. */
export function trainingGraph(
  source: VlmSource,
  { adapter, optimiser }: RunConfig,
  { objectives, amongKept, trainsValueHead }: LearnerLosses,
): ResponseGraph {
  return responseGraph(source, {
    ...{ adapter: { rank: adapter.rank }, recompute: optimiser.recompute, objectives, amongKept },
    ...(trainsValueHead && { valueHead: optimiser.valueWidth }),
  })
}

/** Of given responses, [tokens] for each. */
export interface PolicyAndReference extends PolicyScores {
  readonly referenceLogProbs: readonly Float32Array[]
}

/** What a learner's step goes over. */
export interface StepExamples<Example> extends Pick<EpochOptions<Example>, 'feeds' | 'length' | 'signal'> {
  readonly examples: readonly Example[]
  /** Responses that one example holds; sizes of batches are set in responses. */
  readonly responsesEach: number
  readonly step: number
}

export class LearnerSessions {
  readonly source: VlmSource
  readonly policy: Policy
  readonly options: LearnerOptions
  readonly scores: ResponseScores
  readonly training: Training
  readonly #logProbs: Pick<LearnerLosses, 'temperature' | 'amongKept'>

  private constructor(
    parts: Pick<LearnerSessions, 'source' | 'policy' | 'options' | 'scores' | 'training'>,
    logProbs: Pick<LearnerLosses, 'temperature' | 'amongKept'>,
  ) {
    this.source = parts.source
    this.policy = parts.policy
    this.options = parts.options
    this.scores = parts.scores
    this.training = parts.training
    this.#logProbs = logProbs
  }

  /** @throws StudioError as `OrtSession.open` does, `run.bad-optimiser-state` */
  static async open(
    source: VlmSource,
    policy: Policy,
    options: LearnerOptions,
    losses: LearnerLosses,
  ): Promise<LearnerSessions> {
    const { temperature, amongKept, trainsValueHead } = losses
    const { microBatchSize } = options.config.optimiser
    const { device, threads, workers } = options
    const session = { device, ...(threads !== undefined && { threads }), ...(workers && { workers }) }
    const graph = trainingGraph(source, options.config, losses)
    const group = (name: string, parameters: NamedArrays) => ({
      ...{ parameters, optimiser: adamOptions(options.config) },
      ...(policy.optimisers[name] && { state: policy.optimisers[name] as AdamWState }),
    })
    const groups = {
      adapter: group('adapter', adapterParameters(policy.adapter)),
      ...(trainsValueHead && { valueHead: group('valueHead', Object.fromEntries(policy.valueHead)) }),
    }
    return await openTogether(async (keep) => {
      const scores = await keep(
        ResponseScores.open(source, policy, { ...session, ...{ temperature, amongKept, microBatchSize } }),
      )
      const training = await keep(Training.open(graph, groups, session))
      return new LearnerSessions({ source, policy, options, scores, training }, { temperature, amongKept })
    })
  }

  /** What policy and reference say of the responses before an update. @throws StudioError as {@link ResponseScores} does */
  async score(responses: readonly EndedResponse[], signal: AbortSignal | undefined): Promise<PolicyAndReference> {
    // Asked for together: of several threads, none waits between the two.
    const [scores, referenceLogProbs] = await Promise.all([
      this.scores.ofPolicy(responses, signal),
      this.scores.ofReference(responses, signal),
    ])
    return { ...scores, referenceLogProbs }
  }

  /** Inputs of the training graph that do not depend on the losses. */
  async feeds(responses: readonly RecalledResponse[]): Promise<Feeds> {
    const { temperature, amongKept } = this.#logProbs
    return {
      ...responseFeeds(this.source.config, await seenAgain(responses), temperature, amongKept),
      'lora.scale': tensorOf(loraFeeds(this.policy.adapter), 'lora.scale', 'float32'),
    }
  }

  /**
   * The passes over the examples of a step, by the schedule of the run, to their end or to the target KL.
   * @returns the figures of the step: means over its updates, `klNatsLastEpoch` of π and π_ref, `stoppedEarly`, `updates`,
   *   `skippedUpdates`, and the `learningRate` of the update that comes next
   * @throws StudioError as `trainEpochs` does
   */
  async train<Example>({
    examples,
    responsesEach,
    step,
    ...given
  }: StepExamples<Example>): Promise<Record<string, number>> {
    const { config, rng } = this.options
    const { epochs, minibatchSize, microBatchSize, targetKlNats, valueLearningRate } = config.optimiser
    const inExamples = (responses: number) => Math.max(1, Math.floor(responses / responsesEach))
    const rate = () => this.#adapterRate(inExamples(minibatchSize))
    const { means, lastEpoch, updates, skipped, stoppedEarly } = await trainEpochs(this.training, examples, {
      ...{ epochs, minibatchSize: inExamples(minibatchSize), microBatchSize: inExamples(microBatchSize) },
      ...given,
      rng: rng.fork(step),
      rates: () => ({ adapter: rate(), valueHead: valueLearningRate }),
      isTooFar: ({ approximateKl }) => (approximateKl as number) > targetKlNats,
    })
    return {
      ...means,
      ...(lastEpoch['kl'] !== undefined && { klNatsLastEpoch: lastEpoch['kl'] }),
      ...(stoppedEarly && { stoppedEarly: 1 }),
      ...{ updates, skippedUpdates: skipped, learningRate: rate() },
    }
  }

  /** Of the next update, in a schedule over all that the run can take. */
  #adapterRate(minibatchSize: number): number {
    const { optimiser, reward, rollout } = this.options.config
    const { learningRate: peak, schedule, warmupSteps, rounds, stepsPerRound, epochs, dpoResponses } = optimiser
    // DPO makes one pair of all responses to an image; images whose responses earn the same make none.
    const each = reward.method === 'dpo' ? dpoResponses : 1
    const examples = Math.max(1, Math.floor(rollout.responsesPerStep / each))
    const totalSteps = rounds * stepsPerRound * epochs * Math.ceil(examples / minibatchSize)
    const done = this.training.states['adapter']?.steps ?? 0
    return learningRate({ kind: schedule, peak, warmupSteps, totalSteps }, done)
  }

  async release(): Promise<void> {
    await releaseAll([this.scores, this.training])
  }
}

/** Mean of log π - log π_ref over all tokens, nats a token. */
export function meanLogRatio(rows: readonly TokenTerms[]): number {
  let [sum, tokens] = [0, 0]
  for (const { logProbs, referenceLogProbs } of rows) {
    tokens += logProbs.length
    logProbs.forEach((logProb, t) => {
      sum += logProb - (referenceLogProbs[t] as number)
    })
  }
  return sum / Math.max(1, tokens)
}
