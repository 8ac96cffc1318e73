//! Text separated by commas or the like (RFC 4180), with a header line.

use blackrod_model::{Class, Event, Field, Position, Timestamp};
use csv::{ByteRecord, ReaderBuilder, Terminator};
use memchr::memrchr;

use super::map::{Claim, FieldMap};
use crate::textinput::Encoding;
use crate::watch::is_struck;
use crate::{Block, HEAD_LEN, Sink};

/// First byte of the context of a block of CSV; the encoding, the delimiter and the header line follow.
pub(super) const TAG: u8 = b'c';

/// The delimiter of the CSV that begins with `head`, if it is CSV of this map.
///
/// Nearly any text has commas in it. This has: a header of at least two names which are different and
/// no numbers, and then rows of which nine out of ten are as wide as the header. Where a map requires
/// certain names and the header has them, that is enough.
pub(super) fn sniff(head: &[u8], map: &FieldMap) -> Option<u8> {
    // Readers are dear to build; what holds no delimiter at all, or is binary, needs none.
    if memchr::memchr(0, head).is_some() {
        return None;
    }
    let widest = DELIMITERS
        .iter()
        .filter(|delimiter| memchr::memchr(**delimiter, head).is_some())
        .filter_map(|delimiter| Some((width_of(head, *delimiter, map)?, *delimiter)));
    // The first delimiter of the list wins where two fit.
    widest.rev().max_by_key(|(width, _)| *width).map(|best| best.1)
}

/// Whether [`super::rows::split`] made this block.
pub(crate) fn is_csv(block: &Block) -> bool {
    block.context.first() == Some(&TAG)
}

/// The names in the header line of the table that begins with `head`, and what separates them.
pub(crate) fn header(head: &[u8]) -> Option<(Vec<String>, u8)> {
    let names = |delimiter: u8| {
        let mut row = ByteRecord::new();
        next_row(&mut reader(delimiter, head), &mut row, head)?;
        (row.len() > 1).then(|| (names_in(&row), delimiter))
    };
    let tables = DELIMITERS
        .iter()
        .filter(|delimiter| memchr::memchr(**delimiter, head).is_some())
        .filter_map(|delimiter| names(*delimiter));
    tables.rev().max_by_key(|(names, _)| names.len())
}

/// The rows of a block that [`super::rows::split`] made.
pub(crate) struct Table<'b> {
    block: &'b Block,
    encoding: Encoding,
    delimiter: u8,
    /// The names in the header line.
    pub(crate) names: Vec<String>,
}

impl<'b> Table<'b> {
    /// The table that `block` is a piece of.
    pub(crate) fn of(block: &'b Block) -> Option<Self> {
        let [TAG, encoding, delimiter, header @ ..] = block.context.as_ref() else {
            return None;
        };
        let mut row = ByteRecord::new();
        let has_header = reader(*delimiter, header)
            .read_byte_record(&mut row)
            .unwrap_or(false);
        has_header.then(|| Self {
            block,
            encoding: Encoding::from_tag(*encoding),
            delimiter: *delimiter,
            names: names_in(&row),
        })
    }

    /// Calls `visit` with each row that was not struck out, and with its place.
    pub(crate) fn each_row(&self, visit: &mut dyn FnMut(Position, &ByteRecord)) {
        let block = self.block;
        let mut row = ByteRecord::new();
        let mut reader = reader(self.delimiter, &block.bytes);
        let mut at = Position {
            offset: block.offset,
            record: block.first_record,
        };
        let mut counted = 0;
        while let Some(start) = next_row(&mut reader, &mut row, &block.bytes) {
            let before = block.bytes.get(counted..start).unwrap_or_default();
            at.offset += self.encoding.source_len(before);
            counted = start;
            if !(row.len() == 1 && row.get(0).is_some_and(is_struck)) {
                visit(at, &row);
            }
            at.record += 1;
        }
    }
}

