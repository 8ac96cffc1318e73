//! Evidence → blocks of whole records → records.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use blackrod_model::{Position, Refusal};
use memchr::{memchr, memrchr};

use super::objects::{Found, Objects};
use super::{MAX_RECORD, envelope};
use crate::textinput::{Encoding, TextInput};
use crate::watch::{Nobody, Watch, strike};
use crate::window::Window;
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
    split_watched(input, &mut Nobody, emit)
}

/// As [`split`], with somebody looking on.
pub(crate) fn split_watched(
    input: &mut dyn BufRead,
    watch: &mut dyn Watch,
    emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
) -> Result<SplitOutcome, ReadError> {
    let mut input = TextInput::open(input)?;
    let mut window = Window::at_start(&input);
    input.fill(&mut window.bytes, BLOCK_LEN)?;
    let head_len = opening_envelope(&window.bytes);
    let carrier = match head_len {
        Some(_) => Carrier::Envelope,
        None => Carrier::of(&window.bytes),
    };
    let mut splitter = Splitter {
        context: Arc::new([carrier.tag(), input.encoding().tag()]),
        window,
        watch,
        outcome: SplitOutcome::default(),
        emit,
    };
    if let Some(head_len) = head_len {
        splitter.beside_array(head_len);
        splitter.window.skip(head_len);
    }
    let flow = match carrier {
        Carrier::Lines => splitter.lines(&mut input)?,
        Carrier::Series | Carrier::Envelope => splitter.series(&mut input, carrier)?,
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
        let record = checked.unwrap_or_else(|| String::from_utf8_lossy(bytes));
        match small_envelope(&record) {
            None => visit(at, &record),
            Some(members) => {
                let base = at.offset;
                for member in members {
                    let before = record.get(..member.start).unwrap_or_default();
                    at.offset = base + encoding.source_len(before.as_bytes());
                    visit(at, record.get(member).unwrap_or_default());
                }
                at.offset = base;
            }
        }
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
        Carrier::Series | Carrier::Envelope => {
            for found in Objects::new(&block.bytes) {
                match found {
                    Found::Whole(range) if !is_record(carrier, &block.bytes, &range) => {}
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
    let head = match opening_envelope(head) {
        Some(head_len) => head.get(head_len..).unwrap_or_default(),
        None => head,
    };
    let ranges: Vec<(usize, usize)> = match Carrier::of(head) {
        Carrier::Lines => Lines::new(head)
            .map(|(start, line)| (start, start + line.len()))
            .collect(),
        Carrier::Series | Carrier::Envelope => Objects::new(head)
            .map(|found| match found {
                Found::Whole(range) => (range.start, range.end),
                Found::Unfinished(start) => (start, head.len()),
            })
            .collect(),
    };
    let pieces = ranges.into_iter().filter_map(|(start, end)| head.get(start..end));
    let pieces = pieces.map(<[u8]>::trim_ascii).filter(|piece| !piece.is_empty());
    let mut records = Vec::new();
    for piece in pieces {
        if records.len() >= at_most {
            break;
        }
        match std::str::from_utf8(piece)
            .ok()
            .and_then(|text| Some((text, small_envelope(text)?)))
        {
            None => records.push(String::from_utf8_lossy(piece)),
            Some((text, members)) => {
                let members = members.into_iter().filter_map(|member| text.get(member));
                records.extend(members.map(Cow::Borrowed));
            }
        }
    }
    records.truncate(at_most);
    records
}

/// The length of the head of the envelope that `buffer` begins with.
fn opening_envelope(buffer: &[u8]) -> Option<usize> {
    let text = match std::str::from_utf8(buffer) {
        Ok(text) => text,
        // A character may be cut by the end of the buffer.
        Err(error) => std::str::from_utf8(buffer.get(..error.valid_up_to())?).ok()?,
    };
    let head_len = envelope::head(text)?;
    let is_envelope = match Objects::new(text.as_bytes()).next() {
        Some(Found::Whole(range)) => small_envelope(text.get(range)?).is_some(),
        _ => true,
    };
    is_envelope.then_some(head_len)
}

/// The places of the records in an envelope, if `record` is one.
fn small_envelope(record: &str) -> Option<Vec<Range<usize>>> {
    let head_len = envelope::head(record)?;
    let inner = record.get(head_len..)?;
    let mut members = Vec::new();
    let mut end = 0;
    for found in Objects::new(inner.as_bytes()) {
        let range = match found {
            Found::Whole(range) => range,
            Found::Unfinished(start) => start..inner.len(),
        };
        let is_object = inner.as_bytes().get(range.start) == Some(&b'{');
        if !is_object {
            break;
        }
        end = range.end;
        members.push(head_len + range.start..head_len + range.end);
    }
    // What holds more than the array is a record of its own.
    let is_whole = envelope::is_tail(inner.get(end..)?);
    let is_cut_off = end == inner.len();
    (is_whole || is_cut_off).then_some(members)
}

/// Whether a value is a record. Around those of an envelope stand its other members.
fn is_record(carrier: Carrier, bytes: &[u8], range: &Range<usize>) -> bool {
    carrier != Carrier::Envelope || bytes.get(range.start) == Some(&b'{')
}

/// What tells one record from the next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Carrier {
    /// Every line that is not blank is a record.
    Lines,
    /// Values follow each other, in an array or bare, over any number of lines.
    Series,
    /// The same within an object around them all, whose head was taken off.
    Envelope,
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
            Self::Envelope => b'e',
        }
    }

    const fn from_tag(tag: u8) -> Self {
        match tag {
            b's' => Self::Series,
            b'e' => Self::Envelope,
            _ => Self::Lines,
        }
    }
}

struct Splitter<'e> {
    context: Arc<[u8]>,
    window: Window,
    watch: &'e mut dyn Watch,
    outcome: SplitOutcome,
    emit: &'e mut dyn FnMut(Block) -> ControlFlow<()>,
}

