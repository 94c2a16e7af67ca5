// Which learner a method of reward takes. Before it stand a policy and its config, after it the loop (run/align.ts),
// which knows learner.ts alone.
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { Graph } from '../graph/ir.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import { DpoLearner, dpoLosses } from './dpo/dpoLearner.ts'
import type { Learner, LearnerOptions } from './learner.ts'
import { type LearnerLosses, trainingGraph } from './learnerSessions.ts'
import type { Policy } from './policy.ts'
import { PpoLearner, ppoLosses } from './ppo/ppoLearner.ts'
import { scoresGraph } from './responseScores.ts'

interface Method {
  readonly open: (source: VlmSource, policy: Policy, options: LearnerOptions) => Promise<Learner>
  readonly losses: (config: RunConfig) => LearnerLosses
}

const ppo: Method = { open: PpoLearner.open, losses: ppoLosses }

/** `none` takes no step; its learner only keeps the policy's form. */
const methods: Readonly<Record<RunConfig['reward']['method'], Method>> = {
  ...{ token: ppo, sentence: ppo, none: ppo },
  dpo: { open: DpoLearner.open, losses: dpoLosses },
}

/** @throws StudioError as `OrtSession.open` does, `run.bad-optimiser-state` */
export function openLearner(source: VlmSource, policy: Policy, options: LearnerOptions): Promise<Learner> {
  return methods[options.config.reward.method].open(source, policy, options)
}

/** What the learner of a run opens to score responses. */
export function learnerScoresGraph(source: VlmSource, config: RunConfig): Graph {
  const { amongKept } = methods[config.reward.method].losses(config)
  return scoresGraph(source, { rank: config.adapter.rank, valueHead: config.optimiser.valueWidth, amongKept })
}

/** What it opens to train. */
export function learnerTrainingGraph(source: VlmSource, config: RunConfig): Graph {
  return trainingGraph(source, config, methods[config.reward.method].losses(config)).graph
}
