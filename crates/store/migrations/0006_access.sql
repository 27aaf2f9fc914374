-- Who may use the program: API keys, and the sessions of browsers. No secret is kept here, only what
-- tells whether one is right.
CREATE TABLE api_keys (
    -- The part of the key that is not secret.
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- read, run or admin.
    scope TEXT NOT NULL,
    -- Argon2id, as a PHC string.
    hash TEXT NOT NULL,
    -- RFC 3339 in UTC, as all times here.
    created_at TEXT NOT NULL,
    expires_at TEXT,
    last_used_at TEXT
) STRICT;

CREATE TABLE sessions (
    -- SHA-256 of what the browser has.
    id BLOB NOT NULL PRIMARY KEY,
    -- The key that it was opened with; none for the token of the environment. It ends with its key.
    key TEXT REFERENCES api_keys (id) ON DELETE CASCADE,
    -- Seconds since 1970.
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_key ON sessions (key);
CREATE INDEX sessions_expires ON sessions (expires);
