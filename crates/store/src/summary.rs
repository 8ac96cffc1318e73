//! The case in a few numbers.

use std::collections::BTreeMap;

use crate::casebook::read;
use crate::{Case, StoreError};

/// The case in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Pieces of evidence, by how the reading of each ended (`read`, `opened`, `unknown`, `partial`, `failed`).
    pub evidence: BTreeMap<String, u64>,
    /// Records that became events.
    pub records_read: u64,
    /// Records that did not.
    pub records_refused: u64,
    /// Events in the case.
    pub events: u64,
    /// Bytes of all events files.
    pub events_bytes: u64,
    /// Findings, by severity.
    pub findings: BTreeMap<String, u64>,
    /// Campaigns.
    pub campaigns: u64,
}

/// What could not be read for one reason.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RefusalCount {
    /// The reason, in words.
    pub reason: String,
    /// Lines of the ledger.
    pub refusals: u64,
    /// Records that they stand for.
    pub records: u64,
}

impl Case {
    /// Counts what is in the case.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be read.
    pub fn summary(&self) -> Result<Summary, StoreError> {
        self.read(|book| {
            let counts = |sql: &str| -> rusqlite::Result<BTreeMap<String, u64>> {
                let mut statement = book.prepare(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, read::unsigned(row, 1)?)))?;
                rows.collect()
            };
            let pair = |sql: &str| -> rusqlite::Result<(u64, u64)> {
                book.query_row(sql, [], |row| {
                    Ok((read::unsigned(row, 0)?, read::unsigned(row, 1)?))
                })
            };
            let (records_read, records_refused) = pair(
                "SELECT coalesce(sum(records_read), 0), coalesce(sum(records_refused), 0) FROM evidence",
            )?;
            let (events, events_bytes) =
                pair("SELECT coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM files")?;
            Ok(Summary {
                evidence: counts("SELECT state, count(*) FROM evidence GROUP BY state")?,
                records_read,
                records_refused,
                events,
                events_bytes,
                findings: counts("SELECT severity, count(*) FROM findings GROUP BY severity")?,
                campaigns: book
                    .query_row("SELECT count(*) FROM campaigns", [], |row| read::unsigned(row, 0))?,
            })
        })
    }

    /// What could not be read, by reason, the most records first.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be read.
    pub fn refusal_counts(&self) -> Result<Vec<RefusalCount>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare(
                "SELECT reason, count(*), sum(records) FROM refusals GROUP BY reason ORDER BY 3 DESC, 2 DESC, 1",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(RefusalCount { reason: row.get(0)?, refusals: read::unsigned(row, 1)?, records: read::unsigned(row, 2)? })
            })?;
            rows.collect()
        })
    }
}
