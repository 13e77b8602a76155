-- A link goes with either of its ends; what was derived is deleted by the program.
CREATE TABLE memory_sources (
    subject BYTEA NOT NULL REFERENCES persons ON DELETE CASCADE,
    source BYTEA NOT NULL,
    derived BYTEA NOT NULL,
    PRIMARY KEY (subject, source, derived),
    FOREIGN KEY (subject, source) REFERENCES memories (subject, id) ON DELETE CASCADE,
    FOREIGN KEY (subject, derived) REFERENCES memories (subject, id) ON DELETE CASCADE
);

CREATE INDEX memory_sources_of ON memory_sources (subject, derived);
