// Metrics of runs: written by the engine each step, read by the live charts.
import type { MetricPoint, RunId } from '../../shared/domain.ts'
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'

/**
 * Stores the metrics of a step, by name with the unit in it (`klNats`, `learningRate`).
 * @throws SqliteError on a value that is not a number: SQLite keeps NaN as null, which the column refuses
 */
export function storeMetrics(
  db: WritableDb,
  runId: RunId,
  step: number,
  values: Readonly<Record<string, number>>,
): void {
  const insert = statement<[number, string, number, number]>(
    db,
    'INSERT INTO metric (run_id, name, step, value) VALUES (?, ?, ?, ?)',
  )
  inTransaction(db, () => {
    for (const [name, value] of Object.entries(values)) insert.run(runId, name, step, value)
  })
}

/** Names of a run's metrics, in alphabetical order. */
export function metricNames(db: ReadableDb, runId: RunId): string[] {
  // From one name to the next by the key; DISTINCT would read every value of the run.
  const rows = statement<{ runId: number }, { name: string }>(
    db,
    `WITH RECURSIVE names (name) AS (
       SELECT min(name) FROM metric WHERE run_id = @runId
       UNION ALL
       SELECT (SELECT min(metric.name) FROM metric WHERE run_id = @runId AND metric.name > names.name)
       FROM names WHERE names.name IS NOT NULL
     )
     SELECT name FROM names WHERE name IS NOT NULL`,
  ).all({ runId })
  return rows.map(({ name }) => name)
}

/**
 * A metric after a step, by step, in at most `mostPoints` points. Where steps share a point, it keeps their
 * extremes, so that a spike stays visible in a long run.
 */
export function metricSeries(
  db: ReadableDb,
  runId: RunId,
  name: string,
  { afterStep = -1, mostPoints = 1000 }: { afterStep?: number; mostPoints?: number } = {},
): MetricPoint[] {
  const last = statement<[number, string], { step: number | null }>(
    db,
    'SELECT max(step) AS step FROM metric WHERE run_id = ? AND name = ?',
  ).get(runId, name)?.step
  if (last === null || last === undefined || last <= afterStep) return []
  const stepsPerPoint = Math.ceil((last - afterStep) / mostPoints)
  // A JavaScript number arrives as a real, so the division must be told to be one of integers.
  return statement<object, MetricPoint>(
    db,
    `SELECT max(step) AS step, avg(value) AS mean, min(value) AS low, max(value) AS high
     FROM metric WHERE run_id = @runId AND name = @name AND step > @afterStep
     GROUP BY CAST((step - @afterStep - 1) / @stepsPerPoint AS INTEGER) ORDER BY 1`,
  ).all({ runId, name, afterStep, stepsPerPoint })
}

/** The sum of a metric over all steps; 0 where there is none. */
export function metricTotal(db: ReadableDb, runId: RunId, name: string): number {
  const row = statement<[number, string], { total: number }>(
    db,
    'SELECT total(value) AS total FROM metric WHERE run_id = ? AND name = ?',
  ).get(runId, name)
  return row?.total ?? 0
}
