// The losses of an update as graph functions, over the response tokens of a batch. Before it stand advantages and the
// log-probabilities of the rollout, after it the gradients that responseGraph takes and adamw.ts applies.
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import type { Objective, ResponseTerms } from '../../models/vlmGraphs.ts'
import { k3, tokenMean } from '../tokenTerms.ts'

export interface PpoLossOptions {
  /** ε: the ratio π / π_old counts up to 1 ± ε. */
  readonly clipRange: number
  /** The value counts up to its old one ± this. */
  readonly valueClipRange: number
  readonly valueCoefficient: number
  /** Of KL(π ‖ π_ref) as a loss, in nats a token; 0 where it is part of the reward. */
  readonly klCoefficient: number
  readonly entropyCoefficient: number
  /** The value loss trains the value head alone, and not the adapter through the hidden states. */
  readonly detachValue: boolean
}

/** Mean of -log π: maximum likelihood of given responses. Input: `token_weight`. */
export function likelihoodObjective(trains: Objective['trains']) {
  return (g: GraphBuilder, { logProbs }: ResponseTerms): Record<string, Objective> => ({
    loss: { loss: tokenMean(g)(tensorOps(g).neg(logProbs)), trains },
  })
}

/**
 * The clipped objective of PPO (Schulman et al. 2017, equations 7 and 9) with a clipped value loss, for each token:
 *
 *   ratio   = exp(log π - log π_old)
 *   policy  = max(-A ratio, -A clip(ratio, 1 - ε, 1 + ε))
 *   value   = max((v - R)², (v_old + clip(v - v_old, -ε_v, ε_v) - R)²) / 2
 *   kl      = exp(d) - 1 - d, d = log π_ref - log π        (k3 of tokenTerms.ts)
 *   loss    = policy + c_v value + c_kl kl - c_e entropy
 *
 * Inputs, each [rows]: `old_log_probs`, `reference_log_probs`, `advantages`, `returns`, `old_values`; `token_weight`
 * without axes. Outputs besides the losses: `kl`, `entropy`, `approximateKl` (of π_old, nats) and `clipFraction`.
 */
export function ppoObjectives(options: PpoLossOptions) {
  return (g: GraphBuilder, terms: ResponseTerms): Record<string, Objective> => {
    const ops = tensorOps(g)
    const { abs, add, cast, clip, exp, greater, max, mul, neg, square, sub } = ops
    const mean = tokenMean(g)
    const rows = (name: string) => g.input(name, 'float32', ['rows'])
    const values = terms.values as Value
    const advantages = rows('advantages')
    const returns = rows('returns')
    const oldValues = rows('old_values')

    const ratioLog = sub(terms.logProbs, rows('old_log_probs'))
    const ratio = exp(ratioLog)
    const [low, high] = [1 - options.clipRange, 1 + options.clipRange]
    const policy = mean(max(neg(mul(advantages, ratio)), neg(mul(advantages, clip(ratio, low, high)))))
    const moved = clip(sub(values, oldValues), -options.valueClipRange, options.valueClipRange)
    const worst = max(square(sub(values, returns)), square(sub(add(oldValues, moved), returns)))
    const value = mul(mean(worst), 0.5)
    const kl = mean(k3(g, sub(rows('reference_log_probs'), terms.logProbs)))
    const entropy = mean(terms.entropy())

    const regularised = [
      ...(options.klCoefficient === 0 ? [] : [mul(kl, options.klCoefficient)]),
      ...(options.entropyCoefficient === 0 ? [] : [mul(entropy, -options.entropyCoefficient)]),
    ].reduce((sum, term) => add(sum, term), policy)
    const weighted = mul(value, options.valueCoefficient)
    const report = (loss: Value): Objective => ({ loss, trains: [] })
    return {
      ...(options.detachValue
        ? {
            policyLoss: { loss: regularised, trains: ['adapter'] },
            valueLoss: { loss: weighted, trains: ['valueHead'] },
          }
        : { loss: { loss: add(regularised, weighted), trains: ['adapter', 'valueHead'] } }),
      policy: report(policy),
      value: report(value),
      kl: report(kl),
      entropy: report(entropy),
      approximateKl: report(mean(k3(g, ratioLog))),
      clipFraction: report(mean(cast(greater(abs(sub(ratio, 1)), options.clipRange), 'float32'))),
    }
  }
}
