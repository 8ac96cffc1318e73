//! A service's log as JSON or CSV: what is the same for all of them.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;

use blackrod_model::{Class, Event, Field, Position, Raw, Timestamp};

use super::fold::NAME;
use super::{fold_named_values, fold_repeated};
use crate::generic::{csv, rows};
use crate::json::{self, JsonError, Naming, join};
use crate::textinput::decode_head;
use crate::watch::Nobody;
use crate::{Block, Format, HEAD_LEN, ReadError, Sink, SplitOutcome};

/// What there is to know about a service's log.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// Objects whose members count as the record's own: `properties`.
    pub(crate) unwrapped: &'static [&'static str],
    /// Lists of named values, and what the member with the name is called there.
    pub(crate) named: &'static [(&'static str, &'static str)],
    /// The service's own name for what a shape of its log calls otherwise.
    pub(crate) rename: fn(&str) -> Option<&'static str>,
    /// Whether a record is of this log.
    pub(crate) is_record: fn(&[Field<'_>]) -> bool,
    /// Whether a table is, by the names in its header.
    pub(crate) is_table: fn(&[String]) -> bool,
    /// Fills in what the fields say: class, time, source, columns.
    pub(crate) describe: fn(&mut Event<'_>),
}

impl Format for Service {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        self.description
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = decode_head(head);
        if self.begins_table(&text) {
            return true;
        }
        let records = json::first_records(&text, 8);
        records.iter().any(|record| {
            let mut fields = Vec::new();
            match json::flatten(record, &mut Names(self), &mut fields) {
                Ok(()) | Err(JsonError::CutOff) => (self.is_record)(&fields),
                Err(_) => false,
            }
        })
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        let mut head = Vec::new();
        let read = (&mut *input).take(HEAD_LEN as u64).read_to_end(&mut head);
        read.map_err(|source| ReadError::Io { offset: 0, source })?;
        let is_table = self.begins_table(&decode_head(&head));
        let mut whole = head.as_slice().chain(input);
        if !is_table {
            return json::split(&mut whole, emit);
        }
        let delimiter = |head: &[u8]| csv::header(head).map(|(_, delimiter)| delimiter);
        rows::split_watched(&mut whole, &delimiter, &mut Nobody, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        if csv::is_csv(block) {
            return self.parse_table(block, sink);
        }
        json::each_record(block, &mut |at, text| {
            let mut fields = Vec::with_capacity(USUAL_FIELDS);
            match json::flatten(text, &mut Names(self), &mut fields) {
                Ok(()) if fields.is_empty() => sink.refuse_record(at, "an object without members"),
                Ok(()) => sink.event(self.event(at, Raw::Text(text), fields)),
                Err(error) => sink.refuse_record(at, error.to_string()),
            }
        });
    }
}

const USUAL_FIELDS: usize = 64;

impl Service {
    fn begins_table(&self, head: &[u8]) -> bool {
        let begins_as_json = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
        if begins_as_json {
            return false;
        }
        let line_end = memchr::memchr(b'\n', head).unwrap_or(head.len());
        csv::header(head.get(..line_end).unwrap_or_default())
            .is_some_and(|(names, _)| (self.is_table)(&names))
    }

    fn parse_table(&self, block: &Block, sink: &mut dyn Sink) {
        let Some(table) = csv::Table::of(block) else {
            return;
        };
        let names = table.names.iter();
        let names: Vec<&str> = names.map(|name| (self.rename)(name).unwrap_or(name)).collect();
        table.each_row(&mut |at, row| {
            if row.len() != names.len() {
                return sink.refuse_record(at, csv::wrong_width(row.len(), names.len()));
            }
            let texts = csv::cells(row).map(String::from_utf8_lossy);
            let fields = names
                .iter()
                .zip(texts)
                .map(|(name, text)| Field::new(*name, text));
            sink.event(self.event(at, Raw::Fields, fields.collect()));
        });
    }

    fn event<'a>(&self, at: Position, raw: Raw<'a>, fields: Vec<Field<'a>>) -> Event<'a> {
        let mut event = Event::new(Class::API_ACTIVITY, Timestamp::UNKNOWN, at);
        event.fields = fields;
        event.raw = raw;
        (self.describe)(&mut event);
        event
    }
}

/// Gives the members of a record the service's own names.
struct Names<'s>(&'s Service);

impl Names<'_> {
    fn own<'k>(&self, key: &'k str) -> Cow<'k, str> {
        Cow::Borrowed((self.0.rename)(key).unwrap_or(key))
    }

    /// What the member with the name is called in the list that `prefix` is of.
    fn name_in_list(&self, prefix: &str) -> Option<&'static str> {
        let list = prefix.strip_suffix('.')?;
        let found = self.0.named.iter().find(|(named, _)| *named == list)?;
        Some(found.1)
    }
}

impl Naming for Names<'_> {
    fn enter(&self, prefix: &str, key: &str, into: &mut String) {
        if prefix.is_empty() && self.0.unwrapped.contains(&key) {
            return;
        }
        into.push_str(prefix);
        match prefix.is_empty() {
            true => into.push_str(&self.own(key)),
            false => into.push_str(key),
        }
        into.push('.');
    }

    fn name<'a>(&mut self, prefix: &str, key: Cow<'a, str>, _: usize) -> Cow<'a, str> {
        if prefix.is_empty() {
            return match (self.0.rename)(&key) {
                Some(own) => Cow::Borrowed(own),
                None => key,
            };
        }
        match self.name_in_list(prefix) {
            Some(name) if name == key => Cow::Borrowed(NAME),
            Some(_) => match key.as_ref() {
                "value" | "Value" | "multiValue" | "boolValue" | "intValue" | "multiIntValue" => {
                    Cow::Borrowed("")
                }
                // Its list is no list of named values here, but an object with members of its own.
                _ => join(prefix, key),
            },
            None => join(prefix, key),
        }
    }

    fn object_ended(&mut self, key: &str, fields: &mut Vec<Field<'_>>, first: usize, start: usize) {
        let element = fields.get(start..).unwrap_or_default();
        if element.iter().any(|field| field.name == NAME) {
            return fold_named_values(key, fields, start, |_, _| None);
        }
        if !self.0.unwrapped.contains(&key) || key == "events" {
            fold_repeated(fields, first, start);
        }
    }
}

/// The first of these fields that is there and not blank.
pub(crate) fn first_of<'e, 'a>(
    event: &'e Event<'a>,
    names: &[&str],
) -> Option<&'e blackrod_model::Value<'a>> {
    names
        .iter()
        .filter_map(|name| event.get(name))
        .find(|value| !value.is_blank())
}

/// Whether one of `fields` is called `name`.
pub(crate) fn has(fields: &[Field<'_>], name: &str) -> bool {
    fields.iter().any(|field| field.name == name)
}
