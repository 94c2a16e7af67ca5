// Responses with their tokens and object words: a batch is one transaction; read by the Inspector.
import type {
  CheckpointId,
  ResponseDetail,
  ResponseRecord,
  RolloutId,
  RolloutPurpose,
  RunId,
  SpanRecord,
  TokenRecord,
} from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/** A response as the engine stores it. Its lowest score and hallucinated words are computed from its spans. */
export interface NewRollout {
  readonly runId: RunId
  readonly checkpointId: CheckpointId | null
  readonly imageId: number
  readonly purpose: RolloutPurpose
  readonly step: number
  readonly prompt: string
  readonly text: string
  readonly tokens: readonly TokenRecord[]
  readonly spans: readonly SpanRecord[]
}

/**
 * Stores responses, all or none. The `evaluation` response of a checkpoint to an image takes the place of an
 * earlier one; its votes go with it.
 */
export function storeRollouts(db: WritableDb, rollouts: readonly NewRollout[], nowMs: number): RolloutId[] {
  return inTransaction(db, () => rollouts.map((rollout) => storeRollout(db, rollout, nowMs)))
}

function storeRollout(db: WritableDb, { tokens, spans, ...columns }: NewRollout, nowMs: number): RolloutId {
  const { checkpointId, imageId, purpose } = columns
  if (purpose === 'evaluation' && checkpointId !== null) {
    // Not INSERT OR REPLACE: that would leave the old words in the search index.
    statement<[number, number]>(
      db,
      "DELETE FROM rollout WHERE checkpoint_id = ? AND image_id = ? AND purpose = 'evaluation'",
    ).run(checkpointId, imageId)
  }
  const rolloutId = Number(
    statement<object>(
      db,
      `INSERT INTO rollout
         (run_id, checkpoint_id, image_id, purpose, step, prompt, text, lowest_score, hallucinated_words, created_ms)
       VALUES (@runId, @checkpointId, @imageId, @purpose, @step, @prompt, @text, @lowest, @hallucinated, @nowMs)`,
    ).run({
      ...columns,
      lowest: spans.length > 0 ? Math.min(...spans.map(({ score }) => score)) : null,
      hallucinated: spans.filter(({ label }) => label === 'hallucinated').length,
      nowMs,
    }).lastInsertRowid,
  ) as RolloutId
  const insertToken = statement<unknown[]>(
    db,
    `INSERT INTO token (rollout_id, position, token_id, text_start, text_end, log_prob, reference_log_prob, reward)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  tokens.forEach(({ tokenId, textStart, textEnd, logProb, referenceLogProb, reward }, position) => {
    insertToken.run(rolloutId, position, tokenId, textStart, textEnd, logProb, referenceLogProb, reward)
  })
  const insertSpan = statement<unknown[]>(
    db,
    `INSERT INTO span (rollout_id, start_position, end_position, word_id, score, reward, label)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const { startPosition, endPosition, word, score, reward, label } of spans) {
    insertSpan.run(rolloutId, startPosition, endPosition, wordIdOf(db, word), score, reward, label)
  }
  return rolloutId
}

function wordIdOf(db: WritableDb, word: string): number {
  const found = statement<[string], { wordId: number }>(db, 'SELECT word_id AS wordId FROM word WHERE text = ?').get(
    word,
  )
  return (
    found?.wordId ?? Number(statement<[string]>(db, 'INSERT INTO word (text) VALUES (?)').run(word).lastInsertRowid)
  )
}

const columns = `rollout_id AS rolloutId, run_id AS runId, checkpoint_id AS checkpointId, image_id AS imageId, purpose,
  step, prompt, text, lowest_score AS lowestScore, hallucinated_words AS hallucinatedWords, created_ms AS createdAtMs`

/** A response with its tokens and spans, or undefined. */
export function responseById(db: ReadableDb, rolloutId: RolloutId): ResponseDetail | undefined {
  const row = statement<[number], ResponseRecord>(db, `SELECT ${columns} FROM rollout WHERE rollout_id = ?`).get(
    rolloutId,
  )
  return row && withTokens(db, row)
}

/** The response of a checkpoint to an image that the grid and the Inspector show, or undefined. */
export function shownResponse(db: ReadableDb, checkpointId: CheckpointId, imageId: number): ResponseDetail | undefined {
  const row = statement<[number, number], ResponseRecord>(
    db,
    `SELECT ${columns} FROM rollout WHERE checkpoint_id = ? AND image_id = ? AND purpose = 'evaluation'`,
  ).get(checkpointId, imageId)
  return row && withTokens(db, row)
}

/** The responses to an image that the Inspector can switch between, by run and step. */
export function responsesToImage(db: ReadableDb, imageId: number): ResponseRecord[] {
  return statement<[number], ResponseRecord>(
    db,
    `SELECT ${columns} FROM rollout WHERE image_id = ? AND purpose = 'evaluation' ORDER BY run_id, step, rollout_id`,
  ).all(imageId)
}

/** The responses of one step of a run, for its samples. */
export function responsesOfStep(db: ReadableDb, runId: RunId, step: number): ResponseRecord[] {
  return statement<[number, number], ResponseRecord>(
    db,
    `SELECT ${columns} FROM rollout WHERE run_id = ? AND step = ? ORDER BY rollout_id`,
  ).all(runId, step)
}

function withTokens(db: ReadableDb, response: ResponseRecord): ResponseDetail {
  const tokens = statement<[number], TokenRecord>(
    db,
    `SELECT token_id AS tokenId, text_start AS textStart, text_end AS textEnd, log_prob AS logProb,
       reference_log_prob AS referenceLogProb, reward
     FROM token WHERE rollout_id = ? ORDER BY position`,
  ).all(response.rolloutId)
  const spans = statement<[number], SpanRecord>(
    db,
    `SELECT start_position AS startPosition, end_position AS endPosition, word.text AS word, score, reward, label
     FROM span JOIN word USING (word_id) WHERE rollout_id = ? ORDER BY start_position`,
  ).all(response.rolloutId)
  return { ...response, tokens, spans }
}