impl Splitter<'_> {
    fn lines(&mut self, input: &mut TextInput<'_>) -> Result<ControlFlow<()>, ReadError> {
        loop {
            let more = input.fill(&mut self.window.bytes, BLOCK_LEN)?;
            if self.window.bytes.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            let mut cut = memrchr(b'\n', &self.window.bytes).map(|newline| newline + 1);
            if !more {
                cut = Some(self.window.bytes.len());
            }
            // A line that is longer than a block: read on until it ends.
            let mut line_goes_on = more;
            while cut.is_none() && line_goes_on && self.window.bytes.len() <= MAX_RECORD {
                let searched = self.window.bytes.len();
                line_goes_on = input.fill(&mut self.window.bytes, searched + BLOCK_LEN)?;
                let fresh = self.window.bytes.get(searched..).unwrap_or_default();
                cut = memchr(b'\n', fresh).map(|newline| searched + newline + 1);
            }
            match cut {
                None if line_goes_on => {
                    self.refuse_and_drop(self.window.bytes.len(), TOO_LONG);
                    self.skip_past(input, |buffer| memchr(b'\n', buffer))?;
                }
                cut => {
                    let cut = cut.unwrap_or(self.window.bytes.len());
                    let block = self.window.bytes.get(..cut).unwrap_or_default();
                    let records = match self.watch.looks() {
                        false => {
                            let lines = Lines::new(block);
                            lines.filter(|(_, line)| not_blank(line).is_some()).count()
                        }
                        true => {
                            let lines = Lines::new(block).filter_map(|(start, line)| {
                                let (first, last) = not_blank(line)?;
                                Some(start + first..start + last + 1)
                            });
                            let ranges: Vec<_> = lines.collect();
                            self.show(&ranges);
                            ranges.len()
                        }
                    };
                    if self.emit_first(cut, records as u64).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
    }

    fn series(&mut self, input: &mut TextInput<'_>, carrier: Carrier) -> Result<ControlFlow<()>, ReadError> {
        let mut wanted = BLOCK_LEN;
        loop {
            let more = input.fill(&mut self.window.bytes, wanted)?;
            let mut whole = 0;
            let mut records = 0;
            let mut unfinished = None;
            let mut ranges = Vec::new();
            let mut beside = false;
            for found in Objects::new(&self.window.bytes) {
                match found {
                    // A plain value at the very end may go on.
                    Found::Whole(range) if more && range.end == self.window.bytes.len() => {
                        unfinished = Some(range.start);
                    }
                    Found::Whole(range) if !is_record(carrier, &self.window.bytes, &range) => {
                        whole = range.end;
                        beside |= envelope::names_next_page(self.window.bytes.get(range).unwrap_or_default());
                    }
                    Found::Whole(range) => {
                        whole = range.end;
                        records += 1;
                        if self.watch.looks() {
                            ranges.push(range);
                        }
                    }
                    Found::Unfinished(start) => unfinished = Some(start),
                }
            }
            let cut = match unfinished {
                Some(_) => whole,
                None => self.window.bytes.len(),
            };
            self.show(&ranges);
            if beside {
                self.note_next_page();
            }
            if records > 0 && self.emit_first(cut, records).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if !more {
                return Ok(self.end_of_series(unfinished.is_some()));
            }
            if unfinished.is_none() && records == 0 {
                // Nothing but blanks and brackets.
                self.window.skip(self.window.bytes.len());
            }
            if self.window.bytes.len() > MAX_RECORD {
                self.refuse_and_drop(self.window.bytes.len(), TOO_LONG);
                self.skip_past(input, |buffer| memchr::memmem::find(buffer, b"\n{"))?;
            }
            wanted = self.window.bytes.len() + BLOCK_LEN;
        }
    }

    /// Shows records to the one who looks on, and strikes out those that he does not want.
    fn show(&mut self, ranges: &[Range<usize>]) {
        let encoding = self.window.encoding();
        let mut at = self.window.at();
        let mut counted = 0;
        for range in ranges {
            let before = self.window.bytes.get(counted..range.start).unwrap_or_default();
            at.offset += encoding.source_len(before);
            counted = range.start;
            let Some(record) = self.window.bytes.get_mut(range.clone()) else {
                continue;
            };
            if !self.watch.record(record, at) {
                strike(record);
            }
            at.record += 1;
        }
    }

    /// Looks at the first `length` bytes, which stand beside the array of an envelope.
    fn beside_array(&mut self, length: usize) {
        if envelope::names_next_page(self.window.bytes.get(..length).unwrap_or_default()) {
            self.note_next_page();
        }
    }

    fn note_next_page(&mut self) {
        self.outcome.refusals.push(Refusal {
            at: self.window.at(),
            records: 0,
            reason: "missing evidence: this is one page of an answer that names a further page".to_owned(),
        });
    }

    fn end_of_series(&mut self, unfinished: bool) -> ControlFlow<()> {
        if unfinished {
            self.refuse_and_drop(self.window.bytes.len(), "the input ends within this record");
            self.outcome.incomplete = true;
        }
        ControlFlow::Continue(())
    }

    /// Emits the first `cut` bytes of the window, which hold `records` records.
    fn emit_first(&mut self, cut: usize, records: u64) -> ControlFlow<()> {
        match self.window.take(cut, records, &self.context) {
            Some(block) => (self.emit)(block),
            None => ControlFlow::Continue(()),
        }
    }

    /// Refuses the one record that the first `length` bytes of the window belong to.
    fn refuse_and_drop(&mut self, length: usize, reason: &str) {
        let bytes = self.window.bytes.iter();
        let blanks = bytes.take_while(|byte| is_between_records(**byte)).count();
        let refusal = self.window.refuse(blanks, length, reason);
        self.outcome.refusals.push(refusal);
    }

    /// Drops what comes until `find` finds something; the byte found there is the last one dropped.
    fn skip_past(
        &mut self,
        input: &mut TextInput<'_>,
        find: fn(&[u8]) -> Option<usize>,
    ) -> Result<(), ReadError> {
        loop {
            if let Some(found) = find(&self.window.bytes) {
                self.window.skip(found + 1);
                return Ok(());
            }
            // What is looked for may lie across two pieces.
            self.window.skip(self.window.bytes.len().saturating_sub(1));
            if !input.fill(&mut self.window.bytes, BLOCK_LEN)? && find(&self.window.bytes).is_none() {
                self.window.skip(self.window.bytes.len());
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::watch::is_struck;

    /// Strikes out every record with a `2` in it.
    struct NoTwos(Vec<Position>);

    impl Watch for NoTwos {
        fn record(&mut self, record: &[u8], at: Position) -> bool {
            self.0.push(at);
            !record.contains(&b'2')
        }
    }

    fn texts(bytes: &[u8], watch: &mut dyn Watch) -> (Vec<(Position, String)>, SplitOutcome) {
        let mut texts = Vec::new();
        let mut input = bytes;
        let outcome = split_watched(&mut input, watch, &mut |block| {
            each_record(&block, &mut |at, text| texts.push((at, text.to_owned())));
            ControlFlow::Continue(())
        });
        (texts, outcome.unwrap())
    }

    #[test]
    fn the_records_of_an_envelope_are_read_wherever_it_stands() {
        let members = [r#"{"a":1}"#, r#"{"b":"]}"}"#, r#"{"c":[{}]}"#];
        let array = members.join(",\n ");
        for text in [
            format!("{{\"records\":[{array}]}}"),
            format!("{{\"@odata.context\": \"x\",\n \"value\": [\n {array}\n],\"@odata.count\":3}}\n"),
            format!("{{\"kind\":\"k\",\"items\":[{array}"),
        ] {
            let (found, outcome) = texts(text.as_bytes(), &mut Nobody);
            let found_texts: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(found_texts, members, "{text}");
            for (at, record) in &found {
                let start = usize::try_from(at.offset).unwrap();
                assert!(text[start..].starts_with(record.as_str()), "{at:?} in {text}");
            }
            assert_eq!(outcome.refusals, []);
        }
        let lines = "{\"records\":[{\"a\":1},{\"a\":2}]}\n{\"records\":[{\"a\":3}]}\n{\"a\":4}\n";
        let (found, _) = texts(lines.as_bytes(), &mut Nobody);
        assert_eq!(found.len(), 4, "{found:?}");
        let other = r#"{"value":[{"a":1}],"user":"anna"}"#;
        assert_eq!(texts(other.as_bytes(), &mut Nobody).0[0].1, other);
    }

    #[test]
    fn a_page_that_names_the_next_is_told() {
        let head = r#"{"@odata.nextLink":"https://graph.example/2","value":[{"a":1}]}"#;
        let tail = r#"{"value":[{"a":1}],"@odata.nextLink":"https://graph.example/2"}"#;
        for text in [head, tail] {
            let (found, outcome) = texts(text.as_bytes(), &mut Nobody);
            assert_eq!(found.len(), 1);
            assert_eq!(outcome.refusals.len(), 1, "{text}");
            assert!(outcome.refusals[0].reason.starts_with("missing evidence"));
        }
    }

    #[test]
    fn what_is_struck_out_keeps_its_place_and_number() {
        for text in [
            "{\"a\":1}\n{\"é\":2}\n{\"a\":3}\n",
            "[{\"a\":1},{\n\"é\":2},{\"a\":3}]",
            "{\"records\":[{\"a\":1},{\"é\":[2,\"}\"]},{\"a\":3}]}",
        ] {
            let mut watch = NoTwos(Vec::new());
            let (found, _) = texts(text.as_bytes(), &mut watch);
            let places: Vec<_> = found.iter().map(|(at, _)| *at).collect();
            assert_eq!(watch.0, places, "{text}");
            let kept = found.iter().filter(|(_, text)| !is_struck(text.as_bytes()));
            let kept: Vec<_> = kept.map(|(at, text)| (at.record, text.as_str())).collect();
            assert_eq!(kept, [(1, r#"{"a":1}"#), (3, r#"{"a":3}"#)], "{text}");
        }
    }
}
