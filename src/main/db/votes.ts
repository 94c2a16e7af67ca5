// People's blind choices between two policies' responses to one image. A pair is stored with its sides before it is shown,
// and gets its choice afterwards.
import type { ModelId, RolloutId, RunId, VoteChoice } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/** Whose responses, greedy ones to the whole picture. */
export interface Asked {
  readonly runId: RunId | null
  readonly modelId: ModelId | null
  readonly step: number
  /** Of the adapter; a new one, at step 0, changes nothing at any. */
  readonly strength: number
  readonly prompt: string
}

/** A pair on its sides. */
export interface StoredPair {
  readonly pairId: number
  readonly imageId: number
  readonly left: string
  readonly right: string
}

/** That a response is one of `asked`, whose parameters begin with `name`. */
function isBy(alias: string, name: 'one' | 'other', { runId }: Asked): string {
  const who = runId === null ? `${alias}.model_id = @${name}ModelId` : `${alias}.run_id = @${name}RunId`
  return `${who} AND ${alias}.step = @${name}Step AND (${alias}.strength = @${name}Strength OR @${name}Step = 0)
    AND ${alias}.prompt = @${name}Prompt AND ${alias}.decoding IS NULL AND ${alias}.region IS NULL
    AND ${alias}.purpose <> 'training'`
}

function parametersOf(one: Asked, other: Asked): Record<string, unknown> {
  const named = (name: string, { runId, modelId, step, strength, prompt }: Asked) => ({
    ...{ [`${name}RunId`]: runId, [`${name}ModelId`]: modelId, [`${name}Step`]: step },
    ...{ [`${name}Strength`]: strength, [`${name}Prompt`]: prompt },
  })
  return { ...named('one', one), ...named('other', other) }
}

/** Both responses to an image. Responses to one image are few, so the second is found by it. */
function pairs(one: Asked, other: Asked): string {
  return `rollout AS one CROSS JOIN rollout AS other ON other.image_id = one.image_id
    WHERE ${isBy('one', 'one', one)} AND ${isBy('other', 'other', other)}`
}

const isDrawn = `EXISTS (SELECT 1 FROM vote WHERE (left_rollout_id = one.rollout_id AND right_rollout_id = other.rollout_id)
  OR (left_rollout_id = other.rollout_id AND right_rollout_id = one.rollout_id))`

/** The next image whose two responses differ and were not drawn yet, or undefined. Who asks draws the sides. */
export function nextPair(
  db: ReadableDb,
  one: Asked,
  other: Asked,
): { imageId: number; one: RolloutId; other: RolloutId } | undefined {
  return statement<object, { imageId: number; one: RolloutId; other: RolloutId }>(
    db,
    `SELECT one.image_id AS imageId, one.rollout_id AS one, other.rollout_id AS other FROM ${pairs(one, other)}
       AND one.text <> other.text AND NOT ${isDrawn} ORDER BY one.rollout_id LIMIT 1`,
  ).get(parametersOf(one, other))
}

/** Stores a pair on the sides that were drawn for it. @returns its id */
export function drawPair(db: WritableDb, left: RolloutId, right: RolloutId): number {
  const insert = statement<[number, number]>(db, 'INSERT INTO vote (left_rollout_id, right_rollout_id) VALUES (?, ?)')
  return Number(inTransaction(db, () => insert.run(left, right)).lastInsertRowid)
}

const shown = `SELECT vote_id AS pairId, l.image_id AS imageId, l.text AS left, r.text AS right FROM vote
  JOIN rollout AS l ON l.rollout_id = left_rollout_id JOIN rollout AS r ON r.rollout_id = right_rollout_id`

/** Votes of the two, on whichever side each stood. */
function ofBallot(one: Asked, other: Asked): string {
  return `((${isBy('l', 'one', one)} AND ${isBy('r', 'other', other)})
    OR (${isBy('l', 'other', other)} AND ${isBy('r', 'one', one)}))`
}

/** The pair that was drawn first and has no choice, or undefined. */
export function shownPair(db: ReadableDb, one: Asked, other: Asked): StoredPair | undefined {
  return statement<object, StoredPair>(
    db,
    `${shown} WHERE choice IS NULL AND ${ofBallot(one, other)}
     ORDER BY vote_id LIMIT 1`,
  ).get(parametersOf(one, other))
}

