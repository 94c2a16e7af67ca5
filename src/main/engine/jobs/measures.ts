// How each measure judges an answer and what its figures are sums of: one record a measure, which evaluateWorkspace.ts
// drives. Before it stand answers of a policy, after it eval/comparePolicies.ts.
import { figureInfo, type MeasureKind } from '../../../shared/evaluations.ts'
import type { AnswerConcept, AnswerVerdict, EvaluationItem, ItemAnswer } from '../../db/evaluations.ts'
import { figuresOfSums } from '../eval/bootstrap.ts'
import { type ChairCounts, chairFigures, scoreResponse } from '../eval/chair.ts'
import type { WeightedFigure } from '../eval/comparePolicies.ts'
import { parseMmeAnswer } from '../eval/mme.ts'
import { parsePopeAnswer } from '../eval/pope.ts'
import { type Answer, countJudgement, type YesNoCounts, yesNoRatios } from '../eval/yesNo.ts'
import { measureGuards } from '../reward/guardMetrics.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import type { ScoredResponse } from '../reward/scoredResponse.ts'
import { chairTruthSchema, yesNoTruthSchema } from './evaluationItems.ts'

/** What a policy said, with the verifier's scores. */
export interface Said extends Pick<ScoredResponse, 'text' | 'mentions'> {
  /** It ended by its length. */
  readonly isCut: boolean
}

/** A figure with its place in the tables. */
export interface NamedFigure {
  readonly name: string
  readonly group: string | null
  readonly of: WeightedFigure
}

/** Gathers the answers of one policy. */
export interface FigureCollector {
  /** @param image place of its image, below the number of images */
  add(answer: ItemAnswer, image: number): void
  /** In the order of `figureInfo`; comparePolicies.ts must call them in it. */
  figures(): NamedFigure[]
}

export interface Measuring {
  judge(item: EvaluationItem, said: Said): AnswerVerdict
  collector(imageCount: number): FigureCollector
}

/** Numbers by name, a column each, summed over what is asked about one image. */
export class ImageColumns<Name extends string> {
  readonly #names: readonly Name[]
  readonly #imageCount: number
  readonly #groups = new Map<string, Record<Name, Float64Array>>()

  constructor(names: readonly Name[], imageCount: number) {
    this.#names = names
    this.#imageCount = imageCount
  }

  get groups(): string[] {
    return [...this.#groups.keys()]
  }

  /** @param counts in the order of the names; @param group of columns of their own */
  add(image: number, counts: readonly number[], group = ''): void {
    const columns = this.of(group)
    this.#names.forEach((name, i) => {
      columns[name][image] = (columns[name][image] ?? 0) + (counts[i] ?? 0)
    })
  }

  /** [images] each; 0 where an image has none. */
  of(group = ''): Record<Name, Float64Array> {
    const known = this.#groups.get(group)
    if (known) return known
    const columns = this.#names.map((name) => [name, new Float64Array(this.#imageCount)] as const)
    const made = Object.fromEntries(columns) as Record<Name, Float64Array>
    this.#groups.set(group, made)
    return made
  }
}

/** The figures of a measure that functions are given for, in the order of `figureInfo`. */
export function inOrder(
  kind: MeasureKind,
  figures: Readonly<Record<string, WeightedFigure>>,
  group: string | null = null,
): NamedFigure[] {
  return Object.keys(figureInfo[kind]).flatMap((name) => {
    const of = figures[name]
    return of ? [{ name, group, of }] : []
  })
}

const chairCounts = [
  ...(['responses', 'mentions', 'hallucinatedMentions', 'objects', 'hallucinatedObjects', 'isHallucinated'] as const),
  ...(['annotatedObjects', 'recalledObjects', 'words', 'repeatedMentions'] as const),
] satisfies readonly (keyof ChairCounts)[]

/** @param judgeable objects that the annotations can judge */
export function chairMeasuring(lexicon: Lexicon, judgeable: ReadonlySet<string>): Measuring {
  return {
    judge({ truth }, { text, mentions, isCut }) {
      const present = new Set(chairTruthSchema.parse(truth).objects)
      const counted = scoreResponse(text, present, lexicon, { judged: judgeable, isCut })
      const scores = new Map(mentions.map(({ start, score }) => [start, score]))
      const annotated = [...present].filter((name) => judgeable.has(name) && lexicon.names.has(name))
      const concepts = conceptsOf(counted.found, annotated)
      return {
        words: counted.found.map(({ start, end, name, isHallucinated }) => ({
          ...{ start, end, name, isHallucinated, score: scores.get(start) ?? null },
        })),
        ...{ answer: null, isRight: null, named: counted.objects, hallucinated: counted.hallucinatedMentions },
        missed: counted.annotatedObjects - counted.recalledObjects,
        ...{ counts: chairCounts.map((name) => counted[name]), concepts },
      }
    },
    collector(imageCount) {
      const columns = new ImageColumns(chairCounts, imageCount)
      return {
        add: ({ counts }, image) => columns.add(image, counts),
        figures: () => inOrder('chair', figuresOfSums(columns.of(), chairFigures)),
      }
    },
  }
}

/** Every object that is named or annotated. @param annotated null where nothing is */
export function conceptsOf(
  found: readonly { readonly name: string; readonly isHallucinated: boolean }[],
  annotated: readonly string[] | null,
): AnswerConcept[] {
  const present = annotated && new Set(annotated)
  const concepts = new Map<string, { mentions: number; hallucinated: number }>()
  const of = (name: string) => {
    const known = concepts.get(name) ?? { mentions: 0, hallucinated: 0 }
    concepts.set(name, known)
    return known
  }
  for (const name of annotated ?? []) of(name)
  for (const { name, isHallucinated } of found) {
    of(name).mentions++
    if (isHallucinated) of(name).hallucinated++
  }
  return [...concepts].map(([name, counts]) => ({
    name,
    ...counts,
    isAnnotated: present === null ? null : present.has(name),
  }))
}

