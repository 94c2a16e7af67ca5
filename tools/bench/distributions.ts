// Distributions of next tokens beside those of another way to compute them. Read by perplexity.ts.

/** Of one window of a text, token by token. */
export interface Comparison {
  /** -log q(the token that came) */
  readonly surprise: readonly number[]
  /** Σ p log(p / q) in nats, q being judged against p. */
  readonly kl: readonly number[]
  /** Whether both find the same token the most probable. */
  readonly agrees: readonly boolean[]
}

/** @param next ids that came, by window; `q` and `p` are logits [tokens of all windows, vocab] */
export function compare(
  next: readonly (readonly number[])[],
  q: Float32Array,
  p: Float32Array,
  vocab: number,
): Comparison[] {
  let row = 0
  return next.map((ids) => {
    const window = { surprise: [] as number[], kl: [] as number[], agrees: [] as boolean[] }
    for (const id of ids) {
      const [ours, beside] = [q, p].map((logits) => logits.subarray(row * vocab, (row + 1) * vocab)) as [
        Float32Array,
        Float32Array,
      ]
      const [a, b] = [normaliser(ours), normaliser(beside)]
      let kl = 0
      for (let i = 0; i < vocab; i++) {
        const logP = (beside[i] as number) - b.log
        kl += Math.exp(logP) * (logP - (ours[i] as number) + a.log)
      }
      window.surprise.push(a.log - (ours[id] as number))
      window.kl.push(kl)
      window.agrees.push(a.largest === b.largest)
      row++
    }
    return window
  })
}

/** log Σ exp logits, and where the largest stands. */
function normaliser(logits: Float32Array): { readonly log: number; readonly largest: number } {
  let largest = 0
  for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[largest] as number)) largest = i
  const most = logits[largest] as number
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - most)
  return { log: most + Math.log(sum), largest }
}

export interface Summary {
  readonly tokens: number
  readonly perplexity: number
  /** Mean over tokens in nats, and half of its 95 % interval, from the means of windows. */
  readonly kl: number
  readonly klInterval: number
  readonly klP99: number
  /** Share of tokens. */
  readonly sameTop: number
  /** Half of the interval of mean surprise in nats: perplexity times or by its exponential. */
  readonly surpriseInterval: number
}

export function summary(windows: readonly Comparison[]): Summary {
  const of = <Kind extends keyof Comparison>(kind: Kind) =>
    windows.flatMap((one) => one[kind] as Comparison[Kind][number][])
  const kl = of('kl').sort((a, b) => a - b)
  return {
    tokens: kl.length,
    perplexity: Math.exp(mean(of('surprise'))),
    kl: mean(kl),
    klInterval: halfInterval(windows.map((one) => mean(one.kl))),
    klP99: kl[Math.ceil(0.99 * kl.length) - 1] as number,
    sameTop: mean(of('agrees').map(Number)),
    surpriseInterval: halfInterval(windows.map((one) => mean(one.surprise))),
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

/** 1.96 standard errors of a mean of independent numbers. */
function halfInterval(numbers: readonly number[]): number {
  const middle = mean(numbers)
  const variance = numbers.reduce((sum, number) => sum + (number - middle) ** 2, 0) / (numbers.length - 1)
  return 1.96 * Math.sqrt(variance / numbers.length)
}
