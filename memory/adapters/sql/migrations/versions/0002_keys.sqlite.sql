-- STRICT: SQLite checks the types too.

-- Which key-encryption keys there were; the keys themselves lie with the provider.
CREATE TABLE key_epochs (
    epoch INTEGER NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    destroyed_at INTEGER
) STRICT;

-- `epoch` is 0 until it is made. A rotation of one person's key is here, done, so that it is
-- not repeated.
CREATE TABLE rotations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    state TEXT NOT NULL CHECK (state IN ('begun', 'moving', 'done')),
    epoch INTEGER NOT NULL,
    keys INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    claimed_by BLOB NOT NULL,
    claimed_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One at a time.
CREATE UNIQUE INDEX rotations_unfinished ON rotations ((state <> 'done')) WHERE state <> 'done';

CREATE INDEX persons_by_epoch ON persons (state, epoch);

-- Of people whose key was rotated: what the index must not keep.
CREATE TABLE retired_collections (
    collection TEXT NOT NULL PRIMARY KEY,
    retired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
