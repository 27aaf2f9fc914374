-- Answers kept for calls that are asked again in exactly the same way. Not tied to runs: deleting a
-- run forgets no answer.
CREATE TABLE answers (
    -- SHA-256 over everything that makes two calls the same.
    key BLOB NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    -- Usage as JSON.
    usage TEXT NOT NULL,
    -- Why it ended; so far complete answers alone are kept.
    finish TEXT NOT NULL,
    -- For whoever looks into the database.
    model TEXT NOT NULL,
    -- As runs.created_key.
    created_key TEXT NOT NULL,
    -- What it counts for in the limit of the whole: its texts and something for the row.
    bytes INTEGER NOT NULL,
    -- Grows with each use, so that the least recently used are the first to go.
    used INTEGER NOT NULL,
    last_used_key TEXT NOT NULL
) STRICT;
CREATE INDEX answers_used ON answers (used);
-- The sum over all of them, without reading their texts.
CREATE INDEX answers_bytes ON answers (bytes);
