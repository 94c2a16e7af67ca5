// Figures of yes-or-no answers, for pope.ts and mme.ts.

export type Answer = 'yes' | 'no'

/** One question: what is right, and what was answered; `other` is neither yes nor no and always wrong. */
export interface Judgement {
  readonly label: Answer
  readonly answer: Answer | 'other'
}

/** With yes as the positive answer; null where there is nothing to divide by. */
export interface YesNoFigures {
  readonly n: number
  readonly accuracy: number | null
  /** Of the yes answers, those that are right. */
  readonly precision: number | null
  /** Of the questions whose answer is yes, those answered so. */
  readonly recall: number | null
  readonly f1: number | null
  /** Share of yes among all answers. */
  readonly yesRate: number | null
}

/** What one judgement counts; sums of these give every figure, in {@link yesNoFigures} and in bootstrap.ts. */
export interface YesNoCounts {
  readonly questions: number
  readonly correct: number
  readonly truePositives: number
  readonly positives: number
  readonly saidYes: number
}

export function countJudgement({ label, answer }: Judgement): YesNoCounts {
  return {
    questions: 1,
    correct: label === answer ? 1 : 0,
    truePositives: label === 'yes' && answer === 'yes' ? 1 : 0,
    positives: label === 'yes' ? 1 : 0,
    saidYes: answer === 'yes' ? 1 : 0,
  }
}

/** F1 = 2 P R / (P + R) = 2 TP / (said yes + is yes). */
export const yesNoRatios = {
  accuracy: (sum: YesNoCounts) => sum.correct / sum.questions,
  precision: (sum: YesNoCounts) => sum.truePositives / sum.saidYes,
  recall: (sum: YesNoCounts) => sum.truePositives / sum.positives,
  f1: (sum: YesNoCounts) => (2 * sum.truePositives) / (sum.saidYes + sum.positives),
  yesRate: (sum: YesNoCounts) => sum.saidYes / sum.questions,
} as const

export function yesNoFigures(judgements: readonly Judgement[]): YesNoFigures {
  const sum = sumCounts(judgements.map(countJudgement))
  const figure = (of: (sum: YesNoCounts) => number) => {
    const value = of(sum)
    return Number.isFinite(value) ? value : null
  }
  return {
    n: judgements.length,
    accuracy: figure(yesNoRatios.accuracy),
    precision: figure(yesNoRatios.precision),
    recall: figure(yesNoRatios.recall),
    f1: figure(yesNoRatios.f1),
    yesRate: figure(yesNoRatios.yesRate),
  }
}

/** For all questions of an image, say: the bootstrap draws whole images. */
export function sumCounts(counts: readonly YesNoCounts[]): YesNoCounts {
  const sum = { questions: 0, correct: 0, truePositives: 0, positives: 0, saidYes: 0 }
  for (const one of counts) for (const name of Object.keys(sum) as (keyof YesNoCounts)[]) sum[name] += one[name]
  return sum
}
