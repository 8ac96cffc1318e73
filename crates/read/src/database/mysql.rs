//! MySQL's and MariaDB's audit logs.
//!
//! - `server_audit` of MariaDB and of Percona's fork: lines of
//!   `time,serverhost,user,host,connection,query,operation,database,object,code`, the statement in quotes.
//! - JSON of MySQL Enterprise Audit (`general_data.query`, `account.user`) and of Percona's `audit_log`
//!   (`audit_record.sqltext`).
//!
//! None of them counts rows. `Source::product` is `mysql`, the channel `server_audit` or `audit_log`.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Field, Position, Raw, Timestamp, Value};

use super::{Query, add_database, command_of, text_of};
use crate::cloud::fill_columns;
use crate::cloud::service::{Service, first_of, has};
use crate::text::lines::{self, Plain};
use crate::times::read_time;
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// MariaDB's `server_audit`.
pub(crate) struct ServerAudit;

impl Format for ServerAudit {
    fn name(&self) -> &str {
        "mariadb-audit"
    }

    fn description(&self) -> &str {
        "MariaDB's and Percona's server_audit log"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        lines::at_least_half(head, |line| Line::of(line).is_some())
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        lines::split(input, &mut Plain, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        lines::each_line(block, &|_| false, &mut |at, text| match Line::of(text) {
            Some(line) => sink.event(line.event(at, text)),
            None => sink.refuse_record(at, "not a line of server_audit"),
        });
    }
}

const NAMES: [&str; 8] = [
    "timestamp",
    "serverhost",
    "username",
    "host",
    "connectionid",
    "queryid",
    "operation",
    "database",
];

const OPERATIONS: [&str; 13] = [
    "CONNECT",
    "DISCONNECT",
    "FAILED_CONNECT",
    "QUERY",
    "READ",
    "WRITE",
    "CREATE",
    "ALTER",
    "RENAME",
    "DROP",
    "QUERY_DDL",
    "QUERY_DML",
    "QUERY_DCL",
];

struct Line<'a> {
    time: Timestamp,
    cells: [&'a str; 8],
    object: &'a str,
    code: &'a str,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut cells = [""; 8];
        let mut rest = text;
        for cell in &mut cells {
            (*cell, rest) = rest.split_once(',')?;
        }
        let (object, code) = rest.rsplit_once(',').unwrap_or((rest, ""));
        let [written, .., operation, _] = cells;
        OPERATIONS.contains(&operation).then_some(())?;
        Some(Self {
            time: time(written)?,
            cells,
            object,
            code,
        })
    }

    fn event(self, at: Position, text: &'a str) -> Event<'a> {
        let mut event = Event::new(Class::BASE_EVENT, self.time, at);
        event.source.product = "mysql";
        event.source.channel = Cow::Borrowed("server_audit");
        event.raw = Raw::Text(text);
        let named = NAMES
            .into_iter()
            .zip(self.cells)
            .chain([("object", self.object), ("retcode", self.code)]);
        event.fields = named
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| Field {
                name: Cow::Borrowed(name),
                value: Value::Str(Cow::Borrowed(value)),
            })
            .collect();
        let [_, _, _, _, _, _, operation, database] = self.cells;
        match operation {
            "CONNECT" | "FAILED_CONNECT" => event.class = Class::AUTHENTICATION,
            "DISCONNECT" => {}
            // Beside its statement each table is told on a line of its own.
            "READ" | "WRITE" | "CREATE" | "ALTER" | "RENAME" | "DROP" => {
                event.class = Class::DATASTORE_ACTIVITY;
            }
            _ => {
                let quoted = self.object.strip_prefix('\'').unwrap_or(self.object);
                let statement = unescaped(quoted.strip_suffix('\'').unwrap_or(quoted));
                Query {
                    command: Cow::Owned(command_of(&statement)),
                    statement: Cow::Owned(statement),
                    ..Query::default()
                }
                .add_to(&mut event);
            }
        }
        add_database(&mut event, database);
        fill_columns(&mut event, role);
        event
    }
}

/// `20261123 20:05:51`, in the server's zone, taken for UTC.
fn time(text: &str) -> Option<Timestamp> {
    let (day, clock) = text.split_once(' ')?;
    let is_day = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month, date) = (day.get(..4)?, day.get(4..6)?, day.get(6..)?);
    let written = format!("{year}-{month}-{date} {clock}");
    is_day.then(|| read_time(&Value::from(written))).flatten()
}

/// Without the backslashes that the plugin puts before quotes and line ends.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "username" | "account.user" => (Column::User, 0),
        "login.user" => (Column::User, 1),
        "user" => (Column::User, 2),
        "login.ip" | "ip" => (Column::SrcIp, 0),
        "host" => (Column::SrcIp, 1),
        "serverhost" => (Column::Host, 0),
        "connectionid" | "connection_id" => (Column::Session, 0),
        "query_info.name" => (Column::Action, 0),
        "operation" => (Column::Action, 1),
        "retcode" | "status" | "general_data.status" | "connection_data.status" => (Column::Status, 0),
        "connection_data.connection_attributes.program_name" => (Column::UserAgent, 0),
        _ => return None,
    })
}

/// MySQL Enterprise Audit and Percona's audit_log, as JSON.
pub(crate) static JSON: Service = Service {
    name: "mysql-audit-json",
    description: "MySQL Enterprise Audit and Percona's audit_log, as JSON",
    unwrapped: &["audit_record"],
    named: &[],
    rename: |_| None,
    is_record: |fields| {
        let is_percona = has(fields, "sqltext") && has(fields, "connection_id");
        let is_enterprise = has(fields, "class")
            && has(fields, "event")
            && has(fields, "connection_id")
            && has(fields, "timestamp");
        is_percona || is_enterprise
    },
    is_table: |_| false,
    describe,
};

fn describe(event: &mut Event<'_>) {
    event.class = Class::BASE_EVENT;
    event.source.product = "mysql";
    event.source.channel = Cow::Borrowed("audit_log");
    event.time = first_of(event, &["timestamp"])
        .and_then(read_time)
        .unwrap_or_default();
    // Enterprise tells the statement once more when it begins, and for each of its tables.
    let class = text_of(event, &["class"]).unwrap_or_default();
    let is_statement = matches!(class.as_str(), "" | "general");
    if class == "connection" {
        event.class = Class::AUTHENTICATION;
    }
    let statement = text_of(event, &["general_data.query", "sqltext"]).unwrap_or_default();
    if is_statement && !statement.is_empty() {
        Query {
            command: Cow::Owned(command_of(&statement)),
            statement: Cow::Owned(statement),
            ..Query::default()
        }
        .add_to(event);
    }
    let database = text_of(event, &["connection_data.db", "db"]).unwrap_or_default();
    add_database(event, &database);
    fill_columns(event, role);
    bare_user(event);
}

/// Percona writes `anna[anna] @ localhost []`.
fn bare_user(event: &mut Event<'_>) {
    let Some(text) = event.column_text(Column::User).map(Cow::into_owned) else {
        return;
    };
    let bare = text.split(['[', '@', ' ']).next().unwrap_or(&text);
    if bare != text && !bare.is_empty() {
        event
            .fields
            .push(Field::new(Column::User.ocsf(), bare.to_owned()));
        event.columns.set(Column::User, event.fields.len() - 1);
    }
}
