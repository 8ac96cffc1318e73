//! The part of a text that was read and not yet handed on.

use std::sync::Arc;

use blackrod_model::{Position, Refusal};

use crate::Block;
use crate::textinput::{Encoding, TextInput};

/// Bytes of UTF-8 that wait to be cut into blocks, with their place in the evidence. What leaves them at the front,
/// in whichever way, moves the place on.
pub(crate) struct Window {
    /// What waits; read more to its end, change what is struck out, and take off its front by the methods below only.
    pub(crate) bytes: Vec<u8>,
    encoding: Encoding,
    /// Of the first byte, and the number of the first record.
    at: Position,
}

impl Window {
    /// At the start of `input`, with nothing read.
    pub(crate) fn at_start(input: &TextInput<'_>) -> Self {
        Self {
            bytes: Vec::new(),
            encoding: input.encoding(),
            at: Position {
                offset: input.start(),
                record: 1,
            },
        }
    }

    /// How the text is encoded in the evidence.
    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The place of the first byte and the number of the first record.
    pub(crate) const fn at(&self) -> Position {
        self.at
    }

    /// The place in the evidence of the byte number `index`.
    pub(crate) fn offset_of(&self, index: usize) -> u64 {
        self.at.offset
            + self
                .encoding
                .source_len(self.bytes.get(..index).unwrap_or(&self.bytes))
    }

    /// Takes the first `length` bytes, which hold `records` records; no block where they hold none.
    pub(crate) fn take(&mut self, length: usize, records: u64, context: &Arc<[u8]>) -> Option<Block> {
        let rest = self.bytes.split_off(length.min(self.bytes.len()));
        let bytes = std::mem::replace(&mut self.bytes, rest);
        let at = self.at;
        self.at.offset += self.encoding.source_len(&bytes);
        self.at.record += records;
        (records > 0).then(|| Block {
            offset: at.offset,
            first_record: at.record,
            context: Arc::clone(context),
            bytes,
        })
    }

    /// Drops the first `length` bytes, which hold no record.
    pub(crate) fn skip(&mut self, length: usize) {
        let length = length.min(self.bytes.len());
        self.at.offset = self.offset_of(length);
        self.bytes.drain(..length);
    }

    /// Drops the first `length` bytes, which one record begins in, behind `blanks` bytes that are none of it.
    pub(crate) fn refuse(&mut self, blanks: usize, length: usize, reason: &str) -> Refusal {
        let at = Position {
            offset: self.offset_of(blanks),
            record: self.at.record,
        };
        self.skip(length);
        self.at.record += 1;
        Refusal {
            at,
            records: 1,
            reason: reason.to_owned(),
        }
    }
}
