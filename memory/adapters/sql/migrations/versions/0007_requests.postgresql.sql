-- Open while `finished_at` is null. A request outlives its person, and then names nobody.
CREATE TABLE rights_requests (
    id BYTEA NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant TEXT NOT NULL,
    subject BYTEA REFERENCES persons ON DELETE SET NULL,
    exercised TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    extended_for TEXT,
    outcome TEXT,
    finished_at BIGINT
);

CREATE INDEX rights_requests_due ON rights_requests (tenant, due_at, id);

CREATE INDEX rights_requests_of ON rights_requests (subject, received_at, id);
