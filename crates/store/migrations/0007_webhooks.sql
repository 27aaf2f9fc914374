-- Addresses that want to be told of what happens, what there is to tell, and who has been told.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    -- A JSON array of the kinds of message that it wants.
    events TEXT NOT NULL,
    -- What messages are signed with, encrypted: the key is in a file beside the database.
    secret BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    -- Why the program switched it off, when it did.
    note TEXT,
    -- As runs.created_key.
    created_key TEXT NOT NULL
) STRICT;

-- What is told. A message about a run is written in the transaction that writes the run's event, so
-- that no end of a run is missed; its payload follows once the run's summary is there. Not tied to
-- runs: a run that is deleted has ended all the same.
CREATE TABLE webhook_messages (
    -- What receivers know it by: the header webhook-id.
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    run TEXT,
    -- How the run stood then.
    status TEXT,
    -- Microseconds since 1970.
    at_us INTEGER NOT NULL,
    payload TEXT
) STRICT;
CREATE INDEX webhook_messages_unfilled ON webhook_messages (run) WHERE payload IS NULL;
CREATE INDEX webhook_messages_oldest ON webhook_messages (at_us);

-- The outbox: one row for each message and each address that it goes to.
CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    message TEXT NOT NULL REFERENCES webhook_messages (id) ON DELETE CASCADE,
    -- waiting, delivered or failed.
    state TEXT NOT NULL,
    -- How often it was tried since it was asked for last.
    tries INTEGER NOT NULL DEFAULT 0,
    -- When it is tried next, microseconds since 1970.
    next_us INTEGER NOT NULL,
    UNIQUE (webhook, message)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, next_us) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_message ON webhook_deliveries (message);

-- What came of each try.
CREATE TABLE webhook_attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery INTEGER NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    at_us INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    -- Of the answer; none when there was none.
    status INTEGER,
    -- Why it did not arrive, in words.
    error TEXT,
    -- The first bytes of the answer, as text.
    answer TEXT NOT NULL
) STRICT;
CREATE INDEX webhook_attempts_delivery ON webhook_attempts (delivery, id);
