-- The studio: people, shows and what is in them, takes, reviews, jobs, and the list of everything that happened.
-- Times are UTC texts (base/identifiers.h), flags are 0 or 1, ids are UUIDs that sort by time, documents are JSON.
-- "version" counts the changes of a row: its ETag.

-- People and what they may do ---------------------------------------------------------------------------------------
CREATE TABLE people (
  id TEXT PRIMARY KEY,
  login TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',
  password TEXT NOT NULL DEFAULT '',               -- Argon2id as a PHC text; empty: no sign-in by password
  must_change_password BIGINT NOT NULL DEFAULT 0,
  active BIGINT NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);

-- A role in one show, or in all of them (show_id empty).
CREATE TABLE person_roles (
  person_id TEXT NOT NULL REFERENCES people(id),
  show_id TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL,
  PRIMARY KEY (person_id, show_id, role)
);

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,                      -- SHA-256: a stolen database opens no session
  person_id TEXT NOT NULL REFERENCES people(id),
  csrf TEXT NOT NULL,
  created_at TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  expires_at TEXT NOT NULL
);

CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  person_id TEXT NOT NULL REFERENCES people(id),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,                             -- JSON list of actions, or ["*"]
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT,
  used_at TEXT
);

-- Shows -------------------------------------------------------------------------------------------------------------
CREATE TABLE shows (
  id TEXT PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  root TEXT NOT NULL,                               -- the show's folder; relative ones lie in the studio's folder
  settings TEXT NOT NULL,                           -- JSON: picture size, overscan, frame rate, path template, caps
  status TEXT NOT NULL DEFAULT 'open',
  created_at TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE task_types (
  id TEXT PRIMARY KEY,
  show_id TEXT NOT NULL REFERENCES shows(id),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  color TEXT NOT NULL DEFAULT '',
  for_kind TEXT NOT NULL DEFAULT '',                -- shot, asset; empty: both
  position BIGINT NOT NULL DEFAULT 0,
  archived BIGINT NOT NULL DEFAULT 0,
  UNIQUE (show_id, code)
);

CREATE TABLE task_statuses (
  id TEXT PRIMARY KEY,
  show_id TEXT NOT NULL REFERENCES shows(id),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  color TEXT NOT NULL DEFAULT '',
  position BIGINT NOT NULL DEFAULT 0,
  is_default BIGINT NOT NULL DEFAULT 0,
  is_wip BIGINT NOT NULL DEFAULT 0,
  is_done BIGINT NOT NULL DEFAULT 0,
  is_retake BIGINT NOT NULL DEFAULT 0,
  is_feedback_request BIGINT NOT NULL DEFAULT 0,
  is_artist_allowed BIGINT NOT NULL DEFAULT 1,
  is_client_allowed BIGINT NOT NULL DEFAULT 0,
  archived BIGINT NOT NULL DEFAULT 0,
  UNIQUE (show_id, code)
);

CREATE TABLE asset_types (
  id TEXT PRIMARY KEY,
  show_id TEXT NOT NULL REFERENCES shows(id),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (show_id, code)
);

-- Episodes, sequences, shots and assets are rows of one table; path is the codes from the top: "sq010/sh020".
CREATE TABLE entities (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  show_id TEXT NOT NULL REFERENCES shows(id),
  parent_id TEXT REFERENCES entities(id),
  kind TEXT NOT NULL CHECK (kind IN ('episode', 'sequence', 'shot', 'asset')),
  asset_type TEXT NOT NULL DEFAULT '',              -- code of asset_types
  code TEXT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  brief TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('standby', 'running', 'complete', 'canceled')),
  data TEXT NOT NULL DEFAULT '{}',                  -- JSON: frames, cut in and out, cap of retakes, the studio's own
  thumbnail_take_id TEXT,
  created_at TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  UNIQUE (show_id, path)
);
CREATE INDEX entities_by_kind ON entities (show_id, kind, path);
CREATE INDEX entities_by_parent ON entities (parent_id);

