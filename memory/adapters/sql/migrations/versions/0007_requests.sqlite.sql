-- Open while `finished_at` is null. A request outlives its person, and then names nobody.
CREATE TABLE rights_requests (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    subject BLOB REFERENCES persons ON DELETE SET NULL,
    exercised TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    extended_for TEXT,
    outcome TEXT,
    finished_at INTEGER
) STRICT;

CREATE INDEX rights_requests_due ON rights_requests (tenant, due_at, id);

CREATE INDEX rights_requests_of ON rights_requests (subject, received_at, id);
