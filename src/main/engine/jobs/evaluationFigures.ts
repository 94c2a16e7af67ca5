// The figures of an evaluation, made of its stored answers: by policy with intervals, paired differences, and counts by object
// word. Before it stand answers of every policy, after it the evaluation's own row.
import type { Calibration } from '../../../shared/calibration.ts'
import { type EvaluationId, jsonSchema } from '../../../shared/domain.ts'
import type { Concept, EvaluationFigures } from '../../../shared/evaluations.ts'
import type { WritableDb } from '../../db/connection.ts'
import {
  answersOf,
  conceptCounts,
  countAnswers,
  finishEvaluation,
  type ItemAnswer,
  itemsWithout,
  judgeAnswers,
} from '../../db/evaluations.ts'
import { defaultBootstrap } from '../eval/bootstrap.ts'
import { comparePolicies } from '../eval/comparePolicies.ts'
import { GroundingFigures } from '../eval/groundingFigures.ts'
import { conceptsOf, inOrder, type Measuring, type NamedFigure } from './measures.ts'

/** Answers that are in memory at a time. */
const answersOfPage = 512
/** Numbers that all resamples together may read, beyond which there are fewer of them. */
const mostReads = 2e9
const fewestResamples = 200

/** Makes figures of all answers and stores them; the evaluation is done then. */
export function countFigures(
  db: WritableDb,
  evaluationId: EvaluationId,
  given: { readonly policies: number; readonly measuring: Measuring; readonly calibration: Calibration | null },
): void {
  const places = imagePlaces(db, evaluationId)
  let reads = 0
  const byPolicy = Array.from({ length: given.policies }, (_, policy): NamedFigure[] => {
    const collector = given.measuring.collector(places.size)
    const grounding = given.calibration && new GroundingFigures(given.calibration)
    for (const answer of everyAnswer(db, evaluationId, policy)) {
      const image = places.get(answer.path) as number
      collector.add(answer, image)
      grounding?.add({ image, mentions: mentionsOf(answer) })
    }
    if (grounding) judgeWords(db, evaluationId, policy, grounding)
    const figures = collector.figures()
    // A share is found in twenty steps.
    reads += places.size * 10 + (grounding ? 20 * grounding.mentions : 0)
    const estimated = grounding ? inOrder('annotation-free', { ...grounding.figures() }) : []
    return [...estimated, ...figures]
  })
  const resamples = Math.round(Math.min(defaultBootstrap.resamples, Math.max(fewestResamples, mostReads / reads)))
  const compared = comparePolicies(
    places.size,
    byPolicy.map((figures) => figures.map(({ of }) => of)),
    { ...defaultBootstrap, resamples, seed: 0 },
  )
  const names = (byPolicy[0] ?? []).map(({ name, group }) => ({ name, group }))
  const figures: EvaluationFigures = {
    figures: names.map((named, f) => ({ ...named, byPolicy: compared.byPolicy.flatMap((of) => of[f] ?? []) })),
    differences: compared.differences.map(({ before, after, figures: changes }) => ({
      ...{ before, after },
      figures: names.flatMap((named, f) => {
        const change = changes[f]
        return change ? [{ ...named, ...change }] : []
      }),
    })),
    ...{ resamples, answers: countAnswers(db, evaluationId) },
  }
  const concepts = countConcepts(db, evaluationId, given.policies)
  finishEvaluation(
    db,
    evaluationId,
    { figures: jsonSchema.parse(figures), concepts: jsonSchema.parse(concepts) },
    Date.now(),
  )
}

/** A place for each image that every policy could read, in the order in which they are asked about first. */
function imagePlaces(db: WritableDb, evaluationId: EvaluationId): Map<string, number> {
  const places = new Map<string, number>()
  // No policy has this place, so nothing is answered.
  const nobody = -1
  for (let after = -1; ; ) {
    const page = itemsWithout(db, evaluationId, nobody, after, answersOfPage)
    const last = page.at(-1)
    if (!last) return places
    after = last.item
    for (const { path } of page) if (!places.has(path)) places.set(path, places.size)
  }
}

function* everyAnswer(db: WritableDb, evaluationId: EvaluationId, policy: number): Generator<ItemAnswer> {
  for (let after = -1; ; ) {
    const page = answersOf(db, evaluationId, policy, after, answersOfPage)
    const last = page.at(-1)
    if (!last) return
    after = last.item
    yield* page
  }
}

function mentionsOf({ words }: ItemAnswer): { name: string; score: number }[] {
  return words.flatMap(({ name, score }) => (score === null ? [] : [{ name, score }]))
}

/** Verdicts on words by the share of hallucinated mentions that the policy came to. */
function judgeWords(db: WritableDb, evaluationId: EvaluationId, policy: number, grounding: GroundingFigures): void {
  const { rate } = grounding
  for (let after = -1; ; ) {
    const page = answersOf(db, evaluationId, policy, after, answersOfPage)
    const last = page.at(-1)
    if (!last) return
    after = last.item
    const verdicts = page.map(({ item, words: found, counts }) => {
      const words = found.map((word) => ({
        ...word,
        isHallucinated: word.score !== null && grounding.isHallucinated(word.score, rate),
      }))
      const hallucinated = words.filter(({ isHallucinated }) => isHallucinated).length
      const named = new Set(words.map(({ name }) => name)).size
      const concepts = conceptsOf(words, null)
      return { item, words, answer: null, isRight: null, named, hallucinated, missed: 0, counts, concepts }
    })
    judgeAnswers(db, evaluationId, policy, verdicts)
  }
}

/** Counts by object word, by name. */
function countConcepts(db: WritableDb, evaluationId: EvaluationId, policies: number): Concept[] {
  const concepts = new Map<string, Concept>()
  const none = { mentions: 0, hallucinated: 0, hallucinatedImages: 0, recalled: null }
  for (let policy = 0; policy < policies; policy++) {
    for (const { name, annotated, ...counts } of conceptCounts(db, evaluationId, policy)) {
      const known = concepts.get(name) ?? {
        ...{ name, annotated },
        byPolicy: Array.from({ length: policies }, () => ({ ...none })),
      }
      concepts.set(name, known)
      known.annotated ??= annotated
      known.byPolicy[policy] = counts
    }
  }
  return [...concepts.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
