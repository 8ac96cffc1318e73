//! Who did what to a case, when, with what.

use crate::{Sha256, Timestamp};

/// One run of blackrod over a case: the custody manifest's entry.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Run {
    /// The version of blackrod.
    pub version: String,
    /// The command line, word by word.
    pub arguments: Vec<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; [`Timestamp::UNKNOWN`] while it runs or where it was killed.
    pub ended: Timestamp,
    /// Digest over all rules, indicators and lists in use.
    pub rules: Sha256,
    /// Digest of the estate file and of what it includes; all zero where none was given.
    pub estate: Sha256,
}
