// The exact two-sided sign test: whether one of two was preferred more often than chance explains.

/**
 * p = min(1, 2 P(X >= max(wins, losses))) with X ~ Binomial(wins + losses, 1/2); ties are left out.
 * Dixon & Mood, "The Statistical Sign Test", Journal of the American Statistical Association 41, 1946.
 * @returns null without a vote that is no tie
 */
export function signTest(wins: number, losses: number): number | null {
  const n = wins + losses
  if (n === 0) return null
  // C(n, k) / 2^n from term to term, in logarithms, which do not underflow for many votes.
  let logTerm = -n * Math.LN2
  let tail = 0
  for (let k = n; k >= Math.max(wins, losses); k--) {
    tail += Math.exp(logTerm)
    logTerm += Math.log(k / (n - k + 1))
  }
  return Math.min(1, 2 * tail)
}
