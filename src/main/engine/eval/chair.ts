// CHAIR: how many of the objects that responses name are not in the image, and how many of those that are in it they
// name. Before it stand responses and annotations, after it bootstrap.ts for the intervals.
// Rohrbach et al., "Object Hallucination in Image Captioning", EMNLP 2018.
import type { Lexicon } from '../reward/lexicon.ts'
import { chairFinderOptions, findObjects, type ObjectMention } from '../reward/objectWords.ts'
import { wordsOf } from '../reward/wordForms.ts'

/** What one response counts; every figure of CHAIR is a ratio of sums of these. */
export interface ChairCounts {
  /** 1, so that sums count responses. */
  readonly responses: number
  /** Object mentions, and those of objects that the image does not have. */
  readonly mentions: number
  readonly hallucinatedMentions: number
  /** Different objects named, and those that the image does not have. */
  readonly objects: number
  readonly hallucinatedObjects: number
  /** 1 when any mention is hallucinated. */
  readonly isHallucinated: number
  /** Objects that the annotations have, and those of them that the response names. */
  readonly annotatedObjects: number
  readonly recalledObjects: number
  readonly words: number
  /** Mentions beyond an object's first. */
  readonly repeatedMentions: number
}

/** A response with what it names. */
export interface ChairResponse extends ChairCounts {
  readonly found: readonly (ObjectMention & { readonly isHallucinated: boolean })[]
}

/** What limits that which a response counts; the published script knows neither. */
export interface ChairLimits {
  /** Objects that the annotations have categories of: they cannot say of others whether they are there. All when left out. */
  readonly judged?: ReadonlySet<string>
  /** The response ended by its length; a word that touches its end may be unfinished and does not count. */
  readonly isCut?: boolean
}

/** Counts for one response. @param present objects of the image, by the lexicon's names */
export function scoreResponse(
  text: string,
  present: ReadonlySet<string>,
  lexicon: Lexicon,
  { judged, isCut = false }: ChairLimits = {},
): ChairResponse {
  const found = findObjects(text, lexicon, { ...chairFinderOptions, isCut })
    .filter(({ name }) => judged === undefined || judged.has(name))
    .map((mention) => ({ ...mention, isHallucinated: !present.has(mention.name) }))
  // What the lexicon does not know no response could be found to name.
  const annotated = judged ? [...present].filter((name) => judged.has(name) && lexicon.names.has(name)) : [...present]
  const named = new Set(found.map(({ name }) => name))
  const recalled = [...named].filter((name) => present.has(name)).length
  const hallucinatedMentions = found.filter(({ isHallucinated }) => isHallucinated).length
  return {
    found,
    responses: 1,
    mentions: found.length,
    hallucinatedMentions,
    objects: named.size,
    hallucinatedObjects: named.size - recalled,
    isHallucinated: hallucinatedMentions > 0 ? 1 : 0,
    annotatedObjects: annotated.length,
    recalledObjects: recalled,
    words: wordsOf(text).length,
    repeatedMentions: found.length - named.size,
  }
}

/** The figures as functions of summed counts, for a summary and for each resample of the bootstrap alike. */
export const chairFigures = {
  /** CHAIR_i: hallucinated mentions / mentions. */
  chairI: (sum: ChairCounts) => sum.hallucinatedMentions / sum.mentions,
  /** CHAIR_i over different objects, which repeating safe ones does not lower. */
  chairIUnique: (sum: ChairCounts) => sum.hallucinatedObjects / sum.objects,
  /** CHAIR_s: responses with a hallucinated mention / responses. */
  chairS: (sum: ChairCounts) => sum.isHallucinated / sum.responses,
  /** Annotated objects that are named / annotated objects. */
  recall: (sum: ChairCounts) => sum.recalledObjects / sum.annotatedObjects,
  /** Words a response. */
  meanLength: (sum: ChairCounts) => sum.words / sum.responses,
  /** Repeated mentions a response. */
  repetition: (sum: ChairCounts) => sum.repeatedMentions / sum.responses,
} as const
export type ChairFigure = keyof typeof chairFigures

const countNames = [
  'responses',
  'mentions',
  'hallucinatedMentions',
  'objects',
  'hallucinatedObjects',
  'isHallucinated',
  'annotatedObjects',
  'recalledObjects',
  'words',
  'repeatedMentions',
] as const satisfies readonly (keyof ChairCounts)[]

/** The counts of responses as columns, one entry a response, in their order: what {@link bootstrapSums} takes. */
export function chairColumns(responses: readonly ChairCounts[]): Record<keyof ChairCounts, Float64Array> {
  const columns = countNames.map((name) => [name, Float64Array.from(responses, (response) => response[name])] as const)
  return Object.fromEntries(columns) as Record<keyof ChairCounts, Float64Array>
}

/** All figures; null where nothing was named, annotated or said. */
export function summariseChair(responses: readonly ChairCounts[]): Record<ChairFigure, number | null> {
  const sums = Object.fromEntries(
    Object.entries(chairColumns(responses)).map(([name, column]) => [name, column.reduce((sum, one) => sum + one, 0)]),
  ) as unknown as ChairCounts
  const figures = Object.entries(chairFigures).map(([name, of]) => {
    const figure = of(sums)
    return [name, Number.isFinite(figure) ? figure : null] as const
  })
  return Object.fromEntries(figures) as Record<ChairFigure, number | null>
}

/** One object's counts over all responses. */
export interface ChairOfObject {
  readonly name: string
  /** Images that have it, and responses to them that name it. */
  readonly annotated: number
  readonly recalled: number
  /** Mentions in all, and in responses to images that do not have it. */
  readonly mentions: number
  readonly hallucinatedMentions: number
}

/** Breakdown by object, the most hallucinated first. @param present the objects of each response's image */
export function chairByObject(
  responses: readonly ChairResponse[],
  present: readonly ReadonlySet<string>[],
): ChairOfObject[] {
  const counts = new Map<string, { -readonly [K in keyof ChairOfObject]: ChairOfObject[K] }>()
  const of = (name: string) => {
    const known = counts.get(name) ?? { name, annotated: 0, recalled: 0, mentions: 0, hallucinatedMentions: 0 }
    counts.set(name, known)
    return known
  }
  for (const [i, { found }] of responses.entries()) {
    const named = new Set(found.map(({ name }) => name))
    for (const name of present[i] ?? []) {
      of(name).annotated++
      if (named.has(name)) of(name).recalled++
    }
    for (const { name, isHallucinated } of found) {
      of(name).mentions++
      if (isHallucinated) of(name).hallucinatedMentions++
    }
  }
  return [...counts.values()].sort(
    (a, b) => b.hallucinatedMentions - a.hallucinatedMentions || b.mentions - a.mentions || (a.name < b.name ? -1 : 1),
  )
}
