//! Microsoft 365 unified audit log, in the five shapes in which it leaves the tenant.
//!
//! | shape | how it looks |
//! |---|---|
//! | Purview or `Export-Csv` | CSV with a column `AuditData`, which holds the record as JSON |
//! | `Search-UnifiedAuditLog \| ConvertTo-Json` | JSON objects with `AuditData` as a string, or as an object |
//! | NDJSON | the records themselves, one a line |
//! | Graph `auditLogRecord` | camelCase, the record in `auditData`; often in an answer's `value` |
//! | Management Activity API | an array of the records themselves |
//!
//! All become records under the audit log's own names (`Operation`, `UserId`, `ClientIP`). Lists of
//! named values become fields: `Parameters.ForwardTo`, `ExtendedProperties.UserAgent`,
//! `ModifiedProperties.Role.DisplayName.NewValue`; rules that search `Parameters` as a whole find the
//! names and values there too. What surrounds `AuditData` keeps its names where the record does not
//! have them itself.
//!
//! Exports overlap and repeat themselves, so a record whose `Id` was met before in the same evidence
//! is dropped and counted. Records that the search found and the export lacks are told as missing
//! evidence, by `ResultIndex` and `ResultCount`. `AuditData` that Excel cut off at 32,767 characters
//! gives the fields that are whole.
//!
//! `Source::channel` is `UnifiedAuditLog`, with `/Exchange` or `/Alerts` for records of those; the
//! provider is the workload, the event id the record type.

mod class;
mod columns;
mod names;
#[cfg(test)]
mod tests;
mod watch;

use std::borrow::Cow;
use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;

use blackrod_model::{Event, Field, Position, Raw, Refusal, Source, Timestamp, Value};

use self::names::{SEARCHED, UalNames};
use self::watch::UalWatch;
use crate::generic::{csv, rows};
use crate::json::{self, JsonError};
use crate::textinput::decode_head;
use crate::times::read_time;
use crate::watch::is_struck;
use crate::{Block, Format, HEAD_LEN, ReadError, Sink, SplitOutcome};

/// Microsoft 365 unified audit log.
pub(crate) struct UnifiedAuditLog;

impl Format for UnifiedAuditLog {
    fn name(&self) -> &str {
        "m365-audit"
    }

    fn description(&self) -> &str {
        "Microsoft 365 unified audit log: Purview CSV, AuditData JSON, NDJSON, Graph, Management API"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = decode_head(head);
        if has_audit_column(&text) {
            return true;
        }
        let records = json::first_records(&text, 8);
        records.iter().any(|record| is_audit_record(record))
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        let mut head = Vec::new();
        let read = (&mut *input).take(HEAD_LEN as u64).read_to_end(&mut head);
        read.map_err(|source| ReadError::Io { offset: 0, source })?;
        let is_table = has_audit_column(&decode_head(&head));
        let mut whole = head.as_slice().chain(input);
        let mut watch = UalWatch::new(is_table);
        let mut outcome = if is_table {
            let delimiter = |head: &[u8]| csv::header(head).map(|(_, delimiter)| delimiter);
            rows::split_watched(&mut whole, &delimiter, &mut watch, emit)?
        } else {
            json::split_watched(&mut whole, &mut watch, emit)?
        };
        watch.report(&mut outcome.refusals);
        Ok(outcome)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        if csv::is_csv(block) {
            return parse_table(block, sink);
        }
        json::each_record(block, &mut |at, text| {
            if is_struck(text.as_bytes()) {
                return;
            }
            let mut fields = Vec::with_capacity(USUAL_FIELDS);
            match json::flatten(text, &mut UalNames, &mut fields) {
                Ok(()) => with_inner_record(at, text, fields, sink),
                Err(error) => sink.refuse_record(at, error.to_string()),
            }
        });
    }
}

const USUAL_FIELDS: usize = 64;

/// Whether the table that begins with `head` has a column of audit records.
fn has_audit_column(head: &[u8]) -> bool {
    let begins_as_json = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
    if begins_as_json || memchr::memmem::find(head, b"AuditData").is_none() {
        return false;
    }
    csv::header(head).is_some_and(|(names, _)| names.iter().any(|name| name == AUDIT_DATA))
}

const AUDIT_DATA: &str = "AuditData";

/// Whether a record, or what is there of it, is one of the audit log.
fn is_audit_record(record: &str) -> bool {
    let mut fields = Vec::new();
    match json::flatten(record, &mut UalNames, &mut fields) {
        Ok(()) | Err(JsonError::CutOff) => {}
        Err(_) => return false,
    }
    let has = |name: &str| fields.iter().any(|field| field.name == name);
    let carries_record = fields.iter().any(|field| {
        field.name == AUDIT_DATA && field.value.as_str().is_some_and(|text| text.starts_with('{'))
    });
    let is_record = has("Operation") && has("CreationTime") && (has("Workload") || has("RecordType"));
    carries_record || is_record
}

/// Hands over the event that `outer` is, or the one within its `AuditData`, which is JSON in a string.
fn with_inner_record(at: Position, text: &str, mut outer: Vec<Field<'_>>, sink: &mut dyn Sink) {
    let carried = outer
        .iter()
        .position(|field| field.name == AUDIT_DATA && field.value.as_str().is_some());
    let Some(index) = carried else {
        if outer.is_empty() {
            return sink.refuse_record(at, "an object without members");
        }
        return sink.event(event(at, Raw::Text(text), outer));
    };
    if let Value::Str(record) = outer.remove(index).value {
        hand_over(at, &record, outer, sink);
    }
}

