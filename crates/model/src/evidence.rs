//! What was read, and what could not be.

use crate::{EvidenceId, Sha256};

/// A place in a piece of evidence.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Position {
    /// Bytes from the start of the evidence (after decompression) to the start of the record.
    pub offset: u64,
    /// The record's number: the one it carries itself where the format has one (EVTX), else its
    /// place in the evidence, counted from 1.
    pub record: u64,
}

impl Position {
    /// The evidence as a whole.
    pub const START: Self = Self { offset: 0, record: 0 };
}

/// One thing that was read: a file, or a member of an archive.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// Its name in the case.
    pub id: EvidenceId,
    /// The path below the argument it came in by; members of archives follow a `!`:
    /// `seized/laptop.zip!Windows/Security.evtx`.
    pub path: String,
    /// Digest of the content (of an archive member: after decompression).
    pub sha256: Sha256,
    /// Bytes of content.
    pub size: u64,
    /// The name of the format that its content was recognised as, e.g. `evtx`.
    pub format: String,
    /// Records that became events.
    pub records_read: u64,
    /// Records that did not; each has a [`Refusal`].
    pub records_refused: u64,
    /// How the reading ended.
    pub state: EvidenceState,
}

/// How the reading of a piece of evidence ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceState {
    /// Read to its end.
    Read,
    /// A container; its members are evidence of their own.
    Opened,
    /// The content is of no known format. Its digest was still compared with the indicators and
    /// YARA rules still searched it.
    Unknown,
    /// Read up to a limit or a fault, which a [`Refusal`] names.
    Partial,
    /// Could not be opened at all; a [`Refusal`] says why.
    Failed,
}

impl EvidenceState {
    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Opened => "opened",
            Self::Unknown => "unknown",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// A line of the ledger: something that is in the evidence and did not become an event.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Refusal {
    /// Where it stands.
    pub at: Position,
    /// How many records it stands for: 1, or more where a damaged region held several that could
    /// be counted but not read; 0 where it tells of something that is no record (a limit reached).
    pub records: u64,
    /// Why it could not be read, in words for a person.
    pub reason: String,
}

/// What could not be read in one piece of evidence for one reason.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RefusalGroup {
    /// The evidence.
    pub evidence: EvidenceId,
    /// The reason, in words.
    pub reason: String,
    /// How many [`Refusal`]s there are.
    pub places: u64,
    /// How many records they stand for; 0 where they tell of something that is no record.
    pub records: u64,
    /// The first few places.
    pub examples: Vec<Position>,
}

impl RefusalGroup {
    /// How many places are kept.
    pub const MAX_EXAMPLES: usize = 5;

    /// Counts a refusal at `at` that stands for so many records.
    pub fn add(&mut self, at: Position, records: u64) {
        self.places += 1;
        self.records = self.records.saturating_add(records);
        if self.examples.len() < Self::MAX_EXAMPLES {
            self.examples.push(at);
        }
    }
}
