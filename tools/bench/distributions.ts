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

/** Logits of tokens, with what each row needs to become a distribution. */
export interface Distributions {
  /** [tokens, vocab] */
  readonly logits: Float32Array
  readonly vocab: number
  /** log Σ exp logits of each row. */
  readonly logSums: Float64Array
  /** Where the largest logit of each row stands. */
  readonly tops: Uint32Array
}

export function distributions(logits: Float32Array, vocab: number): Distributions {
  const rows = logits.length / vocab
  const [logSums, tops] = [new Float64Array(rows), new Uint32Array(rows)]
  for (let row = 0; row < rows; row++) {
    const of = logits.subarray(row * vocab, (row + 1) * vocab)
    let top = 0
    for (let i = 1; i < vocab; i++) if ((of[i] as number) > (of[top] as number)) top = i
    let sum = 0
    for (const logit of of) sum += Math.exp(logit - (of[top] as number))
    logSums[row] = (of[top] as number) + Math.log(sum)
    tops[row] = top
  }
  return { logits, vocab, logSums, tops }
}

/** @param next ids that came, by window; `q` and `p` have a row for each of them */
export function compare(next: readonly (readonly number[])[], q: Distributions, p: Distributions): Comparison[] {
  let row = 0
  return next.map((ids) => {
    const window = { surprise: [] as number[], kl: [] as number[], agrees: [] as boolean[] }
    for (const id of ids) {
      window.surprise.push((q.logSums[row] as number) - (q.logits[row * q.vocab + id] as number))
      window.kl.push(q === p ? 0 : klOf(q, p, row))
      window.agrees.push(q.tops[row] === p.tops[row])
      row++
    }
    return window
  })
}

function klOf(q: Distributions, p: Distributions, row: number): number {
  const [logSumP, logSumQ] = [p.logSums[row] as number, q.logSums[row] as number]
  const first = row * p.vocab
  let kl = 0
  for (let i = first; i < first + p.vocab; i++) {
    const logP = (p.logits[i] as number) - logSumP
    kl += Math.exp(logP) * (logP - (q.logits[i] as number) + logSumQ)
  }
  return kl
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