CREATE TABLE castings (
  shot_id TEXT NOT NULL REFERENCES entities(id),
  asset_id TEXT NOT NULL REFERENCES entities(id),
  count BIGINT NOT NULL DEFAULT 1,
  label TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (shot_id, asset_id)
);
CREATE INDEX castings_by_asset ON castings (asset_id);

-- Tasks -------------------------------------------------------------------------------------------------------------
CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  show_id TEXT NOT NULL REFERENCES shows(id),
  entity_id TEXT NOT NULL REFERENCES entities(id),
  entity_path TEXT NOT NULL,                        -- of the entity, for sorting
  task_type_id TEXT NOT NULL REFERENCES task_types(id),
  status_id TEXT NOT NULL REFERENCES task_statuses(id),
  brief TEXT NOT NULL DEFAULT '',
  priority BIGINT NOT NULL DEFAULT 0,
  revision BIGINT NOT NULL DEFAULT 1,               -- that new takes belong to
  retake_count BIGINT NOT NULL DEFAULT 0,
  max_retakes BIGINT,                               -- NULL: the show's
  approved_take_id TEXT,
  take_count BIGINT NOT NULL DEFAULT 0,
  due_at TEXT,
  started_at TEXT,
  done_at TEXT,
  status_at TEXT NOT NULL,                          -- date of the comment that set the status
  created_at TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  UNIQUE (entity_id, task_type_id)
);
CREATE INDEX tasks_by_path ON tasks (show_id, entity_path, id);
CREATE INDEX tasks_by_status ON tasks (show_id, status_id, entity_path, id);

CREATE TABLE task_assignees (
  task_id TEXT NOT NULL REFERENCES tasks(id),
  person_id TEXT NOT NULL REFERENCES people(id),
  PRIMARY KEY (task_id, person_id)
);
CREATE INDEX task_assignees_by_person ON task_assignees (person_id, task_id);

-- Pictures that a brief points to.
CREATE TABLE task_references (
  task_id TEXT NOT NULL REFERENCES tasks(id),
  sha256 TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (task_id, sha256)
);

-- Files and takes ---------------------------------------------------------------------------------------------------
-- What is in a show's store, by content.
CREATE TABLE files (
  show_id TEXT NOT NULL REFERENCES shows(id),
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  created_at TEXT NOT NULL,
  purged_at TEXT,
  PRIMARY KEY (show_id, sha256)
);

CREATE TABLE takes (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  show_id TEXT NOT NULL REFERENCES shows(id),
  task_id TEXT NOT NULL REFERENCES tasks(id),
  revision BIGINT NOT NULL,
  number BIGINT NOT NULL,                           -- within the revision, never used twice
  origin TEXT NOT NULL CHECK (origin IN ('generated', 'edited', 'imported', 'composite')),
  title TEXT NOT NULL DEFAULT '',
  sha256 TEXT NOT NULL,                             -- the picture
  thumbnail TEXT NOT NULL,                          -- a file too
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  recipe TEXT,                                      -- JSON, as the engine wrote it
  seed TEXT NOT NULL DEFAULT '',
  model TEXT NOT NULL DEFAULT '',
  prompt TEXT NOT NULL DEFAULT '',
  proof TEXT,                                       -- JSON: pixels outside the mask, drift at the seam, seams of textures
  job_id TEXT,
  search_text TEXT NOT NULL,                        -- path, title, prompt, model, seed
  created_by TEXT NOT NULL REFERENCES people(id),
  created_at TEXT NOT NULL,
  withdrawn_at TEXT,
  purged_at TEXT,
  version BIGINT NOT NULL DEFAULT 1,
  UNIQUE (task_id, revision, number)
);
CREATE INDEX takes_by_show ON takes (show_id, seq);
CREATE INDEX takes_by_task ON takes (task_id, seq);
CREATE INDEX takes_by_job ON takes (job_id);
CREATE INDEX takes_by_file ON takes (show_id, sha256);

CREATE TABLE take_files (
  take_id TEXT NOT NULL REFERENCES takes(id),
  representation TEXT NOT NULL,                     -- png, exr, ora, psd, layer, strokes, mask, init, control
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (take_id, representation, name)
);
CREATE INDEX take_files_by_file ON take_files (sha256);

