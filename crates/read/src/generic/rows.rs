//! CSV → blocks of whole rows.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::Position;
use memchr::{memchr, memchr2};

use super::csv::{TAG, is_blank, sniff};
use super::map::FieldMap;
use crate::textinput::TextInput;
use crate::watch::{Nobody, Watch, strike};
use crate::window::Window;
use crate::{Block, HEAD_LEN, ReadError, SplitOutcome};

/// Rows longer than this are refused: a quote was lost.
const MAX_ROW: usize = 1 << 20;

/// Blocks are cut as soon as they are this long.
const BLOCK_LEN: usize = 1 << 20;

/// Cuts CSV into blocks of whole rows. A row whose quotes do not end is refused here; the next line
/// is then taken for the next row, so that a lost quote costs one row.
pub(super) fn split(
    input: &mut dyn BufRead,
    map: &FieldMap,
    emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
) -> Result<SplitOutcome, ReadError> {
    split_watched(input, &|head| sniff(head, map), &mut Nobody, emit)
}

/// As [`split`], for a table whose delimiter `sniff` finds in its head, with somebody looking on.
pub(crate) fn split_watched(
    input: &mut dyn BufRead,
    sniff: &dyn Fn(&[u8]) -> Option<u8>,
    watch: &mut dyn Watch,
    emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
) -> Result<SplitOutcome, ReadError> {
    let mut input = TextInput::open(input)?;
    let mut window = Window::at_start(&input);
    let mut more = input.fill(&mut window.bytes, BLOCK_LEN)?;
    let head = window.bytes.get(..HEAD_LEN).unwrap_or(&window.bytes);
    let mut splitter = Splitter {
        delimiter: sniff(head).unwrap_or(b','),
        context: None,
        window,
        drops_line: false,
        watch,
        outcome: SplitOutcome::default(),
        emit,
    };
    loop {
        if splitter.cut(more).is_break() {
            splitter.outcome.incomplete = true;
            return Ok(splitter.outcome);
        }
        if !more {
            return Ok(splitter.outcome);
        }
        let wanted = splitter.window.bytes.len() + BLOCK_LEN;
        more = input.fill(&mut splitter.window.bytes, wanted)?;
    }
}

struct Splitter<'e> {
    delimiter: u8,
    /// What every block needs to know, once the header was met.
    context: Option<Arc<[u8]>>,
    window: Window,
    /// `window` begins within a line that was refused.
    drops_line: bool,
    watch: &'e mut dyn Watch,
    outcome: SplitOutcome,
    emit: &'e mut dyn FnMut(Block) -> ControlFlow<()>,
}

/// The row that begins somewhere.
enum Row {
    /// It ends before this place.
    Whole(usize),
    /// More has to be read.
    Unfinished,
    /// It never ends, or not soon; its line ends before this place.
    Broken(usize),
    /// Nor does its line.
    BrokenLine,
}

