//! The casebook's tables, as hunts see them.

use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};

/// A table of the casebook.
pub(crate) struct Table {
    /// Its name in SQL.
    pub(crate) name: &'static str,
    /// Its columns.
    pub(crate) columns: &'static [Column],
    /// Where SQLite takes the rows from.
    pub(crate) from: &'static str,
}

/// A column, and the SQLite expression that gives its values.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) sql: &'static str,
}

/// How SQLite's values are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// The unsigned number with the bits of the signed one.
    Count,
    /// A floating-point number.
    Number,
    /// Microseconds since 1970-01-01 UTC; the least number is no time.
    Time,
}

impl Table {
    pub(crate) fn schema(&self) -> Schema {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|column| {
                let data_type = match column.kind {
                    Kind::Text => DataType::Utf8View,
                    Kind::Count => DataType::UInt64,
                    Kind::Number => DataType::Float64,
                    Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                };
                Field::new(column.name, data_type, true)
            })
            .collect();
        Schema::new(fields)
    }
}

const fn text(name: &'static str, sql: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Text,
        sql,
    }
}

const fn count(name: &'static str, sql: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Count,
        sql,
    }
}

const fn number(name: &'static str, sql: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Number,
        sql,
    }
}

const fn time(name: &'static str, sql: &'static str) -> Column {
    Column {
        name,
        kind: Kind::Time,
        sql,
    }
}

/// All tables of the casebook.
pub(crate) static TABLES: &[Table] = &[
    Table {
        name: "findings",
        columns: &[
            text("id", "lower(hex(f.id))"),
            text("code", "f.code"),
            text("rule_id", "f.rule_id"),
            text("title", "f.title"),
            text("severity", "f.severity"),
            time("time", "f.time"),
            text("evidence", "lower(hex(f.evidence))"),
            count("record", "f.record"),
            count("offset", "f.offset"),
            count("class_uid", "f.class"),
            text(
                "attack",
                "(SELECT group_concat(value, ', ') FROM json_each(f.attack))",
            ),
            text(
                "reason",
                "(SELECT group_concat((value ->> 'field') || '=' || (value ->> 'value'), '; ') FROM json_each(f.reasons))",
            ),
            text(
                "campaign",
                "(SELECT min(campaign) FROM members WHERE finding = f.id)",
            ),
        ],
        from: "findings AS f",
    },
    Table {
        name: "campaigns",
        columns: &[
            text("id", "c.id"),
            text("title", "c.title"),
            number("score", "c.score"),
            time("first_seen", "c.first_seen"),
            time("last_seen", "c.last_seen"),
            count("findings", "(SELECT count(*) FROM members WHERE campaign = c.id)"),
            text(
                "targets",
                "(SELECT group_concat(coalesce(value ->> 'person', value ->> '$.entity.value'), ', ') FROM json_each(c.targets))",
            ),
            text(
                "attack",
                "(SELECT group_concat(value, ', ') FROM json_each(c.attack))",
            ),
        ],
        from: "campaigns AS c",
    },
    Table {
        name: "messages",
        columns: &[
            text("evidence", "lower(hex(evidence))"),
            count("record", "record"),
            count("offset", "offset"),
            time("time", "time"),
            text("message_id", "message_id"),
            text("sender", "sender"),
            text("recipients", "recipients"),
            text("subject", "subject"),
            number("score", "score"),
            text("reasons", "reasons"),
            text("campaign", "campaign"),
        ],
        from: "messages",
    },
    Table {
        name: "mail_campaigns",
        columns: &[
            text("key", "key"),
            text("title", "title"),
            number("score", "score"),
            count("messages", "json_array_length(body, '$.messages')"),
            text("body", "body"),
        ],
        from: "mail_campaigns",
    },
    Table {
        name: "floods",
        columns: &[
            text("key", "key"),
            text("title", "title"),
            time("start", "start"),
            text("service", "body ->> '$.service'"),
            count("requests", "body ->> '$.requests'"),
            count("sources", "body ->> '$.sources'"),
            text("body", "body"),
        ],
        from: "floods",
    },
    Table {
        name: "new_shapes",
        columns: &[
            text("id", "id"),
            text("image", "body ->> '$.shape.image'"),
            text("skeleton", "body ->> '$.shape.skeleton'"),
            text("command", "body ->> '$.command'"),
            time("first", "first"),
            count("times", "body ->> '$.times'"),
            text(
                "hosts",
                "(SELECT group_concat(value, ', ') FROM json_each(body, '$.hosts'))",
            ),
            text(
                "accounts",
                "(SELECT group_concat(value, ', ') FROM json_each(body, '$.accounts'))",
            ),
            number("score", "score"),
        ],
        from: "new_shapes",
    },
    Table {
        name: "evidence",
        columns: &[
            text("id", "lower(hex(id))"),
            text("path", "path"),
            text("sha256", "lower(hex(sha256))"),
            text("format", "format"),
            count("size", "size"),
            text("state", "state"),
            count("records_read", "records_read"),
            count("records_refused", "records_refused"),
        ],
        from: "evidence",
    },
    Table {
        name: "refusals",
        columns: &[
            text("evidence", "lower(hex(evidence))"),
            count("record", "record"),
            count("offset", "offset"),
            count("records", "records"),
            text("reason", "reason"),
        ],
        from: "refusals",
    },
    Table {
        name: "entities",
        columns: &[
            text("finding", "lower(hex(f.id))"),
            text("kind", "e.value ->> 'kind'"),
            text("value", "e.value ->> 'value'"),
        ],
        from: "findings AS f, json_each(f.entities) AS e",
    },
    Table {
        name: "rules",
        columns: &[
            text("method", "method"),
            count("loaded", "body ->> 'loaded'"),
            text("sha256", "body ->> 'digest'"),
            count("refused", "json_array_length(body, '$.refused')"),
            count("idle", "json_array_length(body, '$.idle')"),
        ],
        from: "rule_sets",
    },
    Table {
        name: "rule_problems",
        columns: &[
            text("method", "r.method"),
            text("state", "k.key"),
            text("rule", "p.value ->> 'rule'"),
            text("title", "p.value ->> 'title'"),
            text("reason", "p.value ->> 'reason'"),
        ],
        from: "rule_sets AS r, json_each(json_object('refused', r.body -> 'refused', 'idle', r.body -> 'idle')) AS k, json_each(k.value) AS p",
    },
    Table {
        name: "runs",
        columns: &[
            count("id", "id"),
            text("version", "version"),
            text("arguments", "arguments"),
            time("started", "started"),
            time("ended", "ended"),
            text("rules", "lower(hex(rules))"),
            text("estate", "lower(hex(estate))"),
        ],
        from: "runs",
    },
    Table {
        name: "log",
        columns: &[
            count("seq", "seq"),
            text("time", "time"),
            text("action", "action"),
            text("detail", "detail"),
            text("previous", "previous"),
            text("hash", "hash"),
        ],
        from: "log",
    },
];
