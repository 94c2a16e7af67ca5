// Signs that a policy earns rewards without describing better: repeating, shortening, dropping objects. Measured on
// the responses of a step against those before training; the loop stops or warns by them. No annotation is read.
import { z } from 'zod'
import type { ObjectMention } from './objectWords.ts'
import { wordsOf } from './wordForms.ts'

/** A response with the objects that it names. */
export interface MeasuredResponse {
  readonly text: string
  readonly mentions: readonly ObjectMention[]
}

/** Means over responses. */
export interface GuardMetrics {
  readonly responses: number
  readonly meanWords: number
  /** Different objects a response. */
  readonly meanObjects: number
  /** Mentions beyond an object's first, a response. */
  readonly meanRepeatedMentions: number
  /** Share of a response's word trigrams that it has said before (Paulus et al. 2018 block them); 0 for short ones. */
  readonly repeatedTrigramShare: number
  /** Share of responses without a word. */
  readonly emptyShare: number
}

export function measureGuards(responses: readonly MeasuredResponse[]): GuardMetrics {
  const mean = (of: (response: MeasuredResponse) => number) =>
    responses.length === 0 ? 0 : responses.reduce((sum, response) => sum + of(response), 0) / responses.length
  return {
    responses: responses.length,
    meanWords: mean(({ text }) => wordsOf(text).length),
    meanObjects: mean(({ mentions }) => countObjects(mentions)),
    meanRepeatedMentions: mean(({ mentions }) => mentions.length - countObjects(mentions)),
    repeatedTrigramShare: mean(({ text }) => repeatedTrigramShare(text)),
    emptyShare: mean(({ text }) => (wordsOf(text).length === 0 ? 1 : 0)),
  }
}

/** Different objects among the mentions. */
export function countObjects(mentions: readonly Pick<ObjectMention, 'name'>[]): number {
  return new Set(mentions.map(({ name }) => name)).size
}

function repeatedTrigramShare(text: string): number {
  const words = wordsOf(text).map(({ lower }) => lower)
  const trigrams = words.slice(2).map((word, i) => `${words[i]} ${words[i + 1]} ${word}`)
  return trigrams.length === 0 ? 0 : 1 - new Set(trigrams).size / trigrams.length
}

/** How far a policy may move from the responses before training. */
export const guardLimitsSchema = z.strictObject({
  /** Relative change of the mean length, either way. */
  lengthChange: z.number().positive().default(0.15),
  /** Relative fall of the number of different objects. */
  objectsFall: z.number().positive().default(0.15),
  /** Rise of repeated mentions a response. */
  repeatedMentionsRise: z.number().positive().default(0.1),
  /** Rise of the share of repeated trigrams. */
  repeatedTrigramsRise: z.number().positive().default(0.05),
  /** Rise of the share of empty responses. */
  emptyRise: z.number().positive().default(0.02),
})
export type GuardLimits = z.infer<typeof guardLimitsSchema>
export const defaultGuardLimits: GuardLimits = guardLimitsSchema.parse({})

export interface GuardFinding {
  readonly guard: keyof GuardLimits
  /** The change that was measured, in the limit's unit. */
  readonly change: number
  readonly limit: number
}

/** The limits that the responses overstep, in the order of the schema; empty when all hold. */
export function overstepped(before: GuardMetrics, now: GuardMetrics, limits = defaultGuardLimits): GuardFinding[] {
  const relative = (from: number, to: number) => (from === 0 ? 0 : (to - from) / from)
  const changes: Readonly<Record<keyof GuardLimits, number>> = {
    lengthChange: Math.abs(relative(before.meanWords, now.meanWords)),
    objectsFall: -relative(before.meanObjects, now.meanObjects),
    repeatedMentionsRise: now.meanRepeatedMentions - before.meanRepeatedMentions,
    repeatedTrigramsRise: now.repeatedTrigramShare - before.repeatedTrigramShare,
    emptyRise: now.emptyShare - before.emptyShare,
  }
  return (Object.keys(changes) as (keyof GuardLimits)[])
    .map((guard) => ({ guard, change: changes[guard], limit: limits[guard] }))
    .filter(({ change, limit }) => change > limit)
}
