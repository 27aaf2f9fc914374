-- Tasks that people made. Runs keep the tasks they were started with in their logs, so that nothing
-- here changes what they were.
CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    -- For whoever looks into the database.
    name TEXT NOT NULL,
    -- Task as JSON.
    body TEXT NOT NULL,
    -- As runs.created_key.
    created_key TEXT NOT NULL,
    updated_key TEXT NOT NULL
) STRICT;
