// Chooses the next token of one row from its logits, and says how likely it was.
// Before it stands the decoding loop (generate.ts) with the model's logits, after it stopConditions.ts.
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { KeptTokens } from './keptTokens.ts'

/** How tokens are chosen; the meaning and order of the steps are those of transformers' `generate`. */
export const samplingSettingsSchema = z.strictObject({
  /** Takes the likeliest token, the first among equals; only the repetition penalty is applied. */
  greedy: z.boolean(),
  /** Logits are divided by it; below 1 likely tokens gain. */
  temperature: z.number().positive(),
  /** How many of the likeliest tokens stay, more where some are equally likely; 0 for all. */
  topK: z.int().nonnegative(),
  /** The likeliest tokens stay until their probabilities reach this sum; 1 for all. */
  topP: z.number().positive().max(1),
  /** Logits of tokens seen before, prompt included, are divided by it where positive, else multiplied; 1 for none. */
  repetitionPenalty: z.number().positive(),
})
export type SamplingSettings = z.infer<typeof samplingSettingsSchema>

/** A chosen token with its natural log-probability under three readings of the same logits. */
export interface SampledToken {
  readonly token: number
  /** Of the logits as they are: the likelihood that the model itself gives it. */
  readonly logprob: number
  /** Of the logits over temperature, without penalty and cuts; as `logprob` when greedy. */
  readonly logprobAtTemperature: number
  /** Of the distribution that was drawn from: after penalty, temperature, top-k and top-p. */
  readonly logprobProcessed: number
  /** What top-k and top-p left to draw from; null where the settings cut nothing, and when greedy. */
  readonly kept: KeptTokens | null
}

/** Whether the settings draw from a part of the vocabulary. */
export function cutsVocabulary({ topK, topP }: Pick<SamplingSettings, 'topK' | 'topP'>): boolean {
  return topK > 0 || topP < 1
}

/** Memory that calls of {@link sampleToken} use again, so that a step allocates nothing of the vocabulary's size. */
export class SamplerScratch {
  readonly scores: Float64Array
  readonly weights: Float64Array
  readonly ids: Int32Array
  readonly sorted: Int32Array
  readonly masses = new Float64Array(binCount)
  heap = new Float64Array(0)

  constructor(vocabulary: number) {
    this.scores = new Float64Array(vocabulary)
    this.weights = new Float64Array(vocabulary)
    this.ids = new Int32Array(vocabulary)
    this.sorted = new Int32Array(vocabulary)
  }
}

/**
 * Chooses a token as transformers does with the same settings: repetition penalty, temperature, top-k, top-p, softmax,
 * then the first id, in index order, at which the cumulative probability exceeds `uniform`. Computes in float64.
 * @param logits `[vocab]` of one row; they stay as they are
 * @param history ids of the prompt, image tokens included, and of all new tokens; ids beyond the vocabulary count not
 * @param uniform in [0, 1); not looked at when greedy
 * @param scratch made for `vocab`
 * @throws StudioError `run.non-finite` when a logit is NaN or plus infinity, or all are minus infinity
 */
export function sampleToken(
  logits: Float32Array,
  history: ArrayLike<number>,
  settings: SamplingSettings,
  uniform: number,
  scratch: SamplerScratch,
): SampledToken {
  const raw = logSumExp(logits, 1)
  const scores = penalise(logits, history, settings.repetitionPenalty, scratch.scores)
  const best = argMax(scores)
  if (settings.greedy) {
    const logprob = (logits[best] as number) - raw
    const isPenalised = settings.repetitionPenalty !== 1
    const logprobProcessed = isPenalised ? (scores[best] as number) - logSumExp(scores, 1) : logprob
    return { token: best, logprob, logprobAtTemperature: logprob, logprobProcessed, kept: null }
  }

  const { temperature, topK, topP } = settings
  const { ids, weights } = scratch
  const highest = scores[best] as number
  let count = topK > 0 && topK < scores.length ? keepTopK(scores, topK, scratch) : keepAll(ids)
  let total = weigh(scores, highest, temperature, count, scratch)
  if (topP < 1) {
    count = keepTopP(scores, count, topP * total, scratch)
    total = weigh(scores, highest, temperature, count, scratch)
  }
  const token = ids[draw(weights, count, uniform * total)] as number
  // Where nothing is penalised or cut, the weights are those of the logits.
  const isPlain = settings.repetitionPenalty === 1 && count === logits.length
  const atTemperature = isPlain ? highest / temperature + Math.log(total) : logSumExp(logits, temperature)
  return {
    token,
    logprob: (logits[token] as number) - raw,
    logprobAtTemperature: (logits[token] as number) / temperature - atTemperature,
    logprobProcessed: ((scores[token] as number) - highest) / temperature - Math.log(total),
    kept: cutsVocabulary(settings) ? KeptTokens.from(ids.subarray(0, count), scores.length) : null,
  }
}

/** log sum exp(x / temperature); its terms are taken relative to the largest, so that none overflows. */
function logSumExp(x: Float32Array | Float64Array, temperature: number): number {
  let highest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < x.length; i++) if ((x[i] as number) > highest) highest = x[i] as number
  let total = 0
  for (let i = 0; i < x.length; i++) total += Math.exp(((x[i] as number) - highest) / temperature)
  if (Number.isNaN(total)) throw notFinite(x)
  return highest / temperature + Math.log(total)
}

