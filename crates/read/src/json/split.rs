//! Evidence → blocks of whole records → records.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Position, Refusal};
use memchr::{memchr, memrchr};

use super::MAX_RECORD;
use super::objects::{Found, Objects};
use crate::textinput::{Encoding, TextInput};
use crate::{Block, ReadError, SplitOutcome};

/// Blocks are cut as soon as they are this long.
const BLOCK_LEN: usize = 1 << 20;

/// Cuts JSON of any carrier into blocks.
///
/// A record that is longer than [`MAX_RECORD`], or that the input ends within where records are not
/// lines, is refused here; everything else is left to [`each_record`].
pub(crate) fn split(
    input: &mut dyn BufRead,
    emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
) -> Result<SplitOutcome, ReadError> {
    let mut input = TextInput::open(input)?;
    let mut buffer = Vec::new();
    input.fill(&mut buffer, BLOCK_LEN)?;
    let carrier = Carrier::of(&buffer);
    let mut splitter = Splitter {
        offset: input.start(),
        record: 1,
        encoding: input.encoding(),
        context: Arc::new([carrier.tag(), input.encoding().tag()]),
        buffer,
        outcome: SplitOutcome::default(),
        emit,
    };
    let flow = match carrier {
        Carrier::Lines => splitter.lines(&mut input)?,
        Carrier::Series => splitter.series(&mut input)?,
    };
    splitter.outcome.incomplete |= flow.is_break();
    Ok(splitter.outcome)
}

/// Calls `visit` with each record of a block that [`split`] made, and with its place. Bytes that are
/// not UTF-8 are read as U+FFFD.
pub(crate) fn each_record(block: &Block, visit: &mut dyn FnMut(Position, &str)) {
    let (carrier, encoding) = match block.context.as_ref() {
        [carrier, encoding, ..] => (Carrier::from_tag(*carrier), Encoding::from_tag(*encoding)),
        _ => (Carrier::Lines, Encoding::Utf8),
    };
    let text = std::str::from_utf8(&block.bytes).ok();
    let mut at = Position {
        offset: block.offset,
        record: block.first_record,
    };
    let mut counted = 0;
    let mut record = |start: usize, end: usize| {
        let bytes = block.bytes.get(start..end).unwrap_or_default();
        let before = block.bytes.get(counted..start).unwrap_or_default();
        at.offset += encoding.source_len(before);
        counted = start;
        // One check of the whole block is much cheaper than one for each of its records.
        let checked = text.and_then(|text| text.get(start..end)).map(Cow::Borrowed);
        visit(at, &checked.unwrap_or_else(|| String::from_utf8_lossy(bytes)));
        at.record += 1;
    };
    match carrier {
        Carrier::Lines => {
            for (start, line) in Lines::new(&block.bytes) {
                if let Some((first, last)) = not_blank(line) {
                    record(start + first, start + last + 1);
                }
            }
        }
        Carrier::Series => {
            for found in Objects::new(&block.bytes) {
                match found {
                    Found::Whole(range) => record(range.start, range.end),
                    Found::Unfinished(start) => record(start, block.bytes.len()),
                }
            }
        }
    }
}

/// The first records of a piece of evidence that begins with `head` (UTF-8, no byte-order mark), the
/// last of which may be cut off by the end of `head`. Empty where `head` does not begin as JSON.
pub(crate) fn first_records(head: &[u8], at_most: usize) -> Vec<Cow<'_, str>> {
    let begins_as_json = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
    if !begins_as_json {
        return Vec::new();
    }
    let ranges: Vec<(usize, usize)> = match Carrier::of(head) {
        Carrier::Lines => Lines::new(head)
            .map(|(start, line)| (start, start + line.len()))
            .collect(),
        Carrier::Series => Objects::new(head)
            .map(|found| match found {
                Found::Whole(range) => (range.start, range.end),
                Found::Unfinished(start) => (start, head.len()),
            })
            .collect(),
    };
    let pieces = ranges.into_iter().filter_map(|(start, end)| head.get(start..end));
    let records = pieces.map(<[u8]>::trim_ascii).filter(|piece| !piece.is_empty());
    records.take(at_most).map(String::from_utf8_lossy).collect()
}

