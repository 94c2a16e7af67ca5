// Runs and their states: queued by the wizard, carried out by the engine, listed by the Runs screen.
import type { Json, ModelId, RunId, RunRecord, RunState } from '../../shared/domain.ts'
import { type ErrorRecord, StudioError } from '../../shared/errors.ts'
import { missingRun } from '../../shared/runErrors.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { setUsedStep } from './usedCheckpoint.ts'

/** The states that a run may go to. One that is `running` while no engine works on it was interrupted. */
export const nextStates: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['running', 'stopped'],
  running: ['paused', 'complete', 'stopped', 'failed'],
  paused: ['queued', 'running', 'stopped'],
  stopped: ['queued'],
  failed: ['queued'],
  complete: [],
}

/** A run as the wizard asks for it. */
export interface NewRun {
  readonly modelId: ModelId
  readonly name: string
  readonly preset: string
  readonly config: Json
  readonly seed: number
}

/** Puts a run at the end of the queue. */
export function createRun(db: WritableDb, run: NewRun, nowMs: number): RunId {
  const insert = statement<object>(
    db,
    `INSERT INTO run (model_id, name, preset, config, seed, state, created_ms)
     VALUES (@modelId, @name, @preset, @config, @seed, 'queued', @nowMs)`,
  )
  const row = { ...run, config: JSON.stringify(run.config), nowMs }
  return Number(inTransaction(db, () => insert.run(row)).lastInsertRowid) as RunId
}

/**
 * Takes a run to another state, with the error that ended it if it failed.
 * @throws StudioError `run.missing`; `run.wrong-state` when it may not go there from where it is
 */
export function setRunState(
  db: WritableDb,
  runId: RunId,
  state: RunState,
  nowMs: number,
  error: ErrorRecord | null = null,
): void {
  const from = Object.entries(nextStates).flatMap(([before, after]) => (after.includes(state) ? [before] : []))
  const update = statement<object>(
    db,
    `UPDATE run SET state = @state, error = @error,
       started_ms = CASE WHEN @state = 'running' THEN coalesce(started_ms, @nowMs) ELSE started_ms END,
       ended_ms = CASE WHEN @state IN ('complete', 'stopped', 'failed') THEN @nowMs END
     WHERE run_id = @runId AND state IN (SELECT value FROM json_each(@from))`,
  )
  const row = { runId, state, error: error && JSON.stringify(error), nowMs, from: JSON.stringify(from) }
  if (inTransaction(db, () => update.run(row)).changes > 0) return
  const found = runById(db, runId)?.state
  if (found === undefined) throw missingRun(runId)
  throw new StudioError({
    code: 'run.wrong-state',
    message: `This run is ${found}, so it cannot become ${state}.`,
    remedy: 'Look at the run again; another window may have changed it.',
    expected: from.join(' or '),
    found,
    where: `run ${runId}`,
  })
}

/** Stores the baselines, the margin and the separation report of a run. @throws StudioError `run.missing` */
export function setCalibration(db: WritableDb, runId: RunId, calibration: Json): void {
  const update = statement<[string, number]>(db, 'UPDATE run SET calibration = ? WHERE run_id = ?')
  const { changes } = inTransaction(db, () => update.run(JSON.stringify(calibration), runId))
  if (changes === 0) throw missingRun(runId)
}

/** Stores a changed config, for what it still has to do. @throws StudioError `run.missing` */
export function setRunConfig(db: WritableDb, runId: RunId, config: Json): void {
  const update = statement<[string, number]>(db, 'UPDATE run SET config = ? WHERE run_id = ?')
  const { changes } = inTransaction(db, () => update.run(JSON.stringify(config), runId))
  if (changes === 0) throw missingRun(runId)
}

/** Gives a run another name. @throws StudioError `run.missing` */
export function renameRun(db: WritableDb, runId: RunId, name: string): void {
  const update = statement<[string, number]>(db, 'UPDATE run SET name = ? WHERE run_id = ?')
  const { changes } = inTransaction(db, () => update.run(name, runId))
  if (changes === 0) throw missingRun(runId)
}