impl Splitter<'_> {
    /// Emits the whole rows of the window and keeps the rest.
    fn cut(&mut self, more: bool) -> ControlFlow<()> {
        if self.drops_line {
            let newline = memchr(b'\n', &self.window.bytes);
            self.drops_line = newline.is_none();
            self.window
                .skip(newline.map_or(self.window.bytes.len(), |newline| newline + 1));
        }
        let mut at = 0;
        let mut records = 0;
        while at < self.window.bytes.len() {
            match self.row(at, more) {
                Row::Unfinished => break,
                Row::Whole(end) if self.window.bytes.get(at..end).is_none_or(is_blank) => at = end,
                Row::Whole(end) if self.context.is_none() => {
                    let mut context = vec![TAG, self.window.encoding().tag(), self.delimiter];
                    let line = self.window.bytes.get(at..end).unwrap_or_default();
                    self.watch.header(line, self.delimiter);
                    context.extend_from_slice(line);
                    self.context = Some(context.into());
                    self.window.skip(end);
                    at = 0;
                }
                Row::Whole(end) => {
                    self.show(at, end, records);
                    records += 1;
                    at = end;
                }
                broken => {
                    self.emit_first(at, records)?;
                    let end = match broken {
                        Row::Broken(end) => end - at,
                        _ => self.window.bytes.len(),
                    };
                    self.drops_line = matches!(broken, Row::BrokenLine);
                    let refusal = self.window.refuse(0, end, NO_END);
                    self.outcome.refusals.push(refusal);
                    (at, records) = (0, 0);
                }
            }
        }
        self.emit_first(at, records)
    }

    /// Shows the row that is the `number`-th of the window to the one who looks on, and strikes it out
    /// if he does not want it.
    fn show(&mut self, start: usize, end: usize, number: u64) {
        if !self.watch.looks() {
            return;
        }
        let position = Position {
            offset: self.window.offset_of(start),
            record: self.window.at().record + number,
        };
        let Some(line) = self.window.bytes.get_mut(start..end) else {
            return;
        };
        let content = line.trim_ascii_end().len();
        if let Some(row) = line.get_mut(..content)
            && !self.watch.record(row, position)
        {
            strike(row);
        }
    }

    fn row(&self, start: usize, more: bool) -> Row {
        let rest = self.window.bytes.get(start..).unwrap_or_default();
        let line_end = memchr(b'\n', rest);
        match (row_end(rest, self.delimiter), line_end) {
            (RowEnd::At(end), _) => Row::Whole(start + end),
            _ if more && rest.len() <= MAX_ROW => Row::Unfinished,
            (RowEnd::InLine, _) if !more => Row::Whole(self.window.bytes.len()),
            (_, Some(newline)) => Row::Broken(start + newline + 1),
            (_, None) => Row::BrokenLine,
        }
    }

    /// Emits the first `cut` bytes of the window, which hold `records` rows.
    fn emit_first(&mut self, cut: usize, records: u64) -> ControlFlow<()> {
        let Some(context) = &self.context else {
            self.window.skip(cut);
            return ControlFlow::Continue(());
        };
        match self.window.take(cut, records, context) {
            Some(block) => (self.emit)(block),
            None => ControlFlow::Continue(()),
        }
    }
}

const NO_END: &str = "the row, or a quote in it, does not end within 1 MiB";

enum RowEnd {
    /// Behind the line end of the row.
    At(usize),
    /// The bytes end in the row's last cell.
    InLine,
    /// The bytes end within quotes.
    InQuotes,
}

/// Where the row ends that `bytes` begin with. As for the csv crate, quotes count at the start of a
/// cell only.
fn row_end(bytes: &[u8], delimiter: u8) -> RowEnd {
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            match quoted_end(bytes, at + 1) {
                Some(end) => at = end,
                None => return RowEnd::InQuotes,
            }
        }
        let Some(stop) = bytes.get(at..).and_then(|rest| memchr2(delimiter, b'\n', rest)) else {
            return RowEnd::InLine;
        };
        at += stop + 1;
        if bytes.get(at - 1) == Some(&b'\n') {
            return RowEnd::At(at);
        }
    }
}

/// Behind the quote that ends the cell whose content begins at `at`.
fn quoted_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(b'"', bytes.get(at..)?)? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// The cell number `wanted` of a row, as it is written, quotes included.
pub(crate) fn cell(row: &[u8], delimiter: u8, wanted: usize) -> Option<&[u8]> {
    let mut start = 0;
    for _ in 0..wanted {
        start += cell_end(row.get(start..)?, delimiter)? + 1;
    }
    let rest = row.get(start..)?;
    rest.get(..cell_end(rest, delimiter).unwrap_or(rest.len()))
}

/// Where the delimiter stands that ends the cell which `bytes` begin with.
fn cell_end(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let content = match bytes.first() {
        Some(b'"') => quoted_end(bytes, 1)?,
        _ => 0,
    };
    let found = memchr(delimiter, bytes.get(content..)?)?;
    Some(content + found)
}
