// Responses with their tokens and object words: a batch is one transaction; read by the Inspector.
import type {
  CheckpointId,
  ImageQuery,
  Json,
  ModelId,
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
import { isPresent, selectImages } from './imageQuery.ts'
import { rowHash } from './rowHash.ts'

/** A response as the engine stores it. Its lowest score and hallucinated words are computed from its spans. */
export interface NewRollout {
  /** Null for a model without a run, which `modelId` then names. */
  readonly runId: RunId | null
  readonly modelId?: ModelId
  /** Of the adapter; 1 when left out. */
  readonly strength?: number
  /** How its tokens were drawn, where that was neither greedily nor as its run says. */
  readonly decoding?: Json | null
  /** The part of the picture that was covered. */
  readonly region?: Json | null
  /** False when labels and rewards of its spans mean nothing. */
  readonly isJudged?: boolean
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
         (run_id, model_id, checkpoint_id, image_id, purpose, step, prompt, strength, decoding, region, judged, text,
          lowest_score, hallucinated_words, created_ms, content_sum)
       VALUES (@runId, @modelId, @checkpointId, @imageId, @purpose, @step, @prompt, @strength, @decoding, @region, @judged,
         @text, @lowest, @hallucinated, @nowMs, @contentSum)`,
    ).run({
      ...{ ...columns, modelId: columns.modelId ?? null, strength: columns.strength ?? 1 },
      ...{ decoding: textOf(columns.decoding), region: textOf(columns.region) },
      judged: Number(columns.isJudged ?? true),
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

function textOf(value: Json | undefined): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
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

const columns = `rollout_id AS rolloutId, run_id AS runId, model_id AS modelId, checkpoint_id AS checkpointId,
  image_id AS imageId, purpose, step, prompt, strength, decoding, region, judged AS isJudged, text,
  lowest_score AS lowestScore, hallucinated_words AS hallucinatedWords, created_ms AS createdAtMs`

type ResponseRow = Omit<ResponseRecord, 'decoding' | 'region' | 'isJudged'> & {
  readonly decoding: string | null
  readonly region: string | null
  readonly isJudged: 0 | 1
}
type DetailRow = ResponseRow & { readonly contentSum: number }

function recordOf<Row extends ResponseRow>(row: Row): Omit<Row, keyof ResponseRow> & ResponseRecord {
  return {
    ...row,
    decoding: row.decoding === null ? null : JSON.parse(row.decoding),
    region: row.region === null ? null : JSON.parse(row.region),
    isJudged: row.isJudged === 1,
  }
}

/** A response with its tokens and spans, or undefined. @throws StudioError `run.damaged-response` */
export function responseById(db: ReadableDb, rolloutId: RolloutId): ResponseDetail | undefined {
  const row = statement<[number], DetailRow>(
    db,
    `SELECT ${columns}, content_sum AS contentSum FROM rollout WHERE rollout_id = ?`,
  ).get(rolloutId)
  return row && detailOf(db, row)
}

/** The id of the response of a checkpoint to an image that the grid and the Inspector show, or undefined. */
export function shownRolloutOf(db: ReadableDb, checkpointId: CheckpointId, imageId: number): RolloutId | undefined {
  return statement<[number, number], { rolloutId: RolloutId }>(
    db,
    `SELECT rollout_id AS rolloutId FROM rollout
     WHERE checkpoint_id = ? AND image_id = ? AND purpose = 'evaluation'`,
  ).get(checkpointId, imageId)?.rolloutId
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
  return row && detailOf(db, row)
}

/**
 * The responses to an image that a page can switch between, by run and step, those of models without a run last; at most
 * `limit` of them.
 */
export function responsesToImage(db: ReadableDb, imageId: number, limit = 500): ResponseRecord[] {
  return statement<[number, number], ResponseRow>(
    db,
    `SELECT ${columns} FROM rollout WHERE image_id = ? AND purpose <> 'training'
     ORDER BY run_id NULLS LAST, model_id, step, rollout_id LIMIT ?`,
  )
    .all(imageId, limit)
    .map(recordOf)
}

/** The responses of one step of a run, whatever they are for, for its samples. */
export function responsesOfStep(db: ReadableDb, runId: RunId, step: number): ResponseRecord[] {
  return statement<[number, number], ResponseRow>(
    db,
    `SELECT ${columns} FROM rollout WHERE run_id = ? AND step = ? ORDER BY rollout_id`,
  )
    .all(runId, step)
    .map(recordOf)
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

/** Rows [offset, offset + limit) of the responses of one step of a run for one purpose, and how many there are. */
export function samplesOfStep(
  db: ReadableDb,
  { runId, step, purpose }: { readonly runId: RunId; readonly step: number; readonly purpose: RolloutPurpose },
  { offset, limit }: { readonly offset: number; readonly limit: number },
): { total: number; responses: ResponseRecord[] } {
  const where = 'FROM rollout WHERE run_id = ? AND step = ? AND purpose = ?'
  const row = statement<[number, number, string], { total: number }>(db, `SELECT count(*) AS total ${where}`)
  const page = statement<[number, number, string, number, number], ResponseRow>(
    db,
    `SELECT ${columns} ${where} ORDER BY rollout_id LIMIT ? OFFSET ?`,
  )
  return {
    total: row.get(runId, step, purpose)?.total ?? 0,
    responses: page.all(runId, step, purpose, limit, offset).map(recordOf),
  }
}

/** How many images, of a query where one is given, have the response of a checkpoint that the grid shows. */
export function countDescribed(db: ReadableDb, checkpointId: CheckpointId, query: ImageQuery | null = null): number {
  if (query !== null) {
    const select = selectImages(db, { query })
    const sql = `SELECT count(*) AS total FROM rollout WHERE checkpoint_id = @describing AND purpose = 'evaluation'
      AND image_id IN (${select.sql})`
    const found = statement<object, { total: number }>(db, sql).get({ ...select.parameters, describing: checkpointId })
    return found?.total ?? 0
  }
  const row = statement<[number], { total: number }>(
    db,
    "SELECT count(*) AS total FROM rollout WHERE checkpoint_id = ? AND purpose = 'evaluation'",
  ).get(checkpointId)
  return row?.total ?? 0
}

/** The next `limit` images of the library, or of a query, after an id that a checkpoint has no response to yet, by id. */
export function imagesToDescribe(
  db: ReadableDb,
  checkpointId: CheckpointId,
  afterImageId: number,
  limit: number,
  query: ImageQuery | null = null,
): { imageId: number; sha256: string; path: string }[] {
  const select = query && selectImages(db, { query })
  return statement<object, { imageId: number; sha256: string; path: string }>(
    db,
    `SELECT image_id AS imageId, lower(hex(sha256)) AS sha256, path FROM image
     WHERE image_id > @afterImageId AND ${isPresent('image.image_id')} ${select ? `AND image_id IN (${select.sql})` : ''}
     AND NOT EXISTS (
       SELECT 1 FROM rollout WHERE rollout.checkpoint_id = @describing AND rollout.image_id = image.image_id
         AND rollout.purpose = 'evaluation'
     ) ORDER BY image_id LIMIT @limit`,
  ).all({ ...select?.parameters, afterImageId, describing: checkpointId, limit })
}

/** What was asked for by hand, beside the image: two answers to the same are one. */
export type TrialKey = Pick<
  ResponseRecord,
  'imageId' | 'runId' | 'modelId' | 'step' | 'prompt' | 'strength' | 'decoding' | 'region'
>

/** The last response of purpose `trial` to the same question, or undefined. */
export function trialOf(db: ReadableDb, key: TrialKey): RolloutId | undefined {
  const row = statement<object, { rolloutId: RolloutId }>(
    db,
    `SELECT rollout_id AS rolloutId FROM rollout WHERE image_id = @imageId AND purpose = 'trial' AND run_id IS @runId
       AND model_id IS @modelId AND step = @step AND prompt = @prompt AND strength = @strength
       AND decoding IS @decoding AND region IS @region ORDER BY rollout_id DESC LIMIT 1`,
  ).get({ ...key, decoding: textOf(key.decoding), region: textOf(key.region) })
  return row?.rolloutId
}

/**
 * That a response, its tokens and spans are what was stored; reads only columns that every sealed version has.
 * @throws StudioError `run.damaged-response`
 */
export function verifyResponse(db: ReadableDb, rolloutId: RolloutId): void {
  const row = statement<[number], StoredText>(
    db,
    `SELECT rollout_id AS rolloutId, image_id AS imageId, step, prompt, text, content_sum AS contentSum FROM rollout
     WHERE rollout_id = ?`,
  ).get(rolloutId)
  if (row) withTokens(db, row)
}

type StoredText = Pick<DetailRow, 'rolloutId' | 'imageId' | 'step' | 'prompt' | 'text' | 'contentSum'>

function withTokens(db: ReadableDb, row: StoredText): Pick<ResponseDetail, 'tokens' | 'spans'> {
  try {
    return readTokens(db, row)
  } catch (thrown) {
    throw isCorruption(thrown) ? damagedResponse(row, thrown) : thrown
  }
}

function readTokens(db: ReadableDb, row: StoredText): Pick<ResponseDetail, 'tokens' | 'spans'> {
  const tokens = statement<[number], TokenRecord>(
    db,
    `SELECT token_id AS tokenId, text_start AS textStart, text_end AS textEnd, log_prob AS logProb,
       reference_log_prob AS referenceLogProb, reward
     FROM token WHERE rollout_id = ? ORDER BY position`,
  ).all(row.rolloutId)
  const spans = statement<[number], NamedSpan>(
    db,
    `SELECT start_position AS startPosition, end_position AS endPosition, word.text AS word, score, reward, label,
       word_id AS wordId
     FROM span JOIN word USING (word_id) WHERE rollout_id = ? ORDER BY start_position`,
  ).all(row.rolloutId)
  if (contentSum(row, tokens, spans) !== row.contentSum) throw damagedResponse(row)
  return { tokens, spans: spans.map(({ wordId: _, ...span }) => span) }
}

function detailOf(db: ReadableDb, row: DetailRow): ResponseDetail {
  const { contentSum: _, ...record } = recordOf(row)
  return { ...record, ...withTokens(db, row) }
}

function damagedResponse(
  { rolloutId, step, imageId }: Pick<ResponseRecord, 'rolloutId' | 'step' | 'imageId'>,
  cause?: unknown,
): StudioError {
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
