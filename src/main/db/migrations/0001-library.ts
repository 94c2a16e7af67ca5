// The library: settings, sessions, imports, images with thumbnails, tags. Landed: never edit.
export const sql = `
CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

-- One opening of the workspace; closed_ms stays null when the app was killed.
CREATE TABLE session (
  session_id INTEGER PRIMARY KEY,
  opened_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  app_version TEXT NOT NULL
) STRICT;

CREATE TABLE import (
  import_id INTEGER PRIMARY KEY,
  folder TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'complete', 'cancelled')),
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT;

CREATE TABLE image (
  image_id INTEGER PRIMARY KEY,
  import_id INTEGER NOT NULL REFERENCES import ON DELETE RESTRICT,
  path TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL COLLATE NOCASE,
  size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
  modified_ms INTEGER NOT NULL,
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
  width INTEGER NOT NULL CHECK (width > 0),
  height INTEGER NOT NULL CHECK (height > 0),
  format TEXT NOT NULL,
  added_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX image_by_name ON image (name, image_id);
CREATE INDEX image_by_import ON image (import_id);

-- Apart from image, so that a walk over images does not walk over their pictures.
CREATE TABLE thumbnail (
  image_id INTEGER PRIMARY KEY REFERENCES image ON DELETE CASCADE,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE import_issue (
  import_id INTEGER NOT NULL REFERENCES import ON DELETE CASCADE,
  path TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (import_id, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag (
  tag_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;
CREATE TABLE image_tag (
  tag_id INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE,
  image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
  PRIMARY KEY (tag_id, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_tag_by_image ON image_tag (image_id);

-- Any part of a file name, from three characters on.
CREATE VIRTUAL TABLE image_name_search USING fts5 (
  name, content = 'image', content_rowid = 'image_id', tokenize = 'trigram'
);
CREATE TRIGGER image_name_search_insert AFTER INSERT ON image BEGIN
  INSERT INTO image_name_search (rowid, name) VALUES (new.image_id, new.name);
END;
CREATE TRIGGER image_name_search_delete AFTER DELETE ON image BEGIN
  INSERT INTO image_name_search (image_name_search, rowid, name) VALUES ('delete', old.image_id, old.name);
END;
CREATE TRIGGER image_name_search_update AFTER UPDATE OF name ON image BEGIN
  INSERT INTO image_name_search (image_name_search, rowid, name) VALUES ('delete', old.image_id, old.name);
  INSERT INTO image_name_search (rowid, name) VALUES (new.image_id, new.name);
END;
`