/// Hands over the record `text`, around which stood the fields `outer`. If it is cut off, what is
/// there of it.
fn hand_over(at: Position, text: &str, outer: Vec<Field<'_>>, sink: &mut dyn Sink) {
    let mut fields = Vec::with_capacity(USUAL_FIELDS);
    let fault = json::flatten(text, &mut UalNames, &mut fields).err();
    let whole = fields.len();
    for field in outer {
        if !field.value.is_blank() && !fields.iter().any(|own| own.name == field.name) {
            fields.push(field);
        }
    }
    if let Some(fault) = fault {
        let reason = match fault {
            JsonError::CutOff => format!(
                "AuditData is cut off after {} characters: {whole} fields of it are read",
                text.chars().count()
            ),
            other => format!("AuditData is damaged ({other}): {whole} fields of it are read"),
        };
        sink.refuse(Refusal {
            at,
            records: 0,
            reason,
        });
    }
    sink.event(event(at, Raw::Text(text), fields));
}

fn parse_table(block: &Block, sink: &mut dyn Sink) {
    let Some(table) = csv::Table::of(block) else {
        return;
    };
    let Some(audit_column) = table.names.iter().position(|name| name == AUDIT_DATA) else {
        return;
    };
    let names: Vec<&str> = table.names.iter().map(|name| outer_name(name)).collect();
    table.each_row(&mut |at, row| {
        if row.len() != names.len() {
            return sink.refuse_record(at, csv::wrong_width(row.len(), names.len()));
        }
        let mut record = Cow::Borrowed("");
        let mut outer = Vec::with_capacity(names.len());
        for (index, (name, cell)) in names.iter().zip(csv::cells(row)).enumerate() {
            let text = String::from_utf8_lossy(cell);
            if index == audit_column {
                record = text;
            } else {
                outer.push(Field::new(*name, text));
            }
        }
        hand_over(at, &record, outer, sink);
    });
}

/// What the record itself calls the content of a column of an export.
fn outer_name(name: &str) -> &str {
    match name {
        "CreationDate" => "CreationTime",
        "UserIds" => "UserId",
        "Operations" => "Operation",
        "RecordId" | "Identity" => "Id",
        other => other,
    }
}

fn event<'a>(at: Position, raw: Raw<'a>, mut fields: Vec<Field<'a>>) -> Event<'a> {
    for list in SEARCHED {
        add_searched_list(list, &mut fields);
    }
    let [time, operation, workload, record_type] = first_of(&fields, TOLD);
    let time = time.and_then(creation_time).unwrap_or(Timestamp::UNKNOWN);
    let operation = operation.and_then(Value::as_str).unwrap_or_default();
    let provider = match workload {
        Some(Value::Str(workload)) => workload.clone(),
        _ => Cow::Borrowed(""),
    };
    let record_type = record_type.and_then(Value::as_int);
    let class = class::class_of(&provider, operation);
    let source = Source {
        product: "m365",
        channel: Cow::Borrowed(class::channel_of(&provider, operation)),
        provider,
        event_id: record_type
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(0),
    };
    let mut event = Event::new(class, time, at);
    event.source = source;
    event.fields = fields;
    event.raw = raw;
    columns::fill(&mut event);
    event
}

/// What an event says of itself.
const TOLD: [&str; 4] = ["CreationTime", "Operation", "Workload", "RecordType"];

/// The values of the first fields of these names.
fn first_of<'f, 'a, const N: usize>(fields: &'f [Field<'a>], names: [&str; N]) -> [Option<&'f Value<'a>>; N] {
    let mut found = [None; N];
    for field in fields {
        for (name, found) in names.iter().zip(&mut found) {
            if field.name == *name && found.is_none() {
                *found = Some(&field.value);
            }
        }
    }
    found
}

/// Adds the field `list` with all names and values of the fields that begin with it, for rules that
/// search it as a whole.
fn add_searched_list(list: &'static str, fields: &mut Vec<Field<'_>>) {
    let mut values = Vec::new();
    for field in fields.iter() {
        // The dot is what most names lack.
        let is_of_list = field.name.as_bytes().get(list.len()) == Some(&b'.');
        if !is_of_list || !field.name.starts_with(list) {
            continue;
        }
        values.push(match &field.name {
            Cow::Borrowed(name) => Value::text(name.get(list.len() + 1..).unwrap_or_default()),
            Cow::Owned(name) => Value::from(name.get(list.len() + 1..).unwrap_or_default().to_owned()),
        });
        values.push(field.value.clone());
    }
    if !values.is_empty() {
        fields.push(Field {
            name: Cow::Borrowed(list),
            value: Value::List(values),
        });
    }
}

/// The time a record tells, which is UTC in every shape; also as `Export-Csv` writes it in American
/// English: `6/3/2023 8:13:00 AM`.
fn creation_time(value: &Value<'_>) -> Option<Timestamp> {
    read_time(value).or_else(|| american_time(value.as_str()?))
}

fn american_time(text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime("%m/%d/%Y %I:%M:%S %p", text.trim()).ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}
