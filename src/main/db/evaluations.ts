// Evaluations: what was asked for, its images or questions, each policy's answers as they come, and at the end its figures.
// The engine writes them, pages read them through app/evaluationViews.ts.
import type { EvaluationId, Json } from '../../shared/domain.ts'
import type { ErrorRecord } from '../../shared/errors.ts'
import type { EvaluatedImage, MeasureKind } from '../../shared/evaluations.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/** What is stored of its state; how far it is on its way is known to who carries it out. */
export type StoredEvaluationState = 'waiting' | 'done' | 'cancelled' | 'failed'

export interface EvaluationRecord {
  readonly evaluationId: EvaluationId
  readonly name: string
  readonly kind: MeasureKind
  readonly request: Json
  /** What each policy's run or model was called. */
  readonly names: readonly string[]
  readonly state: StoredEvaluationState
  readonly error: ErrorRecord | null
  /** What it was carried out with; null before its files were read. */
  readonly facts: Json | null
  /** Null before it is done. */
  readonly figures: Json | null
  readonly createdAtMs: number
  readonly endedAtMs: number | null
}

/** An image, or a question about one. */
export interface EvaluationItem {
  /** From 0, in the order in which they are asked. */
  readonly item: number
  /** Null for one that is not in the workspace. */
  readonly imageId: number | null
  readonly path: string
  /** As the benchmark calls it. */
  readonly name: string
  /** Null for the one that is asked of every image. */
  readonly question: string | null
  readonly truth: Json | null
}

/** An object word of one answer. */
export interface AnswerConcept {
  readonly name: string
  readonly mentions: number
  readonly hallucinated: number
  /** Null where nothing is annotated. */
  readonly isAnnotated: boolean | null
}

type Words = NonNullable<EvaluatedImage['answers'][number]>['words']

/** What judges an answer. */
export interface AnswerVerdict {
  readonly words: Words
  readonly answer: 'yes' | 'no' | 'other' | null
  readonly isRight: boolean | null
  /** Objects named, hallucinated mentions, annotated objects that are not named. */
  readonly named: number
  readonly hallucinated: number
  readonly missed: number
  /** What figures are sums of. */
  readonly counts: readonly number[]
  readonly concepts: readonly AnswerConcept[]
}

export interface NewAnswer extends AnswerVerdict {
  readonly item: number
  readonly text: string
}

/** Puts an evaluation at the end of the queue. */
export function newEvaluation(
  db: WritableDb,
  { name, kind, request, names }: { name: string; kind: MeasureKind; request: Json; names: readonly string[] },
  nowMs: number,
): EvaluationId {
  const insert = statement<unknown[]>(
    db,
    `INSERT INTO evaluation (name, kind, request, names, state, created_ms) VALUES (?, ?, ?, ?, 'waiting', ?)`,
  )
  const values = [name, kind, JSON.stringify(request), JSON.stringify(names), nowMs]
  return Number(inTransaction(db, () => insert.run(...values)).lastInsertRowid) as EvaluationId
}

