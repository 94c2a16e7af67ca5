// Which objects the shown responses of a checkpoint name, for the grid's filter by word: read from the table that migration
// 0007 keeps by triggers, and compared with the responses when a file is checked.
import type { AnsweredCheckpoint, CheckpointId, ObjectWord } from '../../shared/domain.ts'
import { type ReadableDb, statement } from './connection.ts'
import { hasRemovals, isPresent } from './imageQuery.ts'

/** The object words of a checkpoint's responses with the images that got each verdict, the most frequent first. */
export function objectWords(db: ReadableDb, checkpointId: CheckpointId): ObjectWord[] {
  const present = hasRemovals(db) ? `AND ${isPresent('named_object.image_id')}` : ''
  return statement<[number], ObjectWord>(
    db,
    `SELECT word.text AS word, sum(images) FILTER (WHERE label = 1) AS grounded,
       sum(images) FILTER (WHERE label = 2) AS hallucinated, sum(images) FILTER (WHERE label = 3) AS neutral
     FROM (
       SELECT word_id, label, count(*) AS images FROM named_object WHERE checkpoint_id = ? AND word_id > 0 ${present}
       GROUP BY word_id, label
     ) AS counted CROSS JOIN word USING (word_id) GROUP BY word_id ORDER BY sum(images) DESC, word.text`,
  )
    .all(checkpointId)
    .map(({ word, grounded, hallucinated, neutral }) => ({
      ...{ word, grounded: grounded ?? 0, hallucinated: hallucinated ?? 0, neutral: neutral ?? 0 },
    }))
}

/** The checkpoints that have responses to show, by run, the newest run first. */
export function answeredCheckpoints(db: ReadableDb): AnsweredCheckpoint[] {
  return statement<[], AnsweredCheckpoint>(
    db,
    `SELECT checkpoint_id AS checkpointId, run_id AS runId, run.name AS runName, step, responses FROM (
       SELECT checkpoint.checkpoint_id, run_id, step, (
         SELECT count(*) FROM rollout AS answered
         WHERE answered.checkpoint_id = checkpoint.checkpoint_id AND answered.purpose = 'evaluation'
       ) AS responses FROM run JOIN checkpoint USING (run_id)
     ) AS counted JOIN run USING (run_id) WHERE responses > 0 ORDER BY run_id DESC, step`,
  ).all()
}

/** Whether the table says of the responses what they say themselves: a sum over both, which any lost or changed row alters. */
export function areNamedObjectsWhole(db: ReadableDb): boolean {
  const place = (label: string): string => `(checkpoint_id * 31 + word_id * 1009 + ${label} * 65537 + image_id * 7)`
  const kept = db
    .prepare<[], { rows: number; sum: number }>(
      `SELECT coalesce(sum(times), 0) AS rows, coalesce(sum(times * ${place('label')}), 0) AS sum
       FROM named_object WHERE word_id > 0`,
    )
    .get()
  const any = db
    .prepare<[], { rows: number; sum: number }>(
      `SELECT coalesce(sum(times), 0) AS rows, coalesce(sum(times * ${place('label')}), 0) AS sum
       FROM named_object WHERE word_id = 0`,
    )
    .get()
  const code = "CASE label WHEN 'grounded' THEN 1 WHEN 'hallucinated' THEN 2 ELSE 3 END"
  const found = db
    .prepare<[], { rows: number; sum: number; any: number }>(
      `SELECT count(*) AS rows, coalesce(sum(${place(code)}), 0) AS sum, coalesce(sum(${place(code)} - word_id * 1009), 0) AS any
       FROM rollout CROSS JOIN span USING (rollout_id) WHERE purpose = 'evaluation' AND checkpoint_id IS NOT NULL`,
    )
    .get()
  return kept?.rows === found?.rows && kept?.sum === found?.sum && any?.rows === found?.rows && any?.sum === found?.any
}
