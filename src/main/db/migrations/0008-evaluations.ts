// Evaluations of several policies on any images, answer by answer, with what stands behind each object word; votes whose
// sides are drawn before a person chooses. Landed: never edit. Uses row_hash of rowHash.ts.
// The tables evaluation and evaluation_value of migration 0002 are replaced: they knew one checkpoint and images of the
// workspace only, and no version of the app has written a row into them.
const sealed: Readonly<Record<string, string>> = {
  evaluation: 'evaluation_id name kind request names state error facts figures concepts created_ms ended_ms',
  evaluation_item: 'evaluation_id item image_id path name question truth code',
  evaluation_answer: 'evaluation_id policy item text words answer is_right named hallucinated missed counts',
  evaluation_concept: 'evaluation_id concept policy item mentions hallucinated is_annotated',
  vote: 'vote_id left_rollout_id right_rollout_id choice voted_ms',
}

const hashOf = (columns: string, prefix = ''): string =>
  `CAST(row_hash(${columns
    .split(' ')
    .map((column) => `${prefix}${column}`)
    .join(', ')}) AS INTEGER)`

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
DROP TABLE evaluation_value;
DROP TABLE evaluation;
DELETE FROM seal WHERE table_name IN ('evaluation', 'evaluation_value', 'vote');

CREATE TABLE evaluation (
  evaluation_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('annotation-free', 'chair', 'pope', 'mme', 'amber')),
  -- As shared/evaluations.ts has it. Its policies may be gone by now; its figures stay.
  request TEXT NOT NULL CHECK (json_valid(request)),
  -- What each policy's run or model was called.
  names TEXT NOT NULL CHECK (json_valid(names)),
  -- One that waits goes on by itself.
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'cancelled', 'failed')),
  error TEXT CHECK (error IS NULL OR json_valid(error)),
  -- What it was carried out with, once its files were read.
  facts TEXT CHECK (facts IS NULL OR json_valid(facts)),
  figures TEXT CHECK (figures IS NULL OR json_valid(figures)),
  -- Counts by object word.
  concepts TEXT CHECK (concepts IS NULL OR json_valid(concepts)),
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT;
CREATE INDEX evaluation_by_state ON evaluation (state, evaluation_id);

-- An image, or a question about one.
CREATE TABLE evaluation_item (
  evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
  item INTEGER NOT NULL CHECK (item >= 0),
  -- Null for one that is not in the workspace.
  image_id INTEGER REFERENCES image ON DELETE SET NULL,
  path TEXT NOT NULL,
  -- As the benchmark calls it.
  name TEXT NOT NULL,
  -- Null for the one that is asked of every image.
  question TEXT,
  -- What is right: annotated objects, or yes or no.
  truth TEXT CHECK (truth IS NULL OR json_valid(truth)),
  -- Why the image could not be read.
  code TEXT,
  PRIMARY KEY (evaluation_id, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_item_by_image ON evaluation_item (image_id);

CREATE TABLE evaluation_answer (
  evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
  -- Place in the request.
  policy INTEGER NOT NULL CHECK (policy >= 0),
  item INTEGER NOT NULL,
  text TEXT NOT NULL,
  -- Object words with characters, score and verdict.
  words TEXT NOT NULL CHECK (json_valid(words)),
  -- How a yes-or-no answer is read.
  answer TEXT CHECK (answer IN ('yes', 'no', 'other')),
  is_right INTEGER CHECK (is_right IN (0, 1)),
  -- Objects named, hallucinated mentions, annotated objects that are not named.
  named INTEGER NOT NULL,
  hallucinated INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  -- What its figures are sums of.
  counts TEXT NOT NULL CHECK (json_valid(counts)),
  PRIMARY KEY (evaluation_id, policy, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_answer_by_verdict
  ON evaluation_answer (evaluation_id, policy, is_right, named, hallucinated, missed, item);

-- An object word in one answer, or one that is annotated and missing there.
CREATE TABLE evaluation_concept (
  evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
  concept TEXT NOT NULL,
  policy INTEGER NOT NULL,
  item INTEGER NOT NULL,
  mentions INTEGER NOT NULL,
  hallucinated INTEGER NOT NULL,
  -- Null where nothing is annotated.
  is_annotated INTEGER CHECK (is_annotated IN (0, 1)),
  PRIMARY KEY (evaluation_id, concept, policy, item)
) STRICT, WITHOUT ROWID;

-- A pair that is shown has no choice yet.
ALTER TABLE vote RENAME TO old_vote;
DROP INDEX vote_by_right;
CREATE TABLE vote (
  vote_id INTEGER PRIMARY KEY,
  left_rollout_id INTEGER NOT NULL REFERENCES rollout ON DELETE CASCADE,
  right_rollout_id INTEGER NOT NULL REFERENCES rollout ON DELETE CASCADE,
  choice TEXT CHECK (choice IN ('left', 'right', 'tie')),
  voted_ms INTEGER CHECK ((voted_ms IS NULL) = (choice IS NULL)),
  UNIQUE (left_rollout_id, right_rollout_id)
) STRICT;
INSERT INTO vote SELECT vote_id, left_rollout_id, right_rollout_id, choice, voted_ms FROM old_vote;
DROP TABLE old_vote;
CREATE INDEX vote_by_right ON vote (right_rollout_id);
${seals.join('\n')}
`
