-- A link goes with either of its ends; what was derived is deleted by the program.
CREATE TABLE memory_sources (
    subject BLOB NOT NULL REFERENCES persons ON DELETE CASCADE,
    source BLOB NOT NULL,
    derived BLOB NOT NULL,
    PRIMARY KEY (subject, source, derived),
    FOREIGN KEY (subject, source) REFERENCES memories (subject, id) ON DELETE CASCADE,
    FOREIGN KEY (subject, derived) REFERENCES memories (subject, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX memory_sources_of ON memory_sources (subject, derived);
