// Checkpoints: what a run resumes from, committed in one transaction with the cursor it belongs to. Tensors are
// cut into chunks, so that neither writing nor reading one needs a second copy of it in memory.
import type { CheckpointId, CheckpointRecord, Json, RunId } from '../../shared/domain.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import { inTransaction, isCorruption, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { sha256 } from './rowHash.ts'

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
    const insertPart = statement<[number, string, number, Buffer]>(
      db,
      'INSERT INTO checkpoint_part (checkpoint_id, part, size_bytes, sha256) VALUES (?, ?, ?, ?)',
    )
    for (const [part, bytes] of Object.entries(parts)) {
      insertPart.run(checkpointId, part, bytes.length, sha256(bytes))
      // A part of no bytes is one empty chunk, so that it is told from one that is missing.
      for (let chunk = 0; chunk === 0 || chunk * chunkBytes < bytes.length; chunk++) {
        insert.run(checkpointId, part, chunk, bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes))
      }
    }
    return checkpointId
  })
}

/**
 * The bytes of one part, exactly as they were stored; they start at offset 0 of their buffer, so any typed array fits.
 * @throws StudioError `run.no-weights` when the checkpoint has no such part, or no longer; `run.damaged-checkpoint` when
 *   it is not what was stored
 */
export function checkpointPart(db: ReadableDb, checkpointId: CheckpointId, part: string): Uint8Array<ArrayBuffer> {
  const stored = statement<[number, string], { sizeBytes: number; sha256: Buffer }>(
    db,
    'SELECT size_bytes AS sizeBytes, sha256 FROM checkpoint_part WHERE checkpoint_id = ? AND part = ?',
  ).get(checkpointId, part)
  if (!stored) throw noWeights(checkpointId, part)
  const chunkAt = statement<[number, string, number], { bytes: Buffer }>(
    db,
    'SELECT bytes FROM checkpoint_blob WHERE checkpoint_id = ? AND part = ? AND chunk = ?',
  )
  const bytes = new Uint8Array(stored.sizeBytes)
  try {
    for (let start = 0; start === 0 || start < bytes.length; start += chunkBytes) {
      const chunk = chunkAt.get(checkpointId, part, start / chunkBytes)?.bytes
      if (chunk?.length !== Math.min(chunkBytes, bytes.length - start)) throw damagedPart(db, checkpointId, part)
      bytes.set(chunk, start)
    }
  } catch (thrown) {
    throw isCorruption(thrown) ? damagedPart(db, checkpointId, part, thrown) : thrown
  }
  if (!sha256(bytes).equals(stored.sha256)) throw damagedPart(db, checkpointId, part)
  return bytes
}

/** @throws StudioError `run.damaged-checkpoint` when a part of the checkpoint is not what was stored */
export function verifyCheckpoint(db: ReadableDb, checkpointId: CheckpointId): void {
  for (const part of partsOf(db, checkpointId)) checkpointPart(db, checkpointId, part)
}

/** The names of a checkpoint's parts. */
export function partsOf(db: ReadableDb, checkpointId: CheckpointId): string[] {
  return statement<[number], { part: string }>(
    db,
    'SELECT part FROM checkpoint_part WHERE checkpoint_id = ? ORDER BY part',
  )
    .all(checkpointId)
    .map(({ part }) => part)
}

type CheckpointRow = Omit<CheckpointRecord, 'cursor' | 'summary' | 'isPinned' | 'isKept' | 'hasWeights'> & {
  cursor: string
  summary: string
  isPinned: 0 | 1
  isKept: 0 | 1
  hasWeights: 0 | 1
}

const hasWeights =
  'EXISTS (SELECT 1 FROM checkpoint_part WHERE checkpoint_part.checkpoint_id = checkpoint.checkpoint_id)'
const columns = `checkpoint_id AS checkpointId, run_id AS runId, parent_id AS parentId, step, cursor, summary,
  pinned AS isPinned, kept AS isKept, created_ms AS createdAtMs, ${hasWeights} AS hasWeights`

