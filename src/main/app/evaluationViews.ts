// Evaluations as pages see them, made of what the workspace keeps. Before it stands db/evaluations.ts, after it
// evaluations.ts and evaluationCsv.ts.
import { z } from 'zod'
import type { Params, Result } from '../../shared/contract.ts'
import type { EvaluationId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import {
  type Concept,
  conceptSchema,
  type EvaluatedImage,
  type EvaluationDetail,
  type EvaluationFigure,
  type EvaluationView,
  evaluationFactsSchema,
  evaluationFiguresSchema,
  newEvaluationSchema,
} from '../../shared/evaluations.ts'
import { shownPath, shownText } from '../../shared/shownText.ts'
import type { ReadableDb } from '../db/connection.ts'
import {
  answersTo,
  countAnswers,
  countEvaluated,
  countItems,
  type EvaluationItem,
  type EvaluationRecord,
  evaluatedItems,
  evaluationById,
  storedConcepts,
  unreadableItems,
} from '../db/evaluations.ts'

/** What only the queue knows of one that the engine works on or that waits. */
export interface EvaluationNow {
  readonly live:
    | (Pick<EvaluationView, 'done' | 'total' | 'remainingMs' | 'readied'> & {
        readonly state: 'opening' | 'answering' | 'counting'
      })
    | null
  readonly waitsFor: string | null
}

const longestResponse = 100_000
/** Figures that a list shows; of CHAIR both rates with recall and length. */
const headlineFigures = 4
const firstSkipped = 20

/** @throws StudioError `run.no-evaluation` */
export function requireEvaluation(db: ReadableDb, evaluationId: EvaluationId): EvaluationRecord {
  const record = evaluationById(db, evaluationId)
  if (record) return record
  throw new StudioError({
    code: 'run.no-evaluation',
    message: 'This evaluation is not in the workspace any more.',
    remedy: 'Start a new one.',
    where: `evaluation ${evaluationId}`,
  })
}

export function viewOfEvaluation(db: ReadableDb, record: EvaluationRecord, now: EvaluationNow): EvaluationView {
  const { evaluationId, kind, state, createdAtMs, endedAtMs, names } = record
  const { policies } = newEvaluationSchema.parse(record.request)
  const figures = figuresOf(record)
  return {
    ...{ evaluationId, kind, name: shownText(record.name), error: record.error, createdAtMs, endedAtMs },
    policies: policies.map((policy, i) => ({ policy, name: shownText(names[i] ?? '') })),
    waitsFor: state === 'waiting' && !now.live ? (now.waitsFor ?? 'Waits for the evaluations before it.') : null,
    headline: shownFigures((figures?.figures ?? []).slice(0, headlineFigures)),
    ...(now.live ?? { state, ...countsOf(db, record, policies.length), remainingMs: null, readied: null }),
  }
}

/** Counting answers takes a while where there are many, so those of one that is done are kept. */
function countsOf(db: ReadableDb, record: EvaluationRecord, policies: number): { done: number; total: number } {
  const answers = figuresOf(record)?.answers
  if (answers !== undefined) return { done: answers, total: answers }
  if (record.facts === null) return { done: 0, total: 0 }
  const { evaluationId } = record
  return { done: countAnswers(db, evaluationId), total: policies * countItems(db, evaluationId).items }
}

function figuresOf({ state, figures }: EvaluationRecord) {
  return state === 'done' ? evaluationFiguresSchema.safeParse(figures).data : undefined
}

function shownFigures(figures: readonly EvaluationFigure[]): EvaluationFigure[] {
  return figures.map(({ group, ...figure }) => ({ ...figure, group: group && shownText(group) }))
}

export function detailOfEvaluation(db: ReadableDb, record: EvaluationRecord, now: EvaluationNow): EvaluationDetail {
  const { evaluationId } = record
  const facts = evaluationFactsSchema.safeParse(record.facts).data
  const figures = figuresOf(record)
  const { items, images, unreadable } = countItems(db, evaluationId)
  const request = newEvaluationSchema.parse(record.request)
  const hasOwnQuestions = ['pope', 'mme', 'amber'].includes(record.kind)
  return {
    ...viewOfEvaluation(db, record, now),
    request,
    prompt: hasOwnQuestions ? null : (facts?.prompt ?? request.prompt),
    maxNewTokens: facts?.maxNewTokens ?? request.maxNewTokens ?? 0,
    ...{ images, questions: items },
    skipped: { count: unreadable, first: unreadableItems(db, evaluationId, firstSkipped) },
    figures: shownFigures(figures?.figures ?? []),
    differences: figures?.differences ?? [],
    resamples: figures?.resamples ?? 0,
    judgedBy: facts?.judgedBy ?? null,
    noEstimate: facts?.noEstimate ?? null,
    annotations: facts?.annotations ?? null,
    concepts: conceptsOfEvaluation(db, evaluationId).length,
  }
}

/** By name. */
export function conceptsOfEvaluation(db: ReadableDb, evaluationId: EvaluationId): Concept[] {
  return z.array(conceptSchema).safeParse(storedConcepts(db, evaluationId)).data ?? []
}

type ConceptSort = Params<'evaluations.concepts'>['sort']

const conceptKeys: Readonly<Record<Exclude<ConceptSort, 'name'>, (concept: Concept) => number>> = {
  hallucinated: ({ byPolicy }) => byPolicy[0]?.hallucinated ?? 0,
  change: ({ byPolicy }) => Math.abs((byPolicy.at(-1)?.hallucinated ?? 0) - (byPolicy[0]?.hallucinated ?? 0)),
  mentions: ({ byPolicy }) => byPolicy[0]?.mentions ?? 0,
}

/** The largest first; those that are alike by name. */
export function conceptWindow(
  db: ReadableDb,
  { evaluationId, sort, offset, limit }: Params<'evaluations.concepts'>,
): Result<'evaluations.concepts'> {
  requireEvaluation(db, evaluationId)
  const all = conceptsOfEvaluation(db, evaluationId)
  if (sort !== 'name') all.sort((a, b) => conceptKeys[sort](b) - conceptKeys[sort](a))
  return { total: all.length, concepts: all.slice(offset, offset + limit) }
}

export function evaluatedWindow(
  db: ReadableDb,
  { evaluationId, select, concept, policy, offset, limit }: Params<'evaluations.images'>,
): Result<'evaluations.images'> {
  const record = requireEvaluation(db, evaluationId)
  const selection = { select, concept, policy }
  const items = evaluatedItems(db, evaluationId, selection, offset, limit)
  return {
    total: countEvaluated(db, evaluationId, selection),
    images: items.map((item) => evaluatedImage(db, record, item)),
  }
}

const truthSchema = z.object({
  objects: z.array(z.string()).optional(),
  label: z.enum(['yes', 'no']).nullable().optional(),
})

export function evaluatedImage(db: ReadableDb, record: EvaluationRecord, item: EvaluationItem): EvaluatedImage {
  const { policies, prompt } = newEvaluationSchema.parse(record.request)
  const truth = truthSchema.safeParse(item.truth).data
  const question = item.question ?? evaluationFactsSchema.safeParse(record.facts).data?.prompt ?? prompt ?? ''
  const answers = answersTo(db, record.evaluationId, item.item)
  return {
    ...{ item: item.item, imageId: item.imageId, path: shownPath(item.path), name: shownText(item.name) },
    question: shownText(question, longestResponse),
    objects: truth?.objects?.map((name) => shownText(name)) ?? null,
    label: truth?.label ?? null,
    answers: policies.map((_, place) => {
      const found = answers.find(({ policy }) => policy === place)
      if (!found) return null
      const { text, words, answer, isRight } = found
      return { text: shownText(text, longestResponse), words, answer, isRight }
    }),
  }
}
