ALTER TABLE access_events ADD COLUMN denied BIGINT NOT NULL DEFAULT 0 CHECK (denied IN (0, 1));

CREATE TABLE operator_events (
    at BIGINT NOT NULL,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    assistant TEXT NOT NULL,
    action TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (at, id)
);

-- Leaf hashes of committed events that the tree does not hold yet. No foreign key: a leaf stays
-- when its person is forgotten.
CREATE TABLE ledger_waiting (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    leaf BYTEA NOT NULL CHECK (length(leaf) = 32)
);

-- The newest signed checkpoint.
CREATE TABLE ledger_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    note TEXT NOT NULL
);

CREATE TABLE ledger_tiles (
    level BIGINT NOT NULL,
    place BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, place)
);

-- `prefix` is the first 8 bytes of a leaf hash.
CREATE TABLE ledger_places (
    prefix BIGINT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (prefix, place)
);
