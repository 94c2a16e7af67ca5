// How well scores tell two groups apart. Calibration and the evaluation of hallucination detection ask it.

/**
 * Area under the ROC curve: the probability that a score of the first group is above one of the second, ties counting
 * half (Mann-Whitney U over the number of pairs, by midranks). Null when a group is empty.
 */
export function auroc(higher: ArrayLike<number>, lower: ArrayLike<number>): number | null {
  const ranking = rankScores(higher, lower)
  return weightedAuroc(ranking, new Float64Array(higher.length + lower.length).fill(1))
}

/** Scores of two groups in rising order, so that resampled weights need no sorting of their own. */
export interface ScoreRanking {
  /** Indices into the first group's scores followed by the second's. */
  readonly order: Int32Array
  /** 1 where an entry of `order` is tied with the one before it. */
  readonly isTied: Uint8Array
  readonly higherCount: number
}

export function rankScores(higher: ArrayLike<number>, lower: ArrayLike<number>): ScoreRanking {
  const scores = Float64Array.from([...Array.from(higher), ...Array.from(lower)])
  const order = Int32Array.from(scores.keys()).sort((a, b) => (scores[a] as number) - (scores[b] as number))
  const isTied = new Uint8Array(order.length)
  for (let i = 1; i < order.length; i++) {
    if (scores[order[i] as number] === scores[order[i - 1] as number]) isTied[i] = 1
  }
  return { order, isTied, higherCount: higher.length }
}

/**
 * {@link auroc} where score `i` counts `weights[i]` times: Σ w⁺ (W⁻ below + W⁻ tied / 2) / (W⁺ W⁻).
 * Null when a group has no weight.
 */
export function weightedAuroc({ order, isTied, higherCount }: ScoreRanking, weights: ArrayLike<number>): number | null {
  let [below, won, total] = [0, 0, 0]
  for (let i = 0; i < order.length; ) {
    let [above, tied] = [0, 0]
    do {
      const index = order[i] as number
      const weight = weights[index] as number
      if (index < higherCount) above += weight
      else tied += weight
      i++
    } while (i < order.length && isTied[i] === 1)
    won += above * (below + tied / 2)
    below += tied
    total += above
  }
  return total === 0 || below === 0 ? null : won / (total * below)
}

/**
 * Variance of {@link weightedAuroc} by DeLong et al. (1988), as if both groups were `count` independent scores
 * distributed as the weighted ones: (Var F₀(s⁺) + Var F₁(s⁻)) / count.
 */
export function aurocVariance(
  { order, isTied, higherCount }: ScoreRanking,
  weights: ArrayLike<number>,
  count: number,
): number {
  const totals = [0, 0]
  for (let i = 0; i < order.length; i++) totals[i < higherCount ? 1 : 0]! += weights[i] as number
  const [lowerTotal, higherTotal] = totals as [number, number]
  let [lowerBelow, higherBelow, higherSum, higherSquares, lowerSum, lowerSquares] = [0, 0, 0, 0, 0, 0]
  for (let i = 0; i < order.length; ) {
    let [higher, lower] = [0, 0]
    do {
      const index = order[i] as number
      if (index < higherCount) higher += weights[index] as number
      else lower += weights[index] as number
      i++
    } while (i < order.length && isTied[i] === 1)
    const ofHigher = (lowerBelow + lower / 2) / lowerTotal
    const ofLower = (higherBelow + higher / 2) / higherTotal
    higherSum += higher * ofHigher
    higherSquares += higher * ofHigher ** 2
    lowerSum += lower * ofLower
    lowerSquares += lower * ofLower ** 2
    lowerBelow += lower
    higherBelow += higher
  }
  const varianceOfHigher = higherSquares / higherTotal - (higherSum / higherTotal) ** 2
  const varianceOfLower = lowerSquares / lowerTotal - (lowerSum / lowerTotal) ** 2
  return (varianceOfHigher + varianceOfLower) / count
}
