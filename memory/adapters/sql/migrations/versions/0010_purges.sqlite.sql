-- Whose collection still holds vectors that are not theirs any more: since when, and until when.
CREATE TABLE index_purges (
    subject BLOB PRIMARY KEY REFERENCES persons ON DELETE CASCADE,
    since INTEGER NOT NULL,
    latest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
