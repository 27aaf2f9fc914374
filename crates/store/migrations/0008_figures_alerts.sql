-- What the dashboard and the alerts read in place of the logs: sums over calls by minute and by hour.
CREATE TABLE figures (
    -- The length of the time in seconds: 60 or 3600.
    span INTEGER NOT NULL,
    -- Its beginning, seconds since 1970.
    start INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    -- Calls that were sent or answered from the response cache, and have ended.
    calls INTEGER NOT NULL DEFAULT 0,
    -- Those of them without an answer.
    failed INTEGER NOT NULL DEFAULT 0,
    -- Those with more than one attempt.
    retried INTEGER NOT NULL DEFAULT 0,
    -- Those that the response cache answered, and what they spared.
    cached INTEGER NOT NULL DEFAULT 0,
    saved_tokens INTEGER NOT NULL DEFAULT 0,
    saved_usd_micros INTEGER NOT NULL DEFAULT 0,
    -- Of all attempts.
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cost_usd_micros INTEGER NOT NULL DEFAULT 0,
    -- How many answered calls took so long; the bounds are those of lanes_model::Histogram.
    t00 INTEGER NOT NULL DEFAULT 0,
    t01 INTEGER NOT NULL DEFAULT 0,
    t02 INTEGER NOT NULL DEFAULT 0,
    t03 INTEGER NOT NULL DEFAULT 0,
    t04 INTEGER NOT NULL DEFAULT 0,
    t05 INTEGER NOT NULL DEFAULT 0,
    t06 INTEGER NOT NULL DEFAULT 0,
    t07 INTEGER NOT NULL DEFAULT 0,
    t08 INTEGER NOT NULL DEFAULT 0,
    t09 INTEGER NOT NULL DEFAULT 0,
    t10 INTEGER NOT NULL DEFAULT 0,
    t11 INTEGER NOT NULL DEFAULT 0,
    t12 INTEGER NOT NULL DEFAULT 0,
    t13 INTEGER NOT NULL DEFAULT 0,
    t14 INTEGER NOT NULL DEFAULT 0,
    t15 INTEGER NOT NULL DEFAULT 0,
    t16 INTEGER NOT NULL DEFAULT 0,
    t17 INTEGER NOT NULL DEFAULT 0,
    t18 INTEGER NOT NULL DEFAULT 0,
    t19 INTEGER NOT NULL DEFAULT 0,
    t20 INTEGER NOT NULL DEFAULT 0,
    t21 INTEGER NOT NULL DEFAULT 0,
    t22 INTEGER NOT NULL DEFAULT 0,
    t23 INTEGER NOT NULL DEFAULT 0,
    t24 INTEGER NOT NULL DEFAULT 0,
    t25 INTEGER NOT NULL DEFAULT 0,
    t26 INTEGER NOT NULL DEFAULT 0,
    t27 INTEGER NOT NULL DEFAULT 0,
    t28 INTEGER NOT NULL DEFAULT 0,
    t29 INTEGER NOT NULL DEFAULT 0,
    t30 INTEGER NOT NULL DEFAULT 0,
    t31 INTEGER NOT NULL DEFAULT 0,
    t32 INTEGER NOT NULL DEFAULT 0,
    t33 INTEGER NOT NULL DEFAULT 0,
    t34 INTEGER NOT NULL DEFAULT 0,
    t35 INTEGER NOT NULL DEFAULT 0,
    t36 INTEGER NOT NULL DEFAULT 0,
    t37 INTEGER NOT NULL DEFAULT 0,
    t38 INTEGER NOT NULL DEFAULT 0,
    t39 INTEGER NOT NULL DEFAULT 0,
    t40 INTEGER NOT NULL DEFAULT 0,
    t41 INTEGER NOT NULL DEFAULT 0,
    t42 INTEGER NOT NULL DEFAULT 0,
    t43 INTEGER NOT NULL DEFAULT 0,
    t44 INTEGER NOT NULL DEFAULT 0,
    t45 INTEGER NOT NULL DEFAULT 0,
    t46 INTEGER NOT NULL DEFAULT 0,
    t47 INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (span, start, provider, model, task, simulated)
) STRICT, WITHOUT ROWID;

-- How far the log of a run has gone into the figures, and whether it was at rest there. A run without a
-- row, or not at rest, is looked through at the next start.
CREATE TABLE figure_runs (
    run TEXT NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at_rest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rules of alerts, as JSON.
CREATE TABLE alert_rules (
    id TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    -- As runs.created_key.
    created_key TEXT NOT NULL
) STRICT;

-- How each stands, as JSON.
CREATE TABLE alert_states (
    rule TEXT NOT NULL PRIMARY KEY REFERENCES alert_rules (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

-- How they stood. Not tied to rules: what has happened stays.
CREATE TABLE alert_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rule TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- The rules that come with the program; they can be changed and deleted like any other.
INSERT INTO alert_rules (id, body, created_key) VALUES
    ('error-rate', '{"name":"Many calls fail","kind":"error_rate","threshold":20,"window_s":300,"for_s":60,"min_calls":20,"severity":"warning","simulated":false,"enabled":true}', '2026-01-01T00:00:00'),
    ('stalled-run', '{"name":"A run does not go on","kind":"stalled_run","threshold":300,"window_s":300,"for_s":0,"min_calls":1,"severity":"warning","simulated":true,"enabled":true}', '2026-01-01T00:00:01'),
    ('slow-calls', '{"name":"Calls are slow","kind":"p95_duration","threshold":60,"window_s":900,"for_s":300,"min_calls":20,"severity":"warning","simulated":false,"enabled":false}', '2026-01-01T00:00:02'),
    ('daily-spend', '{"name":"Much is spent today","kind":"daily_spend","threshold":10,"window_s":86400,"for_s":0,"min_calls":1,"severity":"critical","simulated":false,"enabled":false}', '2026-01-01T00:00:03');