CREATE TABLE take_parents (
  take_id TEXT NOT NULL REFERENCES takes(id),
  parent_id TEXT NOT NULL REFERENCES takes(id),
  relation TEXT NOT NULL,                           -- init, source, mask, control, layer, retake
  PRIMARY KEY (take_id, parent_id, relation)
);
CREATE INDEX take_parents_by_parent ON take_parents (parent_id);

-- What each person thinks of a take.
CREATE TABLE marks (
  take_id TEXT NOT NULL REFERENCES takes(id),
  person_id TEXT NOT NULL REFERENCES people(id),
  stars BIGINT NOT NULL DEFAULT 0 CHECK (stars BETWEEN 0 AND 5),
  verdict TEXT NOT NULL DEFAULT 'neutral' CHECK (verdict IN ('neutral', 'validated', 'rejected')),
  updated_at TEXT NOT NULL,
  PRIMARY KEY (take_id, person_id)
);

-- Which take was approved when; tasks.approved_take_id is the one that is now.
CREATE TABLE approvals (
  seq {{serial}},
  task_id TEXT NOT NULL REFERENCES tasks(id),
  take_id TEXT REFERENCES takes(id),                -- NULL: none any more
  person_id TEXT NOT NULL REFERENCES people(id),
  role TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  at TEXT NOT NULL
);
CREATE INDEX approvals_by_task ON approvals (task_id, seq);

-- Review ------------------------------------------------------------------------------------------------------------
CREATE TABLE comments (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  show_id TEXT NOT NULL REFERENCES shows(id),
  task_id TEXT NOT NULL REFERENCES tasks(id),
  take_id TEXT REFERENCES takes(id),
  person_id TEXT REFERENCES people(id),
  guest TEXT NOT NULL DEFAULT '',                   -- the name that a guest gave
  text TEXT NOT NULL,
  status_id TEXT REFERENCES task_statuses(id),      -- that the comment sets
  annotation_id TEXT,
  said_at TEXT NOT NULL,                            -- may lie back
  created_at TEXT NOT NULL
);
CREATE INDEX comments_by_task ON comments (task_id, said_at, seq);

