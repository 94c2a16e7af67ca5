// Responses that a person asked for: of a model without a run, of another strength, drawn, of a picture of which a part is
// covered, or without a verdict; and checkpoints that a person keeps. Landed: never edit.
// Uses row_hash of rowHash.ts.
const hashOf = (columns: string, prefix = ''): string =>
  `CAST(row_hash(${columns
    .split(' ')
    .map((column) => `${prefix}${column}`)
    .join(', ')}) AS INTEGER)`

const rollout =
  'rollout_id run_id model_id checkpoint_id image_id purpose step prompt strength decoding region judged text lowest_score hallucinated_words created_ms content_sum'
const checkpoint = 'checkpoint_id run_id parent_id step cursor summary pinned kept created_ms'

const unsealed = (table: string): string =>
  ['insert', 'delete', 'update'].map((event) => `DROP TRIGGER ${table}_seal_${event};`).join('\n')

const sealed = (table: string, columns: string): string => `
UPDATE seal SET row_sum = (SELECT coalesce(sum(${hashOf(columns)}), 0) FROM ${table}) WHERE table_name = '${table}';
CREATE TRIGGER ${table}_seal_insert AFTER INSERT ON ${table} BEGIN
  UPDATE seal SET row_count = row_count + 1, row_sum = row_sum + ${hashOf(columns, 'new.')}
  WHERE table_name = '${table}';
END;
CREATE TRIGGER ${table}_seal_delete AFTER DELETE ON ${table} BEGIN
  UPDATE seal SET row_count = row_count - 1, row_sum = row_sum - ${hashOf(columns, 'old.')}
  WHERE table_name = '${table}';
END;
CREATE TRIGGER ${table}_seal_update AFTER UPDATE ON ${table} BEGIN
  UPDATE seal SET row_sum = row_sum - ${hashOf(columns, 'old.')} + ${hashOf(columns, 'new.')}
  WHERE table_name = '${table}';
END;`

export const sql = `
${unsealed('rollout')}
-- A column in the place of run_id that may be null: a new table would take every token and object word along.
DROP INDEX rollout_by_run;
ALTER TABLE rollout ADD COLUMN asked_run_id INTEGER REFERENCES run ON DELETE CASCADE;
UPDATE rollout SET asked_run_id = run_id;
ALTER TABLE rollout DROP COLUMN run_id;
ALTER TABLE rollout RENAME COLUMN asked_run_id TO run_id;
CREATE INDEX rollout_by_run ON rollout (run_id, step, rollout_id);

-- A model that was asked without a run.
ALTER TABLE rollout ADD COLUMN model_id INTEGER REFERENCES model ON DELETE CASCADE
  CHECK ((run_id IS NULL) <> (model_id IS NULL));
CREATE INDEX rollout_by_model ON rollout (model_id);
-- Of the adapter, 0 for none.
ALTER TABLE rollout ADD COLUMN strength REAL NOT NULL DEFAULT 1;
UPDATE rollout SET strength = coalesce(
  (SELECT json_extract(config, '$.evaluation.strength') FROM run WHERE run.run_id = rollout.run_id), 1
) WHERE purpose = 'evaluation';
-- How its tokens were drawn; null for greedily, and in training for as the config of the run says.
ALTER TABLE rollout ADD COLUMN decoding TEXT CHECK (decoding IS NULL OR json_valid(decoding));
-- The part of the picture that was covered.
ALTER TABLE rollout ADD COLUMN region TEXT CHECK (region IS NULL OR json_valid(region));
-- Whether labels and rewards of its object words mean anything.
ALTER TABLE rollout ADD COLUMN judged INTEGER NOT NULL DEFAULT 1 CHECK (judged IN (0, 1));
${sealed('rollout', rollout)}

${unsealed('checkpoint')}
-- Kept by a person; pinned is the engine's own mark of the best one.
ALTER TABLE checkpoint ADD COLUMN kept INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1));
${sealed('checkpoint', checkpoint)}
`
