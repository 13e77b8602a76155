-- The register only grows, and few of its requests are open: what is due is found among these.
CREATE INDEX rights_requests_open ON rights_requests (tenant, due_at, id)
    WHERE finished_at IS NULL;

-- A tenant's people are found without reading those of the others.
CREATE INDEX persons_by_tenant ON persons (tenant);