/** Stores what takes part and what it is carried out with, all or nothing. */
export function storeItems(
  db: WritableDb,
  evaluationId: EvaluationId,
  items: Iterable<EvaluationItem>,
  facts: Json,
): void {
  const insert = statement<unknown[]>(
    db,
    `INSERT INTO evaluation_item (evaluation_id, item, image_id, path, name, question, truth)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  inTransaction(db, () => {
    statement<[string, number]>(db, 'UPDATE evaluation SET facts = ? WHERE evaluation_id = ?').run(
      JSON.stringify(facts),
      evaluationId,
    )
    for (const { item, imageId, path, name, question, truth } of items) {
      insert.run(evaluationId, item, imageId, path, name, question, truth === null ? null : JSON.stringify(truth))
    }
  })
}

/** Stores answers of a policy, and images that could not be read, all or nothing. */
export function storeAnswers(
  db: WritableDb,
  evaluationId: EvaluationId,
  policy: number,
  { answers, unreadable }: { answers: readonly NewAnswer[]; unreadable: readonly { item: number; code: string }[] },
): void {
  const insert = statement<object>(
    db,
    `INSERT INTO evaluation_answer
       (evaluation_id, policy, item, text, words, answer, is_right, named, hallucinated, missed, counts)
     VALUES (@evaluationId, @policy, @item, @text, @words, @answer, @isRight, @named, @hallucinated, @missed, @counts)`,
  )
  inTransaction(db, () => {
    for (const { concepts, ...answer } of answers) {
      insert.run({ evaluationId, policy, ...answer, ...columnsOf(answer) })
      storeConcepts(db, evaluationId, policy, answer.item, concepts)
    }
    for (const { item, code } of unreadable) {
      statement<[string, number, number]>(
        db,
        'UPDATE evaluation_item SET code = ? WHERE evaluation_id = ? AND item = ?',
      ).run(code, evaluationId, item)
    }
  })
}

/** Judges answers that are stored: of estimates the verdict on a word is known only once all have answered. */
export function judgeAnswers(
  db: WritableDb,
  evaluationId: EvaluationId,
  policy: number,
  verdicts: readonly (AnswerVerdict & { readonly item: number })[],
): void {
  const update = statement<object>(
    db,
    `UPDATE evaluation_answer SET words = @words, answer = @answer, is_right = @isRight, named = @named,
       hallucinated = @hallucinated, missed = @missed, counts = @counts
     WHERE evaluation_id = @evaluationId AND policy = @policy AND item = @item`,
  )
  const clear = statement<[number, string, number, number]>(
    db,
    'DELETE FROM evaluation_concept WHERE evaluation_id = ? AND concept = ? AND policy = ? AND item = ?',
  )
  inTransaction(db, () => {
    for (const { concepts, item, ...verdict } of verdicts) {
      update.run({ evaluationId, policy, item, ...verdict, ...columnsOf(verdict) })
      for (const { name } of concepts) clear.run(evaluationId, name, policy, item)
      storeConcepts(db, evaluationId, policy, item, concepts)
    }
  })
}

function columnsOf({ words, counts, isRight }: Pick<AnswerVerdict, 'words' | 'counts' | 'isRight'>) {
  const right = isRight === null ? null : Number(isRight)
  return { words: JSON.stringify(words), counts: JSON.stringify(counts), isRight: right }
}

function storeConcepts(
  db: WritableDb,
  evaluationId: EvaluationId,
  policy: number,
  item: number,
  concepts: readonly AnswerConcept[],
): void {
  const insert = statement<unknown[]>(
    db,
    `INSERT INTO evaluation_concept (evaluation_id, concept, policy, item, mentions, hallucinated, is_annotated)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const { name, mentions, hallucinated, isAnnotated } of concepts) {
    const annotated = isAnnotated === null ? null : Number(isAnnotated)
    insert.run(evaluationId, name, policy, item, mentions, hallucinated, annotated)
  }
}

/** Images that could not be read are tried again. */
export function clearUnreadable(db: WritableDb, evaluationId: EvaluationId): void {
  inTransaction(db, () =>
    statement<[number]>(db, 'UPDATE evaluation_item SET code = NULL WHERE evaluation_id = ? AND code IS NOT NULL').run(
      evaluationId,
    ),
  )
}

/** Takes answers away whose image some other policy could not read: figures compare policies on the same images. */
export function dropUnreadable(db: WritableDb, evaluationId: EvaluationId): void {
  const unreadable = 'SELECT item FROM evaluation_item WHERE evaluation_id = @evaluationId AND code IS NOT NULL'
  inTransaction(db, () => {
    for (const table of ['evaluation_answer', 'evaluation_concept']) {
      statement<object>(db, `DELETE FROM ${table} WHERE evaluation_id = @evaluationId AND item IN (${unreadable})`).run(
        {
          evaluationId,
        },
      )
    }
  })
}

