//! Mailboxes in one file: mboxo, mboxrd, mboxcl and mboxcl2.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Position, Refusal};
use memchr::memmem;

use super::{MESSAGE_LIMIT, head, read_message};
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Mailboxes in one file (RFC 4155 and its relatives).
///
/// A message begins at a line `From ` that follows a blank line or opens the file, and that either carries
/// a date as `asctime` writes it or nothing but one word and is followed by a header field. Where the blank
/// line is missing, a dated line that any header field follows, and one word that a usual one follows, also
/// begin a message.
///
/// * **mboxrd**: one `>` is taken from every line of `>`s before `From `.
/// * **mboxo** cannot be told from mboxrd by its content and is read in the same way: a line that was
///   `>From ` before it was stored comes out as `From `, as with every reader of mboxo.
/// * **mboxcl**, **mboxcl2**: a `Content-Length` is believed if a separator line or the end of the file
///   stands exactly where it leads. If a complete separator (blank line before, field after) lies
///   within, which only mboxcl2 may have, then all earlier messages and the next one must carry lengths too,
///   or the length counts as a lie. So a forged length cannot hide other messages. Messages with such
///   unquoted lines are not unquoted.
///
/// A message of more than [`MESSAGE_LIMIT`] bytes is refused with its size. Records are numbered from 1;
/// their offset is that of the `From ` line.
pub struct Mbox;

/// Blocks are emitted once they hold this much.
const BLOCK_TARGET: usize = 1024 * 1024;
/// How far past a separator line it may be necessary to look to judge it.
const LOOKAHEAD: usize = 4 * 1024;
/// How much of a message's header is searched for its length.
const HEADER_SEARCH: usize = 64 * 1024;
/// Bytes of a skipped message that are kept to see the blank line before the next separator.
const KEPT_TAIL: usize = 16;
/// In a block's context, marks a message whose lines are not quoted.
const UNQUOTED: u64 = 1 << 63;

impl Format for Mbox {
    fn name(&self) -> &'static str {
        "mbox"
    }

    fn description(&self) -> &'static str {
        "mailbox of many messages in one file (mboxo, mboxrd, mboxcl, mboxcl2)"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head::is_mailbox(head)
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        let mut window = Window::new(input);
        let mut pending = Pending::new();
        let mut outcome = SplitOutcome::default();
        loop {
            window.fill(LOOKAHEAD)?;
            if window.rest().is_empty() {
                break;
            }
            let offset = window.offset();
            match window.next_message()? {
                Extent::Whole { len, unquoted } => {
                    pending.push(offset, window.rest().get(..len).unwrap_or_default(), unquoted);
                    window.advance(len);
                }
                Extent::Skipped { size } => {
                    outcome.refusals.push(Refusal {
                        at: Position {
                            offset,
                            record: pending.next_record(),
                        },
                        records: 1,
                        reason: format!("message of {size} bytes exceeds the limit of {MESSAGE_LIMIT} bytes"),
                    });
                    if pending.flush(emit, 1).is_break() {
                        outcome.incomplete = true;
                        return Ok(outcome);
                    }
                }
            }
            if pending.bytes.len() >= BLOCK_TARGET && pending.flush(emit, 0).is_break() {
                outcome.incomplete = true;
                return Ok(outcome);
            }
        }
        outcome.incomplete = pending.flush(emit, 0).is_break();
        Ok(outcome)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let mut rest = block.bytes.as_slice();
        let mut at = Position {
            offset: block.offset,
            record: block.first_record,
        };
        for entry in block.context.chunks_exact(8) {
            let entry = u64::from_le_bytes(entry.try_into().unwrap_or_default());
            let len = usize::try_from(entry & !UNQUOTED).unwrap_or(usize::MAX);
            let (stored, after) = rest.split_at(len.min(rest.len()));
            let blank = stored.len() - head::skip_blank(stored).len();
            let start = Position {
                offset: at.offset + blank as u64,
                record: at.record,
            };
            let content = content_of(stored.get(blank..).unwrap_or_default());
            let message = if entry & UNQUOTED == 0 {
                unquote(content)
            } else {
                Cow::Borrowed(content)
            };
            read_message(&message, start, sink);
            rest = after;
            at = Position {
                offset: at.offset + stored.len() as u64,
                record: at.record + 1,
            };
        }
    }
}

/// Whether `bytes`, which begin with `From ` at the start of a line, are a separator.
pub(super) fn is_separator(bytes: &[u8]) -> bool {
    let (line, next) = first_line(bytes);
    words_after_from(line).is_some_and(|rest| is_dated(rest) || is_one_word(rest) && is_header_start(next))
}

/// A separator that can be nothing else: dated and followed by a header, or one word and followed by a
/// field that mail usually has.
fn is_complete_separator(bytes: &[u8]) -> bool {
    let (line, next) = first_line(bytes);
    words_after_from(line).is_some_and(|rest| {
        is_dated(rest) && is_header_start(next) || is_one_word(rest) && head::is_usual_field(next)
    })
}