const yesNoCounts = [
  ...(['questions', 'correct', 'truePositives', 'positives', 'saidYes'] as const),
] satisfies readonly (keyof YesNoCounts)[]

function judgeYesNo(label: Answer, answer: Answer | 'other', concept: string | null): AnswerVerdict {
  const counted = countJudgement({ label, answer })
  const saidYes = answer === 'yes'
  const isAnnotated = label === 'yes'
  const verdict = { named: Number(saidYes), hallucinated: Number(saidYes && !isAnnotated) }
  const missed = Number(isAnnotated && !saidYes)
  const { named: mentions, hallucinated } = verdict
  return {
    ...{ words: [], answer, isRight: label === answer, ...verdict, missed },
    counts: yesNoCounts.map((name) => counted[name]),
    concepts: concept === null ? [] : [{ name: concept, mentions, hallucinated, isAnnotated }],
  }
}

/** The object that a question of POPE asks for, as the benchmark and `makePopeQuestions` write it. */
function objectAskedFor(question: string | null): string | null {
  return (
    /^is there an? (.+?) in the (?:image|imange|picture|photo)\s*\?/i.exec(question ?? '')?.[1]?.toLowerCase() ?? null
  )
}

export const popeMeasuring: Measuring = {
  judge({ truth, question }, { text }) {
    return judgeYesNo(yesNoTruthSchema.parse(truth).label, parsePopeAnswer(text), objectAskedFor(question))
  },
  collector(imageCount) {
    const columns = new ImageColumns(yesNoCounts, imageCount)
    return {
      add: ({ counts }, image) => columns.add(image, counts),
      figures: () => inOrder('pope', figuresOfSums(columns.of(), yesNoRatios)),
    }
  },
}

const mmeCounts = ['questions', 'correct', 'images', 'wholeImages'] as const
type MmeSums = Record<(typeof mmeCounts)[number], number>
const mmeRatios = {
  score: (sum: MmeSums) => 100 * (sum.correct / sum.questions + sum.wholeImages / sum.images),
  accuracy: (sum: MmeSums) => sum.correct / sum.questions,
  accuracyPlus: (sum: MmeSums) => sum.wholeImages / sum.images,
} as const

/** @param parts subtasks by part of the benchmark, whose scores are summed */
export function mmeMeasuring(parts: Readonly<Record<'perception' | 'cognition', readonly string[]>>): Measuring {
  return {
    judge({ truth }, { text }) {
      return judgeYesNo(yesNoTruthSchema.parse(truth).label, parseMmeAnswer(text), null)
    },
    collector(imageCount) {
      const columns = new ImageColumns(['questions', 'correct'], imageCount)
      return {
        add({ counts, truth }, image) {
          columns.add(image, counts, yesNoTruthSchema.parse(truth).group)
        },
        figures() {
          const bySubtask = new Map(columns.groups.map((subtask) => [subtask, mmeFigures(columns.of(subtask))]))
          const sumOf = (part: 'perception' | 'cognition'): Record<string, WeightedFigure> => {
            const scores = parts[part].flatMap((subtask) => bySubtask.get(subtask)?.score ?? [])
            if (scores.length === 0) return {}
            return { [part]: (weights) => scores.reduce((sum, score) => sum + score(weights), 0) }
          }
          const sums = inOrder('mme', { ...sumOf('perception'), ...sumOf('cognition') })
          return [...sums, ...[...bySubtask].flatMap(([subtask, figures]) => inOrder('mme', figures, subtask))]
        },
      }
    },
  }
}

function mmeFigures({ questions, correct }: Record<'questions' | 'correct', Float64Array>) {
  const images = questions.map((asked) => Number(asked > 0))
  const wholeImages = questions.map((asked, i) => Number(asked > 0 && correct[i] === asked))
  return figuresOfSums({ questions, correct, images, wholeImages }, mmeRatios)
}

/** What is known of a response without annotations. */
const freeCounts = ['responses', 'objects', 'words', 'repeatedMentions', 'repeatedTrigrams', 'empty'] as const
type FreeSums = Record<(typeof freeCounts)[number], number>
const freeFigures = {
  meanObjects: (sum: FreeSums) => sum.objects / sum.responses,
  meanWords: (sum: FreeSums) => sum.words / sum.responses,
  repeatedMentions: (sum: FreeSums) => sum.repeatedMentions / sum.responses,
  repeatedTrigrams: (sum: FreeSums) => sum.repeatedTrigrams / sum.responses,
  emptyShare: (sum: FreeSums) => sum.empty / sum.responses,
} as const

/** Verdicts on words follow once all have answered; see estimates.ts. */
export const freeMeasuring: Measuring = {
  judge(_, { text, mentions }) {
    const guards = measureGuards([{ text, mentions }])
    const words = mentions.map(({ start, end, name, score }) => ({ start, end, name, score, isHallucinated: false }))
    const { meanObjects, meanWords, meanRepeatedMentions, repeatedTrigramShare, emptyShare } = guards
    return {
      ...{ words, answer: null, isRight: null, named: meanObjects, hallucinated: 0, missed: 0 },
      counts: [1, meanObjects, meanWords, meanRepeatedMentions, repeatedTrigramShare, emptyShare],
      concepts: conceptsOf(words, null),
    }
  },
  collector(imageCount) {
    const columns = new ImageColumns(freeCounts, imageCount)
    return {
      add: ({ counts }, image) => columns.add(image, counts),
      figures: () => inOrder('annotation-free', figuresOfSums(columns.of(), freeFigures)),
    }
  },
}
