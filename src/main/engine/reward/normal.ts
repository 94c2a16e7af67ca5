// The standard normal distribution. Asked by whoever compares scores with it.

/** Φ(z) by the Taylor series of Marsaglia, "Evaluating the Normal Distribution" (2004); absolute error about 1e-15. */
export function normalCdf(z: number): number {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0
  let [sum, term] = [z, z]
  for (let i = 3; sum !== sum + term; i += 2) {
    term *= (z * z) / i
    sum += term
  }
  return 0.5 + sum * Math.exp(-0.5 * z * z - 0.5 * Math.log(2 * Math.PI))
}

/** Φ⁻¹(p) for p between 0 and 1, by bisection; ±8 beyond what {@link normalCdf} tells apart. */
export function normalQuantile(p: number): number {
  let [low, high] = [-8, 8]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (normalCdf(middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
