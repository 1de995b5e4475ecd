-- Takes are found by words in a table that holds nothing else, on PostgreSQL as on SQLite (src/production/take_words.h):
-- read in its order where many takes have a word, through its index where few have.
-- postgresql
ALTER TABLE takes DROP COLUMN search;               -- and its index takes_search
CREATE TABLE takes_search (
  seq BIGINT PRIMARY KEY,                           -- of the take
  show_id TEXT NOT NULL,
  words TSVECTOR NOT NULL                           -- of its search_text and its facets
);
INSERT INTO takes_search (seq, show_id, words)
SELECT seq, show_id, to_tsvector('simple', search_text) || array_to_tsvector(string_to_array(facets, ' ')) FROM takes ORDER BY seq;
CREATE INDEX takes_search_by_words ON takes_search USING gin (words) WITH (fastupdate = off);
CREATE INDEX takes_search_by_show ON takes_search (show_id, seq);
ANALYZE takes_search;
CREATE FUNCTION note_take_words() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO takes_search (seq, show_id, words) VALUES (new.seq, new.show_id,
      to_tsvector('simple', new.search_text) || array_to_tsvector(string_to_array(new.facets, ' ')))
    ON CONFLICT (seq) DO UPDATE SET words = excluded.words;
    RETURN NULL;
  END
$$;
CREATE TRIGGER takes_are_found AFTER INSERT OR UPDATE OF search_text, facets ON takes
FOR EACH ROW EXECUTE FUNCTION note_take_words();
-- both
