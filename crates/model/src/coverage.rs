//! What was looked for, in what, and what could not be looked for.

use crate::Timestamp;

/// Which logs a case holds, and what was looked for in them.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Coverage {
    /// The logs, by product and channel.
    pub logs: Vec<LogSpan>,
    /// What can be looked for.
    pub topics: Vec<Topic>,
    /// The first sign of anything of at least medium severity; unknown where there is none.
    pub first_sign: Timestamp,
}

/// One log, over all evidence.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LogSpan {
    /// The product in Sigma's sense: `windows`, `exchange`.
    pub product: String,
    /// The channel or log name.
    pub channel: String,
    /// Records.
    pub records: u64,
    /// The first and the last.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// Stretches without records that its own rhythm does not explain, longest first, at most ten.
    pub holes: Vec<Hole>,
    /// What has to be said of it: begins after the first sign, ends early, reaches back little.
    pub remarks: Vec<String>,
}

/// A stretch without records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hole {
    /// The first hour without records.
    pub from: Timestamp,
    /// The first hour with records again.
    pub to: Timestamp,
}

/// Something that can be looked for, with what it takes.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Topic {
    /// What is looked for.
    pub what: String,
    /// Which detectors look.
    pub by: String,
    /// The logs that it needs any one of, as `product/channel`.
    pub needs: Vec<String>,
    /// Those of them that are there.
    pub had: Vec<String>,
    /// Findings.
    pub findings: u64,
    /// What to ask for where none is there.
    pub ask_for: String,
}

impl Topic {
    /// Whether it could be looked for.
    pub fn was_possible(&self) -> bool {
        !self.had.is_empty()
    }
}