/// What follows `From ` in a line that is not the header field `From :`.
fn words_after_from(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"From ")
        .filter(|_| head::field_name(line).is_none())
}

/// Whether `text` holds a month's name and after it a time: `Tue Jan  5 10:00:00 2021`.
fn is_dated(text: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
    ];
    let mut words = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let has_month = words.any(|word| MONTHS.iter().any(|month| word.eq_ignore_ascii_case(month)));
    let is_time = |word: &[u8]| {
        let mut parts = word.split(|&byte| byte == b':');
        let is_number = |part: Option<&[u8]>| {
            part.is_some_and(|part| matches!(part.len(), 1 | 2) && part.iter().all(u8::is_ascii_digit))
        };
        is_number(parts.next()) && is_number(parts.next())
    };
    has_month && words.any(is_time)
}

fn is_one_word(text: &[u8]) -> bool {
    text.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .count()
        <= 1
}

fn is_header_start(line: &[u8]) -> bool {
    head::field_name(line).is_some() || line.starts_with(b">From ")
}

/// The first line without its end, and the second.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let window = bytes.get(..bytes.len().min(LOOKAHEAD)).unwrap_or_default();
    let mut lines = window.split(|&byte| byte == b'\n');
    let line = lines.next().unwrap_or_default();
    (
        line.strip_suffix(b"\r").unwrap_or(line),
        lines.next().unwrap_or_default(),
    )
}

/// The message without its separator line and without the blank line that closes it.
fn content_of(stored: &[u8]) -> &[u8] {
    let without_line = if stored.starts_with(b"From ") {
        let end = memchr::memchr(b'\n', stored).map_or(stored.len(), |newline| newline + 1);
        stored.get(end..).unwrap_or_default()
    } else {
        stored
    };
    let closed = without_line
        .strip_suffix(b"\r\n")
        .or_else(|| without_line.strip_suffix(b"\n"));
    match closed {
        Some(shorter) if shorter.ends_with(b"\n") => shorter,
        _ => without_line,
    }
}

/// Takes one `>` from every line that consists of `>`s and `From `.
fn unquote(content: &[u8]) -> Cow<'_, [u8]> {
    let mut quotes = memmem::find_iter(content, b">From ").filter_map(|end| {
        let before = content.get(..end)?;
        let run = before.iter().rev().take_while(|&&byte| byte == b'>').count();
        let start = end - run;
        (start == 0 || content.get(start - 1) == Some(&b'\n')).then_some(start)
    });
    let Some(first) = quotes.next() else {
        return Cow::Borrowed(content);
    };
    let mut plain = Vec::with_capacity(content.len());
    let mut copied = 0;
    for start in std::iter::once(first).chain(quotes) {
        plain.extend_from_slice(content.get(copied..start).unwrap_or_default());
        copied = start + 1;
    }
    plain.extend_from_slice(content.get(copied..).unwrap_or_default());
    Cow::Owned(plain)
}

/// How far the message at the start of the window reaches.
enum Extent {
    /// It is in the window.
    Whole { len: usize, unquoted: bool },
    /// It was too large; it has been passed over.
    Skipped { size: u64 },
}

/// The stretch of the input that is in memory.
struct Window<'r> {
    input: &'r mut dyn BufRead,
    buffer: Vec<u8>,
    /// Where the part of `buffer` begins that was not yet passed.
    start: usize,
    /// Bytes of the evidence before `buffer`.
    base: u64,
    at_end: bool,
    /// All messages so far had lengths that were right.
    keeps_lengths: bool,
}