/// Parses a block that [`super::rows::split`] made.
pub(super) fn parse(block: &Block, map: &FieldMap, sink: &mut dyn Sink) {
    let Some(table) = Table::of(block) else {
        return;
    };
    let names = &table.names;
    let claims: Vec<Vec<Claim>> = names.iter().map(|name| map.claims_of(name)).collect();
    table.each_row(&mut |at, row| {
        if row.len() != names.len() {
            return sink.refuse_record(at, wrong_width(row.len(), names.len()));
        }
        let mut event = Event::new(Class::BASE_EVENT, Timestamp::UNKNOWN, at);
        let texts = cells(row).map(String::from_utf8_lossy);
        // A row says little without its header, so the fields stand for what was written.
        event.fields = names
            .iter()
            .zip(texts)
            .map(|(name, text)| Field::new(name.as_str(), text))
            .collect();
        map.apply(&mut event, &claims);
        sink.event(event);
    });
}

/// Why a row is refused that is not as wide as its header.
pub(crate) fn wrong_width(fields: usize, names: usize) -> String {
    format!("{fields} fields where the header has {names}")
}

fn names_in(row: &ByteRecord) -> Vec<String> {
    cells(row)
        .map(|cell| {
            let name = String::from_utf8_lossy(cell);
            name.trim().trim_start_matches('\u{FEFF}').to_owned()
        })
        .collect()
}

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

fn reader(delimiter: u8, bytes: &[u8]) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        // So that a row ends where `rows` says; a carriage return before it is taken off by `cells`.
        .terminator(Terminator::Any(b'\n'))
        .from_reader(bytes)
}

/// The cells of a row, the last one without its carriage return.
pub(crate) fn cells(row: &ByteRecord) -> impl Iterator<Item = &[u8]> {
    let last = row.len().saturating_sub(1);
    row.iter().enumerate().map(move |(index, cell)| match cell {
        [before @ .., b'\r'] if index == last => before,
        cell => cell,
    })
}

pub(super) fn is_blank(row: &[u8]) -> bool {
    row.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

/// Reads the next row of `bytes` that is not a blank line, and says where it begins.
fn next_row(reader: &mut csv::Reader<&[u8]>, row: &mut ByteRecord, bytes: &[u8]) -> Option<usize> {
    while reader.read_byte_record(row).ok()? {
        let place = usize::try_from(row.position()?.byte()).ok()?;
        // The csv crate counts empty lines before a row as part of it.
        let line_ends = bytes
            .get(place..)?
            .iter()
            .take_while(|byte| **byte == b'\n')
            .count();
        let start = place + line_ends;
        let is_lone_return =
            row.len() == 1 && row.get(0).is_some_and(|cell| !cell.is_empty() && is_blank(cell));
        if !is_lone_return || bytes.get(start) == Some(&b'"') {
            return Some(start);
        }
    }
    None
}

/// How wide the table is that begins with `head`, if it is one.
fn width_of(head: &[u8], delimiter: u8, map: &FieldMap) -> Option<usize> {
    const ROWS: usize = 20;
    // The last line may be cut off, unless it is all there is.
    let whole = match memrchr(b'\n', head) {
        Some(newline) if head.len() >= HEAD_LEN => head.get(..newline)?,
        _ => head,
    };
    let mut reader = reader(delimiter, whole);
    let mut row = ByteRecord::new();
    next_row(&mut reader, &mut row, whole)?;
    let names = names_in(&row);
    if names.len() < 2 {
        return None;
    }
    if !map.require.is_empty() {
        let has_all = map.applies_to(&|wanted| names.iter().any(|name| name == wanted));
        return has_all.then_some(names.len());
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    let all_differ = sorted.windows(2).all(|pair| pair[0] != pair[1]);
    if !all_differ || !names.iter().all(|name| is_plausible_name(name)) {
        return None;
    }
    let mut rows = 0;
    let mut fitting = 0;
    while rows < ROWS && next_row(&mut reader, &mut row, whole).is_some() {
        rows += 1;
        fitting += usize::from(row.len() == names.len());
    }
    let enough = fitting > 0 && fitting * 10 >= rows * 9 || rows >= 2 && rows - fitting == 1;
    (enough && fitting > 0).then_some(names.len())
}

/// Whether a column could be called this: short, a few words, neither a number nor a sentence.
fn is_plausible_name(name: &str) -> bool {
    let begins_well = name.starts_with(|first: char| first.is_alphabetic() || "_@#$(".contains(first));
    let is_short = name.len() <= 64 && name.split_whitespace().count() <= 5;
    let is_sentence = name.ends_with(['.', '!', '?', ':']) || name.contains(": ");
    let is_markup = name.contains(['<', '>', '{', '}', '=']);
    begins_well && is_short && !is_sentence && !is_markup && !name.contains(char::is_control)
}
