//! For tests of formats: reads bytes to the end and keeps what came out.

use std::io::BufReader;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Flow, Position, Refusal, Timestamp, Value};

use crate::{Format, ReadError, Sink};

/// What was read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) events: Vec<Kept>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) incomplete: bool,
    pub(crate) blocks: usize,
}

/// An event that outlives its block.
#[derive(Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) class: Class,
    pub(crate) time: Timestamp,
    pub(crate) at: Position,
    pub(crate) product: &'static str,
    pub(crate) channel: String,
    pub(crate) provider: String,
    pub(crate) event_id: u32,
    /// Names, values as text, values as JSON would have them.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) columns: Vec<(&'static str, String)>,
    pub(crate) raw: String,
}

impl Kept {
    /// The text of the first field of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(own, _)| own == name)?;
        Some(&field.1)
    }

    /// The text of a column.
    pub(crate) fn column(&self, column: Column) -> Option<&str> {
        let filled = self.columns.iter().find(|(own, _)| *own == column.name())?;
        Some(&filled.1)
    }
}

/// Reads `bytes` as `format`, handing them over in pieces of `piece` bytes.
pub(crate) fn read_in_pieces(format: &dyn Format, bytes: &[u8], piece: usize) -> Result<Reading, ReadError> {
    let mut reading = Reading::default();
    let mut input = BufReader::with_capacity(piece, bytes);
    let mut blocks = 0;
    let outcome = format.split(&mut input, &mut |block| {
        blocks += 1;
        format.parse(&block, &mut reading);
        ControlFlow::Continue(())
    })?;
    reading.blocks = blocks;
    reading.refusals.extend(outcome.refusals);
    reading.incomplete = outcome.incomplete;
    Ok(reading)
}

/// Reads `bytes` as `format`.
pub(crate) fn read(format: &dyn Format, bytes: &[u8]) -> Result<Reading, ReadError> {
    read_in_pieces(format, bytes, 8 * 1024)
}

impl Sink for Reading {
    fn event(&mut self, event: Event<'_>) {
        let text = |value: &Value<'_>| match value {
            Value::Null => "null".to_owned(),
            other => other.to_string(),
        };
        let mut raw = String::new();
        event.write_raw(&mut raw);
        let column = |column: &Column| Some((column.name(), event.column_text(*column)?.into_owned()));
        self.events.push(Kept {
            class: event.class,
            time: event.time,
            at: event.at,
            product: event.source.product,
            channel: event.source.channel.to_string(),
            provider: event.source.provider.to_string(),
            event_id: event.source.event_id,
            fields: event
                .fields
                .iter()
                .map(|field| (field.name.to_string(), text(&field.value)))
                .collect(),
            columns: Column::ALL.iter().filter_map(column).collect(),
            raw,
        });
    }

    fn flows(&mut self, _: Position, flows: &[Flow]) {
        self.flows.extend(flows);
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

/// Cuts `sample` at every 100th byte and flips bits in it, and reads each of the results: whatever is
/// there becomes an event or is refused, and nothing panics.
pub(crate) fn damage(format: &dyn Format, sample: &[u8]) {
    let step = (sample.len() / 200).max(1);
    let cuts = (1..sample.len()).step_by(if sample.len() > 20_000 {
        100 * (sample.len() / 20_000)
    } else {
        100
    });
    for cut in cuts {
        let reading = read_damaged(format, &sample[..cut]);
        let is_told = !reading.events.is_empty() || !reading.refusals.is_empty() || reading.incomplete;
        let is_blank = reading.blocks == 0;
        assert!(
            is_told || is_blank,
            "{} says nothing of the first {cut} bytes",
            format.name()
        );
    }
    let mut flipped = sample.to_vec();
    for at in (0..sample.len()).step_by(step) {
        for bit in [0x01, 0x02, 0x20, 0x80] {
            flipped[at] ^= bit;
            read_damaged(format, &flipped);
            flipped[at] ^= bit;
        }
    }
}

fn read_damaged(format: &dyn Format, bytes: &[u8]) -> Reading {
    let _ = format.recognise(bytes);
    match read(format, bytes) {
        Ok(reading) => reading,
        Err(error) => panic!("memory cannot fail to be read: {error}"),
    }
}
