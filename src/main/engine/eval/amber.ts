// AMBER: hallucinations in descriptions and in yes-or-no answers, scored by word lists. Before it stand amberFiles.ts
// and the model's responses; bootstrap.ts gives the intervals.
// Wang et al. 2023 (arXiv 2311.07397); what is counted is what the benchmark's inference.py counts, without its vectors.
import { tagWords } from '../reward/nounTagger.ts'
import { singularForms } from '../reward/wordForms.ts'
import {
  type AmberAnnotation,
  type AmberBenchmark,
  type AmberDescription,
  type AmberKind,
  type AmberQuery,
  type AmberResponse,
  amberError,
  amberKindOfType,
} from './amberFiles.ts'
import { type BootstrapOptions, bootstrapSums, type Comparison, comparePaired, type Estimate } from './bootstrap.ts'
import { type Answer, countJudgement, type YesNoCounts, yesNoRatios } from './yesNo.ts'

/** What one description counts. */
export interface AmberDescriptionCounts {
  /** 1, so that sums count descriptions. */
  readonly descriptions: number
  /** 1 when any object word is hallucinated. */
  readonly isHallucinated: number
  /** Nouns that are among the benchmark's words, and those of them that name nothing in the image. */
  readonly objectWords: number
  readonly hallucinatedWords: number
  /** Annotated objects of the image, and those that are named. */
  readonly annotatedObjects: number
  readonly coveredObjects: number
  /** Objects that the annotators expected to be hallucinated, and those that are named. */
  readonly expectedHallucinations: number
  readonly namedHallucinations: number
}

/** A description with its object words in order. */
export interface AmberScoredDescription extends AmberDescriptionCounts {
  readonly found: readonly { readonly word: string; readonly isHallucinated: boolean }[]
}

/**
 * Counts for one description. A word names the first annotated object that it is related to, else the one of its own
 * name, as in inference.py, so that "tree" covers a forest that is annotated as well before it covers a tree. Safe words
 * count among the words and nowhere else.
 */
export function scoreDescription(
  text: string,
  { truth, hallu }: AmberDescription,
  benchmark: AmberBenchmark,
): AmberScoredDescription {
  const { related, safeWords } = benchmark
  const covered = new Set<number>()
  const named = new Set<number>()
  const found = objectWords(text, vocabularyOf(benchmark)).map((word) => {
    if (safeWords.has(word)) return { word, isHallucinated: false }
    const present = objectNamed(word, truth, related)
    const expected = objectNamed(word, hallu, related)
    if (present >= 0) covered.add(present)
    else if (expected >= 0) named.add(expected)
    return { word, isHallucinated: present < 0 }
  })
  const hallucinatedWords = found.filter(({ isHallucinated }) => isHallucinated).length
  return {
    found,
    descriptions: 1,
    isHallucinated: hallucinatedWords > 0 ? 1 : 0,
    objectWords: found.length,
    hallucinatedWords,
    annotatedObjects: truth.length,
    coveredObjects: covered.size,
    expectedHallucinations: hallu.length,
    namedHallucinations: named.size,
  }
}

/** Place among the objects, or -1. */
function objectNamed(word: string, objects: readonly string[], related: AmberBenchmark['related']): number {
  const byRelation = objects.findIndex((object) => related.get(object)?.includes(word))
  return byRelation >= 0 ? byRelation : objects.indexOf(word)
}

const vocabularies = new WeakMap<AmberBenchmark, ReadonlySet<string>>()

/** Every object and every related word. */
function vocabularyOf(benchmark: AmberBenchmark): ReadonlySet<string> {
  const known = vocabularies.get(benchmark)
  if (known) return known
  const vocabulary = new Set([...benchmark.related].flatMap(([object, words]) => [object, ...words]))
  vocabularies.set(benchmark, vocabulary)
  return vocabulary
}

/**
 * The nouns of a text that the vocabulary has, singular where it has them so, in order and as often as they stand there.
 * Words with hyphens are one, of the kind of their last part: "snow-covered" names no snow.
 */
