-- Whose collection still holds vectors that are not theirs any more: since when, and until when.
CREATE TABLE index_purges (
    subject BYTEA PRIMARY KEY REFERENCES persons ON DELETE CASCADE,
    since BIGINT NOT NULL,
    latest BIGINT NOT NULL
);
