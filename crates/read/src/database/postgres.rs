//! PostgreSQL's own log as CSV (`log_destination = csvlog`) and JSON (`jsonlog`, from version 15).
//!
//! Fields have the names of the manual's table for csvlog (`user_name`, `database_name`, `connection_from`,
//! `message`, `detail`, `application_name` …), and for JSON those of the log itself. The CSV has no header.
//!
//! `Source::product` is `postgresql`, the channel `csvlog` or `jsonlog`.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Field, Raw, Timestamp, Value};

use super::{add_database, pgaudit, text_of};
use crate::cloud::fill_columns;
use crate::cloud::service::{Service, has};
use crate::generic::{csv, rows};
use crate::textinput::decode_head;
use crate::times::read_time;
use crate::watch::Nobody;
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// The columns of csvlog in version 14 and later; earlier ones end sooner.
const COLUMNS: [&str; 26] = [
    "log_time",
    "user_name",
    "database_name",
    "process_id",
    "connection_from",
    "session_id",
    "session_line_num",
    "command_tag",
    "session_start_time",
    "virtual_transaction_id",
    "transaction_id",
    "error_severity",
    "sql_state_code",
    "message",
    "detail",
    "hint",
    "internal_query",
    "internal_query_pos",
    "context",
    "query",
    "query_pos",
    "location",
    "application_name",
    "backend_type",
    "leader_pid",
    "query_id",
];

/// Version 8.4, the oldest with csvlog, has all up to `location`.
const FEWEST_COLUMNS: usize = 22;

/// PostgreSQL's csvlog.
pub(crate) struct CsvLog;

impl Format for CsvLog {
    fn name(&self) -> &str {
        "postgres-csvlog"
    }

    fn description(&self) -> &str {
        "PostgreSQL's log as CSV, with pgaudit's lines in fields"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let head = decode_head(head);
        // It begins with a time; a reader is dear to build.
        let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
        if !matches!(first, Some(b'0'..=b'9' | b'"')) {
            return false;
        }
        let mut row = ::csv::ByteRecord::new();
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(head.as_slice());
        if !reader.read_byte_record(&mut row).unwrap_or(false) {
            return false;
        }
        let is_time = |index: usize| {
            row.get(index)
                .and_then(|cell| std::str::from_utf8(cell).ok())
                .is_some_and(|cell| time(cell).is_some())
        };
        let has_state = row
            .get(12)
            .is_some_and(|state| state.len() == 5 && state.iter().all(u8::is_ascii_alphanumeric));
        (FEWEST_COLUMNS..=COLUMNS.len() + 4).contains(&row.len()) && is_time(0) && is_time(8) && has_state
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        // What cuts tables wants a header; this log has none, so it gets one, and offsets count without it.
        let header = format!("{}\n", COLUMNS.join(","));
        let length = header.len() as u64;
        let mut whole = header.as_bytes().chain(input);
        let mut outcome = rows::split_watched(&mut whole, &|_| Some(b','), &mut Nobody, &mut |mut block| {
            block.offset = block.offset.saturating_sub(length);
            emit(block)
        })?;
        for refusal in &mut outcome.refusals {
            refusal.at.offset = refusal.at.offset.saturating_sub(length);
        }
        Ok(outcome)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let Some(table) = csv::Table::of(block) else {
            return;
        };
        table.each_row(&mut |at, row| {
            let cells: Vec<Cow<'_, str>> = csv::cells(row).map(String::from_utf8_lossy).collect();
            let written = cells.first().and_then(|cell| time(cell));
            let (Some(time), FEWEST_COLUMNS..) = (written, cells.len()) else {
                return sink.refuse_record(at, "not a row of PostgreSQL's csvlog");
            };
            let mut event = Event::new(Class::BASE_EVENT, time, at);
            event.source.product = "postgresql";
            event.source.channel = Cow::Borrowed("csvlog");
            event.raw = Raw::Fields;
            event.fields = COLUMNS
                .iter()
                .zip(&cells)
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(name, cell)| Field::new(*name, cell.as_ref()))
                .collect();
            describe_row(&mut event);
            sink.event(event);
        });
    }
}

fn describe_row(event: &mut Event<'_>) {
    let message = text_of(event, &["message"]).unwrap_or_default();
    let detail = text_of(event, &["detail"]).unwrap_or_default();
    pgaudit::read(&message, &detail, event);
    add_database(
        event,
        &text_of(event, &["database_name", "dbname"]).unwrap_or_default(),
    );
    fill_columns(event, role);
}

pub(super) fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "user_name" | "user" => (Column::User, 0),
        "connection_from" | "remote_host" => (Column::SrcIp, 0),
        "remote_port" => (Column::SrcPort, 0),
        "application_name" => (Column::UserAgent, 0),
        "session_id" => (Column::Session, 0),
        "process_id" | "pid" => (Column::Pid, 0),
        "query_info.name" => (Column::Action, 0),
        "command_tag" | "ps" => (Column::Action, 1),
        "sql_state_code" | "state_code" => (Column::Status, 1),
        _ => return None,
    })
}

/// PostgreSQL's jsonlog.
pub(crate) static JSON_LOG: Service = Service {
    name: "postgres-jsonlog",
    description: "PostgreSQL's log as JSON, with pgaudit's lines in fields",
    unwrapped: &[],
    named: &[],
    rename: |_| None,
    is_record: |fields| {
        has(fields, "error_severity")
            && has(fields, "timestamp")
            && has(fields, "pid")
            && (has(fields, "session_id") || has(fields, "backend_type"))
    },
    is_table: |_| false,
    describe: |event| {
        event.class = Class::BASE_EVENT;
        event.source.product = "postgresql";
        event.source.channel = Cow::Borrowed("jsonlog");
        event.time = text_of(event, &["timestamp"])
            .and_then(|text| time(&text))
            .unwrap_or_default();
        describe_row(event);
    },
};

/// `2026-11-23 20:05:51.871 UTC`, also with an offset, or with the name of a zone in use in Europe and America.
/// Other names are taken for UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let is_shaped = text.len() >= 19 && text.as_bytes().get(4) == Some(&b'-');
    if !is_shaped {
        return None;
    }
    let mut words = text.splitn(3, ' ');
    let (day, clock, zone) = (words.next()?, words.next()?, words.next().unwrap_or("UTC"));
    let written = read_time(&Value::from(format!("{day} {clock}")))?;
    let hours_ahead = match zone {
        "CET" | "BST" | "IST" | "WEST" => 1.0,
        "CEST" | "EET" => 2.0,
        "EEST" | "MSK" => 3.0,
        "EDT" => -4.0,
        "EST" | "CDT" => -5.0,
        "CST" | "MDT" => -6.0,
        "MST" | "PDT" => -7.0,
        "PST" => -8.0,
        offset => match offset.get(..3).and_then(|hours| hours.parse::<f64>().ok()) {
            Some(hours) => hours + hours.signum() * offset.get(3..).map_or(0.0, minutes) / 60.0,
            None => 0.0,
        },
    };
    let micros = written.micros()?;
    Some(Timestamp::from_micros(micros - (hours_ahead * 3.6e9) as i64))
}

/// `30` or `:30`.
fn minutes(text: &str) -> f64 {
    text.trim_start_matches(':').parse().unwrap_or(0.0)
}
