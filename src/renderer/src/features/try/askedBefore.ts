// What was asked about an image: its stored answers gathered by question, the newest first. Pure.
import type { Decoding, PolicyChoice, ResponseView } from '../../../../shared/describe.ts'
import { decodingOf, isSameDecoding, isSamePolicy } from '../inspector/questions.ts'

/** One question and who answered it. */
export interface AskedQuestion {
  readonly prompt: string
  readonly decoding: Decoding
  /** The newest answer last asked for; each policy once. */
  readonly answers: readonly ResponseView[]
  readonly askedAtMs: number
}

/**
 * Questions about the whole picture that a person asked; those about a part of it belong to the inspector, and what a run
 * said by itself was not asked by anyone.
 */
export function askedQuestions(responses: readonly ResponseView[]): readonly AskedQuestion[] {
  const found: AskedQuestion[] = []
  const newestFirst = responses
    .filter(({ purpose, region }) => purpose === 'trial' && region === null)
    .sort((a, b) => b.createdAtMs - a.createdAtMs || b.rolloutId - a.rolloutId)
  for (const response of newestFirst) {
    const decoding = decodingOf(response)
    if (decoding === null) continue
    const { prompt, policy, createdAtMs } = response
    const index = found.findIndex((one) => one.prompt === prompt && isSameDecoding(one.decoding, decoding))
    const same = found[index]
    if (!same) found.push({ prompt, decoding, answers: [response], askedAtMs: createdAtMs })
    else if (!same.answers.some((one) => isSamePolicy(one.policy, policy))) {
      found[index] = { ...same, answers: [...same.answers, response] }
    }
  }
  return found
}

/** Greedy, or with what it was drawn by: `temperature 0.8, top-p 0.95, seed 3`. */
export function decodingWords(decoding: Decoding): string {
  if (decoding.kind === 'greedy') return 'greedy'
  const { temperature, topP, seed } = decoding
  return `temperature ${temperature}, top-p ${topP}, seed ${seed}`
}

/** `As it came`, `step 20 at 95%`, or the name of a model without a run. */
export function policyWords({ policy, name }: Pick<ResponseView, 'policy' | 'name'>): string {
  if (policy.from === 'model') return name
  return `${name}, ${stepWords(policy)}`
}

function stepWords({ step, strength }: Extract<PolicyChoice, { from: 'run' }>): string {
  if (step === 0) return 'as it came'
  const share = strength.toLocaleString(undefined, { style: 'percent' })
  return strength === 1 ? `step ${step}` : `step ${step} at ${share}`
}
