// Evaluations of checkpoints with their figures by image, and people's blind votes between two checkpoints.
import type { CheckpointId, EvaluationId, EvaluationRecord, Json, RolloutId, VoteChoice } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/** An evaluation as the engine stores it. */
export interface NewEvaluation {
  readonly checkpointId: CheckpointId
  readonly kind: string
  readonly config: Json
  readonly summary: Json
  /** Figures of single images, so that comparisons can be paired by image. */
  readonly values: readonly { readonly name: string; readonly imageId: number; readonly value: number }[]
}

/** Stores an evaluation with its figures by image, all or nothing. */
export function storeEvaluation(db: WritableDb, evaluation: NewEvaluation, nowMs: number): EvaluationId {
  return inTransaction(db, () => {
    const { values, config, summary, ...columns } = evaluation
    const evaluationId = Number(
      statement<object>(
        db,
        `INSERT INTO evaluation (checkpoint_id, kind, config, summary, created_ms)
         VALUES (@checkpointId, @kind, @config, @summary, @nowMs)`,
      ).run({ ...columns, config: JSON.stringify(config), summary: JSON.stringify(summary), nowMs }).lastInsertRowid,
    ) as EvaluationId
    const insert = statement<[number, string, number, number]>(
      db,
      'INSERT INTO evaluation_value (evaluation_id, name, image_id, value) VALUES (?, ?, ?, ?)',
    )
    for (const { name, imageId, value } of values) insert.run(evaluationId, name, imageId, value)
    return evaluationId
  })
}

type EvaluationRow = Omit<EvaluationRecord, 'config' | 'summary'> & { config: string; summary: string }

/** The evaluations of a checkpoint by kind, the newest of a kind first. */
export function listEvaluations(db: ReadableDb, checkpointId: CheckpointId): EvaluationRecord[] {
  return statement<[number], EvaluationRow>(
    db,
    `SELECT evaluation_id AS evaluationId, checkpoint_id AS checkpointId, kind, config, summary,
       created_ms AS createdAtMs
     FROM evaluation WHERE checkpoint_id = ? ORDER BY kind, evaluation_id DESC`,
  )
    .all(checkpointId)
    .map((row) => ({ ...row, config: JSON.parse(row.config), summary: JSON.parse(row.summary) }))
}

/** A figure in two evaluations, for each image that both have. */
export function pairedValues(
  db: ReadableDb,
  before: EvaluationId,
  after: EvaluationId,
  name: string,
): { imageId: number; before: number; after: number }[] {
  return statement<object, { imageId: number; before: number; after: number }>(
    db,
    `SELECT one.image_id AS imageId, one.value AS before, other.value AS after
     FROM evaluation_value AS one JOIN evaluation_value AS other
       ON other.evaluation_id = @after AND other.name = @name AND other.image_id = one.image_id
     WHERE one.evaluation_id = @before AND one.name = @name ORDER BY one.image_id`,
  ).all({ before, after, name })
}

/** Stores a person's choice; a second vote on the same pair takes the place of the first. */
export function storeVote(db: WritableDb, left: RolloutId, right: RolloutId, choice: VoteChoice, nowMs: number): void {
  statement<[number, number, string, number]>(
    db,
    `INSERT INTO vote (left_rollout_id, right_rollout_id, choice, voted_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (left_rollout_id, right_rollout_id) DO UPDATE
       SET choice = excluded.choice, voted_ms = excluded.voted_ms`,
  ).run(left, right, choice, nowMs)
}

/** The pairs of two checkpoints' different responses to one image, `one` first. */
const pairs = `rollout AS one JOIN rollout AS other
    ON other.checkpoint_id = @other AND other.image_id = one.image_id AND other.purpose = 'evaluation'
  WHERE one.checkpoint_id = @one AND one.purpose = 'evaluation'`

/** The next image whose two responses differ and were not yet voted on, or undefined. Who asks shuffles the sides. */
export function nextVotePair(
  db: ReadableDb,
  one: CheckpointId,
  other: CheckpointId,
): { imageId: number; one: RolloutId; other: RolloutId } | undefined {
  return statement<object, { imageId: number; one: RolloutId; other: RolloutId }>(
    db,
    `SELECT one.image_id AS imageId, one.rollout_id AS one, other.rollout_id AS other FROM ${pairs}
       AND one.text <> other.text
       AND NOT EXISTS (SELECT 1 FROM vote WHERE left_rollout_id = one.rollout_id AND right_rollout_id = other.rollout_id)
       AND NOT EXISTS (SELECT 1 FROM vote WHERE left_rollout_id = other.rollout_id AND right_rollout_id = one.rollout_id)
     ORDER BY one.image_id LIMIT 1`,
  ).get({ one, other })
}

/** How often each of two checkpoints was preferred, on whichever side it stood; what a sign test needs. */
export function voteTally(
  db: ReadableDb,
  one: CheckpointId,
  other: CheckpointId,
): { one: number; other: number; ties: number } {
  const row = statement<object, { one: number; other: number; ties: number }>(
    db,
    `SELECT coalesce(sum(preferred = 'one'), 0) AS one, coalesce(sum(preferred = 'other'), 0) AS other,
       coalesce(sum(preferred = 'tie'), 0) AS ties
     FROM (
       SELECT CASE choice WHEN 'left' THEN 'one' WHEN 'right' THEN 'other' ELSE 'tie' END AS preferred
       FROM vote JOIN rollout AS l ON l.rollout_id = left_rollout_id JOIN rollout AS r ON r.rollout_id = right_rollout_id
       WHERE l.checkpoint_id = @one AND r.checkpoint_id = @other
       UNION ALL
       SELECT CASE choice WHEN 'right' THEN 'one' WHEN 'left' THEN 'other' ELSE 'tie' END
       FROM vote JOIN rollout AS l ON l.rollout_id = left_rollout_id JOIN rollout AS r ON r.rollout_id = right_rollout_id
       WHERE l.checkpoint_id = @other AND r.checkpoint_id = @one
     )`,
  ).get({ one, other })
  return row!
}