/// What tells one record from the next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Carrier {
    /// Every line that is not blank is a record.
    Lines,
    /// Values follow each other, in an array or bare, over any number of lines.
    Series,
}

impl Carrier {
    /// The carrier of content that begins with `head`.
    fn of(head: &[u8]) -> Self {
        let Some(start) = head.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            return Self::Lines;
        };
        let content = head.get(start..).unwrap_or_default();
        if !content.starts_with(b"{") {
            return Self::Series;
        }
        let Some(line_len) = memchr(b'\n', content) else {
            // One line, or its beginning: the same either way, but for several objects in it.
            let first = Objects::new(content).next();
            let one =
                matches!(&first, Some(Found::Whole(range)) if range.end < content.trim_ascii_end().len());
            return if one { Self::Series } else { Self::Lines };
        };
        let (line, after) = content.split_at(line_len);
        let line = line.trim_ascii_end();
        match Objects::new(line).next() {
            Some(Found::Whole(range)) if range.end == line.len() => Self::Lines,
            Some(Found::Whole(_)) => Self::Series,
            // The first line holds no whole object: it is pretty-printed, or damaged.
            _ => {
                let next_begins_object = after.trim_ascii_start().starts_with(b"{");
                let goes_on = matches!(line.last(), Some(b'{' | b'[' | b':' | b','));
                match next_begins_object && !goes_on {
                    true => Self::Lines,
                    false => Self::Series,
                }
            }
        }
    }

    const fn tag(self) -> u8 {
        match self {
            Self::Lines => b'l',
            Self::Series => b's',
        }
    }

    const fn from_tag(tag: u8) -> Self {
        match tag {
            b's' => Self::Series,
            _ => Self::Lines,
        }
    }
}

struct Splitter<'e> {
    /// Where in the evidence `buffer` begins.
    offset: u64,
    /// The number of the first record in `buffer`.
    record: u64,
    encoding: Encoding,
    context: Arc<[u8]>,
    buffer: Vec<u8>,
    outcome: SplitOutcome,
    emit: &'e mut dyn FnMut(Block) -> ControlFlow<()>,
}

