ALTER TABLE memories ADD COLUMN expires_at INTEGER;

-- Holds every column that a filter or a head reads, so that neither reads the sealed bytes.
DROP INDEX memories_heads;
CREATE INDEX memories_heads
    ON memories (subject, session_tag, purpose, assistant, kind, id, seq, version, expires_at);

-- What is due, and what a shortened retention reaches.
CREATE INDEX memories_expiring ON memories (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX memories_kept_for ON memories (purpose, stored_at, expires_at, subject);

-- As in 0001; dropping an index drops what the planner knows of it.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('memories', 'memories_heads', '1000000 2000 20 20 20 20 1 1 1 1'),
    ('memories', 'memories_expiring', '1000000 1'),
    ('memories', 'memories_kept_for', '1000000 300000 1 1 1');
