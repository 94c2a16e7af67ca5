// Quantiles of resampled figures. Intervals of calibrations, looks and evaluations are read off here.

/** Of ascending values, with linear interpolation between neighbours (numpy's default); null when there are none. */
export function quantile(sorted: Float64Array, share: number): number | null {
  if (sorted.length === 0) return null
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const [low, high] = [sorted[below] as number, sorted[Math.min(below + 1, sorted.length - 1)] as number]
  return low + (at - below) * (high - low)
}