/** Deletes a run with its checkpoints, responses, metrics and evaluations. */
export function deleteRun(db: WritableDb, runId: RunId): void {
  inTransaction(db, () => {
    setUsedStep(db, runId, null)
    statement<[number]>(db, 'DELETE FROM run WHERE run_id = ?').run(runId)
  })
}

type RunRow = Omit<RunRecord, 'config' | 'calibration' | 'error'> & {
  config: string
  calibration: string | null
  error: string | null
}

const columns = `run_id AS runId, model_id AS modelId, name, preset, config, seed, state, calibration, error,
  created_ms AS createdAtMs, started_ms AS startedAtMs, ended_ms AS endedAtMs,
  (SELECT max(step) FROM checkpoint WHERE checkpoint.run_id = run.run_id) AS checkpointStep`

/** All runs, newest first. */
export function listRuns(db: ReadableDb): RunRecord[] {
  return statement<[], RunRow>(db, `SELECT ${columns} FROM run ORDER BY run_id DESC`).all().map(recordOf)
}

/** One run, or undefined. */
export function runById(db: ReadableDb, runId: RunId): RunRecord | undefined {
  const row = statement<[number], RunRow>(db, `SELECT ${columns} FROM run WHERE run_id = ?`).get(runId)
  return row && recordOf(row)
}

/** The runs that were made with a model, the newest first. */
export function runsOfModel(
  db: ReadableDb,
  modelId: ModelId,
): Pick<RunRecord, 'runId' | 'name' | 'state' | 'createdAtMs'>[] {
  return statement<[number], Pick<RunRecord, 'runId' | 'name' | 'state' | 'createdAtMs'>>(
    db,
    `SELECT run_id AS runId, name, state, created_ms AS createdAtMs FROM run WHERE model_id = ? ORDER BY run_id DESC`,
  ).all(modelId)
}

/** A config as it would be with the model's own verifier; that a person went on in spite of a refusal is no difference. */
const ownConfig = (column: string) =>
  `json_set(${column}, '$.reward.verifier', 'own', '$.calibration.goOnRefused', json('false'))`

/**
 * The run that is this one's control, or that this one is the control of: the same model, seed and settings but for the
 * verifier. A placebo belongs to the last such run before it; of several placebos of a run the newest one counts.
 */
export function counterpartOf(db: ReadableDb, runId: RunId): RunRecord | undefined {
  const alike = statement<[number], RunRow & { isPlacebo: 0 | 1 }>(
    db,
    `SELECT ${columns}, json_extract(config, '$.reward.verifier') IS 'placebo' AS isPlacebo FROM run
     WHERE run_id IN (
       SELECT other.run_id FROM run AS one JOIN run AS other USING (model_id, seed)
       WHERE one.run_id = ? AND ${ownConfig('one.config')} = ${ownConfig('other.config')})
     ORDER BY run_id`,
  ).all(runId)
  const at = alike.findIndex((one) => one.runId === runId)
  const later = alike.slice(at + 1)
  const nextRun = later.findIndex(({ isPlacebo }) => !isPlacebo)
  const row = alike[at]?.isPlacebo
    ? alike.slice(0, at).findLast(({ isPlacebo }) => !isPlacebo)
    : later.slice(0, nextRun < 0 ? undefined : nextRun).at(-1)
  if (!row) return undefined
  const { isPlacebo: _, ...record } = row
  return recordOf(record)
}

/** The first run in this state, e.g. the next in the queue, or one that an end of the app interrupted. */
export function firstRunIn(db: ReadableDb, state: RunState): RunRecord | undefined {
  const row = statement<[RunState], RunRow>(
    db,
    `SELECT ${columns} FROM run WHERE state = ? ORDER BY run_id LIMIT 1`,
  ).get(state)
  return row && recordOf(row)
}

function recordOf(row: RunRow): RunRecord {
  return {
    ...row,
    config: JSON.parse(row.config),
    calibration: row.calibration === null ? null : JSON.parse(row.calibration),
    error: row.error === null ? null : JSON.parse(row.error),
  }
}
