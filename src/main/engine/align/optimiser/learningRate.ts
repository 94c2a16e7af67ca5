// The learning rate of each step: linear warm-up, then constant or half a cosine. Read by the update loop.

export interface Schedule {
  readonly kind: 'constant' | 'cosine'
  /** The rate after the warm-up. */
  readonly peak: number
  readonly warmupSteps: number
  /** Where the cosine reaches zero; a constant rate does not look at it. */
  readonly totalSteps: number
}

/**
 * The rate of update `step`, counted from 0. Warm-up rises in equal steps from peak / warmupSteps, so that no update
 * has a rate of 0 and the first minibatch counts; then it is transformers' `constant_with_warmup` and `cosine`. Their
 * warm-up begins at 0: there the rate of update `step` is that of `step - 1` here. Beyond the last step the rate stays
 * at zero, where transformers' cosine would rise again.
 */
export function learningRate({ kind, peak, warmupSteps, totalSteps }: Schedule, step: number): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps
  if (kind === 'constant') return peak
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps))
  return peak * 0.5 * (1 + Math.cos(Math.PI * progress))
}
