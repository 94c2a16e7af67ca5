// Sweeps: which runs belong together, and where those lie that were sent elsewhere. Before it stand the wizard's "several at
// once" (app/newSweep.ts) and the collector (copyRun.ts), after it the sweep's page (app/sweepViews.ts).
import type { RunId } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

export interface SweepRecord {
  readonly sweepId: string
  readonly name: string
  /** Null for one of the app's own queue. */
  readonly folder: string | null
  readonly createdAtMs: number
}

export interface SweepRun {
  readonly runId: RunId
  readonly cell: number
}

/** Adds a sweep; one that is known keeps its name, and gets the folder that it is found in now. */
export function storeSweep(db: WritableDb, sweep: SweepRecord): void {
  const insert = statement<object>(
    db,
    `INSERT INTO sweep (sweep_id, name, folder, created_ms) VALUES (@sweepId, @name, @folder, @createdAtMs)
     ON CONFLICT (sweep_id) DO UPDATE SET folder = excluded.folder WHERE excluded.folder IS NOT NULL`,
  )
  inTransaction(db, () => insert.run(sweep))
}

/** Says that a run belongs to a sweep, as this cell or its placebo. */
export function storeSweepRun(db: WritableDb, sweepId: string, { runId, cell }: SweepRun): void {
  const insert = statement<[number, string, number]>(
    db,
    'INSERT INTO sweep_run (run_id, sweep_id, cell) VALUES (?, ?, ?)',
  )
  inTransaction(db, () => insert.run(runId, sweepId, cell))
}

/** Its folder is looked at no more; its runs stay together. */
export function forgetSweepFolder(db: WritableDb, sweepId: string): void {
  const update = statement<[string]>(db, 'UPDATE sweep SET folder = NULL WHERE sweep_id = ?')
  inTransaction(db, () => update.run(sweepId))
}

/** Sweeps that have runs or a folder, newest first. */
export function listSweeps(db: ReadableDb): SweepRecord[] {
  return statement<[], SweepRecord>(
    db,
    `SELECT sweep_id AS sweepId, name, folder, created_ms AS createdAtMs FROM sweep
     WHERE folder IS NOT NULL OR EXISTS (SELECT 1 FROM sweep_run WHERE sweep_run.sweep_id = sweep.sweep_id)
     ORDER BY created_ms DESC, sweep_id`,
  ).all()
}

/** One sweep, or undefined. */
export function sweepById(db: ReadableDb, sweepId: string): SweepRecord | undefined {
  return statement<[string], SweepRecord>(
    db,
    'SELECT sweep_id AS sweepId, name, folder, created_ms AS createdAtMs FROM sweep WHERE sweep_id = ?',
  ).get(sweepId)
}

/** Its runs by cell, a placebo after its run. */
export function runsOfSweep(db: ReadableDb, sweepId: string): SweepRun[] {
  return statement<[string], SweepRun>(
    db,
    'SELECT run_id AS runId, cell FROM sweep_run WHERE sweep_id = ? ORDER BY cell, run_id',
  ).all(sweepId)
}

/** The sweep that a run belongs to; null for none. */
export function sweepOfRun(db: ReadableDb, runId: RunId): string | null {
  const find = statement<[number], { sweepId: string }>(
    db,
    'SELECT sweep_id AS sweepId FROM sweep_run WHERE run_id = ?',
  )
  return find.get(runId)?.sweepId ?? null
}
