// What the losses of all learners take over response tokens: means, and how far two policies are apart. Used by
// ppo/ppoLoss.ts and dpo/dpoLearner.ts.
import type { GraphBuilder } from '../graph/graphBuilder.ts'
import type { Value } from '../graph/ir.ts'
import { tensorOps } from '../graph/tensorOps.ts'

/**
 * Mean of a loss over response tokens: Σ x · `token_weight`. The input, without axes, is 1 over the number of tokens
 * of the whole batch, so that the gradients of its micro-batches add up to those of the batch.
 */
export function tokenMean(g: GraphBuilder): (x: Value) => Value {
  const weight = g.input('token_weight', 'float32', [])
  const { mul, reduceSum } = tensorOps(g)
  return (x) => mul(reduceSum(x, [0]), weight)
}

/**
 * exp(x) - 1 - x of a log-ratio x = log q - log p of tokens drawn from p: an estimate of KL(p ‖ q) that is never negative
 * (Schulman, "Approximating KL Divergence", 2020: k3).
 */
export function k3(g: GraphBuilder, logRatio: Value): Value {
  const { exp, sub } = tensorOps(g)
  return sub(sub(exp(logRatio), 1), logRatio)
}