/** The checkpoints of a run by step. */
export function listCheckpoints(db: ReadableDb, runId: RunId): CheckpointRecord[] {
  return statement<[number], CheckpointRow>(db, `SELECT ${columns} FROM checkpoint WHERE run_id = ? ORDER BY step`)
    .all(runId)
    .map(recordOf)
}

/** Of each checkpoint of a run, how many images have the response of it that the grid shows; 0 are left out. */
export function describedImages(db: ReadableDb, runId: RunId): ReadonlyMap<CheckpointId, number> {
  const rows = statement<[number], { checkpointId: CheckpointId; total: number }>(
    db,
    `SELECT checkpoint.checkpoint_id AS checkpointId, count(*) AS total FROM checkpoint
     CROSS JOIN rollout ON rollout.checkpoint_id = checkpoint.checkpoint_id AND rollout.purpose = 'evaluation'
     WHERE checkpoint.run_id = ? GROUP BY checkpoint.checkpoint_id`,
  ).all(runId)
  return new Map(rows.map(({ checkpointId, total }) => [checkpointId, total]))
}

/** One checkpoint, or undefined. */
export function checkpointById(db: ReadableDb, checkpointId: CheckpointId): CheckpointRecord | undefined {
  const row = statement<[number], CheckpointRow>(db, `SELECT ${columns} FROM checkpoint WHERE checkpoint_id = ?`).get(
    checkpointId,
  )
  return row && recordOf(row)
}

/** The checkpoint of a run after a step, or undefined. */
export function checkpointAtStep(db: ReadableDb, runId: RunId, step: number): CheckpointRecord | undefined {
  const row = statement<[number, number], CheckpointRow>(
    db,
    `SELECT ${columns} FROM checkpoint WHERE run_id = ? AND step = ?`,
  ).get(runId, step)
  return row && recordOf(row)
}

/** Bytes of the newest checkpoint of a run; 0 before the first. */
export function checkpointBytes(db: ReadableDb, runId: RunId): number {
  const row = statement<[number], { sizeBytes: number | null }>(
    db,
    `SELECT sum(size_bytes) AS sizeBytes FROM checkpoint_part WHERE checkpoint_id =
       (SELECT checkpoint_id FROM checkpoint WHERE run_id = ? ORDER BY step DESC LIMIT 1)`,
  ).get(runId)
  return row?.sizeBytes ?? 0
}

/** The last checkpoint of a run that it can resume from (before `beforeStep`, if given), or undefined. */
export function lastCheckpoint(
  db: ReadableDb,
  runId: RunId,
  beforeStep = Number.MAX_SAFE_INTEGER,
): CheckpointRecord | undefined {
  const row = statement<[number, number], CheckpointRow>(
    db,
    `SELECT ${columns} FROM checkpoint WHERE run_id = ? AND step < ? AND ${hasWeights} ORDER BY step DESC LIMIT 1`,
  ).get(runId, beforeStep)
  return row && recordOf(row)
}

/**
 * The last checkpoint of a run, every part of it as it was stored, or undefined for a run without one.
 * @throws StudioError `run.damaged-checkpoint`, which says from which step the run can go on instead. It never goes back by
 *   itself: the steps between may have taken days, so that is a person's decision (`dropLastWeights`).
 */
export function lastSoundCheckpoint(db: ReadableDb, runId: RunId): CheckpointRecord | undefined {
  const last = lastCheckpoint(db, runId)
  if (!last) return undefined
  try {
    verifyCheckpoint(db, last.checkpointId)
    return last
  } catch (thrown) {
    if (!(thrown instanceof StudioError) || thrown.code !== 'run.damaged-checkpoint') throw thrown
    const sound = soundStepBefore(db, runId, last.step)
    const remedy =
      sound === null
        ? 'Resume to do the run again from its beginning, or restore a backup that is older than the damage.'
        : `Resume to go on from step ${sound}, the last one that is whole; what came after it is done again.`
    throw new StudioError({ ...toErrorRecord(thrown), remedy }, { cause: thrown })
  }
}

