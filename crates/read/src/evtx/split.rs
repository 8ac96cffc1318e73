//! Cutting a file into blocks of whole chunks.
//!
//! Chunks are expected every 64 KiB. Where none begins, its place is still a block of its own,
//! because a chunk whose header alone is damaged keeps its records; and if bytes went missing, the
//! next chunk is searched for by its magic.

use std::io::{BufRead, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Position, Refusal};

use super::bytes::{u16_at, u32_at};
use super::{CHUNK_LEN, CHUNK_MAGIC, FILE_HEADER_LEN, FILE_MAGIC};
use crate::{Block, ReadError, SplitOutcome};

/// A few chunks: small enough to be parsed while still in the processor's cache, large enough to be
/// worth handing to another thread.
const BLOCK_LEN: usize = 4 * CHUNK_LEN;

/// What is known of a chunk's checksums before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Checksums {
    /// They must be right.
    Expected,
    /// The log was in use when it was copied: its last chunks are not summed up yet.
    Open,
}

/// What the block's context says of its checksums.
pub(super) fn checksums_of(context: &[u8]) -> Checksums {
    match context {
        [0] => Checksums::Expected,
        _ => Checksums::Open,
    }
}

pub(super) fn split(
    input: &mut dyn BufRead,
    emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
) -> Result<SplitOutcome, ReadError> {
    let mut window = Window {
        input,
        bytes: Vec::new(),
        offset: 0,
        is_last: false,
    };
    let mut outcome = SplitOutcome::default();
    window.fill(FILE_HEADER_LEN + CHUNK_LEN)?;
    let header = FileHeader::of(&window.bytes, &mut outcome);
    let context: Arc<[u8]> = Arc::new([u8::from(header.is_dirty)]);
    window.skip(header.len);

    let mut chunks = 0_u64;
    let mut ends_within_chunk = false;
    let mut zeroes: Option<(u64, u64)> = None;
    loop {
        window.fill(BLOCK_LEN + 2 * CHUNK_LEN)?;
        let offset = window.offset;
        let piece = next_piece(&window.bytes);
        if let Piece::Zeroes(len) = piece {
            window.skip(len);
            ends_within_chunk = false;
            zeroes = Some(zeroes.map_or((offset, len as u64), |(start, before)| {
                (start, before + len as u64)
            }));
            continue;
        }
        let is_end = matches!(piece, Piece::Chunks(0));
        outcome
            .refusals
            .extend(zeroes.take().map(|(start, len)| zeroed(start, len, is_end)));
        if is_end {
            outcome.incomplete |= ends_within_chunk;
            break;
        }
        let (len, count) = match piece {
            Piece::Chunks(len) => (len, len.div_ceil(CHUNK_LEN)),
            // It stands where a chunk should.
            Piece::Zeroes(len) | Piece::Other(len) => (len, usize::from(len == CHUNK_LEN)),
        };
        chunks += count as u64;
        let bytes = window.take(len);
        ends_within_chunk = !bytes.len().is_multiple_of(CHUNK_LEN);
        let block = Block {
            offset,
            first_record: 0,
            context: Arc::clone(&context),
            bytes,
        };
        if emit(block).is_break() {
            outcome.incomplete = true;
            return Ok(outcome);
        }
    }
    if let Some(missing) = header.missing(chunks) {
        outcome.incomplete = true;
        outcome.refusals.push(Refusal {
            at: Position {
                offset: window.offset,
                record: 0,
            },
            records: 0,
            reason: missing,
        });
    }
    Ok(outcome)
}

fn zeroed(start: u64, len: u64, is_end: bool) -> Refusal {
    let meaning = match is_end {
        true => "space that the log had not used yet",
        false => "chunks that were never written, or were overwritten",
    };
    Refusal {
        at: Position {
            offset: start,
            record: 0,
        },
        records: 0,
        reason: format!("{len} bytes of zeroes: {meaning}"),
    }
}

/// What the file's header says that can be used.
struct FileHeader {
    /// Its length in this evidence; 0 where a lone chunk begins at once.
    len: usize,
    is_dirty: bool,
    /// The number of chunks, where it can be relied upon.
    chunks: Option<u16>,
}

