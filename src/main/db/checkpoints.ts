// Checkpoints: what a run resumes from, committed in one transaction with the cursor it belongs to. Tensors are
// cut into chunks, so that neither writing nor reading one needs a second copy of it in memory.
import type { CheckpointId, CheckpointRecord, Json, RunId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

const chunkBytes = 1024 * 1024

/** A checkpoint as the engine stores it. */
export interface NewCheckpoint {
  readonly runId: RunId
  /** The checkpoint that this one went on from. */
  readonly parentId: CheckpointId | null
  readonly step: number
  readonly cursor: Json
  readonly summary: Json
  /** Bytes by name: adapter, value head, optimiser moments, random-number state. */
  readonly parts: Readonly<Record<string, Uint8Array>>
}

/** Stores a checkpoint: all of it, or nothing. Call it inside the transaction of what else belongs to the step. */
export function storeCheckpoint(db: WritableDb, checkpoint: NewCheckpoint, nowMs: number): CheckpointId {
  return inTransaction(db, () => {
    const { parts, cursor, summary, ...columns } = checkpoint
    const checkpointId = Number(
      statement<object>(
        db,
        `INSERT INTO checkpoint (run_id, parent_id, step, cursor, summary, created_ms)
         VALUES (@runId, @parentId, @step, @cursor, @summary, @nowMs)`,
      ).run({ ...columns, cursor: JSON.stringify(cursor), summary: JSON.stringify(summary), nowMs }).lastInsertRowid,
    ) as CheckpointId
    const insert = statement<[number, string, number, Uint8Array]>(
      db,
      'INSERT INTO checkpoint_blob (checkpoint_id, part, chunk, bytes) VALUES (?, ?, ?, ?)',
    )
    for (const [part, bytes] of Object.entries(parts)) {
      // A part of no bytes is one empty chunk, so that it is told from one that is missing.
      for (let chunk = 0; chunk === 0 || chunk * chunkBytes < bytes.length; chunk++) {
        insert.run(checkpointId, part, chunk, bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes))
      }
    }
    return checkpointId
  })
}

/**
 * The bytes of one part, as they were stored; they start at offset 0 of their buffer, so any typed array fits.
 * @throws StudioError `run.no-weights` when the checkpoint has no such part, or no longer
 */
export function checkpointPart(db: ReadableDb, checkpointId: CheckpointId, part: string): Uint8Array<ArrayBuffer> {
  const size = statement<[number, string], { chunks: number; sizeBytes: number | null }>(
    db,
    `SELECT count(*) AS chunks, sum(length(bytes)) AS sizeBytes FROM checkpoint_blob
     WHERE checkpoint_id = ? AND part = ?`,
  ).get(checkpointId, part)
  if (!size || size.sizeBytes === null) throw noWeights(checkpointId, part)
  const bytes = new Uint8Array(size.sizeBytes)
  const chunkAt = statement<[number, string, number], { bytes: Buffer }>(
    db,
    'SELECT bytes FROM checkpoint_blob WHERE checkpoint_id = ? AND part = ? AND chunk = ?',
  )
  for (let chunk = 0; chunk < size.chunks; chunk++) {
    const stored = chunkAt.get(checkpointId, part, chunk)
    if (!stored) throw noWeights(checkpointId, part)
    bytes.set(stored.bytes, chunk * chunkBytes)
  }
  return bytes
}

type CheckpointRow = Omit<CheckpointRecord, 'cursor' | 'summary' | 'isPinned' | 'hasWeights'> & {
  cursor: string
  summary: string
  isPinned: 0 | 1
  hasWeights: 0 | 1
}

const hasWeights =
  'EXISTS (SELECT 1 FROM checkpoint_blob WHERE checkpoint_blob.checkpoint_id = checkpoint.checkpoint_id)'
const columns = `checkpoint_id AS checkpointId, run_id AS runId, parent_id AS parentId, step, cursor, summary,
  pinned AS isPinned, created_ms AS createdAtMs, ${hasWeights} AS hasWeights`

