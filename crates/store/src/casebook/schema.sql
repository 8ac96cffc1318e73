-- The casebook. `batch` is the number of the log entry that brought a row in; the entry holds a
-- digest of its rows. Times are microseconds since 1970-01-01 UTC, the least 64-bit number where
-- unknown. Ids and digests are the bytes themselves. `record` and `offset` are unsigned 64-bit numbers,
-- stored as the signed number of the same bits.

CREATE TABLE log (
    seq INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    version TEXT NOT NULL,
    arguments TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    rules BLOB NOT NULL,
    estate BLOB NOT NULL
) STRICT;

CREATE TABLE evidence (
    id BLOB PRIMARY KEY,
    batch INTEGER NOT NULL,
    path TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    format TEXT NOT NULL,
    state TEXT NOT NULL,
    records_read INTEGER NOT NULL,
    records_refused INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_batch ON evidence (batch);

-- Events files, by their path below `events/`. `evidence` is the ids of the evidence in it, joined.
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    batch INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    evidence BLOB NOT NULL
) STRICT;
CREATE INDEX files_batch ON files (batch);

CREATE TABLE refusals (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    record INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    records INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX refusals_batch ON refusals (batch);

-- `batch` is 0 for the findings of correlations, which are replaced as a whole.
CREATE TABLE findings (
    id BLOB PRIMARY KEY,
    batch INTEGER NOT NULL,
    code TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    title TEXT NOT NULL,
    severity TEXT NOT NULL,
    time INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    record INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    class INTEGER NOT NULL,
    attack TEXT NOT NULL,
    reasons TEXT NOT NULL,
    entities TEXT NOT NULL
) STRICT;
CREATE INDEX findings_batch ON findings (batch);

CREATE TABLE premises (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL,
    rule_id TEXT NOT NULL,
    time INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    record INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    fields TEXT NOT NULL
) STRICT;
CREATE INDEX premises_batch ON premises (batch);

-- What detectors keep of records, to judge them among others; `body` is the detector's own.
CREATE TABLE facts (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL,
    kind TEXT NOT NULL,
    time INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    record INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX facts_batch ON facts (batch);

-- What judging said about each message; `campaign` is the key of its mail campaign.
CREATE TABLE messages (
    evidence BLOB NOT NULL,
    record INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    time INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    score REAL NOT NULL,
    reasons TEXT NOT NULL,
    campaign TEXT,
    PRIMARY KEY (evidence, offset, record)
) STRICT, WITHOUT ROWID;

-- Floods; drawn anew by each run.
CREATE TABLE floods (
    key TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    start INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Shapes of commands that are new this week; drawn anew by each run.
CREATE TABLE new_shapes (
    id TEXT PRIMARY KEY,
    score REAL NOT NULL,
    first INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE mail_campaigns (
    key TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    score REAL NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE campaigns (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    score REAL NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    targets TEXT NOT NULL,
    ties TEXT NOT NULL,
    attack TEXT NOT NULL
) STRICT;

-- Which findings are judged to belong to which campaign, earliest first.
CREATE TABLE members (
    campaign TEXT NOT NULL,
    place INTEGER NOT NULL,
    finding BLOB NOT NULL,
    PRIMARY KEY (campaign, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_finding ON members (finding);

CREATE TABLE rule_sets (
    method TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

-- What was judged of each campaign, with all earlier versions.
CREATE TABLE assessments (
    campaign TEXT NOT NULL,
    version INTEGER NOT NULL,
    made INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (campaign, version)
) STRICT, WITHOUT ROWID;

-- What people add: evidence, signatures, dissent, who was told, what turned out. Nothing is deleted; `undone` is 1 for what was taken back.
CREATE TABLE remarks (
    id INTEGER PRIMARY KEY,
    made INTEGER NOT NULL,
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    undone INTEGER NOT NULL
) STRICT;
