-- Every page of every list in a studio of a million takes comes in 50 ms (docs/benchmarks.md): what lists filter by
-- lies in the indexes they are read from, and takes are found by words for what they are as well as by their own.

-- Shots and assets: one pass over an index answers each filter of the lists and the board, and counts the lines.
ALTER TABLE entities ADD COLUMN search_text TEXT NOT NULL DEFAULT '';   -- path and name in small letters (A-Z only)
ALTER TABLE entities ADD COLUMN task_states TEXT NOT NULL DEFAULT '';   -- "TYPE:STATUS;" of each task: ends of their ids
-- sqlite
UPDATE entities SET search_text = lower(path || char(10) || name),
  task_states = coalesce((SELECT group_concat(substr(k.task_type_id, -12) || ':' || substr(k.status_id, -12) || ';', '')
FROM tasks k WHERE k.entity_id = entities.id), '');
-- postgresql
UPDATE entities SET search_text = lower((path || chr(10) || name) COLLATE "C"),
  task_states = coalesce((SELECT string_agg(right(k.task_type_id, 12) || ':' || right(k.status_id, 12) || ';', '')
FROM tasks k WHERE k.entity_id = entities.id), '');
-- both
DROP INDEX entities_by_kind;
DROP INDEX entities_by_parent;
CREATE INDEX entities_by_kind ON entities (show_id, kind, path, status, asset_type, search_text, task_states, seq);
CREATE INDEX entities_by_path ON entities (show_id, path, status, asset_type, search_text, seq);
CREATE INDEX entities_counted ON entities (show_id, kind);
CREATE INDEX tasks_counted ON tasks (show_id, take_count);
CREATE INDEX entities_by_parent ON entities (parent_id, kind, path);

DROP INDEX tasks_by_path;
DROP INDEX tasks_by_status;
CREATE INDEX tasks_by_path ON tasks (show_id, entity_path, id, task_type_id);
CREATE INDEX tasks_by_status ON tasks (show_id, status_id, entity_path, id, task_type_id);

CREATE INDEX jobs_by_show_state ON jobs (show_id, state, seq);
CREATE INDEX jobs_in_state ON jobs (state, seq);
CREATE INDEX events_of_action ON events (action, seq);
CREATE INDEX events_by_person_action ON events (person_id, action, seq);
CREATE INDEX takes_by_thumbnail ON takes (show_id, thumbnail);

-- Takes: what each is, as words that nobody types: they begin with the private character U+E000. See take_facets() in
-- src/production/take_search.h.
ALTER TABLE takes ADD COLUMN facets TEXT NOT NULL DEFAULT '';
-- sqlite
DROP TRIGGER takes_are_found;
DROP TABLE takes_search;
UPDATE takes SET facets = char(57344) || 'show' || replace(show_id, '-', '') || ' ' || char(57344) || 'task' || replace(task_id, '-', '')
  || ' ' || char(57344) || 'origin' || origin
  || ' ' || char(57344) || 'model' || lower(hex(model)) || ' ' || char(57344) || 'by' || replace(created_by, '-', '')
  || CASE WHEN withdrawn_at IS NOT NULL THEN ' ' || char(57344) || 'withdrawn' ELSE '' END
  || CASE WHEN purged_at IS NOT NULL THEN ' ' || char(57344) || 'purged' ELSE '' END
  || CASE WHEN id IN (SELECT approved_take_id FROM tasks) THEN ' ' || char(57344) || 'approved' ELSE '' END
  || CASE WHEN id IN (SELECT take_id FROM marks WHERE verdict = 'validated') THEN ' ' || char(57344) || 'validated' ELSE '' END
|| CASE WHEN id IN (SELECT take_id FROM marks WHERE verdict = 'rejected') THEN ' ' || char(57344) || 'rejected' ELSE '' END;
CREATE VIRTUAL TABLE takes_search USING fts5(search_text, facets, content='takes', content_rowid='seq',
prefix='1 2 3 4', tokenize='unicode61 remove_diacritics 2');
INSERT INTO takes_search (takes_search) VALUES ('rebuild');
CREATE TRIGGER takes_are_found AFTER INSERT ON takes BEGIN
  INSERT INTO takes_search (rowid, search_text, facets) VALUES (new.seq, new.search_text, new.facets);
END;
CREATE TRIGGER takes_are_found_anew AFTER UPDATE OF search_text, facets ON takes BEGIN
  INSERT INTO takes_search (takes_search, rowid, search_text, facets)
    VALUES ('delete', old.seq, old.search_text, old.facets);
  INSERT INTO takes_search (rowid, search_text, facets) VALUES (new.seq, new.search_text, new.facets);
END;
-- postgresql
UPDATE takes SET facets = chr(57344) || 'show' || replace(show_id, '-', '') || ' ' || chr(57344) || 'task' || replace(task_id, '-', '')
  || ' ' || chr(57344) || 'origin' || origin
  || ' ' || chr(57344) || 'model' || encode(convert_to(model, 'UTF8'), 'hex') || ' '
  || chr(57344) || 'by' || replace(created_by, '-', '')
  || CASE WHEN withdrawn_at IS NOT NULL THEN ' ' || chr(57344) || 'withdrawn' ELSE '' END
  || CASE WHEN purged_at IS NOT NULL THEN ' ' || chr(57344) || 'purged' ELSE '' END
  || CASE WHEN id IN (SELECT approved_take_id FROM tasks) THEN ' ' || chr(57344) || 'approved' ELSE '' END
  || CASE WHEN id IN (SELECT take_id FROM marks WHERE verdict = 'validated') THEN ' ' || chr(57344) || 'validated' ELSE '' END
|| CASE WHEN id IN (SELECT take_id FROM marks WHERE verdict = 'rejected') THEN ' ' || chr(57344) || 'rejected' ELSE '' END;
DROP INDEX takes_search;
ALTER TABLE takes ADD COLUMN search TSVECTOR GENERATED ALWAYS AS
(to_tsvector('simple', search_text) || array_to_tsvector(string_to_array(facets, ' '))) STORED;
CREATE INDEX takes_search ON takes USING gin (search) WITH (fastupdate = off);
-- both
