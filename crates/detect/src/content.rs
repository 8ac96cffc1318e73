//! Bytes to be searched as a whole.

use blackrod_model::{Class, EvidenceId, Position, Timestamp};

/// A file or an attachment, with what a finding about it has to say.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The evidence that it is, or is in.
    pub evidence: EvidenceId,
    /// The record that it belongs to; [`Position::START`] for a file as a whole.
    pub at: Position,
    /// The time of that record.
    pub time: Timestamp,
    /// The class of that record; [`Class::FILE_ACTIVITY`] for a file.
    pub class: Class,
    /// What a finding calls it: `file`, `attachment 2`.
    pub label: &'a str,
    /// Its file name, with or without folders.
    pub name: Option<&'a str>,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl<'a> Content<'a> {
    /// A piece of evidence as a whole, called `name`.
    pub fn file(evidence: EvidenceId, name: Option<&'a str>, bytes: &'a [u8]) -> Self {
        Self {
            evidence,
            at: Position::START,
            time: Timestamp::UNKNOWN,
            class: Class::FILE_ACTIVITY,
            label: "file",
            name,
            bytes,
        }
    }
}
