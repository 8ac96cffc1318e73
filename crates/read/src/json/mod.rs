//! JSON records: cutting them out of whatever carries them, and making their fields flat.
//!
//! Carriers are one object a line (NDJSON), one array, objects one after the other, and any of these
//! pretty-printed; or the answer of a web service, an object around an array (see `envelope`). Each
//! in UTF-8 or, with a byte-order mark, in UTF-16.

mod envelope;
mod flat;
mod lexer;
mod objects;
mod split;

pub(crate) use flat::{Dotted, Naming, flatten, join};
pub(crate) use lexer::JsonError;
pub(crate) use split::{Lines, each_record, first_records, split, split_watched};

/// Objects and arrays nested deeper than this are refused.
pub(crate) const MAX_DEPTH: usize = 64;

/// Records with more fields than this are refused.
pub(crate) const MAX_FIELDS: usize = 4_096;

/// Bytes of all names that are put together of a record's nested keys.
pub(crate) const MAX_NAMES: usize = 1 << 26;

/// Records longer than this are refused: no log writes such, and a block must fit into memory.
pub(crate) const MAX_RECORD: usize = 16 << 20;