function soundStepBefore(db: ReadableDb, runId: RunId, beforeStep: number): number | null {
  for (let step = beforeStep; ; ) {
    const earlier = lastCheckpoint(db, runId, step)
    if (!earlier) return null
    try {
      verifyCheckpoint(db, earlier.checkpointId)
      return earlier.step
    } catch (thrown) {
      if (!(thrown instanceof StudioError) || thrown.code !== 'run.damaged-checkpoint') throw thrown
      step = earlier.step
    }
  }
}

/** Drops the weights of the run's last checkpoint, which are damaged, so that it goes on from the one before. */
export function dropLastWeights(db: WritableDb, runId: RunId): void {
  const last = lastCheckpoint(db, runId)
  if (last) inTransaction(db, () => dropWeights(db, 'checkpoint_id = @checkpointId', { ...last }))
}

/** The pinned checkpoints of a run. */
export function pinnedCheckpoints(db: ReadableDb, runId: RunId): CheckpointId[] {
  return statement<[number], { id: CheckpointId }>(
    db,
    'SELECT checkpoint_id AS id FROM checkpoint WHERE run_id = ? AND pinned = 1',
  )
    .all(runId)
    .map(({ id }) => id)
}

/** Marks a checkpoint as the best one, whose weights stay, or no longer. */
export function setPinned(db: WritableDb, checkpointId: CheckpointId, isPinned: boolean): void {
  statement<[number, number]>(db, 'UPDATE checkpoint SET pinned = ? WHERE checkpoint_id = ?').run(
    Number(isPinned),
    checkpointId,
  )
}

/** Keeps a checkpoint's weights for a person, or leaves them to the policy again. */
export function setKept(db: WritableDb, checkpointId: CheckpointId, isKept: boolean): void {
  const update = statement<[number, number]>(db, 'UPDATE checkpoint SET kept = ? WHERE checkpoint_id = ?')
  inTransaction(db, () => update.run(Number(isKept), checkpointId))
}

/** Drops the weights of all checkpoints of a run but the newest `keep`, the best and those that a person keeps. */
export function dropOldWeights(db: WritableDb, runId: RunId, keep: number): void {
  inTransaction(db, () =>
    dropWeights(
      db,
      `checkpoint_id IN (
         SELECT checkpoint_id FROM checkpoint WHERE run_id = @runId AND pinned = 0 AND kept = 0 AND checkpoint_id NOT IN (
           SELECT checkpoint_id FROM checkpoint WHERE run_id = @runId ORDER BY step DESC LIMIT @keep
         )
       )`,
      { runId, keep },
    ),
  )
}

function dropWeights(db: WritableDb, which: string, parameters: object): void {
  for (const table of ['checkpoint_blob', 'checkpoint_part']) {
    statement<object>(db, `DELETE FROM ${table} WHERE ${which}`).run(parameters)
  }
}

/**
 * Takes a run back to a step: later checkpoints, responses, metrics and looks go. Used by a person to roll back, and by
 * the engine before it resumes, because what it committed after its last checkpoint is done again.
 */
export function rollBack(db: WritableDb, runId: RunId, step: number): void {
  inTransaction(db, () => {
    for (const table of ['rollout', 'metric', 'look', 'checkpoint'] as const) {
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
    isKept: row.isKept === 1,
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

function damagedPart(db: ReadableDb, checkpointId: CheckpointId, part: string, cause?: unknown): StudioError {
  const row = statement<[number], { step: number }>(db, 'SELECT step FROM checkpoint WHERE checkpoint_id = ?').get(
    checkpointId,
  )
  return new StudioError(
    {
      code: 'run.damaged-checkpoint',
      message: `The checkpoint at step ${row?.step ?? '?'} is damaged: its weights are not what was stored.`,
      remedy: 'Choose another checkpoint of this run, or restore a backup that is older than the damage.',
      where: `step ${row?.step ?? '?'}, ${part}`,
    },
    { cause },
  )
}
