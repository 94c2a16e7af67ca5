// Integrity: looks in a table of their own, SHA-256 of what is stored as bytes, a sum over the tokens and object words of
// each response, and a seal a table that triggers keep. Landed: never edit.
// Uses row_hash, sha256 and sha256_concat of rowHash.ts.

/** Tables under a seal, with the columns that it covers. Bytes are covered by their hash. */
const sealed: Readonly<Record<string, string>> = {
  setting: 'key value',
  session: 'session_id opened_ms closed_ms app_version',
  import: 'import_id folder state started_ms ended_ms',
  image: 'image_id import_id path name size_bytes modified_ms sha256 width height format added_ms thumbnail_sha256',
  import_issue: 'import_id path code message',
  tag: 'tag_id name',
  image_tag: 'tag_id image_id',
  model: 'model_id folder name config weights_sha256 companion_folder encoder_verified added_ms',
  run: 'run_id model_id name preset config seed state calibration error created_ms started_ms ended_ms',
  look: 'run_id step figures',
  checkpoint: 'checkpoint_id run_id parent_id step cursor summary pinned created_ms',
  checkpoint_part: 'checkpoint_id part size_bytes sha256',
  rollout:
    'rollout_id run_id checkpoint_id image_id purpose step prompt text lowest_score hallucinated_words created_ms content_sum',
  word: 'word_id text',
  metric: 'run_id name step value',
  evaluation: 'evaluation_id checkpoint_id kind config summary created_ms',
  evaluation_value: 'evaluation_id name image_id value',
  vote: 'vote_id left_rollout_id right_rollout_id choice voted_ms',
}

const hashOf = (columns: string, prefix = ''): string =>
  `CAST(row_hash(${columns.replaceAll(/\S+/g, (column) => `${prefix}${column}`).replaceAll(' ', ', ')}) AS INTEGER)`

const seals = Object.entries(sealed).map(
  ([table, columns]) => `
INSERT INTO seal SELECT '${table}', count(*), coalesce(sum(${hashOf(columns)}), 0) FROM ${table};
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
END;`,
)

export const sql = `
-- A look at the validation images after a step; before, each checkpoint held all looks so far.
CREATE TABLE look (
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  step INTEGER NOT NULL CHECK (step >= 0),
  figures TEXT NOT NULL CHECK (json_valid(figures)),
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;
INSERT INTO look SELECT run_id, step, json_extract(summary, '$.look') FROM checkpoint
  WHERE json_type(summary, '$.look') = 'object';
UPDATE checkpoint SET cursor = json_remove(cursor, '$.looks'), summary = json_remove(summary, '$.look');

-- What a checkpoint holds: its parts, each with its size and hash over all its chunks.
CREATE TABLE checkpoint_part (
  checkpoint_id INTEGER NOT NULL REFERENCES checkpoint ON DELETE CASCADE,
  part TEXT NOT NULL,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  PRIMARY KEY (checkpoint_id, part)
) STRICT, WITHOUT ROWID;
INSERT INTO checkpoint_part SELECT checkpoint_id, part, sum(length(bytes)), sha256_concat(bytes ORDER BY chunk)
  FROM checkpoint_blob GROUP BY checkpoint_id, part;
CREATE INDEX checkpoint_pinned ON checkpoint (run_id, step) WHERE pinned = 1;

-- With the image and not with the picture, so that no walk over hashes reads pictures.
ALTER TABLE image ADD COLUMN thumbnail_sha256 BLOB CHECK (length(thumbnail_sha256) = 32);
UPDATE image SET thumbnail_sha256 = (SELECT sha256(bytes) FROM thumbnail WHERE thumbnail.image_id = image.image_id);
ALTER TABLE embedding ADD COLUMN sha256 BLOB CHECK (length(sha256) = 32);
UPDATE embedding SET sha256 = sha256(vector);

-- Over what a response says, and its tokens and spans, which are too many for triggers; checked when it is read.
ALTER TABLE rollout ADD COLUMN content_sum INTEGER NOT NULL DEFAULT 0;
UPDATE rollout SET content_sum = ${hashOf('prompt text')} + (
  SELECT coalesce(sum(${hashOf('position token_id text_start text_end log_prob reference_log_prob reward')}), 0)
  FROM token WHERE token.rollout_id = rollout.rollout_id
) + (
  SELECT coalesce(sum(${hashOf('start_position end_position word_id score reward label')}), 0)
  FROM span WHERE span.rollout_id = rollout.rollout_id
);

-- A table's number of rows and the sum of their hashes, kept by triggers: a row that differs without a write is told.
CREATE TABLE seal (
  table_name TEXT PRIMARY KEY,
  row_count INTEGER NOT NULL,
  row_sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
${seals.join('\n')}
`
