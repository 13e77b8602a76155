-- STRICT: SQLite checks the types too.

CREATE TABLE deployment (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL
) STRICT;

-- `ref` hashes tenant and person id together, so it is unique by itself.
CREATE TABLE persons (
    subject BLOB NOT NULL PRIMARY KEY CHECK (length(subject) = 16),
    tenant TEXT NOT NULL,
    ref BLOB NOT NULL UNIQUE CHECK (length(ref) = 32),
    state TEXT NOT NULL CHECK (state IN ('active', 'erasing')),
    key_version INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL,
    collection TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The large columns come last: what filters reads no overflow page.
CREATE TABLE memories (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    seq INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    assistant TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_tag BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    body BLOB NOT NULL,
    features BLOB NOT NULL,
    originals BLOB NOT NULL,
    PRIMARY KEY (subject, id),
    UNIQUE (subject, seq)
) STRICT;

-- Holds every column that a filter or a head reads, so that neither reads the sealed bytes.
CREATE INDEX memories_heads
    ON memories (subject, session_tag, purpose, assistant, kind, id, seq, version);

CREATE TABLE vault_entities (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    entity_type TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    value BLOB NOT NULL,
    PRIMARY KEY (subject, entity_type, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE vault_aliases (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    hash BLOB NOT NULL,
    entity_type TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (subject, hash)
) STRICT, WITHOUT ROWID;

-- `record` has no foreign key: a request stays known after its memory is deleted.
CREATE TABLE requests (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    key BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (subject, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    assistant TEXT,
    given_at INTEGER NOT NULL,
    expires_at INTEGER,
    withdrawn_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_by_purpose ON consents (subject, purpose);

CREATE TABLE access_events (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    at INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    assistant TEXT NOT NULL,
    purpose TEXT NOT NULL,
    action TEXT NOT NULL,
    memories INTEGER NOT NULL,
    PRIMARY KEY (subject, at, id)
) STRICT, WITHOUT ROWID;

-- No foreign key: an erasure outlives the person.
CREATE TABLE erasures (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    subject BLOB,
    collection TEXT NOT NULL,
    memories INTEGER NOT NULL,
    consents INTEGER NOT NULL,
    vault_entries INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX erasures_unfinished ON erasures (started_at) WHERE state <> 'done';

-- AUTOINCREMENT: a finished id never names a later task.
CREATE TABLE index_outbox (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    record BLOB NOT NULL,
    op TEXT NOT NULL CHECK (op IN ('upsert', 'delete')),
    claimed_until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX index_outbox_by_record ON index_outbox (subject, record);

CREATE INDEX index_outbox_claimed ON index_outbox (subject) WHERE claimed_until > 0;

-- What ANALYZE would find in a large store, as the planner's fixed idea of it. Without it, SQLite
-- takes a person to have ten memories and walks through all of them.
ANALYZE;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('memories', 'sqlite_autoindex_memories_1', '1000000 2000 1'),
    ('memories', 'sqlite_autoindex_memories_2', '1000000 2000 1'),
    ('memories', 'memories_heads', '1000000 2000 20 20 20 20 1 1 1'),
    ('index_outbox', 'index_outbox_by_record', '1000 10 1');