impl<'r> Window<'r> {
    fn new(input: &'r mut dyn BufRead) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            base: 0,
            at_end: false,
            keeps_lengths: true,
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    fn advance(&mut self, len: usize) {
        self.start += len;
        if self.start >= BLOCK_TARGET.max(self.buffer.len() / 2) {
            self.buffer.drain(..self.start.min(self.buffer.len()));
            self.base += self.start as u64;
            self.start = 0;
        }
    }

    /// Reads until `wanted` bytes are there, or the input ends.
    fn fill(&mut self, wanted: usize) -> Result<(), ReadError> {
        while !self.at_end && self.rest().len() < wanted {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    let offset = self.base + self.buffer.len() as u64;
                    return Err(ReadError::Io { offset, source });
                }
            };
            let count = available.len();
            self.at_end = count == 0;
            self.buffer.extend_from_slice(available);
            self.input.consume(count);
        }
        Ok(())
    }

    fn next_message(&mut self) -> Result<Extent, ReadError> {
        self.fill(HEADER_SEARCH)?;
        if let Some(extent) = self.by_length()? {
            return Ok(extent);
        }
        self.keeps_lengths = false;
        self.by_separator()
    }

    /// The message's extent by its `Content-Length`, if it has one that is to be believed.
    fn by_length(&mut self) -> Result<Option<Extent>, ReadError> {
        let Some((body_start, body_len)) = content_length(self.rest()) else {
            return Ok(None);
        };
        let Some(end) = body_start
            .checked_add(body_len)
            .filter(|end| *end <= MESSAGE_LIMIT)
        else {
            return Ok(None);
        };
        self.fill(end + HEADER_SEARCH)?;
        let Some(after) = self.rest().get(end..) else {
            return Ok(None);
        };
        let blank = after
            .iter()
            .take(4)
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let next = after.get(blank..).unwrap_or_default();
        let ends_here = next.is_empty() || next.starts_with(b"From ") && is_separator(next);
        if !ends_here {
            return Ok(None);
        }
        let body = self.rest().get(..end).unwrap_or_default();
        let inner = || memmem::find_iter(body, b"\nFrom ").map(|newline| newline + 1);
        let swallows = inner().any(|start| {
            follows_blank(body, start) && is_complete_separator(body.get(start..).unwrap_or_default())
        });
        if swallows && !(self.keeps_lengths && (next.is_empty() || content_length(next).is_some())) {
            return Ok(None);
        }
        let unquoted = inner().next().is_some();
        Ok(Some(Extent::Whole {
            len: end + blank,
            unquoted,
        }))
    }

    /// The message's extent by where the next separator stands.
    fn by_separator(&mut self) -> Result<Extent, ReadError> {
        const NEEDLE: &[u8] = b"\nFrom ";
        let finder = memmem::Finder::new(NEEDLE);
        let mut skipped: u64 = 0;
        let mut searched = 0;
        loop {
            if let Some(found) = finder.find(self.rest().get(searched..).unwrap_or_default()) {
                let candidate = searched + found + 1;
                self.fill(candidate + LOOKAHEAD)?;
                let bytes = self.rest().get(candidate..).unwrap_or_default();
                let begins = is_complete_separator(bytes)
                    || follows_blank(self.rest(), candidate) && is_separator(bytes);
                if begins {
                    return Ok(self.extent(candidate, skipped));
                }
                searched = candidate;
            } else if self.at_end {
                return Ok(self.extent(self.rest().len(), skipped));
            } else {
                searched = searched.max(self.rest().len().saturating_sub(NEEDLE.len()));
                self.fill(self.rest().len() + 64 * 1024)?;
            }
            if searched > MESSAGE_LIMIT || skipped > 0 && searched > BLOCK_TARGET {
                let passed = searched - KEPT_TAIL;
                skipped += passed as u64;
                self.advance(passed);
                searched = KEPT_TAIL;
            }
        }
    }

    fn extent(&mut self, len: usize, skipped: u64) -> Extent {
        if skipped == 0 && len <= MESSAGE_LIMIT {
            return Extent::Whole { len, unquoted: false };
        }
        self.advance(len);
        Extent::Skipped {
            size: skipped + len as u64,
        }
    }
}

/// Where the body of the message at the start of `bytes` begins, and the length that its header declares.
fn content_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut declared = None;
    let mut start = 0;
    let window = bytes.get(..bytes.len().min(HEADER_SEARCH))?;
    while let Some(newline) = memchr::memchr(b'\n', window.get(start..)?) {
        let line = window.get(start..start + newline)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let next = start + newline + 1;
        if line.is_empty() && start > 0 {
            return declared.map(|len| (next, len));
        }
        if declared.is_none() && line.len() < 64 && head::field_name(line).is_some_and(is_length) {
            let value = line.rsplit(|&byte| byte == b':').next()?;
            declared = std::str::from_utf8(value).ok()?.trim().parse().ok();
        }
        start = next;
    }
    None
}

fn is_length(name: &str) -> bool {
    name.eq_ignore_ascii_case("Content-Length")
}

/// Whether the line at `start` follows a blank one.
fn follows_blank(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(..start).unwrap_or_default();
    before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n")
}

/// Messages that wait for their block to be full.
struct Pending {
    offset: u64,
    first_record: u64,
    count: u64,
    bytes: Vec<u8>,
    context: Vec<u8>,
}

impl Pending {
    const fn new() -> Self {
        Self {
            offset: 0,
            first_record: 1,
            count: 0,
            bytes: Vec::new(),
            context: Vec::new(),
        }
    }

    const fn next_record(&self) -> u64 {
        self.first_record + self.count
    }

    fn push(&mut self, offset: u64, message: &[u8], unquoted: bool) {
        if self.count == 0 {
            self.offset = offset;
        }
        self.count += 1;
        self.bytes.extend_from_slice(message);
        let entry = message.len() as u64 | if unquoted { UNQUOTED } else { 0 };
        self.context.extend_from_slice(&entry.to_le_bytes());
    }

    /// Emits what waits, then counts `refused` further records that are in no block.
    fn flush(&mut self, emit: &mut dyn FnMut(Block) -> ControlFlow<()>, refused: u64) -> ControlFlow<()> {
        let first_record = self.first_record;
        self.first_record += self.count + refused;
        if self.count == 0 {
            return ControlFlow::Continue(());
        }
        self.count = 0;
        emit(Block {
            offset: self.offset,
            first_record,
            context: Arc::from(std::mem::take(&mut self.context)),
            bytes: std::mem::take(&mut self.bytes),
        })
    }
}
