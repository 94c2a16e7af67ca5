// Which learner a method of reward takes. Before it stand a policy and its config, after it the loop (run/align.ts),
// which knows learner.ts alone.
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import { DpoLearner } from './dpo/dpoLearner.ts'
import type { Learner, LearnerOptions } from './learner.ts'
import type { Policy } from './policy.ts'
import { PpoLearner } from './ppo/ppoLearner.ts'

type Open = (source: VlmSource, policy: Policy, options: LearnerOptions) => Promise<Learner>

/** `none` takes no step; its learner only keeps the policy's form. */
const learners: Readonly<Record<RunConfig['reward']['method'], Open>> = {
  token: PpoLearner.open,
  sentence: PpoLearner.open,
  dpo: DpoLearner.open,
  none: PpoLearner.open,
}

/** @throws StudioError as `OrtSession.open` does, `run.bad-optimiser-state` */
export function openLearner(source: VlmSource, policy: Policy, options: LearnerOptions): Promise<Learner> {
  return learners[options.config.reward.method](source, policy, options)
}