-- Drawings on a take, in parts of its width and height.
CREATE TABLE annotations (
  id TEXT PRIMARY KEY,
  take_id TEXT NOT NULL REFERENCES takes(id),
  person_id TEXT REFERENCES people(id),
  guest TEXT NOT NULL DEFAULT '',
  canvas_width BIGINT NOT NULL,
  canvas_height BIGINT NOT NULL,
  drawing TEXT NOT NULL,                            -- JSON list of strokes
  note TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  removed_at TEXT,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX annotations_by_take ON annotations (take_id);

CREATE TABLE playlists (
  id TEXT PRIMARY KEY,
  show_id TEXT NOT NULL REFERENCES shows(id),
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  created_by TEXT NOT NULL REFERENCES people(id),
  created_at TEXT NOT NULL,
  archived_at TEXT,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX playlists_by_show ON playlists (show_id, id);

CREATE TABLE playlist_items (
  playlist_id TEXT NOT NULL REFERENCES playlists(id),
  position BIGINT NOT NULL,
  take_id TEXT NOT NULL REFERENCES takes(id),
  PRIMARY KEY (playlist_id, position)
);

CREATE TABLE share_links (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  playlist_id TEXT NOT NULL REFERENCES playlists(id),
  password TEXT NOT NULL,                           -- Argon2id
  can_comment BIGINT NOT NULL DEFAULT 1,
  created_by TEXT NOT NULL REFERENCES people(id),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  revoked_at TEXT
);

-- What an artist has on the canvas of a task: layers, strokes, undo; kept between sessions.
CREATE TABLE canvases (
  task_id TEXT NOT NULL REFERENCES tasks(id),
  person_id TEXT NOT NULL REFERENCES people(id),
  document TEXT NOT NULL,                           -- JSON; pixels are files of the show
  updated_at TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  PRIMARY KEY (task_id, person_id)
);

-- Jobs --------------------------------------------------------------------------------------------------------------
CREATE TABLE jobs (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  show_id TEXT NOT NULL REFERENCES shows(id),
  task_id TEXT NOT NULL REFERENCES tasks(id),
  kind TEXT NOT NULL CHECK (kind IN ('preview', 'generate', 'retake')),
  priority BIGINT NOT NULL,                         -- smaller first
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'canceled')),
  request TEXT NOT NULL,                            -- JSON: the recipe, count, parents, what becomes of the pictures
  model TEXT NOT NULL,                              -- jobs of one model follow each other
  count BIGINT NOT NULL,
  made BIGINT NOT NULL DEFAULT 0,
  progress BIGINT NOT NULL DEFAULT 0,               -- of the picture in work, in thousandths
  attempts BIGINT NOT NULL DEFAULT 0,               -- of the picture in work
  cancel_asked BIGINT NOT NULL DEFAULT 0,
  runner TEXT NOT NULL DEFAULT '',                  -- who runs it, until lease_until
  lease_until TEXT NOT NULL DEFAULT '',
  error TEXT,                                       -- JSON
  created_by TEXT NOT NULL REFERENCES people(id),
  role TEXT NOT NULL,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX jobs_by_state ON jobs (state, priority, seq);
CREATE INDEX jobs_by_task ON jobs (task_id, seq);
CREATE INDEX jobs_by_show ON jobs (show_id, seq);

-- What happened: never changed, never shortened ---------------------------------------------------------------------
CREATE TABLE events (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  show_id TEXT NOT NULL DEFAULT '',
  at TEXT NOT NULL,
  person_id TEXT NOT NULL DEFAULT '',               -- empty: the program itself, or a guest
  role TEXT NOT NULL,
  action TEXT NOT NULL,                             -- "take:approve"
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  subject_name TEXT NOT NULL DEFAULT '',            -- as it was called then
  before_value TEXT,                                -- JSON of what changed, before and after
  after_value TEXT
);
CREATE INDEX events_by_show ON events (show_id, seq);
CREATE INDEX events_by_subject ON events (subject_id, seq);
CREATE INDEX events_by_action ON events (show_id, action, seq);
CREATE INDEX events_by_person ON events (person_id, seq);

-- Limits and attempts -----------------------------------------------------------------------------------------------
-- Which models and adapters a role may use in a show; where a role has no line, all of them.
CREATE TABLE model_limits (
  show_id TEXT NOT NULL REFERENCES shows(id),
  role TEXT NOT NULL,
  model TEXT NOT NULL,
  PRIMARY KEY (show_id, role, model)
);

CREATE TABLE sign_in_attempts (
  seq {{serial}},
  login TEXT NOT NULL,
  address TEXT NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX sign_in_attempts_by_login ON sign_in_attempts (login, at);
CREATE INDEX sign_in_attempts_by_address ON sign_in_attempts (address, at);

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- Search ------------------------------------------------------------------------------------------------------------
-- sqlite
CREATE VIRTUAL TABLE takes_search USING fts5(text, content='', prefix='2 3 4', tokenize='unicode61 remove_diacritics 2');
CREATE TRIGGER takes_are_found AFTER INSERT ON takes BEGIN
  INSERT INTO takes_search (rowid, text) VALUES (new.seq, new.search_text || ' show' || replace(new.show_id, '-', ''));
END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN
  SELECT RAISE(ABORT, 'events are never changed');
END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN
  SELECT RAISE(ABORT, 'events are never removed');
END;
CREATE TRIGGER takes_remain BEFORE DELETE ON takes BEGIN
  SELECT RAISE(ABORT, 'takes are never removed');
END;
-- postgresql
CREATE INDEX takes_search ON takes USING gin (to_tsvector('simple', search_text));
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION '% are never changed or removed', TG_TABLE_NAME;
  END
$$;
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events EXECUTE FUNCTION refuse_change();
CREATE TRIGGER takes_remain BEFORE DELETE OR TRUNCATE ON takes EXECUTE FUNCTION refuse_change();
-- both
