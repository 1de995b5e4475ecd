-- Registers: what is known of models, adapters and data sets, what a production asks, and what people have consented
-- to and approved. Documents are those of src/rights/, dates are "2026-11-24".

CREATE TABLE model_records (
  name TEXT PRIMARY KEY,                            -- as the library calls it
  document TEXT NOT NULL,                           -- rights::ModelRecord
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);

-- Licence texts as somebody read them: a record names one by its hash.
CREATE TABLE licence_texts (
  sha256 TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL
);

-- Living artists and performers whose names are looked for in prompts.
CREATE TABLE watched_names (
  name_key TEXT PRIMARY KEY,                        -- rights::key_of: without case, diacritics and spaces
  name TEXT NOT NULL,
  kind TEXT NOT NULL,                               -- artist, performer
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE production_profiles (
  show_id TEXT PRIMARY KEY REFERENCES shows(id),
  document TEXT NOT NULL,                           -- rights::ProductionProfile
  created_by TEXT NOT NULL,                         -- who said so last
  created_at TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1
);

-- Notices, consents and clearances (approvals, waivers, answers) of a show: written once, ended at most.
CREATE TABLE rights_entries (
  seq {{serial}},
  id TEXT NOT NULL UNIQUE,
  show_id TEXT NOT NULL REFERENCES shows(id),
  kind TEXT NOT NULL,                               -- notice, consent, clearance
  name_key TEXT NOT NULL DEFAULT '',                -- of who consents
  document TEXT NOT NULL,
  ended_on TEXT,                                    -- date of a revocation
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX rights_entries_by_show ON rights_entries (show_id, kind, seq);
