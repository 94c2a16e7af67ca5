// Answers that one evaluation takes over from another of the same items. Beside evaluations.ts; for jobs/knownAnswers.ts.
import type { EvaluationId, Json } from '../../shared/domain.ts'
import type { MeasureKind } from '../../shared/evaluations.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/** The answers of one policy of an evaluation. */
export interface AnswersOf {
  readonly evaluationId: EvaluationId
  /** Place in the request. */
  readonly policy: number
}

/** What evaluations that are done were carried out with, the newest first. */
export function factsOfDone(db: ReadableDb, kind: MeasureKind): { evaluationId: EvaluationId; facts: Json }[] {
  return statement<[string], { evaluationId: EvaluationId; facts: string }>(
    db,
    `SELECT evaluation_id AS evaluationId, facts FROM evaluation
     WHERE state = 'done' AND kind = ? AND facts IS NOT NULL ORDER BY evaluation_id DESC`,
  )
    .all(kind)
    .map(({ evaluationId, facts }) => ({ evaluationId, facts: JSON.parse(facts) }))
}

export function countAnswersOf(db: ReadableDb, { evaluationId, policy }: AnswersOf): number {
  const count = statement<[number, number], { answers: number }>(
    db,
    'SELECT count(*) AS answers FROM evaluation_answer WHERE evaluation_id = ? AND policy = ?',
  )
  return count.get(evaluationId, policy)?.answers ?? 0
}

/** Copies answers with the object words in them, all or nothing; the items of both are to be the same. */
export function takeAnswers(db: WritableDb, from: AnswersOf, to: AnswersOf): void {
  const tables = {
    evaluation_answer: 'item, text, words, answer, is_right, named, hallucinated, missed, counts',
    evaluation_concept: 'concept, item, mentions, hallucinated, is_annotated',
  }
  inTransaction(db, () => {
    for (const [table, columns] of Object.entries(tables)) {
      statement<[number, number, number, number]>(
        db,
        `INSERT INTO ${table} (evaluation_id, policy, ${columns})
         SELECT ?, ?, ${columns} FROM ${table} WHERE evaluation_id = ? AND policy = ?`,
      ).run(to.evaluationId, to.policy, from.evaluationId, from.policy)
    }
  })
}

/** Stores anew what an evaluation is carried out with. */
export function setFacts(db: WritableDb, evaluationId: EvaluationId, facts: Json): void {
  const update = statement<[string, number]>(db, 'UPDATE evaluation SET facts = ? WHERE evaluation_id = ?')
  inTransaction(db, () => update.run(JSON.stringify(facts), evaluationId))
}
