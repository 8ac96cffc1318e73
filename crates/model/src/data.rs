//! What is kept of a record about data that was read: rows of a register, files of a share.

use std::net::IpAddr;

use crate::{EvidenceId, Keep, Position, Timestamp};

/// One statement that read from a register, or loaded a copy of it somewhere.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DataRead {
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// When it happened.
    pub time: Timestamp,
    /// Which register of the estate, by its place in [`crate::Estate::registers`].
    pub register: u16,
    /// The database account, in lower case.
    pub account: String,
    /// The address that it came from; none for a local socket.
    pub address: Option<IpAddr>,
    /// The program as it named itself, at most 100 bytes.
    pub program: String,
    /// The database, in lower case.
    pub database: String,
    /// What was asked for.
    pub what: Wanted,
    /// How many rows came back, where the log counts them.
    pub rows: Option<u64>,
    /// The statement, at most 300 bytes.
    pub statement: String,
    /// The register's columns that came back, as written; empty for all of them.
    pub columns: Vec<String>,
}

/// Which records a statement asks for.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Wanted {
    /// All of them: no predicate and no limit, a whole table, a backup.
    All(How),
    /// Those whose key lies in these ranges, both ends included.
    Keys {
        /// The ranges; an end that the statement leaves open is the smallest or largest number.
        ranges: Vec<(i64, i64)>,
        /// At most so many of them.
        limit: Option<u64>,
        /// Counted from the upper end (`ORDER BY key DESC`).
        descending: bool,
        /// Other conditions apply as well, so that fewer may come back.
        filtered: bool,
    },
    /// A page: so many after so many others.
    Page {
        /// How many are passed over.
        offset: u64,
        /// At most so many.
        limit: Option<u64>,
    },
    /// Those with this value in this column, or whose value begins so.
    Value {
        /// The column, in lower case.
        column: String,
        /// The value or its beginning, in lower case.
        value: String,
        /// It is the beginning only.
        is_prefix: bool,
    },
    /// Some, by conditions that say nothing about how many.
    #[default]
    Some,
    /// A copy of the register was loaded here.
    Loaded,
}

/// How all of a register was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum How {
    /// A query without a predicate.
    #[default]
    Query,
    /// Copied out, into a file, into another table.
    Copied,
    /// A backup of the whole database.
    Backup,
}

impl Keep for DataRead {
    const KIND: &'static str = "data-read";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}

/// One file that an account read, copied, or wrote, on a share or in a cloud drive.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FileAct {
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// When it happened.
    pub time: Timestamp,
    /// What kind of activity the record is.
    pub class: u32,
    /// The account, in lower case, without a Windows domain.
    pub account: String,
    /// The address that it came from, where the log says.
    pub address: Option<IpAddr>,
    /// The file server, where the log says.
    pub host: String,
    /// The file, at most 300 bytes.
    pub path: String,
    /// A fingerprint of the whole path.
    pub path_hash: u64,
    /// Whether it was written rather than read.
    pub is_written: bool,
}

impl Keep for FileAct {
    const KIND: &'static str = "file-act";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}