/** The checkpoints of a run by step. */
export function listCheckpoints(db: ReadableDb, runId: RunId): CheckpointRecord[] {
  return statement<[number], CheckpointRow>(db, `SELECT ${columns} FROM checkpoint WHERE run_id = ? ORDER BY step`)
    .all(runId)
    .map(recordOf)
}

/** One checkpoint, or undefined. */
export function checkpointById(db: ReadableDb, checkpointId: CheckpointId): CheckpointRecord | undefined {
  const row = statement<[number], CheckpointRow>(db, `SELECT ${columns} FROM checkpoint WHERE checkpoint_id = ?`).get(
    checkpointId,
  )
  return row && recordOf(row)
}

/** The last checkpoint of a run that it can resume from, or undefined. */
export function lastCheckpoint(db: ReadableDb, runId: RunId): CheckpointRecord | undefined {
  const row = statement<[number], CheckpointRow>(
    db,
    `SELECT ${columns} FROM checkpoint WHERE run_id = ? AND ${hasWeights} ORDER BY step DESC LIMIT 1`,
  ).get(runId)
  return row && recordOf(row)
}

/** Bytes of the newest checkpoint of a run; 0 before the first. */
export function checkpointBytes(db: ReadableDb, runId: RunId): number {
  const row = statement<[number], { sizeBytes: number | null }>(
    db,
    `SELECT sum(length(bytes)) AS sizeBytes FROM checkpoint_blob WHERE checkpoint_id =
       (SELECT checkpoint_id FROM checkpoint WHERE run_id = ? ORDER BY step DESC LIMIT 1)`,
  ).get(runId)
  return row?.sizeBytes ?? 0
}

/** Keeps a checkpoint's weights whatever the policy says, or leaves them to it again. */
export function setPinned(db: WritableDb, checkpointId: CheckpointId, isPinned: boolean): void {
  statement<[number, number]>(db, 'UPDATE checkpoint SET pinned = ? WHERE checkpoint_id = ?').run(
    Number(isPinned),
    checkpointId,
  )
}

/** Drops the weights of all checkpoints of a run but the newest `keep` and the pinned; responses and figures stay. */
export function dropOldWeights(db: WritableDb, runId: RunId, keep: number): void {
  statement<object>(
    db,
    `DELETE FROM checkpoint_blob WHERE checkpoint_id IN (
       SELECT checkpoint_id FROM checkpoint WHERE run_id = @runId AND pinned = 0 AND checkpoint_id NOT IN (
         SELECT checkpoint_id FROM checkpoint WHERE run_id = @runId ORDER BY step DESC LIMIT @keep
       )
     )`,
  ).run({ runId, keep })
}

/**
 * Takes a run back to a step: later checkpoints, responses and metrics go. Used by a person to roll back, and by
 * the engine before it resumes, because what it committed after its last checkpoint is done again.
 */
export function rollBack(db: WritableDb, runId: RunId, step: number): void {
  inTransaction(db, () => {
    for (const table of ['rollout', 'metric', 'checkpoint'] as const) {
      statement<[number, number]>(db, `DELETE FROM ${table} WHERE run_id = ? AND step > ?`).run(runId, step)
    }
  })
}

function recordOf(row: CheckpointRow): CheckpointRecord {
  return {
    ...row,
    cursor: JSON.parse(row.cursor),
    summary: JSON.parse(row.summary),
    isPinned: row.isPinned === 1,
    hasWeights: row.hasWeights === 1,
  }
}

function noWeights(checkpointId: CheckpointId, part: string): StudioError {
  return new StudioError({
    code: 'run.no-weights',
    message: 'The weights of this checkpoint are not in the workspace; they were dropped to save space.',
    remedy: 'Choose a checkpoint that still has its weights; pin those that should be kept.',
    where: `checkpoint ${checkpointId}, ${part}`,
  })
}