impl Splitter<'_> {
    fn lines(&mut self, input: &mut TextInput<'_>) -> Result<ControlFlow<()>, ReadError> {
        loop {
            let more = input.fill(&mut self.buffer, BLOCK_LEN)?;
            if self.buffer.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            let mut cut = memrchr(b'\n', &self.buffer).map(|newline| newline + 1);
            if !more {
                cut = Some(self.buffer.len());
            }
            // A line that is longer than a block: read on until it ends.
            let mut line_goes_on = more;
            while cut.is_none() && line_goes_on && self.buffer.len() <= MAX_RECORD {
                let searched = self.buffer.len();
                line_goes_on = input.fill(&mut self.buffer, searched + BLOCK_LEN)?;
                let fresh = self.buffer.get(searched..).unwrap_or_default();
                cut = memchr(b'\n', fresh).map(|newline| searched + newline + 1);
            }
            match cut {
                None if line_goes_on => {
                    self.refuse_and_drop(self.buffer.len(), TOO_LONG);
                    self.skip_past(input, |buffer| memchr(b'\n', buffer))?;
                }
                cut => {
                    let cut = cut.unwrap_or(self.buffer.len());
                    let block = self.buffer.get(..cut).unwrap_or_default();
                    let records = Lines::new(block)
                        .filter(|(_, line)| not_blank(line).is_some())
                        .count();
                    if self.emit_first(cut, records as u64).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
    }

    fn series(&mut self, input: &mut TextInput<'_>) -> Result<ControlFlow<()>, ReadError> {
        let mut wanted = BLOCK_LEN;
        loop {
            let more = input.fill(&mut self.buffer, wanted)?;
            let mut whole = 0;
            let mut records = 0;
            let mut unfinished = None;
            for found in Objects::new(&self.buffer) {
                match found {
                    // A plain value at the very end may go on.
                    Found::Whole(range) if more && range.end == self.buffer.len() => {
                        unfinished = Some(range.start);
                    }
                    Found::Whole(range) => {
                        whole = range.end;
                        records += 1;
                    }
                    Found::Unfinished(start) => unfinished = Some(start),
                }
            }
            let cut = match unfinished {
                Some(_) => whole,
                None => self.buffer.len(),
            };
            if records > 0 && self.emit_first(cut, records).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if !more {
                return Ok(self.end_of_series(unfinished.is_some()));
            }
            if unfinished.is_none() && records == 0 {
                // Nothing but blanks and brackets.
                self.drop_first(self.buffer.len());
            }
            if self.buffer.len() > MAX_RECORD {
                self.refuse_and_drop(self.buffer.len(), TOO_LONG);
                self.skip_past(input, |buffer| memchr::memmem::find(buffer, b"\n{"))?;
            }
            wanted = self.buffer.len() + BLOCK_LEN;
        }
    }

    fn end_of_series(&mut self, unfinished: bool) -> ControlFlow<()> {
        if unfinished {
            self.refuse_and_drop(self.buffer.len(), "the input ends within this record");
            self.outcome.incomplete = true;
        }
        ControlFlow::Continue(())
    }

    /// Emits the first `cut` bytes of the buffer, which hold `records` records.
    fn emit_first(&mut self, cut: usize, records: u64) -> ControlFlow<()> {
        let rest = self.buffer.split_off(cut.min(self.buffer.len()));
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let offset = self.offset;
        let first_record = self.record;
        self.offset += self.encoding.source_len(&bytes);
        self.record += records;
        if records == 0 {
            return ControlFlow::Continue(());
        }
        (self.emit)(Block {
            offset,
            first_record,
            context: Arc::clone(&self.context),
            bytes,
        })
    }

    /// Refuses the one record that the first `length` bytes of the buffer belong to.
    fn refuse_and_drop(&mut self, length: usize, reason: &str) {
        let blanks = self
            .buffer
            .iter()
            .take_while(|byte| is_between_records(**byte))
            .count();
        let before = self.buffer.get(..blanks).unwrap_or_default();
        self.outcome.refusals.push(Refusal {
            at: Position {
                offset: self.offset + self.encoding.source_len(before),
                record: self.record,
            },
            records: 1,
            reason: reason.to_owned(),
        });
        self.record += 1;
        self.drop_first(length);
    }

    fn drop_first(&mut self, length: usize) {
        let dropped = self.buffer.get(..length).unwrap_or(&self.buffer);
        self.offset += self.encoding.source_len(dropped);
        self.buffer.drain(..length.min(self.buffer.len()));
    }

    /// Drops what comes until `find` finds something; the byte found there is the last one dropped.
    fn skip_past(
        &mut self,
        input: &mut TextInput<'_>,
        find: fn(&[u8]) -> Option<usize>,
    ) -> Result<(), ReadError> {
        loop {
            if let Some(found) = find(&self.buffer) {
                self.drop_first(found + 1);
                return Ok(());
            }
            // What is looked for may lie across two pieces.
            self.drop_first(self.buffer.len().saturating_sub(1));
            if !input.fill(&mut self.buffer, BLOCK_LEN)? && find(&self.buffer).is_none() {
                self.drop_first(self.buffer.len());
                return Ok(());
            }
        }
    }
}

const TOO_LONG: &str = "the record is longer than 16 MiB";

const fn is_between_records(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']')
}

/// The lines of a text with their offsets, without their ends.
pub(crate) struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Lines<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl<'b> Iterator for Lines<'b> {
    type Item = (usize, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += length + 1;
        Some((start, rest.get(..length)?))
    }
}

/// Where the first and the last byte of a line stand that are not blank.
fn not_blank(line: &[u8]) -> Option<(usize, usize)> {
    let first = line.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let last = line.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    Some((first, last))
}
