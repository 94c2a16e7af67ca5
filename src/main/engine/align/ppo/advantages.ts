// From token rewards to what the policy is trained on. Before it stand the rewards and the log-probabilities and values
// of the rollout, after it ppoLoss.ts. A row is one response; arrays are `[response tokens]`, prompt left out.
import { StudioError } from '../../../../shared/errors.ts'

/** γ and λ of generalised advantage estimation. */
export interface AdvantageOptions {
  /** Discount of what comes after a step of time, from 0 to 1. */
  readonly gamma: number
  /** 0 trusts the values alone, 1 the rewards alone. */
  readonly lambda: number
  /** Tokens with which a step of time ends; each token is one when left out. */
  readonly stepEnds?: readonly number[] | undefined
}

export interface Advantages {
  readonly advantages: Float32Array
  /** What the value head learns: A_t + V_t. */
  readonly returns: Float32Array
}

/** A reward with the KL penalty taken off. */
export interface PenalisedRewards {
  /** r_t - β (log π(y_t) - log π_ref(y_t)). */
  readonly rewards: Float32Array
  /** Σ_t log π(y_t) - log π_ref(y_t): an unbiased estimate of KL(π ‖ π_ref) of the whole response, in nats. */
  readonly klNats: number
}

/**
 * Takes β KL off each token's reward (Ziegler et al., "Fine-Tuning Language Models from Human Preferences", 2019,
 * equation 2), with the log-ratio of the sampled token as the estimate of KL.
 * @param logProbs log π of the sampled tokens when they were sampled
 * @param referenceLogProbs log π_ref of the same tokens at the same temperature
 * @param klCoefficient β, in reward a nat
 * @throws StudioError `run.unequal-rows`
 */
export function penaliseKl(
  rewards: Float32Array,
  logProbs: Float32Array,
  referenceLogProbs: Float32Array,
  klCoefficient: number,
): PenalisedRewards {
  requireLength('logProbs', logProbs, rewards.length)
  requireLength('referenceLogProbs', referenceLogProbs, rewards.length)
  const penalised = new Float32Array(rewards.length)
  let klNats = 0
  for (let t = 0; t < rewards.length; t++) {
    const logRatio = (logProbs[t] as number) - (referenceLogProbs[t] as number)
    klNats += logRatio
    penalised[t] = (rewards[t] as number) - klCoefficient * logRatio
  }
  return { rewards: penalised, klNats }
}

/**
 * Generalised advantage estimation (Schulman et al. 2016, equation 16) over the tokens of one response, in float64:
 *
 *   δ_t = r_t + γ V_{t+1} - V_t
 *   A_t = δ_t + γ λ A_{t+1} = Σ_k (γ λ)^k δ_{t+k}
 *   R_t = A_t + V_t
 *
 * With `stepEnds` γ and λ are 1 after all other tokens (discounts of a transition: White, "Unifying Task Specification in
 * Reinforcement Learning", 2017). Ends of mentions make the time that passes that of objects and not of tokens: what an
 * object is worth is then the same behind a short template and behind a long one.
 *
 * @param values V_t before token t is chosen
 * @param valueAfter V after the last token: 0 where the response ended by itself; of one that was cut off by its length,
 *   which is a state like any other, what the value head expects there (Pardo et al., "Time Limits in Reinforcement
 *   Learning", 2018)
 * @throws StudioError `run.unequal-rows`
 */
export function estimateAdvantages(
  rewards: Float32Array,
  values: Float32Array,
  { gamma, lambda, stepEnds }: AdvantageOptions,
  valueAfter = 0,
): Advantages {
  requireLength('values', values, rewards.length)
  const advantages = new Float32Array(rewards.length)
  const returns = new Float32Array(rewards.length)
  const ends = stepEnds && new Set(stepEnds)
  let [advantage, nextValue] = [0, valueAfter]
  for (let t = rewards.length - 1; t >= 0; t--) {
    const value = values[t] as number
    const [discount, trace] = !ends || ends.has(t) ? [gamma, lambda] : [1, 1]
    const delta = (rewards[t] as number) + discount * nextValue - value
    advantage = delta + discount * trace * advantage
    advantages[t] = advantage
    returns[t] = advantage + value
    nextValue = value
  }
  return { advantages, returns }
}

/** Against a division by zero, as in the PPO of CleanRL and TRL. */
const deviationEpsilon = 1e-8

/**
 * Brings the advantages of all tokens of a batch to mean 0 and deviation 1: (A - mean) / (deviation + ε), the deviation
 * over n - 1 tokens. One token alone becomes 0.
 * @param rows stay as they are
 * @param openings how many first tokens of each row take no part and become 0
 */
export function normaliseAdvantages(
  rows: readonly Float32Array[],
  openings: readonly number[] = rows.map(() => 0),
): Float32Array[] {
  const parts = rows.map((row, i) => row.subarray(openings[i]))
  let [count, sum, squares] = [0, 0, 0]
  for (const part of parts) {
    count += part.length
    for (const advantage of part) sum += advantage
  }
  const mean = count === 0 ? 0 : sum / count
  for (const part of parts) for (const advantage of part) squares += (advantage - mean) ** 2
  const deviation = count < 2 ? 0 : Math.sqrt(squares / (count - 1))
  return rows.map((row, i) =>
    row.map((advantage, t) => (t < (openings[i] ?? 0) ? 0 : (advantage - mean) / (deviation + deviationEpsilon))),
  )
}

/**
 * Share of the returns' variance that the values foretold: 1 - Var(R - V) / Var(R) over all tokens, as Stable Baselines3
 * and CleanRL report it. 1 foretells all, 0 no more than a constant does, below 0 is worse than one.
 * @returns null where all returns are equal
 */
export function explainedVariance(returns: readonly Float32Array[], values: readonly Float32Array[]): number | null {
  const of = variance(returns)
  return of === 0 ? null : 1 - variance(returns.map((row, i) => row.map((x, t) => x - (values[i]?.[t] ?? 0)))) / of
}

function variance(rows: readonly Float32Array[]): number {
  const all = rows.flatMap((row) => [...row])
  const mean = all.reduce((sum, x) => sum + x, 0) / Math.max(1, all.length)
  return all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, all.length)
}

function requireLength(name: string, array: Float32Array, expected: number): void {
  if (array.length === expected) return
  throw new StudioError({
    code: 'run.unequal-rows',
    message: 'The arrays of a response do not have one number for each of its tokens.',
    remedy: 'Report this fault: the rollout was put together wrongly.',
    expected: `${expected} numbers`,
    found: `${array.length} numbers`,
    where: name,
  })
}