/** Stores what it came to. */
export function finishEvaluation(
  db: WritableDb,
  evaluationId: EvaluationId,
  { figures, concepts }: { figures: Json; concepts: Json },
  nowMs: number,
): void {
  inTransaction(db, () =>
    statement<unknown[]>(
      db,
      `UPDATE evaluation SET state = 'done', error = NULL, figures = ?, concepts = ?, ended_ms = ?
       WHERE evaluation_id = ?`,
    ).run(JSON.stringify(figures), JSON.stringify(concepts), nowMs, evaluationId),
  )
}

export function setEvaluationState(
  db: WritableDb,
  evaluationId: EvaluationId,
  state: StoredEvaluationState,
  error: ErrorRecord | null,
  endedAtMs: number | null,
): void {
  inTransaction(db, () =>
    statement<unknown[]>(db, 'UPDATE evaluation SET state = ?, error = ?, ended_ms = ? WHERE evaluation_id = ?').run(
      state,
      error && JSON.stringify(error),
      endedAtMs,
      evaluationId,
    ),
  )
}

export function deleteEvaluation(db: WritableDb, evaluationId: EvaluationId): void {
  inTransaction(db, () => statement<[number]>(db, 'DELETE FROM evaluation WHERE evaluation_id = ?').run(evaluationId))
}

type Row = Omit<EvaluationRecord, 'request' | 'names' | 'error' | 'facts' | 'figures'> &
  Record<'request' | 'names', string> &
  Record<'error' | 'facts' | 'figures', string | null>

const columns = `evaluation_id AS evaluationId, name, kind, request, names, state, error, facts, figures,
  created_ms AS createdAtMs, ended_ms AS endedAtMs`

function recordOf(row: Row): EvaluationRecord {
  const parsed = (text: string | null) => (text === null ? null : JSON.parse(text))
  const { request, names, error, facts, figures } = row
  return {
    ...{ ...row, request: JSON.parse(request), names: JSON.parse(names) },
    ...{ error: parsed(error), facts: parsed(facts), figures: parsed(figures) },
  }
}

/** All of the workspace, the newest first. */
export function listEvaluations(db: ReadableDb): EvaluationRecord[] {
  return statement<[], Row>(db, `SELECT ${columns} FROM evaluation ORDER BY evaluation_id DESC`).all().map(recordOf)
}

export function evaluationById(db: ReadableDb, evaluationId: EvaluationId): EvaluationRecord | undefined {
  const row = statement<[number], Row>(db, `SELECT ${columns} FROM evaluation WHERE evaluation_id = ?`).get(
    evaluationId,
  )
  return row && recordOf(row)
}

/** The one that has waited longest, or undefined. */
export function firstWaiting(db: ReadableDb): EvaluationId | undefined {
  return statement<[], { evaluationId: EvaluationId }>(
    db,
    "SELECT evaluation_id AS evaluationId FROM evaluation WHERE state = 'waiting' ORDER BY evaluation_id LIMIT 1",
  ).get()?.evaluationId
}

/** Those that wait, or are carried out, in the order of the queue. */
export function waitingEvaluations(db: ReadableDb): EvaluationId[] {
  return statement<[], { evaluationId: EvaluationId }>(
    db,
    "SELECT evaluation_id AS evaluationId FROM evaluation WHERE state = 'waiting' ORDER BY evaluation_id",
  )
    .all()
    .map(({ evaluationId }) => evaluationId)
}

/** Counts by object word, as {@link finishEvaluation} was given them; null before. */
export function storedConcepts(db: ReadableDb, evaluationId: EvaluationId): Json | null {
  const row = statement<[number], { concepts: string | null }>(
    db,
    'SELECT concepts FROM evaluation WHERE evaluation_id = ?',
  ).get(evaluationId)
  return row?.concepts ? JSON.parse(row.concepts) : null
}

/** Images or questions that take part, different images among them, and those that could not be read. */
export function countItems(
  db: ReadableDb,
  evaluationId: EvaluationId,
): { items: number; images: number; unreadable: number } {
  return statement<[number], { items: number; images: number; unreadable: number }>(
    db,
    `SELECT count(*) AS items, count(DISTINCT path) AS images, count(code) AS unreadable FROM evaluation_item
     WHERE evaluation_id = ?`,
  ).get(evaluationId)!
}

