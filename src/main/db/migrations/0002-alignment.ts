// Alignment: models, runs, checkpoints, responses with tokens and spans, metrics, evaluations. Landed: never edit.
export const sql = `
CREATE TABLE model (
  model_id INTEGER PRIMARY KEY,
  folder TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  config TEXT NOT NULL CHECK (json_valid(config)),
  weights_sha256 BLOB NOT NULL CHECK (length(weights_sha256) = 32),
  companion_folder TEXT,
  -- Whether the vision tower equals the companion's, tensor by tensor; null before it was checked.
  encoder_verified INTEGER CHECK (encoder_verified IN (0, 1)),
  added_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
  run_id INTEGER PRIMARY KEY,
  model_id INTEGER NOT NULL REFERENCES model ON DELETE RESTRICT,
  name TEXT NOT NULL,
  preset TEXT NOT NULL,
  config TEXT NOT NULL CHECK (json_valid(config)),
  seed INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'complete', 'stopped', 'failed')),
  -- Baselines, margin and separation report, once calibrated.
  calibration TEXT CHECK (calibration IS NULL OR json_valid(calibration)),
  -- The structured error that ended it, if one did.
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER
) STRICT;
CREATE INDEX run_by_state ON run (state, run_id);
CREATE INDEX run_by_model ON run (model_id);

-- Everything a run resumes from; committed together with the cursor it belongs to.
CREATE TABLE checkpoint (
  checkpoint_id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  parent_id INTEGER REFERENCES checkpoint ON DELETE SET NULL,
  step INTEGER NOT NULL CHECK (step >= 0),
  cursor TEXT NOT NULL CHECK (json_valid(cursor)),
  summary TEXT NOT NULL CHECK (json_valid(summary)),
  -- Kept by a person or as the best one, whatever the keep-last-N policy says.
  pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
  created_ms INTEGER NOT NULL,
  UNIQUE (run_id, step)
) STRICT;
CREATE INDEX checkpoint_by_parent ON checkpoint (parent_id);

CREATE TABLE checkpoint_blob (
  checkpoint_id INTEGER NOT NULL REFERENCES checkpoint ON DELETE CASCADE,
  part TEXT NOT NULL,
  chunk INTEGER NOT NULL CHECK (chunk >= 0),
  bytes BLOB NOT NULL CHECK (length(bytes) <= 1048576),
  UNIQUE (checkpoint_id, part, chunk)
) STRICT;

CREATE TABLE rollout (
  rollout_id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  checkpoint_id INTEGER REFERENCES checkpoint ON DELETE CASCADE,
  image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
  purpose TEXT NOT NULL CHECK (purpose IN ('training', 'evaluation', 'trial')),
  step INTEGER NOT NULL,
  prompt TEXT NOT NULL,
  text TEXT NOT NULL,
  -- Lowest verifier score of its object words, and how many were judged hallucinated.
  lowest_score REAL,
  hallucinated_words INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX rollout_by_image ON rollout (image_id, checkpoint_id);
CREATE INDEX rollout_by_run ON rollout (run_id, step, rollout_id);
-- The grid: one response an image and checkpoint, by lowest score or by having a hallucination.
CREATE UNIQUE INDEX rollout_shown ON rollout (checkpoint_id, image_id) WHERE purpose = 'evaluation';
CREATE INDEX rollout_by_score ON rollout (checkpoint_id, lowest_score, image_id, hallucinated_words)
  WHERE purpose = 'evaluation';

-- Narrow and clustered by response: ten million of them stay under half a gigabyte.
CREATE TABLE token (
  rollout_id INTEGER NOT NULL REFERENCES rollout ON DELETE CASCADE,
  position INTEGER NOT NULL,
  token_id INTEGER NOT NULL,
  -- Characters [text_start, text_end) of the response's text.
  text_start INTEGER NOT NULL,
  text_end INTEGER NOT NULL,
  log_prob REAL NOT NULL,
  reference_log_prob REAL,
  reward REAL,
  PRIMARY KEY (rollout_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE word (
  word_id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

-- Tokens [start_position, end_position) name an object.
CREATE TABLE span (
  rollout_id INTEGER NOT NULL REFERENCES rollout ON DELETE CASCADE,
  start_position INTEGER NOT NULL,
  end_position INTEGER NOT NULL CHECK (end_position > start_position),
  word_id INTEGER NOT NULL REFERENCES word ON DELETE RESTRICT,
  score REAL NOT NULL,
  reward REAL NOT NULL,
  label TEXT NOT NULL CHECK (label IN ('grounded', 'hallucinated', 'neutral')),
  PRIMARY KEY (rollout_id, start_position)
) STRICT, WITHOUT ROWID;
CREATE INDEX span_by_word ON span (word_id, label, rollout_id);

-- Embeddings of images and words by the encoder that made them; float32, L2-normalised.
CREATE TABLE embedding (
  encoder_sha256 BLOB NOT NULL CHECK (length(encoder_sha256) = 32),
  kind TEXT NOT NULL CHECK (kind IN ('image', 'text')),
  -- SHA-256 of the image file, or of the prompted text.
  subject_sha256 BLOB NOT NULL CHECK (length(subject_sha256) = 32),
  vector BLOB NOT NULL,
  UNIQUE (encoder_sha256, kind, subject_sha256)
) STRICT;

CREATE TABLE metric (
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  name TEXT NOT NULL,
  step INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (run_id, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluation (
  evaluation_id INTEGER PRIMARY KEY,
  checkpoint_id INTEGER NOT NULL REFERENCES checkpoint ON DELETE CASCADE,
  kind TEXT NOT NULL,
  config TEXT NOT NULL CHECK (json_valid(config)),
  summary TEXT NOT NULL CHECK (json_valid(summary)),
  created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX evaluation_by_checkpoint ON evaluation (checkpoint_id, kind);

-- One figure of one image in an evaluation, so that comparisons can be paired by image.
CREATE TABLE evaluation_value (
  evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
  name TEXT NOT NULL,
  image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
  value REAL NOT NULL,
  PRIMARY KEY (evaluation_id, name, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_value_by_image ON evaluation_value (image_id);

-- A person's blind choice between two responses to one image.
CREATE TABLE vote (
  vote_id INTEGER PRIMARY KEY,
  left_rollout_id INTEGER NOT NULL REFERENCES rollout ON DELETE CASCADE,
  right_rollout_id INTEGER NOT NULL REFERENCES rollout ON DELETE CASCADE,
  choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'tie')),
  voted_ms INTEGER NOT NULL,
  UNIQUE (left_rollout_id, right_rollout_id)
) STRICT;
CREATE INDEX vote_by_right ON vote (right_rollout_id);

-- Words of the responses.
CREATE VIRTUAL TABLE response_search USING fts5 (
  text, content = 'rollout', content_rowid = 'rollout_id', tokenize = 'porter unicode61'
);
CREATE TRIGGER response_search_insert AFTER INSERT ON rollout BEGIN
  INSERT INTO response_search (rowid, text) VALUES (new.rollout_id, new.text);
END;
CREATE TRIGGER response_search_delete AFTER DELETE ON rollout BEGIN
  INSERT INTO response_search (response_search, rowid, text) VALUES ('delete', old.rollout_id, old.text);
END;
`