/** Fills `scores` with the logits, those of the history's tokens penalised once (Keskar et al., CTRL, 2019). */
function penalise(
  logits: Float32Array,
  history: ArrayLike<number>,
  penalty: number,
  scores: Float64Array,
): Float64Array {
  scores.set(logits)
  if (penalty === 1) return scores
  for (let i = 0; i < history.length; i++) {
    const id = history[i] as number
    const logit = logits[id]
    if (logit !== undefined) scores[id] = logit < 0 ? logit * penalty : logit / penalty
  }
  return scores
}

function argMax(scores: Float64Array): number {
  let best = 0
  for (let id = 1; id < scores.length; id++) if ((scores[id] as number) > (scores[best] as number)) best = id
  return best
}

function keepAll(ids: Int32Array): number {
  for (let id = 0; id < ids.length; id++) ids[id] = id
  return ids.length
}

/** Puts the ids whose score is at least the k-th largest into `ids`, in index order, and counts them. */
function keepTopK(scores: Float64Array, k: number, scratch: SamplerScratch): number {
  if (scratch.heap.length !== k) scratch.heap = new Float64Array(k)
  const least = kthLargest(scores, scratch.heap)
  let count = 0
  for (let id = 0; id < scores.length; id++) if ((scores[id] as number) >= least) scratch.ids[count++] = id
  return count
}

/** The smallest of the `heap.length` largest scores: they stand in a heap with the smallest at its root. */
function kthLargest(scores: Float64Array, heap: Float64Array): number {
  const k = heap.length
  heap.set(scores.subarray(0, k))
  heap.sort()
  for (let i = k; i < scores.length; i++) {
    const score = scores[i] as number
    if (score <= (heap[0] as number)) continue
    let place = 0
    for (let child = 1; child < k; child = 2 * place + 1) {
      if (child + 1 < k && (heap[child + 1] as number) < (heap[child] as number)) child++
      if ((heap[child] as number) >= score) break
      heap[place] = heap[child] as number
      place = child
    }
    heap[place] = score
  }
  return heap[0] as number
}

/** Sets each kept id's weight, its probability relative to that of the highest score, and sums them. */
function weigh(
  scores: Float64Array,
  highest: number,
  temperature: number,
  count: number,
  { ids, weights }: SamplerScratch,
): number {
  let total = 0
  for (let j = 0; j < count; j++) {
    const weight = Math.exp(((scores[ids[j] as number] as number) - highest) / temperature)
    weights[j] = weight
    total += weight
  }
  return total
}

/** Weights fall by a factor of e in 16 bins; what the last bin takes in together weighs less than a rounding error. */
const binCount = 1024
const binsPerNat = 16

/**
 * Keeps the ids, from the highest score down, before which less than `mass` of the weight lies; among equal scores
 * torch's sort drops lower ids first. Only the bin in which the mass is reached is sorted.
 */
function keepTopP(scores: Float64Array, count: number, mass: number, scratch: SamplerScratch): number {
  const { ids, weights, masses, sorted } = scratch
  masses.fill(0)
  for (let j = 0; j < count; j++) {
    const bin = binOf(weights[j] as number)
    masses[bin] = (masses[bin] as number) + (weights[j] as number)
  }
  let crossing = 0
  let before = 0
  while (crossing < binCount - 1 && before + (masses[crossing] as number) < mass) before += masses[crossing++] as number

  let found = 0
  for (let j = 0; j < count; j++) if (binOf(weights[j] as number) === crossing) sorted[found++] = j
  const falling = sorted.subarray(0, found).sort((a, b) => {
    const [first, second] = [scores[ids[a] as number] as number, scores[ids[b] as number] as number]
    return second - first || b - a
  })
  let last = falling[0] as number
  for (const j of falling) {
    if (before >= mass) break
    before += weights[j] as number
    last = j
  }
  const least = scores[ids[last] as number] as number
  let kept = 0
  for (let j = 0; j < count; j++) {
    const score = scores[ids[j] as number] as number
    if (score > least || (score === least && j >= last)) ids[kept++] = ids[j] as number
  }
  return kept
}

function binOf(weight: number): number {
  // The weight of the highest score is 1; a weight of 0 has an infinite logarithm.
  return Math.min(binCount - 1, Math.floor(-Math.log(weight) * binsPerNat))
}

/** The first place at which the running sum of weights exceeds `target`; the last with weight if rounding passed it. */
function draw(weights: Float64Array, count: number, target: number): number {
  let sum = 0
  let last = 0
  for (let j = 0; j < count; j++) {
    const weight = weights[j] as number
    if (weight === 0) continue
    sum += weight
    last = j
    if (sum > target) return j
  }
  return last
}

function notFinite(logits: ArrayLike<number>): StudioError {
  const id = Array.prototype.findIndex.call(logits, (logit: number) => !Number.isFinite(logit))
  return new StudioError({
    code: 'run.non-finite',
    message: 'The model answered with numbers that are not finite, so no token can be chosen.',
    remedy: 'Lower the learning rate, go back to an earlier checkpoint, or choose another device.',
    expected: 'finite logits',
    found: `${logits[id]} for token ${id}`,
    where: 'logits',
  })
}
