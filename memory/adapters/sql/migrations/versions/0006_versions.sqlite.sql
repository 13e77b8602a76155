-- `seq` is the memory's: older versions are read in the order of their memories.
CREATE TABLE memory_versions (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    body BLOB NOT NULL,
    originals BLOB NOT NULL,
    PRIMARY KEY (subject, seq, version),
    FOREIGN KEY (subject, id) REFERENCES memories (subject, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX memory_versions_of ON memory_versions (subject, id, version);
