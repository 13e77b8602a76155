-- `counts_*` and `scan` are JSON objects of figures; `epoch` 0: no key was there.
ALTER TABLE erasures ADD COLUMN call TEXT NOT NULL DEFAULT 'ForgetUser';
ALTER TABLE erasures ADD COLUMN scope TEXT NOT NULL DEFAULT '{"what":"person"}';
ALTER TABLE erasures ADD COLUMN at_once INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasures ADD COLUMN pseudonym BLOB NOT NULL DEFAULT X'';
ALTER TABLE erasures ADD COLUMN key_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasures ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasures ADD COLUMN key_destroyed_at INTEGER;
ALTER TABLE erasures ADD COLUMN swept_at INTEGER;
ALTER TABLE erasures ADD COLUMN epoch_destroyed_at INTEGER;
ALTER TABLE erasures ADD COLUMN counts_before TEXT NOT NULL DEFAULT '{}';
ALTER TABLE erasures ADD COLUMN counts_after TEXT NOT NULL DEFAULT '{}';
ALTER TABLE erasures ADD COLUMN scan TEXT NOT NULL DEFAULT '{}';
ALTER TABLE erasures ADD COLUMN intent BLOB NOT NULL DEFAULT X'';
ALTER TABLE erasures ADD COLUMN certificate BLOB NOT NULL DEFAULT X'';
ALTER TABLE erasures ADD COLUMN waits_for TEXT NOT NULL DEFAULT '';
ALTER TABLE erasures ADD COLUMN claimed_by BLOB NOT NULL DEFAULT X'';
ALTER TABLE erasures ADD COLUMN claimed_until INTEGER NOT NULL DEFAULT 0;

CREATE INDEX erasures_by_time ON erasures (started_at);

-- What is left to do, here or at the key provider.
CREATE INDEX erasures_open ON erasures (started_at)
    WHERE state <> 'done' OR (epoch > 0 AND epoch_destroyed_at IS NULL);