function objectWords(text: string, vocabulary: ReadonlySet<string>): string[] {
  const lower = text.toLowerCase()
  const taggedByEnd = new Map(tagWords(lower).map((tagged) => [tagged.end, tagged]))
  const words: string[] = []
  for (const { 0: said, index } of lower.matchAll(/[\p{L}\p{M}\p{N}]+(?:-[\p{L}\p{M}\p{N}]+)*/gu)) {
    const head = taggedByEnd.get(index + said.length)
    if (head?.partOfSpeech !== 'NOUN' && head?.partOfSpeech !== 'PROPN') continue
    const lemma = said.slice(0, Math.max(0, head.start - index)) + head.lemma
    // The tagger leaves plurals that it does not know as they are.
    const forms = lemma === said ? singularForms(said) : [said, lemma]
    const word = forms.find((form) => vocabulary.has(form))
    if (word !== undefined) words.push(word)
  }
  return words
}

/** Groups of yes-or-no queries that have figures of their own. */
export const amberGroups = {
  discriminative: ['existence', 'state', 'number', 'action', 'relation'],
  existence: ['existence'],
  attribute: ['state', 'number', 'action'],
  state: ['state'],
  number: ['number'],
  action: ['action'],
  relation: ['relation'],
} as const satisfies Record<string, readonly AmberKind[]>
export type AmberGroup = keyof typeof amberGroups

type DescriptionCount = keyof AmberDescriptionCounts
type YesNoCount = keyof YesNoCounts
/** One number an image: sums over its descriptions, and over its yes-or-no queries of each kind. */
export type AmberColumn = DescriptionCount | `${AmberKind}.${YesNoCount}`
export type AmberColumns = Record<AmberColumn, Float64Array>
type AmberSums = Record<AmberColumn, number>

const descriptionCounts = [
  'descriptions',
  'isHallucinated',
  'objectWords',
  'hallucinatedWords',
  'annotatedObjects',
  'coveredObjects',
  'expectedHallucinations',
  'namedHallucinations',
] as const satisfies readonly DescriptionCount[]
const yesNoCounts = [
  'questions',
  'correct',
  'truePositives',
  'positives',
  'saidYes',
] as const satisfies readonly YesNoCount[]

const descriptionFigures = {
  /** Hallucinated words / object words, over all descriptions together. */
  chair: (sum: AmberSums) => sum.hallucinatedWords / sum.objectWords,
  /** Annotated objects that are named / annotated objects. */
  cover: (sum: AmberSums) => sum.coveredObjects / sum.annotatedObjects,
  /** Descriptions with a hallucinated word / descriptions. */
  hal: (sum: AmberSums) => sum.isHallucinated / sum.descriptions,
  /** Expected hallucinations that are named / expected hallucinations. */
  cog: (sum: AmberSums) => sum.namedHallucinations / sum.expectedHallucinations,
} as const

type AmberRatio = Exclude<keyof typeof yesNoRatios, 'yesRate'>
const ratios = ['accuracy', 'precision', 'recall', 'f1'] as const satisfies readonly AmberRatio[]

/** Figures between 0 and 1, of which the benchmark prints 100 times as much. */
export type AmberFigure = keyof typeof descriptionFigures | `${AmberGroup}.${AmberRatio}` | 'score'

/**
 * Functions of the summed columns, not finite where there is nothing to divide by. The positive answer of precision,
 * recall and F1 is no: a hallucination that is denied. `score` is the paper's: (1 - CHAIR + F1) / 2.
 */
export const amberFigures = {
  ...descriptionFigures,
  ...Object.fromEntries(
    (Object.keys(amberGroups) as AmberGroup[]).flatMap((group) =>
      ratios.map((ratio) => [`${group}.${ratio}`, (sums: AmberSums) => yesNoRatios[ratio](countsOf(sums, group))]),
    ),
  ),
  score: (sum: AmberSums) => (1 - descriptionFigures.chair(sum) + yesNoRatios.f1(countsOf(sum, 'discriminative'))) / 2,
} as Readonly<Record<AmberFigure, (sums: AmberSums) => number>>

