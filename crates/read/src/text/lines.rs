//! Logs of one record a line: cutting them into blocks, with what directives say that recur among them.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::Position;
use memchr::{memchr, memrchr};

use crate::json::Lines;
use crate::textinput::{Encoding, TextInput, decode_head};
use crate::window::Window;
use crate::{Block, ReadError, SplitOutcome};

/// Blocks are cut as soon as they are this long.
const BLOCK_LEN: usize = 1 << 20;

/// Lines longer than this are refused.
const MAX_LINE: usize = 1 << 20;

/// No line of a header is longer.
const MAX_HEADER: usize = 16 * 1024;

/// Three directives of a header, each the newest of its name, which hold for the lines that follow; every other line
/// that begins with `#` is none of a record.
pub(crate) struct Header {
    names: [&'static [u8]; 3],
    /// A line each.
    text: Vec<u8>,
    about: [Vec<u8>; 3],
}

impl Header {
    /// The directives that begin with `names`.
    pub(crate) fn of(names: [&'static [u8]; 3]) -> Self {
        Self {
            names,
            text: Vec::new(),
            about: Default::default(),
        }
    }
}

impl Cutting for Header {
    fn directive(&mut self, line: &[u8]) -> bool {
        let Some(which) = self.names.iter().position(|name| line.starts_with(name)) else {
            return line.starts_with(b"#");
        };
        if line.len() <= MAX_HEADER
            && let Some(slot) = self.about.get_mut(which)
        {
            *slot = line.to_vec();
            self.text = self.about.join(&b'\n');
        }
        true
    }

    fn context(&self) -> &[u8] {
        &self.text
    }
}

/// What a format says about its lines while they are cut.
pub(crate) trait Cutting {
    /// Whether a line tells how to read those that follow; it is no record then.
    fn directive(&mut self, line: &[u8]) -> bool {
        let _ = line;
        false
    }

    /// What the directives so far come to: handed to the parser as the block's context.
    fn context(&self) -> &[u8] {
        &[]
    }