/** Answers of all policies together. */
export function countAnswers(db: ReadableDb, evaluationId: EvaluationId): number {
  return (
    statement<[number], { answers: number }>(
      db,
      'SELECT count(*) AS answers FROM evaluation_answer WHERE evaluation_id = ?',
    ).get(evaluationId)?.answers ?? 0
  )
}

/** The first images that could not be read. */
export function unreadableItems(
  db: ReadableDb,
  evaluationId: EvaluationId,
  limit: number,
): { path: string; code: string }[] {
  return statement<[number, number], { path: string; code: string }>(
    db,
    `SELECT path, code FROM evaluation_item WHERE evaluation_id = ? AND code IS NOT NULL ORDER BY item LIMIT ?`,
  ).all(evaluationId, limit)
}

const itemColumns = 'evaluation_item.item, image_id AS imageId, path, evaluation_item.name, question, truth'
type ItemRow = Omit<EvaluationItem, 'truth'> & { readonly truth: string | null }

function itemOf(row: ItemRow): EvaluationItem {
  return { ...row, truth: row.truth === null ? null : JSON.parse(row.truth) }
}

/** The next items after one that can be read and that a policy has not answered. */
export function itemsWithout(
  db: ReadableDb,
  evaluationId: EvaluationId,
  policy: number,
  after: number,
  limit: number,
): EvaluationItem[] {
  return statement<object, ItemRow>(
    db,
    `SELECT ${itemColumns} FROM evaluation_item
     WHERE evaluation_id = @evaluationId AND item > @after AND code IS NULL AND NOT EXISTS (
       SELECT 1 FROM evaluation_answer AS answer
       WHERE answer.evaluation_id = @evaluationId AND answer.policy = @policy AND answer.item = evaluation_item.item
     ) ORDER BY item LIMIT @limit`,
  )
    .all({ evaluationId, policy, after, limit })
    .map(itemOf)
}

/** An answer with its item, as figures are made of them. */
export interface ItemAnswer extends EvaluationItem {
  readonly text: string
  readonly words: Words
  readonly counts: readonly number[]
}

/** The next answers of a policy after an item, of images that every policy could read. */
export function answersOf(
  db: ReadableDb,
  evaluationId: EvaluationId,
  policy: number,
  after: number,
  limit: number,
): ItemAnswer[] {
  type AnswerRow = ItemRow & { readonly text: string; readonly words: string; readonly counts: string }
  return statement<object, AnswerRow>(
    db,
    `SELECT ${itemColumns}, text, words, counts FROM evaluation_answer AS answer
     JOIN evaluation_item ON evaluation_item.evaluation_id = @evaluationId AND evaluation_item.item = answer.item
     WHERE answer.evaluation_id = @evaluationId AND answer.policy = @policy AND answer.item > @after AND code IS NULL
     ORDER BY answer.item LIMIT @limit`,
  )
    .all({ evaluationId, policy, after, limit })
    .map((row) => ({ ...row, ...itemOf(row), words: JSON.parse(row.words), counts: JSON.parse(row.counts) }))
}

export interface ConceptCounts {
  readonly name: string
  readonly annotated: number | null
  readonly mentions: number
  readonly hallucinated: number
  readonly hallucinatedImages: number
  readonly recalled: number | null
}

/** A policy's counts by object word, by name. */
export function conceptCounts(db: ReadableDb, evaluationId: EvaluationId, policy: number): ConceptCounts[] {
  return statement<object, ConceptCounts>(
    db,
    `SELECT concept AS name, sum(is_annotated) AS annotated, sum(mentions) AS mentions,
       sum(hallucinated) AS hallucinated, sum(hallucinated > 0) AS hallucinatedImages,
       sum(CASE WHEN is_annotated IS NOT NULL THEN is_annotated = 1 AND mentions > 0 END) AS recalled
     FROM evaluation_concept WHERE evaluation_id = @evaluationId AND policy = @policy GROUP BY concept ORDER BY concept`,
  ).all({ evaluationId, policy })
}