impl FileHeader {
    fn of(bytes: &[u8], outcome: &mut SplitOutcome) -> Self {
        if bytes.starts_with(CHUNK_MAGIC) {
            return Self {
                len: 0,
                is_dirty: true,
                chunks: None,
            };
        }
        if !bytes.starts_with(FILE_MAGIC) || bytes.len() < FILE_HEADER_LEN {
            outcome.incomplete |= bytes.len() < FILE_HEADER_LEN;
            outcome.refusals.push(Refusal {
                at: Position::START,
                records: 0,
                reason: "the file header is damaged; the chunks behind it were read without it".to_owned(),
            });
            return Self {
                len: FILE_HEADER_LEN,
                is_dirty: true,
                chunks: None,
            };
        }
        const DIRTY: u32 = 1;
        let is_dirty = u32_at(bytes, 120).is_none_or(|flags| flags & DIRTY != 0);
        Self {
            len: FILE_HEADER_LEN,
            is_dirty,
            chunks: u16_at(bytes, 42).filter(|_| !is_dirty),
        }
    }

    /// What is missing if `found` chunks are all there are. The count wraps at 65,536.
    fn missing(&self, found: u64) -> Option<String> {
        let expected = self.chunks?;
        let is_fewer = found < u64::from(expected);
        is_fewer.then(|| format!("the file header speaks of {expected} chunks, {found} are here"))
    }
}

/// The bytes that are being looked at.
struct Window<'a> {
    input: &'a mut dyn BufRead,
    bytes: Vec<u8>,
    /// Where they lie in the evidence.
    offset: u64,
    /// Nothing follows.
    is_last: bool,
}

impl Window<'_> {
    fn fill(&mut self, len: usize) -> Result<(), ReadError> {
        let missing = len.saturating_sub(self.bytes.len());
        if missing == 0 || self.is_last {
            return Ok(());
        }
        self.bytes.reserve(missing);
        let mut input = (&mut *self.input).take(missing as u64);
        let read = input.read_to_end(&mut self.bytes);
        let offset = self.offset + self.bytes.len() as u64;
        let count = read.map_err(|source| ReadError::Io { offset, source })?;
        self.is_last = count < missing;
        Ok(())
    }

    fn skip(&mut self, len: usize) {
        let skipped = self.bytes.drain(..len.min(self.bytes.len())).count();
        self.offset += skipped as u64;
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let rest = self.bytes.split_off(len.min(self.bytes.len()));
        let taken = std::mem::replace(&mut self.bytes, rest);
        self.offset += taken.len() as u64;
        taken
    }
}

/// What a file goes on with, and how many bytes of it make a block.
#[derive(Debug, PartialEq)]
enum Piece {
    /// Chunks; the last may be cut short. None if nothing is left.
    Chunks(usize),
    Zeroes(usize),
    Other(usize),
}

fn next_piece(bytes: &[u8]) -> Piece {
    if bytes.is_empty() || bytes.starts_with(CHUNK_MAGIC) {
        return Piece::Chunks(chunks(bytes));
    }
    let slot = &bytes[..bytes.len().min(CHUNK_LEN)];
    if slot.iter().all(|byte| *byte == 0) {
        return Piece::Zeroes(slot.len());
    }
    let next_magic = memchr::memmem::find(slot, CHUNK_MAGIC).filter(|at| begins_chunks(bytes, *at));
    Piece::Other(next_magic.unwrap_or(slot.len()))
}

/// The length of the chunks that `bytes` begin with, up to a block's.
fn chunks(bytes: &[u8]) -> usize {
    let mut end = 0;
    while end < BLOCK_LEN && bytes[end..].starts_with(CHUNK_MAGIC) {
        let next = end + CHUNK_LEN;
        let Some(rest) = bytes.get(next..) else {
            return bytes.len();
        };
        let goes_on = rest.is_empty() || rest.starts_with(CHUNK_MAGIC);
        // Bytes may be missing from this chunk, so that the next begins early. Its magic alone
        // does not prove it: anybody can write it into an event.
        let begins_early = || {
            let behind_magic = end + CHUNK_MAGIC.len();
            let at = behind_magic + memchr::memmem::find(&bytes[behind_magic..next], CHUNK_MAGIC)?;
            begins_chunks(bytes, at).then_some(at)
        };
        if !goes_on && let Some(early) = begins_early() {
            return early;
        }
        end = next;
    }
    end
}

/// Whether the magic at `at` is followed, a chunk's length on, by another or by the end.
fn begins_chunks(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at + CHUNK_LEN..)
        .is_none_or(|rest| rest.is_empty() || rest.starts_with(CHUNK_MAGIC))
}
