-- The counts are in the index of a table with row ids: reading them reads no sealed bytes.
CREATE TABLE vector_segments (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    vectors INTEGER NOT NULL CHECK (vectors > 0),
    sealed BLOB NOT NULL,
    PRIMARY KEY (subject, id)
) STRICT;

CREATE INDEX vector_segments_heads ON vector_segments (subject, id, vectors);
