//! Windows events as JSON, in the shapes in which they are exported and shipped.
//!
//! | shape | how it looks |
//! |---|---|
//! | winlogbeat 7/8 | `winlog.channel`, `winlog.event_data.*`, `event.code`, `@timestamp` |
//! | winlogbeat 6 | `log_name`, `event_id`, `event_data.*`, `@timestamp` |
//! | NXLog, OTRF | flat: `Channel`, `EventID`, `Hostname`, `SourceName`, `EventTime`, and the event's data |
//! | evtx_dump, Chainsaw | `Event.System`, `Event.EventData`, attributes as `#attributes` or `Provider_attributes` |
//! | XML converters | the same with `@Name` and `#text` |
//! | Velociraptor | `System`, `EventData` at the top |
//! | PowerShell `ConvertTo-Json` | `Id`, `LogName`, `ProviderName`, `TimeCreated` as `/Date(…)/`, `Message` |
//!
//! All become the flat names that Sigma rules are written for: `EventID`, `Channel`, `Provider_Name`,
//! `Computer`, `EventRecordID`, and the event's data under Microsoft's own names. Every other member
//! keeps its name, nested ones joined with dots. Values stay as they were written, blanks included.

mod names;
mod time;

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Event, Field, Position, Raw, Source, Timestamp, Value};

use self::names::{Part, WindowsNames};
use crate::textinput::decode_head;
use crate::{Block, Format, ReadError, Sink, SplitOutcome, json, windows};

/// Windows events as JSON.
pub(crate) struct WindowsJson;

impl Format for WindowsJson {
    fn name(&self) -> &str {
        "windows-json"
    }

    fn description(&self) -> &str {
        "Windows events as JSON: winlogbeat, NXLog/OTRF, evtx_dump, Chainsaw, Velociraptor, PowerShell"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = decode_head(head);
        let records = json::first_records(&text, 8);
        records.iter().any(|record| is_windows_event(record))
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        json::split(input, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        json::each_record(block, &mut |at, text| {
            let mut names = WindowsNames::default();
            let mut fields = Vec::with_capacity(USUAL_FIELDS);
            match json::flatten(text, &mut names, &mut fields) {
                Ok(()) => sink.event(event(at, text, fields, &names)),
                Err(error) => sink.refuse_record(at, error.to_string()),
            }
        });
    }
}

const USUAL_FIELDS: usize = 40;

/// Whether a record, or what is there of it, is a Windows event.
fn is_windows_event(record: &str) -> bool {
    let mut names = WindowsNames::default();
    let mut fields = Vec::new();
    let is_cut_off = match json::flatten(record, &mut names, &mut fields) {
        Ok(()) => false,
        Err(json::JsonError::CutOff) => true,
        Err(_) => return false,
    };
    let has_number = |worst| {
        let index = names.index_of_rank(Part::EventId, worst);
        index
            .and_then(|index| fields.get(index))
            .is_some_and(|field| field.value.as_int().is_some())
    };
    let has = |part, worst| names.index_of_rank(part, worst).is_some();
    let by_channel = has(Part::Channel, 1) && (has_number(u8::MAX) || is_cut_off);
    let by_number = has_number(1) && (has(Part::Provider, u8::MAX) || has(Part::Computer, u8::MAX));
    by_channel || by_number
}

fn event<'a>(at: Position, text: &'a str, mut fields: Vec<Field<'a>>, names: &WindowsNames) -> Event<'a> {
    let mut source = Source {
        product: "windows",
        ..Source::default()
    };
    for part in [
        Part::EventId,
        Part::Channel,
        Part::Provider,
        Part::Computer,
        Part::RecordId,
    ] {
        let Some(index) = adopt(part, names, &mut fields) else {
            continue;
        };
        let Some(field) = fields.get_mut(index) else {
            continue;
        };
        match part {
            Part::EventId => {
                if let Some(number) = whole_number(&field.value) {
                    source.event_id = u32::try_from(number).unwrap_or_default();
                    field.value = Value::Int(number);
                }
            }
            Part::Channel => source.channel = text_of(&field.value),
            Part::Provider => source.provider = text_of(&field.value),
            _ => {}
        }
    }
    let time = time::time_of(&fields, names);
    let mut event = Event::new(Class::BASE_EVENT, time, at);
    event.source = source;
    event.fields = fields;
    event.raw = Raw::Text(text);
    if names.index(Part::UtcTime).is_none() {
        read_sysmon_message(&mut event);
    }
    windows::classify(&mut event);
    event
}

/// Gives the field that holds `part` its flat name and lets it stand before any field of the event's
/// own data with that name. Returns where it stands.
fn adopt(part: Part, names: &WindowsNames, fields: &mut [Field<'_>]) -> Option<usize> {
    let index = names.index(part)?;
    let name = part.name()?;
    let field = fields.get_mut(index)?;
    if field.name != name {
        field.name = Cow::Borrowed(name);
    }
    if !names.data_clashes() {
        return Some(index);
    }
    let first = fields.iter().position(|field| field.name == name)?;
    fields.swap(first, index);
    Some(first)
}

fn whole_number(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Float(number) if number.fract() == 0.0 => Some(*number as i64),
        other => other.as_int(),
    }
}

fn text_of<'a>(value: &Value<'a>) -> Cow<'a, str> {
    match value {
        Value::Str(text) => text.clone(),
        other => Cow::Owned(other.to_text().unwrap_or_default().into_owned()),
    }
}

/// Where an export of Sysmon's log kept only the message (PowerShell), reads the event's data out of
/// it. Sysmon writes one `Name: value` a line, in every language of Windows; other providers do not.
fn read_sysmon_message(event: &mut Event<'_>) {
    if !event.source.provider.ends_with("Sysmon") {
        return;
    }
    let Some(Value::Str(message)) = event.get("Message") else {
        return;
    };
    let lines = message
        .lines()
        .filter_map(|line| line.trim_end_matches('\r').split_once(": "));
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let data: Vec<Field<'_>> = lines
        .filter(|(name, _)| is_name(name) && event.get(name).is_none())
        .take(MAX_MESSAGE_LINES)
        .map(|(name, value)| Field::new(name.to_owned(), value.to_owned()))
        .collect();
    let happened = data
        .iter()
        .find(|field| field.name == "UtcTime")
        .and_then(|field| field.value.as_str());
    if let Some(time) = happened.and_then(Timestamp::parse) {
        event.time = time;
    }
    event.fields.extend(data);
}

/// No Sysmon event has more than about thirty.
const MAX_MESSAGE_LINES: usize = 100;

#[cfg(test)]
mod tests;
