CREATE TABLE vector_segments (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    vectors BIGINT NOT NULL CHECK (vectors > 0),
    sealed BYTEA NOT NULL,
    PRIMARY KEY (subject, id)
);

CREATE INDEX vector_segments_heads ON vector_segments (subject, id, vectors);
