// Sweeps: runs that belong together, from this app's queue or collected from other machines. Landed: never edit.
// Uses row_hash of rowHash.ts.
const sealed: Readonly<Record<string, string>> = {
  sweep: 'sweep_id name folder created_ms',
  sweep_run: 'run_id sweep_id cell',
}

const hashOf = (columns: string, row: 'new' | 'old'): string =>
  `CAST(row_hash(${columns
    .split(' ')
    .map((column) => `${row}.${column}`)
    .join(', ')}) AS INTEGER)`

const seals = Object.entries(sealed).map(
  ([table, columns]) => `
INSERT INTO seal VALUES ('${table}', 0, 0);
CREATE TRIGGER ${table}_seal_insert AFTER INSERT ON ${table} BEGIN
  UPDATE seal SET row_count = row_count + 1, row_sum = row_sum + ${hashOf(columns, 'new')}
  WHERE table_name = '${table}';
END;
CREATE TRIGGER ${table}_seal_delete AFTER DELETE ON ${table} BEGIN
  UPDATE seal SET row_count = row_count - 1, row_sum = row_sum - ${hashOf(columns, 'old')}
  WHERE table_name = '${table}';
END;
CREATE TRIGGER ${table}_seal_update AFTER UPDATE ON ${table} BEGIN
  UPDATE seal SET row_sum = row_sum - ${hashOf(columns, 'old')} + ${hashOf(columns, 'new')}
  WHERE table_name = '${table}';
END;`,
)

export const sql = `
CREATE TABLE sweep (
  sweep_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- Where its jobs and results lie; null for one of the app's own queue.
  folder TEXT,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sweep_run (
  run_id INTEGER PRIMARY KEY REFERENCES run ON DELETE CASCADE,
  sweep_id TEXT NOT NULL REFERENCES sweep ON DELETE CASCADE,
  -- A run and its placebo have the same one.
  cell INTEGER NOT NULL CHECK (cell > 0)
) STRICT;
CREATE INDEX sweep_run_by_sweep ON sweep_run (sweep_id);
${seals.join('\n')}

-- Cells that were collected before: 'collected SWEEP CELL'.
INSERT INTO sweep SELECT substr(key, 11, 36), 'Sweep ' || substr(key, 11, 8), NULL,
    coalesce(CAST(min(json_extract(value, '$.atMs')) AS INTEGER), 0)
  FROM setting WHERE key GLOB 'collected * *' GROUP BY substr(key, 11, 36);
INSERT OR IGNORE INTO sweep_run SELECT run.run_id, substr(setting.key, 11, 36), CAST(substr(setting.key, 48) AS INTEGER)
  FROM setting, json_each(setting.value, '$.runIds') AS one JOIN run ON run.run_id = one.value
  WHERE setting.key GLOB 'collected * *';
`
