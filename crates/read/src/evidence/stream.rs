//! A stream of content that is measured while it is read.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::rc::Rc;

use blackrod_model::Sha256;
use sha2::Digest as _;

use super::limits::Budget;
use crate::format::HEAD_LEN;

/// How much is read at once. Large enough that the cost of a call vanishes beside that of hashing.
const BUFFER_LEN: usize = 128 * 1024;

/// Content on its way from a file or a container to a format: counted, hashed, kept within limits.
///
/// A fault of the content underneath (a damaged compressed stream, a disk error) and a limit that
/// was reached both end the stream with an error and are remembered as its [`Fault`].
pub(crate) struct Stream<'r> {
    input: &'r mut dyn Read,
    budget: Rc<Budget>,
    packed: Packed,
    hasher: Option<sha2::Sha256>,
    /// Bytes taken from `input`, shared with those who unpack this stream.
    taken: Rc<Cell<u64>>,
    fault: Option<Fault>,
    ended: bool,
    /// Empty until the first read, then of one size.
    buffer: Vec<u8>,
    /// The part of `buffer` that was read and not given out.
    waiting: Range<usize>,
}

/// How many packed bytes content stands for.
#[derive(Clone, Debug)]
pub(crate) enum Packed {
    /// It is not packed.
    Not,
    /// This many.
    Bytes(u64),
    /// Those that were taken from another stream since it stood at `since`.
    Since {
        /// The other stream's counter.
        taken: Rc<Cell<u64>>,
        /// Where it stood.
        since: u64,
    },
}

/// Why a stream ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Fault {
    /// Bytes of the stream before it.
    pub(crate) offset: u64,
    /// In words for a person.
    pub(crate) reason: String,
}

impl<'r> Stream<'r> {
    /// A file on disk, whose digest is known already.
    pub(crate) fn of_file(input: &'r mut dyn Read, budget: Rc<Budget>) -> Self {
        Self::new(input, budget, Packed::Not, None)
    }

    /// A member of a container.
    pub(crate) fn of_member(input: &'r mut dyn Read, budget: Rc<Budget>, packed: Packed) -> Self {
        Self::new(input, budget, packed, Some(sha2::Sha256::new()))
    }

    fn new(
        input: &'r mut dyn Read,
        budget: Rc<Budget>,
        packed: Packed,
        hasher: Option<sha2::Sha256>,
    ) -> Self {
        Self {
            input,
            budget,
            packed,
            hasher,
            taken: Rc::new(Cell::new(0)),
            fault: None,
            ended: false,
            buffer: Vec::new(),
            waiting: 0..0,
        }
    }

    /// The first [`HEAD_LEN`] bytes, or all of a shorter stream. Only before anything was read.
    pub(crate) fn head(&mut self) -> &[u8] {
        self.peek(HEAD_LEN)
    }

    /// The next `count` bytes (up to [`BUFFER_LEN`]), or all that are left.
    pub(crate) fn peek(&mut self, count: usize) -> &[u8] {
        let wanted = count.min(BUFFER_LEN);
        if self.waiting.len() < wanted && !self.ended {
            let mut buffer = self.take_buffer();
            buffer.copy_within(self.waiting.clone(), 0);
            let mut filled = self.waiting.len();
            while filled < wanted && !self.ended {
                // A fault stays until it is met again by reading.
                let Ok(got) = self.take(&mut buffer[filled..]) else {
                    break;
                };
                filled += got;
            }
            self.buffer = buffer;
            self.waiting = 0..filled;
        }
        let available = &self.buffer[self.waiting.clone()];
        &available[..wanted.min(available.len())]
    }

    /// Bytes that were given out.
    pub(crate) fn offset(&self) -> u64 {
        self.taken.get() - self.waiting.len() as u64
    }

    /// What packs the content that is read from this stream from now on.
    pub(crate) fn as_packed(&self) -> Packed {
        Packed::Since {
            taken: Rc::clone(&self.taken),
            since: self.offset(),
        }
    }

    pub(crate) fn budget(&self) -> &Rc<Budget> {
        &self.budget
    }

    /// Why the stream ended early, if it did.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// Reads what is left, for the digest's sake.
    pub(crate) fn drain(&mut self) {
        self.waiting = 0..0;
        while self.fill_buf().is_ok_and(|rest| !rest.is_empty()) {
            self.waiting = 0..0;
        }
    }

    /// The digest of what was read, unless it was known before, and its length.
    pub(crate) fn finish(self) -> (Option<Sha256>, u64) {
        self.budget.put_back(self.buffer);
        let digest = self.hasher.map(|hasher| Sha256(hasher.finalize().into()));
        (digest, self.taken.get())
    }

    /// The buffer, to be filled and put back.
    fn take_buffer(&mut self) -> Vec<u8> {
        match self.buffer.is_empty() {
            true => self.budget.spare_buffer().unwrap_or_else(|| vec![0; BUFFER_LEN]),
            false => std::mem::take(&mut self.buffer),
        }
    }

    /// Reads into `out` from below.
    fn take(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.check_limits()?;
        let count = loop {
            match self.input.read(out) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let reason = error.to_string();
                    return Err(self.fail(reason));
                }
            }
        };
        self.ended = count == 0 && !out.is_empty();
        self.taken.set(self.taken.get() + count as u64);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&out[..count]);
            self.budget.add_unpacked(count as u64);
        }
        Ok(count)
    }

    fn check_limits(&mut self) -> io::Result<()> {
        if let Some(fault) = &self.fault {
            return Err(io::Error::other(fault.clone()));
        }
        self.budget.check_time();
        let reached = self.budget.spent().or_else(|| self.own_limit());
        match reached {
            Some(limit) => Err(self.fail(format!("stopped at a limit: {limit}"))),
            None => Ok(()),
        }
    }

    fn own_limit(&self) -> Option<String> {
        let limits = &self.budget.limits;
        let packed = match &self.packed {
            Packed::Not => return None,
            Packed::Bytes(bytes) => *bytes,
            Packed::Since { taken, since } => taken.get().saturating_sub(*since),
        };
        let unpacked = self.taken.get();
        if unpacked > limits.member_bytes {
            Some(format!("{} bytes in one member", limits.member_bytes))
        } else if self.budget.is_beyond_ratio(unpacked, packed) {
            Some(format!("unpacked {} times its packed size", limits.ratio))
        } else {
            None
        }
    }

    fn fail(&mut self, reason: String) -> io::Error {
        let offset = self.taken.get();
        let fault = self.fault.insert(Fault { offset, reason });
        io::Error::other(fault.clone())
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.waiting.is_empty() && out.len() >= BUFFER_LEN {
            return self.take(out);
        }
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Stream<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.waiting.is_empty() && !self.ended {
            let mut buffer = self.take_buffer();
            let taken = self.take(&mut buffer);
            self.buffer = buffer;
            self.waiting = 0..taken?;
        }
        Ok(&self.buffer[self.waiting.clone()])
    }

    fn consume(&mut self, count: usize) {
        self.waiting.start = (self.waiting.start + count).min(self.waiting.end);
    }
}
