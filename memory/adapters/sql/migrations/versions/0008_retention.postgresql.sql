ALTER TABLE memories ADD COLUMN expires_at BIGINT;

-- Holds every column that a filter or a head reads, so that neither reads the sealed bytes.
DROP INDEX memories_heads;
CREATE INDEX memories_heads
    ON memories (subject, session_tag, purpose, assistant, kind, id, seq, version, expires_at);

-- What is due, and what a shortened retention reaches.
CREATE INDEX memories_expiring ON memories (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX memories_kept_for ON memories (purpose, stored_at, expires_at, subject);