export interface Selection {
  readonly select: 'all' | 'hallucinated' | 'named' | 'missed' | 'right' | 'wrong'
  /** Null for any. */
  readonly concept: string | null
  readonly policy: number
}

/** Conditions on an answer, and on an object word in it. */
const ofAnswer = {
  ...{ all: '1', hallucinated: 'answer.hallucinated > 0', named: 'answer.named > 0', missed: 'answer.missed > 0' },
  ...{ right: 'answer.is_right = 1', wrong: 'answer.is_right = 0' },
} as const
const ofConcept = {
  ...{ all: '1', hallucinated: 'found.hallucinated > 0', named: 'found.mentions > 0' },
  missed: 'found.is_annotated = 1 AND found.mentions = 0',
  ...{ right: 'answer.is_right = 1', wrong: 'answer.is_right = 0' },
} as const

function selected({ select, concept }: Selection): string {
  const verdict = `answer.evaluation_id = @evaluationId AND answer.policy = @policy`
  if (concept === null) return `evaluation_answer AS answer WHERE ${verdict} AND ${ofAnswer[select]}`
  const join =
    select === 'right' || select === 'wrong'
      ? `JOIN evaluation_answer AS answer ON ${verdict} AND answer.item = found.item`
      : ''
  return `evaluation_concept AS found ${join}
    WHERE found.evaluation_id = @evaluationId AND found.concept = @concept AND found.policy = @policy
      AND ${ofConcept[select]}`
}

/** How many items a selection has. */
export function countEvaluated(db: ReadableDb, evaluationId: EvaluationId, selection: Selection): number {
  const row = statement<object, { total: number }>(db, `SELECT count(*) AS total FROM ${selected(selection)}`).get({
    ...{ evaluationId, policy: selection.policy, concept: selection.concept },
  })
  return row?.total ?? 0
}

/** Items [offset, offset + limit) of a selection, in the order in which they were asked. */
export function evaluatedItems(
  db: ReadableDb,
  evaluationId: EvaluationId,
  selection: Selection,
  offset: number,
  limit: number,
): EvaluationItem[] {
  const from = selection.concept === null ? 'answer' : 'found'
  return statement<object, ItemRow>(
    db,
    `WITH shown AS MATERIALIZED (
       SELECT ${from}.item AS item FROM ${selected(selection)} ORDER BY ${from}.item LIMIT @limit OFFSET @offset
     )
     SELECT ${itemColumns} FROM shown
     CROSS JOIN evaluation_item ON evaluation_item.evaluation_id = @evaluationId AND evaluation_item.item = shown.item`,
  )
    .all({ evaluationId, policy: selection.policy, concept: selection.concept, offset, limit })
    .map(itemOf)
}

/** An answer as pages show it. */
export interface ShownAnswer {
  readonly policy: number
  readonly text: string
  readonly words: Words
  readonly answer: 'yes' | 'no' | 'other' | null
  readonly isRight: boolean | null
}

/** The answers of all policies to an item. */
export function answersTo(db: ReadableDb, evaluationId: EvaluationId, item: number): ShownAnswer[] {
  type AnswerRow = Omit<ShownAnswer, 'words' | 'isRight'> & { readonly words: string; readonly isRight: 0 | 1 | null }
  return statement<object, AnswerRow>(
    db,
    // A policy has one answer to an item, so each is found by the whole key.
    `SELECT policy, text, words, answer, is_right AS isRight FROM evaluation_answer
     WHERE evaluation_id = @evaluationId AND policy IN (0, 1, 2, 3) AND item = @item`,
  )
    .all({ evaluationId, item })
    .map((row) => ({ ...row, words: JSON.parse(row.words), isRight: row.isRight === null ? null : row.isRight === 1 }))
}

/** Where the image of an item lies, or undefined. */
export function evaluatedPath(db: ReadableDb, evaluationId: number, item: number): string | undefined {
  return statement<[number, number], { path: string }>(
    db,
    'SELECT path FROM evaluation_item WHERE evaluation_id = ? AND item = ?',
  ).get(evaluationId, item)?.path
}