/** The columns that each count of a group is the sum of, spelt once: resamples ask for them 10,000 times. */
const groupColumns = Object.fromEntries(
  Object.entries(amberGroups).map(([group, kinds]) => [
    group,
    Object.fromEntries(yesNoCounts.map((name) => [name, kinds.map((kind) => `${kind}.${name}` as const)])),
  ]),
) as unknown as Readonly<Record<AmberGroup, Readonly<Record<YesNoCount, readonly AmberColumn[]>>>>

function countsOf(sums: AmberSums, group: AmberGroup): YesNoCounts {
  const columns = groupColumns[group]
  const total = (name: YesNoCount) => columns[name].reduce((sum, column) => sum + sums[column], 0)
  return {
    questions: total('questions'),
    correct: total('correct'),
    truePositives: total('truePositives'),
    positives: total('positives'),
    saidYes: total('saidYes'),
  }
}

/** As inference.py reads it: "Yes" or "No" and nothing else; any other answer is wrong. */
function answerOf(response: string): Answer | 'other' {
  if (response === 'Yes') return 'yes'
  return response === 'No' ? 'no' : 'other'
}

/** Yes is the positive answer of yesNo.ts, no is this benchmark's. */
const turned = { yes: 'no', no: 'yes', other: 'other' } as const

/**
 * What the responses count, one entry an image, in the order in which the queries first have them.
 * @param queries of the benchmark, as readAmberQueries gives them
 * @param responses one to each query in order, as readAmberResponses gives them
 * @throws StudioError `run.amber` when they are in another order
 */
export function amberColumns(
  queries: readonly AmberQuery[],
  responses: readonly AmberResponse[],
  benchmark: AmberBenchmark,
): AmberColumns {
  const places = new Map([...new Set(queries.map(({ image }) => image))].map((image, place) => [image, place]))
  const kinds = amberGroups.discriminative
  const names = [
    ...descriptionCounts,
    ...kinds.flatMap((kind) => yesNoCounts.map((name) => `${kind}.${name}` as const)),
  ]
  const columns = Object.fromEntries(names.map((name) => [name, new Float64Array(places.size)])) as AmberColumns
  for (const [i, { id, image }] of queries.entries()) {
    const add = (name: AmberColumn, count: number) => {
      const place = places.get(image) as number
      columns[name][place] = (columns[name][place] as number) + count
    }
    const { response } = responseTo(id, responses[i])
    const annotation = benchmark.annotations[id - 1] as AmberAnnotation
    if (annotation.type === 'generative') {
      const counts = scoreDescription(response, annotation, benchmark)
      for (const name of descriptionCounts) add(name, counts[name])
      continue
    }
    const counts = countJudgement({ label: turned[annotation.truth], answer: turned[answerOf(response)] })
    for (const name of yesNoCounts) add(`${amberKindOfType[annotation.type]}.${name}`, counts[name])
  }
  return columns
}

function responseTo(id: number, response: AmberResponse | undefined): AmberResponse {
  if (response?.id === id) return response
  const facts = { expected: `a response to id ${id}`, found: response ? `one to id ${response.id}` : 'none' }
  throw amberError(
    'The responses are not in the order of their queries.',
    facts,
    'Score the file that was read for them.',
  )
}

/** All figures with their intervals over images; null where the queries have none of a kind. */
export function scoreAmber(columns: AmberColumns, options: BootstrapOptions): Record<AmberFigure, Estimate> {
  return bootstrapSums(columns, amberFigures, options)
}

/** All figures before and after, paired by image. @param before and `after`: of the same queries */
export function compareAmber(
  before: AmberColumns,
  after: AmberColumns,
  options: BootstrapOptions,
): Record<AmberFigure, Comparison> {
  return comparePaired(before, after, amberFigures, options)
}
