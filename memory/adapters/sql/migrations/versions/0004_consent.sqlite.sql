-- Until lifted, what is kept of the person is not used; until then, it is not erased either.
ALTER TABLE persons ADD COLUMN restricted_at INTEGER;
ALTER TABLE persons ADD COLUMN held_until INTEGER;
ALTER TABLE persons ADD COLUMN hold_reference TEXT NOT NULL DEFAULT '';

ALTER TABLE consents ADD COLUMN invalidated_at INTEGER;
ALTER TABLE consents ADD COLUMN decision TEXT NOT NULL DEFAULT 'given'
    CHECK (decision IN ('given', 'renewed', 'refused', 'objected'));
ALTER TABLE consents ADD COLUMN notice_version TEXT NOT NULL DEFAULT '1';
ALTER TABLE consents ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN explicit INTEGER NOT NULL DEFAULT 0 CHECK (explicit IN (0, 1));
ALTER TABLE consents ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN relation TEXT NOT NULL DEFAULT '';
-- The sealed name of who acted for the person.
ALTER TABLE consents ADD COLUMN delegate BLOB NOT NULL DEFAULT x'';
