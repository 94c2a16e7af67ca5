// The library's questions: which image names which object (kept by triggers, like a search index), removed images, what an
// import began with and left out. Landed: never edit. Uses row_hash of rowHash.ts.

/** New tables under a seal (migration 0004), with the columns that it covers. */
const sealed: Readonly<Record<string, string>> = {
  removed_image: 'image_id removed_ms',
  run_absent_image: 'run_id image_id',
  import_path: 'import_id path',
  import_left_out: 'import_id kind files message example',
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

const label = (column: string): string => `CASE ${column} WHEN 'grounded' THEN 1 WHEN 'hallucinated' THEN 2 ELSE 3 END`
const isShown = "rollout.purpose = 'evaluation' AND rollout.checkpoint_id IS NOT NULL"

export const sql = `
-- Images out of the library. They keep their rows, so that runs, responses and tags are whole and they can come back.
-- All that were removed together have the same, unique time.
CREATE TABLE removed_image (
  image_id INTEGER PRIMARY KEY REFERENCES image ON DELETE CASCADE,
  removed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX removed_image_by_time ON removed_image (removed_ms);

-- Images up to the last one of a run's job that the run was begun without, because they were removed then.
CREATE TABLE run_absent_image (
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  image_id INTEGER NOT NULL,
  PRIMARY KEY (run_id, image_id)
) STRICT, WITHOUT ROWID;

-- The files and folders of an import of several; of one folder, the import itself has it.
CREATE TABLE import_path (
  import_id INTEGER NOT NULL REFERENCES import ON DELETE CASCADE,
  path TEXT NOT NULL,
  PRIMARY KEY (import_id, path)
) STRICT, WITHOUT ROWID;

-- What an import found and did not look into, a kind at a time.
CREATE TABLE import_left_out (
  import_id INTEGER NOT NULL REFERENCES import ON DELETE CASCADE,
  kind TEXT NOT NULL,
  files INTEGER NOT NULL CHECK (files > 0),
  message TEXT NOT NULL,
  example TEXT NOT NULL,
  PRIMARY KEY (import_id, kind)
) STRICT, WITHOUT ROWID;

-- Which image's shown response names which object with which verdict (1 grounded, 2 hallucinated, 3 neutral), how often;
-- word 0 stands for any. Made of span and rollout by the triggers below and compared with them by fileCheck.ts.
CREATE TABLE named_object (
  checkpoint_id INTEGER NOT NULL REFERENCES checkpoint ON DELETE CASCADE,
  word_id INTEGER NOT NULL,
  label INTEGER NOT NULL CHECK (label BETWEEN 1 AND 3),
  image_id INTEGER NOT NULL,
  times INTEGER NOT NULL CHECK (times > 0),
  PRIMARY KEY (checkpoint_id, word_id, label, image_id)
) STRICT, WITHOUT ROWID;
INSERT INTO named_object
  SELECT checkpoint_id, word_id, ${label('label')}, image_id, count(*)
  FROM rollout JOIN span USING (rollout_id) WHERE ${isShown} GROUP BY 1, 2, 3, 4;
INSERT INTO named_object
  SELECT checkpoint_id, 0, label, image_id, sum(times) FROM named_object GROUP BY 1, 2, 3, 4;
CREATE TRIGGER named_object_insert AFTER INSERT ON span BEGIN
  INSERT INTO named_object
    SELECT checkpoint_id, new.word_id, ${label('new.label')}, image_id, 1 FROM rollout
    WHERE rollout_id = new.rollout_id AND ${isShown}
    ON CONFLICT DO UPDATE SET times = times + 1;
  INSERT INTO named_object
    SELECT checkpoint_id, 0, ${label('new.label')}, image_id, 1 FROM rollout
    WHERE rollout_id = new.rollout_id AND ${isShown}
    ON CONFLICT DO UPDATE SET times = times + 1;
END;
-- Before, because its spans go with it. A checkpoint has one shown response to an image.
CREATE TRIGGER named_object_delete BEFORE DELETE ON rollout
  WHEN old.purpose = 'evaluation' AND old.checkpoint_id IS NOT NULL
BEGIN
  DELETE FROM named_object WHERE checkpoint_id = old.checkpoint_id AND image_id = old.image_id
    AND word_id IN (SELECT 0 UNION SELECT word_id FROM span WHERE rollout_id = old.rollout_id) AND label IN (1, 2, 3);
END;

-- The grid's order by number of hallucinated words, with all that its filters ask for.
CREATE INDEX rollout_by_hallucinations ON rollout (checkpoint_id, hallucinated_words DESC, image_id, lowest_score)
  WHERE purpose = 'evaluation';
${seals.join('\n')}
`
