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
import { StudioError } from '../../shared/errors.ts'
import { inTransaction, isCorruption, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { rowHash } from './rowHash.ts'

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
  const named = spans.map((span) => ({ ...span, wordId: wordIdOf(db, span.word) }))
  const rolloutId = Number(
    statement<object>(
      db,
      `INSERT INTO rollout
         (run_id, checkpoint_id, image_id, purpose, step, prompt, text, lowest_score, hallucinated_words, created_ms,
          content_sum)
       VALUES (@runId, @checkpointId, @imageId, @purpose, @step, @prompt, @text, @lowest, @hallucinated, @nowMs,
         @contentSum)`,
    ).run({
      ...columns,
      contentSum: contentSum(columns, tokens, named),
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
  for (const { startPosition, endPosition, wordId, score, reward, label } of named) {
    insertSpan.run(rolloutId, startPosition, endPosition, wordId, score, reward, label)
  }
  return rolloutId
}

type NamedSpan = SpanRecord & { readonly wordId: number }

/** Over all that a response says; as migration 0004 sealed those that were there before it. */
function contentSum(
  { prompt, text }: Pick<NewRollout, 'prompt' | 'text'>,
  tokens: readonly TokenRecord[],
  spans: readonly NamedSpan[],
): number {
  let sum = rowHash(prompt, text)
  tokens.forEach(({ tokenId, textStart, textEnd, logProb, referenceLogProb, reward }, position) => {
    sum += rowHash(position, tokenId, textStart, textEnd, logProb, referenceLogProb, reward)
  })
  for (const { startPosition, endPosition, wordId, score, reward, label } of spans) {
    sum += rowHash(startPosition, endPosition, wordId, score, reward, label)
  }
  return sum
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

type DetailRow = ResponseRecord & { readonly contentSum: number }

/** A response with its tokens and spans, or undefined. @throws StudioError `run.damaged-response` */
export function responseById(db: ReadableDb, rolloutId: RolloutId): ResponseDetail | undefined {
  const row = statement<[number], DetailRow>(
    db,
    `SELECT ${columns}, content_sum AS contentSum FROM rollout WHERE rollout_id = ?`,
  ).get(rolloutId)
  return row && withTokens(db, row)
}

/**
 * The response of a checkpoint to an image that the grid and the Inspector show, or undefined.
 * @throws StudioError `run.damaged-response`
 */
export function shownResponse(db: ReadableDb, checkpointId: CheckpointId, imageId: number): ResponseDetail | undefined {
  const row = statement<[number, number], DetailRow>(
    db,
    `SELECT ${columns}, content_sum AS contentSum FROM rollout
     WHERE checkpoint_id = ? AND image_id = ? AND purpose = 'evaluation'`,
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

/** Whether two checkpoints said the same of an image, in the order in which the first one looked at it. */
export interface ComparedResponse {
  readonly imageId: number
  readonly isSame: boolean
}

/**
 * The first `most` images that a checkpoint responded to, as far as another one responded to them too. The first ones are
 * those of its look: a library is described later.
 */
export function comparedResponses(
  db: ReadableDb,
  before: CheckpointId,
  after: CheckpointId,
  most: number,
): ComparedResponse[] {
  return statement<object, { imageId: number; isSame: 0 | 1 }>(
    db,
    `WITH first AS MATERIALIZED (
       SELECT rollout_id FROM rollout WHERE checkpoint_id = @before AND purpose = 'evaluation'
       ORDER BY rollout_id LIMIT @most
     )
     SELECT one.image_id AS imageId, one.text = other.text AS isSame
     FROM first JOIN rollout AS one USING (rollout_id)
     JOIN rollout AS other
       ON other.checkpoint_id = @after AND other.image_id = one.image_id AND other.purpose = 'evaluation'
     ORDER BY one.rollout_id`,
  )
    .all({ before, after, most })
    .map(({ imageId, isSame }) => ({ imageId, isSame: isSame === 1 }))
}

function withTokens(db: ReadableDb, row: DetailRow): ResponseDetail {
  try {
    return readTokens(db, row)
  } catch (thrown) {
    throw isCorruption(thrown) ? damagedResponse(row, thrown) : thrown
  }
}

function readTokens(db: ReadableDb, { contentSum: stored, ...response }: DetailRow): ResponseDetail {
  const tokens = statement<[number], TokenRecord>(
    db,
    `SELECT token_id AS tokenId, text_start AS textStart, text_end AS textEnd, log_prob AS logProb,
       reference_log_prob AS referenceLogProb, reward
     FROM token WHERE rollout_id = ? ORDER BY position`,
  ).all(response.rolloutId)
  const spans = statement<[number], NamedSpan>(
    db,
    `SELECT start_position AS startPosition, end_position AS endPosition, word.text AS word, score, reward, label,
       word_id AS wordId
     FROM span JOIN word USING (word_id) WHERE rollout_id = ? ORDER BY start_position`,
  ).all(response.rolloutId)
  if (contentSum(response, tokens, spans) !== stored) throw damagedResponse(response)
  return { ...response, tokens, spans: spans.map(({ wordId: _, ...span }) => span) }
}

function damagedResponse({ rolloutId, step, imageId }: ResponseRecord, cause?: unknown): StudioError {
  return new StudioError(
    {
      code: 'run.damaged-response',
      message: `The response to image ${imageId} at step ${step} is damaged: it is not what was stored.`,
      remedy: 'Look at another response, or restore a backup that is older than the damage.',
      where: `response ${rolloutId}`,
    },
    { cause },
  )
}
