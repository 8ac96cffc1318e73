//! Logs of any maker, as JSON objects or as CSV.
//!
//! What their fields are, a [field map](FieldMaps) says, or their names do where they are in common
//! use. Each field map is a format of its own, whether the log comes as JSON or as CSV; `ndjson` and
//! `csv` are what no map applies to.

mod common;
pub(crate) mod csv;
mod map;
pub(crate) mod rows;

use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use blackrod_model::{Class, Event, Field, Raw, Timestamp};
use rustc_hash::FxHashMap;

use self::map::{Claim, FieldMap};
pub use self::map::{FieldMapError, FieldMaps};
use crate::textinput::decode_head;
use crate::{Block, Format, HEAD_LEN, ReadError, Sink, SplitOutcome, json};

/// One format for each field map, then those for everything else.
pub(crate) fn formats(maps: FieldMaps) -> Vec<Box<dyn Format>> {
    let mapped = maps.0.into_iter().map(|map| Generic {
        description: format!(
            "JSON or CSV with the fields {} (field map)",
            map.require.join(", ")
        ),
        map,
        carriers: Carriers::Both,
    });
    let rest = [
        Generic {
            description: "Any other JSON objects: one a line, in an array, or one after the other".to_owned(),
            map: FieldMap::none("ndjson"),
            carriers: Carriers::Json,
        },
        Generic {
            description: "Any other CSV with a header line; separated by comma, semicolon, tab or bar"
                .to_owned(),
            map: FieldMap::none("csv"),
            carriers: Carriers::Csv,
        },
    ];
    mapped
        .chain(rest)
        .map(|format| Box::new(format) as Box<dyn Format>)
        .collect()
}

/// A log whose fields a map explains.
struct Generic {
    map: FieldMap,
    description: String,
    carriers: Carriers,
}

#[derive(Clone, Copy, PartialEq)]
enum Carriers {
    Json,
    Csv,
    Both,
}

impl Format for Generic {
    fn name(&self) -> &str {
        &self.map.name
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = decode_head(head);
        let as_json = || {
            json::first_records(&text, 8)
                .iter()
                .any(|record| self.is_record(record))
        };
        let as_csv = || csv::sniff(&text, &self.map).is_some();
        match self.carriers {
            Carriers::Json => as_json(),
            Carriers::Csv => as_csv(),
            Carriers::Both => as_json() || as_csv(),
        }
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        match self.carriers {
            Carriers::Json => json::split(input, emit),
            Carriers::Csv => rows::split(input, &self.map, emit),
            Carriers::Both => {
                let mut head = Vec::new();
                let read = (&mut *input).take(HEAD_LEN as u64).read_to_end(&mut head);
                read.map_err(|source| ReadError::Io { offset: 0, source })?;
                let is_json = !json::first_records(&decode_head(&head), 1).is_empty();
                let mut whole = head.as_slice().chain(input);
                match is_json {
                    true => json::split(&mut whole, emit),
                    false => rows::split(&mut whole, &self.map, emit),
                }
            }
        }
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        if csv::is_csv(block) {
            csv::parse(block, &self.map, sink);
            return;
        }
        let mut known = KnownNames::default();
        json::each_record(block, &mut |at, text| {
            let mut fields = Vec::new();
            if let Err(error) = json::flatten(text, &mut json::Dotted, &mut fields) {
                return sink.refuse_record(at, error.to_string());
            }
            let claims: Vec<&[Claim]> = known.claims(&fields, &self.map);
            let mut event = Event::new(Class::BASE_EVENT, Timestamp::UNKNOWN, at);
            event.fields = fields;
            event.raw = Raw::Text(text);
            self.map.apply(&mut event, &claims);
            sink.event(event);
        });
    }
}

impl Generic {
    /// Whether `record`, or what is there of it, is JSON and of this map.
    fn is_record(&self, record: &str) -> bool {
        let mut fields = Vec::new();
        let is_json = match json::flatten(record, &mut json::Dotted, &mut fields) {
            Ok(()) | Err(json::JsonError::CutOff) => !fields.is_empty(),
            Err(_) => false,
        };
        is_json
            && self
                .map
                .applies_to(&|name| fields.iter().any(|field| field.name == name))
    }
}

/// The claims of names that were met in this block: the same few dozen again and again.
#[derive(Default)]
struct KnownNames(FxHashMap<String, Vec<Claim>>);

impl KnownNames {
    /// Names beyond this many are not remembered; they come from records that make up names.
    const MOST: usize = 4_096;

    fn claims(&mut self, fields: &[Field<'_>], map: &FieldMap) -> Vec<&[Claim]> {
        for field in fields {
            if self.0.len() < Self::MOST && !self.0.contains_key(field.name.as_ref()) {
                self.0
                    .insert(field.name.clone().into_owned(), map.claims_of(&field.name));
            }
        }
        let claims = |field: &Field<'_>| self.0.get(field.name.as_ref()).map_or(&[][..], Vec::as_slice);
        fields.iter().map(claims).collect()
    }
}

#[cfg(test)]
mod tests;
