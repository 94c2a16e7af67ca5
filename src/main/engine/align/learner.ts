// What the loop asks of a way to learn from rollouts. The loop does not know which one it drives (openLearner.ts chooses),
// so token-level, sentence-level and preference learning run in the same harness.
import type { DeviceName } from '../../../shared/hardware.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { Workers } from '../pool/workers.ts'
import type { Rng } from '../rng.ts'
import type { EndedResponse } from '../rollout/responseFeeds.ts'
import type { AdamWState } from './optimiser/adamw.ts'

/** A response of the policy with what it earned. */
export interface RewardedRollout extends EndedResponse {
  /** The image that it describes: responses of one group can be compared. */
  readonly group: string
  /** [tokens]; a sentence-level reward lies on the last token alone. */
  readonly rewards: Float32Array
  /** Which tokens are the last of an object word; the time of a discount by mentions passes after them. */
  readonly mentionEnds: readonly number[]
  /** Tokens before the first object word; 0 where it names none. */
  readonly opening: number
}

/** What an update did; each figure is a mean over the response tokens or responses that it used. */
export interface UpdateReport {
  /** KL(π ‖ π_ref) before the update, estimated on the sampled tokens, nats a token. */
  readonly klNats: number
  readonly metrics: Readonly<Record<string, number>>
  /** For each rollout its tokens' log-probabilities, those of the reference, and the reward with the KL taken off. */
  readonly rows: readonly TokenTerms[]
}

/** Figures of one response's tokens, [tokens] each. */
export interface TokenTerms {
  readonly logProbs: Float32Array
  readonly referenceLogProbs: Float32Array
  readonly rewards: Float32Array
}

export interface LearnerOptions {
  readonly device: DeviceName
  readonly threads?: number
  /** Who computes micro-batches; this thread when left out. */
  readonly workers?: Workers
  readonly config: RunConfig
  /** Forked for each step, so that the order of minibatches follows from the step alone. */
  readonly rng: Rng
}

export interface Learner {
  /**
   * Before the first update of a round: learns what to expect of the policy's responses, where a learner expects
   * anything. @throws StudioError `run.cancelled`
   */
  warmUp(rollouts: readonly RewardedRollout[], signal?: AbortSignal): Promise<unknown>
  /** Changes adapter (and value head) in place. @throws StudioError `run.cancelled` */
  update(rollouts: readonly RewardedRollout[], step: number, signal?: AbortSignal): Promise<UpdateReport>
  /** Of its optimisers, by group; what a resumed run needs. Arrays are the optimisers' own. */
  readonly states: Readonly<Record<string, AdamWState>>
  release(): Promise<void>
}
