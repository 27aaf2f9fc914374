-- Workflows that people made. Runs keep the stages and tasks they were started with in their logs, so
-- that nothing here changes what they were.
CREATE TABLE workflows (
    id TEXT NOT NULL PRIMARY KEY,
    -- For whoever looks into the database.
    name TEXT NOT NULL,
    -- Workflow as JSON.
    body TEXT NOT NULL,
    -- As runs.created_key.
    created_key TEXT NOT NULL,
    updated_key TEXT NOT NULL
) STRICT;