    /// Where to cut `lines`, which end with a line end and are not the last of the evidence, so that
    /// lines which belong together stay together.
    fn cut(&self, lines: &[u8]) -> usize {
        lines.len()
    }
}

/// For logs whose lines stand each for itself.
pub(crate) struct Plain;

impl Cutting for Plain {}

/// Cuts lines into blocks. A block holds no directives but at its start, and only lines that the same
/// directives hold for.
pub(crate) fn split(
    input: &mut dyn BufRead,
    cutting: &mut dyn Cutting,
    emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
) -> Result<SplitOutcome, ReadError> {
    let mut input = TextInput::open(input)?;
    let mut outcome = SplitOutcome::default();
    let mut window = Window::at_start(&input);
    let mut skips_line = false;
    loop {
        let wanted = window.bytes.len() + BLOCK_LEN;
        let more = input.fill(&mut window.bytes, wanted)?;
        if skips_line {
            let newline = memchr(b'\n', &window.bytes);
            skips_line = newline.is_none();
            window.skip(newline.map_or(window.bytes.len(), |newline| newline + 1));
        }
        let lines_end = memrchr(b'\n', &window.bytes).map_or(0, |newline| newline + 1);
        let cut = match more {
            true => cutting
                .cut(window.bytes.get(..lines_end).unwrap_or_default())
                .min(lines_end),
            false => window.bytes.len(),
        };
        if emit_lines(&mut window, cut, cutting, emit).is_break() {
            outcome.incomplete = true;
            return Ok(outcome);
        }
        if !more {
            return Ok(outcome);
        }
        if window.bytes.len() > MAX_LINE && memchr(b'\n', &window.bytes).is_none() {
            let refusal = window.refuse(0, window.bytes.len(), "the line is longer than 1 MiB");
            outcome.refusals.push(refusal);
            skips_line = true;
        }
    }
}

/// Emits the first `cut` bytes of the window as one block, or as several where directives stand among them.
fn emit_lines(
    window: &mut Window,
    cut: usize,
    cutting: &mut dyn Cutting,
    emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
) -> ControlFlow<()> {
    // Lengths and numbers of records, and what holds for them.
    let mut pieces: Vec<(usize, u64, Arc<[u8]>)> = Vec::new();
    let tag = window.encoding().tag();
    let context = |cutting: &dyn Cutting| -> Arc<[u8]> { [&[tag], cutting.context()].concat().into() };
    let mut start = 0;
    let mut records = 0;
    for (at, line) in Lines::new(window.bytes.get(..cut).unwrap_or_default()) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        if line.first() != Some(&b'#') {
            records += 1;
            continue;
        }
        let before = context(cutting);
        if !cutting.directive(line) {
            records += 1;
        } else if before.get(1..) != Some(cutting.context()) {
            pieces.push((at - start, records, before));
            (start, records) = (at, 0);
        }
    }
    let last = context(cutting);
    let all = records + pieces.iter().map(|(_, records, _)| records).sum::<u64>();
    let Some(whole) = window.take(cut, all, &last) else {
        return ControlFlow::Continue(());
    };
    if pieces.is_empty() {
        return emit(whole);
    }
    pieces.push((cut - start, records, last));
    // Copied from the whole, so that many directives cost no more than few.
    let mut start = 0;
    let (mut offset, mut first_record) = (whole.offset, whole.first_record);
    for (length, records, context) in pieces {
        let bytes = whole.bytes.get(start..start + length).unwrap_or_default();
        let block = Block {
            offset,
            first_record,
            context,
            bytes: bytes.to_vec(),
        };
        start += length;
        offset += window.encoding().source_len(bytes);
        first_record += records;
        if records > 0 {
            emit(block)?;
        }
    }
    ControlFlow::Continue(())
}

/// The lines of a block that [`split`] made which are not blank, each with its place, without its end.
/// Bytes that are not UTF-8 are read as U+FFFD.
pub(crate) fn each_line<'b>(
    block: &'b Block,
    is_directive: &dyn Fn(&[u8]) -> bool,
    visit: &mut dyn FnMut(Position, &str),
) {
    let encoding = block
        .context
        .first()
        .map_or(Encoding::Utf8, |tag| Encoding::from_tag(*tag));
    // One check of the whole block is much cheaper than one for each of its lines.
    let text: Option<&'b str> = std::str::from_utf8(&block.bytes).ok();
    let mut at = Position {
        offset: block.offset,
        record: block.first_record,
    };
    let mut counted = 0;
    for (start, line) in Lines::new(&block.bytes) {
        let line = line.trim_ascii_end();
        if line.is_empty() || is_directive(line) {
            continue;
        }
        at.offset += match encoding {
            Encoding::Utf8 => (start - counted) as u64,
            other => other.source_len(block.bytes.get(counted..start).unwrap_or_default()),
        };
        counted = start;
        match text.and_then(|text| text.get(start..start + line.len())) {
            Some(line) => visit(at, line),
            None => visit(at, &String::from_utf8_lossy(line)),
        }
        at.record += 1;
    }
}

/// The context that [`Cutting`] gave for a block.
pub(crate) fn context(block: &Block) -> Cow<'_, str> {
    String::from_utf8_lossy(block.context.get(1..).unwrap_or_default())
}

/// Whether at least half of the first 20 lines of content that begins with `head` are records, and any is.
pub(crate) fn at_least_half(head: &[u8], is_record: impl Fn(&str) -> bool) -> bool {
    let text = decode_head(head);
    let lines = first_lines(&text, 20);
    let fitting = lines.iter().filter(|line| is_record(line)).count();
    fitting > 0 && fitting * 2 >= lines.len()
}

/// The first whole lines of content that begins with `head` (UTF-8): up to `at_most` that are not blank.
pub(crate) fn first_lines(head: &[u8], at_most: usize) -> Vec<&str> {
    let whole = match memrchr(b'\n', head) {
        Some(newline) if head.len() > 4_096 => head.get(..newline).unwrap_or_default(),
        _ => head,
    };
    let lines = Lines::new(whole).map(|(_, line)| line.trim_ascii_end());
    let lines = lines.filter(|line| !line.is_empty()).take(at_most);
    lines.filter_map(|line| std::str::from_utf8(line).ok()).collect()
}
