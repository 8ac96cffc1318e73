//! Records that are too unusual for the fast way, read by the `evtx` crate.
//!
//! That crate knows corners that few records have: BinXML within BinXML within templates, arrays
//! that repeat elements, old code pages, values that end too early. Its JSON of a record is made
//! flat here by the same rules as the fast way's fields.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use blackrod_model::{Field, Value};
use evtx::{EvtxChunkData, ParserSettings};
use serde_json::{Map, Value as Json};

use super::record::{self, Header, System, add};
use super::template::{Blank, Place, Slot, is_nothing};
use super::{CHUNK_LEN, CHUNK_MAGIC, chunk::refuse};
use crate::Sink;
use crate::windows::Role;

/// Reads `records` of `chunk`, which lies at `offset` of the evidence; refuses those that cannot
/// be read this way either.
pub(super) fn read(chunk: &[u8], offset: u64, records: &[Header], sink: &mut dyn Sink) {
    // The crate promises not to panic, and is fuzzed; but evidence is hostile, and a log that
    // could stop the reading of all others would be a way to hide. It holds nothing of ours
    // that a panic could leave half done.
    let results = catch_unwind(AssertUnwindSafe(|| documents(chunk, records)));
    let documents = results.unwrap_or_else(|_| {
        records
            .iter()
            .map(|_| Err("the evtx library panicked over it".to_owned()))
            .collect()
    });
    for (record, document) in records.iter().zip(documents) {
        match document.map(|document| flat(&document)) {
            Ok(Flat { fields, .. }) if fields.is_empty() => refuse(*record, offset, "it is empty", sink),
            Ok(Flat { fields, system }) => {
                let roles: Vec<Role> = fields.iter().map(|field| Role::of(&field.name)).collect();
                sink.event(record::event(*record, offset, fields, system, &roles));
            }
            Err(reason) => refuse(*record, offset, &reason, sink),
        }
    }
}

/// The crate's JSON of each of `records`, or why there is none.
fn documents(chunk: &[u8], records: &[Header]) -> Vec<Result<Json, String>> {
    let mut results: Vec<Result<Json, String>> = records
        .iter()
        .map(|_| Err("it holds no readable content".to_owned()))
        .collect();
    let mut content = match EvtxChunkData::new(with_plain_header(chunk, records), false) {
        Ok(content) => content,
        Err(error) => return records.iter().map(|_| Err(error.to_string())).collect(),
    };
    let settings = Arc::new(ParserSettings::default().num_threads(1).validate_checksums(false));
    let mut parsed = match content.parse(settings) {
        Ok(parsed) => parsed,
        Err(error) => return records.iter().map(|_| Err(error.to_string())).collect(),
    };
    for item in parsed.iter() {
        let (id, document, at) = match item {
            Ok(record) => {
                let at = record.binxml_offset;
                (
                    record.event_record_id,
                    record.into_json_value().map(|json| json.data),
                    Some(at),
                )
            }
            Err(evtx::err::EvtxError::FailedToParseRecord { record_id, source }) => {
                (record_id, Err(*source), None)
            }
            Err(_) => continue,
        };
        let is_it = |record: &Header| at.map_or(record.id == id, |at| at == (record.at + Header::LEN) as u64);
        if let Some(index) = records.iter().position(is_it)
            && let Some(result @ Err(_)) = results.get_mut(index)
        {
            *result = document.map_err(|error| error.to_string());
        }
    }
    results
}

/// The chunk with a header that sends the crate over all of it up to the last of `records`: nothing
/// but the magic and the ends. The crate finds names and templates without the header's tables.
fn with_plain_header(chunk: &[u8], records: &[Header]) -> Vec<u8> {
    const HEADER_LEN: usize = 512;
    let mut plain = chunk.to_vec();
    plain.resize(CHUNK_LEN, 0);
    let end = records
        .iter()
        .map(|record| record.at + record.len)
        .max()
        .unwrap_or(CHUNK_LEN);
    let end = u32::try_from(end).unwrap_or(CHUNK_LEN as u32).to_le_bytes();
    let no_crc = 4_u32.to_le_bytes();
    plain[..HEADER_LEN].fill(0);
    for (at, bytes) in [
        (0, CHUNK_MAGIC),
        // The number of the last record.
        (32, &u64::MAX.to_le_bytes()),
        (40, &128_u32.to_le_bytes()),
        // Where the last record lies, and the free space.
        (44, &end),
        (48, &end),
        (120, &no_crc),
    ] {
        plain[at..at + bytes.len()].copy_from_slice(bytes);
    }
    plain
}

/// A record, made flat.
#[derive(Default)]
pub(super) struct Flat {
    pub(super) fields: Vec<Field<'static>>,
    pub(super) system: System<'static>,
}

/// Makes the crate's JSON of a record flat.
pub(super) fn flat(document: &Json) -> Flat {
    let mut flat = Flat::default();
    if let Json::Object(roots) = document {
        flat.children(roots, Place::Document);
    }
    flat
}

impl Flat {
    fn children(&mut self, elements: &Map<String, Json>, place: Place) {
        for (key, content) in elements {
            if !key.starts_with('#') {
                self.element(original_name(key, elements), content, place);
            }
        }
    }

    fn element(&mut self, name: &str, content: &Json, place: Place) {
        let (inside, blank) = place.inside(name);
        let name = match place {
            Place::Rendering => Cow::Owned(format!("RenderingInfo_{name}")),
            _ => Cow::Borrowed(name),
        };
        let Json::Object(parts) = content else {
            return self.push(&name, value_of(content), place, blank);
        };
        if let Some(Json::Object(attributes)) = parts.get("#attributes") {
            for (attribute, content) in attributes {
                let joined = match attribute.as_str() {
                    xmlns if xmlns.starts_with("xmlns") => continue,
                    "SystemTime" if place == Place::System => name.to_string(),
                    other => format!("{name}_{other}"),
                };
                self.push(&joined, value_of(content), place, Blank::Dropped);
            }
        }
        if let Some(text) = parts.get("#text") {
            self.push(&name, value_of(text), place, blank);
        }
        self.children(parts, inside);
    }

    fn push(&mut self, name: &str, value: Value<'static>, place: Place, blank: Blank) {
        if blank == Blank::Dropped && is_nothing(&value) {
            return;
        }
        let slot = match (place, name) {
            (Place::System, "EventID") => Slot::EventId,
            (Place::System, "Channel") => Slot::Channel,
            (Place::System, "Provider_Name") => Slot::Provider,
            (Place::System, "TimeCreated") => Slot::Time,
            (Place::System, "EventRecordID") => Slot::RecordId,
            _ => Slot::None,
        };
        self.system.note(slot, &value);
        match self.fields.iter_mut().find(|field| field.name == name) {
            Some(field) => add(&mut field.value, value),
            None => self.fields.push(Field::new(name.to_owned(), value)),
        }
    }
}

/// The crate numbers elements of the same name: `Application`, `Application_1`, …
fn original_name<'k>(key: &'k str, siblings: &Map<String, Json>) -> &'k str {
    let Some((name, number)) = key.rsplit_once('_') else {
        return key;
    };
    let is_numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_numbered && siblings.contains_key(name) {
        name
    } else {
        key
    }
}

fn value_of(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(other)) => Value::Float(other),
            (None, None) => Value::Null,
        },
        Json::String(text) => Value::Str(Cow::Owned(text.clone())),
        Json::Array(items) => Value::List(items.iter().map(value_of).collect()),
        // No text is an object; should one come, it is kept as it is.
        Json::Object(_) => Value::Str(Cow::Owned(json.to_string())),
    }
}
