-- `seq` is the memory's: older versions are read in the order of their memories.
CREATE TABLE memory_versions (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    version BIGINT NOT NULL,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    key_version BIGINT NOT NULL,
    body BYTEA NOT NULL,
    originals BYTEA NOT NULL,
    PRIMARY KEY (subject, seq, version),
    FOREIGN KEY (subject, id) REFERENCES memories (subject, id) ON DELETE CASCADE
);

CREATE INDEX memory_versions_of ON memory_versions (subject, id, version);

-- The order of a vault must not depend on the server's language.
ALTER TABLE vault_entities ALTER COLUMN entity_type TYPE TEXT COLLATE "C";
