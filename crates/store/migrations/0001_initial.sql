-- The first schema of Lanes. Once released, a migration is never edited (its checksum is kept in
-- the database, comments included): a change is a new file.

-- "LANE": tells our files from those of other programs (src/open.rs checks it).
PRAGMA application_id = 1279348293;

-- Runs in one line. A run exists when it has a row here.
CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    -- The creation time in a form that sorts as text: RFC 3339 in UTC without its final Z, because
    -- "…:07.5Z" sorts before "…:07Z" and "…:07.5" after "…:07".
    created_key TEXT NOT NULL,
    -- The title in lower case, for search: SQLite itself folds ASCII alone.
    title_key TEXT NOT NULL,
    mode TEXT NOT NULL,
    status TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    cost_usd_micros INTEGER,
    -- The whole RunSummary as JSON; the columns above repeat what is searched and sorted by.
    summary TEXT NOT NULL
) STRICT;

-- Lists: newest first, paged by (created_key, id).
CREATE INDEX runs_newest ON runs (created_key DESC, id DESC);
-- After a crash: what was going on.
CREATE INDEX runs_live ON runs (status) WHERE status IN ('queued', 'running');

-- The logs. The primary key is the order, and what makes a number impossible to give twice.
CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL CHECK (seq > 0),
    at_us INTEGER NOT NULL,
    -- The type inside the body, for whoever looks into the database.
    kind TEXT NOT NULL,
    -- EventKind as JSON.
    body TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT;

-- Texts, named by their content and so stored once.
CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    -- 1 when it was stored for its own sake: then it stays when its last run is deleted.
    kept INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- Which run reads which text.
CREATE TABLE run_documents (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    document TEXT NOT NULL REFERENCES documents (id),
    PRIMARY KEY (run, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_documents_document ON run_documents (document);

-- Requests that may come twice, and the run that the first one made. Goes with its run, so that a
-- repeat after a deletion makes a new run instead of naming one that is gone.
CREATE TABLE idempotency (
    key TEXT NOT NULL PRIMARY KEY,
    request_hash TEXT NOT NULL,
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX idempotency_run ON idempotency (run);

-- How long calls took, for estimates. Not tied to runs: deleting a run forgets no experience.
CREATE TABLE call_history (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    duration_us INTEGER NOT NULL,
    ttft_us INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    -- As runs.created_key.
    ended_key TEXT NOT NULL
) STRICT;
CREATE INDEX call_history_latest
    ON call_history (provider, model, task, ended_key DESC, id DESC);

-- One row, written to find out whether the database can be written.
CREATE TABLE health (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    checks INTEGER NOT NULL
) STRICT;
