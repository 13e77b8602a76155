-- What was stored before has no tag: it is not found by it.
ALTER TABLE memories ADD COLUMN content_tag BLOB;
ALTER TABLE memories ADD COLUMN sightings INTEGER NOT NULL DEFAULT 1;
ALTER TABLE memories ADD COLUMN last_seen_at INTEGER;

CREATE INDEX memories_told ON memories (subject, content_tag) WHERE content_tag IS NOT NULL;

-- As in 0008, with what a head and the end of a retention now read, too.
DROP INDEX memories_heads;
CREATE INDEX memories_heads ON memories
    (subject, session_tag, purpose, assistant, kind, id, seq, version, expires_at, sightings);
DROP INDEX memories_kept_for;
CREATE INDEX memories_kept_for
    ON memories (purpose, stored_at, expires_at, subject, last_seen_at);

-- As in 0001; dropping an index drops what the planner knows of it.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('memories', 'memories_told', '1000000 2000 1'),
    ('memories', 'memories_heads', '1000000 2000 20 20 20 20 1 1 1 1 1'),
    ('memories', 'memories_kept_for', '1000000 300000 1 1 1 1');
