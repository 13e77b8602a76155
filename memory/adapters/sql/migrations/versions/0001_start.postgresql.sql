CREATE TABLE deployment (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL,
    wrapped_key BYTEA NOT NULL
);

-- `ref` hashes tenant and person id together, so it is unique by itself.
CREATE TABLE persons (
    subject BYTEA NOT NULL PRIMARY KEY CHECK (length(subject) = 16),
    tenant TEXT NOT NULL,
    ref BYTEA NOT NULL UNIQUE CHECK (length(ref) = 32),
    state TEXT NOT NULL CHECK (state IN ('active', 'erasing')),
    key_version BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    collection TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    next_seq BIGINT NOT NULL,
    revision BIGINT NOT NULL
);

CREATE TABLE memories (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    seq BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    assistant TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_tag BYTEA NOT NULL,
    stored_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    features BYTEA NOT NULL,
    originals BYTEA NOT NULL,
    PRIMARY KEY (subject, id),
    UNIQUE (subject, seq)
);

-- Holds every column that a filter or a head reads, so that neither reads the sealed bytes.
CREATE INDEX memories_heads
    ON memories (subject, session_tag, purpose, assistant, kind, id, seq, version);

CREATE TABLE vault_entities (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    entity_type TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    value BYTEA NOT NULL,
    PRIMARY KEY (subject, entity_type, number)
);

CREATE TABLE vault_aliases (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    hash BYTEA NOT NULL,
    entity_type TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (subject, hash)
);

-- `record` has no foreign key: a request stays known after its memory is deleted.
CREATE TABLE requests (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    key BYTEA NOT NULL,
    record BYTEA NOT NULL,
    PRIMARY KEY (subject, key)
);

CREATE TABLE consents (
    id BYTEA NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    assistant TEXT,
    given_at BIGINT NOT NULL,
    expires_at BIGINT,
    withdrawn_at BIGINT
);

CREATE INDEX consents_by_purpose ON consents (subject, purpose);

CREATE TABLE access_events (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    at BIGINT NOT NULL,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    assistant TEXT NOT NULL,
    purpose TEXT NOT NULL,
    action TEXT NOT NULL,
    memories BIGINT NOT NULL,
    PRIMARY KEY (subject, at, id)
);

-- No foreign key: an erasure outlives the person.
CREATE TABLE erasures (
    id BYTEA NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    subject BYTEA,
    collection TEXT NOT NULL,
    memories BIGINT NOT NULL,
    consents BIGINT NOT NULL,
    vault_entries BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE INDEX erasures_unfinished ON erasures (started_at) WHERE state <> 'done';

-- IDENTITY: a finished id never names a later task.
CREATE TABLE index_outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    record BYTEA NOT NULL,
    op TEXT NOT NULL CHECK (op IN ('upsert', 'delete')),
    claimed_until BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX index_outbox_by_record ON index_outbox (subject, record);

CREATE INDEX index_outbox_claimed ON index_outbox (subject) WHERE claimed_until > 0;
