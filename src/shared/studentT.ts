// The mean of a few values and its 95 % interval by Student's t, which is exact for normal values however few there are. Used
// for figures over the seeds of a setting.

/**
 * @returns the mean, and mean ± t s / √n with the quantile t of n - 1 degrees of freedom and the standard deviation s of the
 *   sample; null bounds for a single value, which says nothing of how others would lie, and null for none
 */
export function meanWithInterval(
  values: readonly number[],
): { readonly mean: number; readonly low: number | null; readonly high: number | null } | null {
  const n = values.length
  if (n === 0) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n === 1) return { mean, low: null, high: null }
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const half = twoSidedT(0.95, n - 1) * Math.sqrt(squares / (n - 1) / n)
  return { mean, low: mean - half, high: mean + half }
}

/** Halvings of the angle in which the quantile lies: as many as a double has bits. */
const halvings = 53

/** The t with P(|T| ≤ t) = `share` for so many whole degrees of freedom, by halving the angle atan(t / √ν). */
export function twoSidedT(share: number, degrees: number): number {
  let [low, high] = [0, Math.PI / 2]
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (shareWithin(middle, degrees) < share) low = middle
    else high = middle
  }
  return Math.tan((low + high) / 2) * Math.sqrt(degrees)
}

/**
 * P(|T| ≤ t) with θ = atan(t / √ν), a finite sum for whole ν: Abramowitz & Stegun (1964), 26.7.3 for odd ν,
 * 2/π (θ + sin θ (cos θ + 2/3 cos³ θ + … + 2·4···(ν-3) / 1·3···(ν-2) cos^(ν-2) θ)), and 26.7.4 for even ν,
 * sin θ (1 + 1/2 cos² θ + … + 1·3···(ν-3) / 2·4···(ν-2) cos^(ν-2) θ).
 */
function shareWithin(theta: number, degrees: number): number {
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)]
  const isOdd = degrees % 2 === 1
  let term = isOdd ? cos : 1
  let sum = degrees === 1 ? 0 : term
  for (let power = isOdd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= ((power - 1) / power) * cos * cos
    sum += term
  }
  return isOdd ? (2 / Math.PI) * (theta + sin * sum) : sin * sum
}