export function pairById(db: ReadableDb, pairId: number): StoredPair | undefined {
  return statement<[number], StoredPair>(db, `${shown} WHERE vote_id = ?`).get(pairId)
}

/** The pair that was voted on last, or undefined. */
export function lastVote(db: ReadableDb, one: Asked, other: Asked): StoredPair | undefined {
  return statement<object, StoredPair>(
    db,
    `${shown} WHERE choice IS NOT NULL AND ${ofBallot(one, other)} ORDER BY voted_ms DESC, vote_id DESC LIMIT 1`,
  ).get(parametersOf(one, other))
}

/** Stores a person's choice, in the place of an earlier one. @returns false when there is no such pair */
export function castVote(db: WritableDb, pairId: number, choice: VoteChoice, nowMs: number): boolean {
  const update = statement<[string, number, number]>(db, 'UPDATE vote SET choice = ?, voted_ms = ? WHERE vote_id = ?')
  return inTransaction(db, () => update.run(choice, nowMs, pairId)).changes > 0
}

/** The pair is one without a choice again. */
export function takeVoteBack(db: WritableDb, pairId: number): void {
  inTransaction(db, () =>
    statement<[number]>(db, 'UPDATE vote SET choice = NULL, voted_ms = NULL WHERE vote_id = ?').run(pairId),
  )
}

/** How often each of two policies was preferred, on whichever side it stood; what a sign test needs. */
export function voteTally(db: ReadableDb, one: Asked, other: Asked): { one: number; other: number; ties: number } {
  const preferred = `CASE WHEN choice = 'tie' THEN 'tie'
    WHEN (choice = 'left') = (${isBy('l', 'one', one)}) THEN 'one' ELSE 'other' END`
  const row = statement<object, { one: number; other: number; ties: number }>(
    db,
    `SELECT coalesce(sum(preferred = 'one'), 0) AS one, coalesce(sum(preferred = 'other'), 0) AS other,
       coalesce(sum(preferred = 'tie'), 0) AS ties
     FROM (
       SELECT ${preferred} AS preferred FROM vote
       JOIN rollout AS l ON l.rollout_id = left_rollout_id JOIN rollout AS r ON r.rollout_id = right_rollout_id
       WHERE choice IS NOT NULL AND ${ofBallot(one, other)}
     )`,
  ).get(parametersOf(one, other))
  return row!
}

/** Images with a response of both, and those of them whose responses are alike. */
export function countPairs(db: ReadableDb, one: Asked, other: Asked): { both: number; alike: number } {
  return statement<object, { both: number; alike: number }>(
    db,
    `SELECT count(*) AS both, coalesce(sum(one.text = other.text), 0) AS alike FROM ${pairs(one, other)}`,
  ).get(parametersOf(one, other))!
}

/** Pairs that have a choice. */
export function countVoted(db: ReadableDb, one: Asked, other: Asked): number {
  const tally = voteTally(db, one, other)
  return tally.one + tally.other + tally.ties
}

/** Images that have no such response: how many, and the first of them. */
export function missingResponses(db: ReadableDb, asked: Asked, limit: number): { count: number; first: number[] } {
  const missing = `FROM image WHERE NOT EXISTS (
    SELECT 1 FROM rollout AS one WHERE one.image_id = image.image_id AND ${isBy('one', 'one', asked)})`
  const parameters = { ...parametersOf(asked, asked), limit }
  return {
    count: statement<object, { total: number }>(db, `SELECT count(*) AS total ${missing}`).get(parameters)?.total ?? 0,
    first: statement<object, { imageId: number }>(
      db,
      `SELECT image.image_id AS imageId ${missing} ORDER BY image.image_id LIMIT @limit`,
    )
      .all(parameters)
      .map(({ imageId }) => imageId),
  }
}

/** The response that was stored last; 0 without any. What was counted is right as long as it is the same. */
export function newestRollout(db: ReadableDb): number {
  return statement<[], { id: number }>(db, 'SELECT coalesce(max(rollout_id), 0) AS id FROM rollout').get()?.id ?? 0
}
