-- STRICT: SQLite checks the types too.

ALTER TABLE access_events ADD COLUMN denied INTEGER NOT NULL DEFAULT 0 CHECK (denied IN (0, 1));

CREATE TABLE operator_events (
    at INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    assistant TEXT NOT NULL,
    action TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (at, id)
) STRICT, WITHOUT ROWID;

-- Leaf hashes of committed events that the tree does not hold yet. No foreign key: a leaf stays
-- when its person is forgotten.
CREATE TABLE ledger_waiting (
    id INTEGER NOT NULL PRIMARY KEY,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;

-- The newest signed checkpoint.
CREATE TABLE ledger_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    note TEXT NOT NULL
) STRICT;

CREATE TABLE ledger_tiles (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, place)
) STRICT;

-- `prefix` is the first 8 bytes of a leaf hash.
CREATE TABLE ledger_places (
    prefix INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (prefix, place)
) STRICT, WITHOUT ROWID;
