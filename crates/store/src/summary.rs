//! The case in a few numbers.

use std::collections::BTreeMap;

use blackrod_model::{EvidenceId, Position, RefusalGroup};

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

    /// What could not be read, by evidence and reason, the most places of each piece of evidence first. Of one
    /// piece of evidence at most 50 groups are told apart; the last then stands for all other reasons.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be read.
    pub fn refusal_groups(&self) -> Result<Vec<RefusalGroup>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare(
                "SELECT evidence, record, offset, records, reason FROM refusals
                 ORDER BY evidence, reason, offset, record, id",
            )?;
            let mut rows = statement.query([])?;
            let mut groups: Vec<RefusalGroup> = Vec::new();
            let mut first_of_evidence = 0;
            while let Some(row) = rows.next()? {
                let evidence = EvidenceId(row.get(0)?);
                let at = Position {
                    record: read::unsigned(row, 1)?,
                    offset: read::unsigned(row, 2)?,
                };
                let records = read::unsigned(row, 3)?;
                let reason = row.get_ref(4)?.as_str()?;
                match groups.last_mut() {
                    Some(group) if group.evidence == evidence && group.reason == reason => {
                        group.add(at, records);
                        continue;
                    }
                    Some(group) if group.evidence != evidence => {
                        fold(&mut groups, first_of_evidence);
                        first_of_evidence = groups.len();
                    }
                    _ => {}
                }
                let mut group = RefusalGroup {
                    evidence,
                    reason: reason.to_owned(),
                    places: 0,
                    records: 0,
                    examples: Vec::new(),
                };
                group.add(at, records);
                groups.push(group);
            }
            fold(&mut groups, first_of_evidence);
            Ok(groups)
        })
    }
}

/// How many reasons of one piece of evidence are told apart.
const MAX_REASONS: usize = 50;

/// Sorts the groups from `first` on, which are all of one piece of evidence, and makes one of those beyond the limit.
fn fold(groups: &mut Vec<RefusalGroup>, first: usize) {
    groups[first..].sort_by(|a, b| b.places.cmp(&a.places).then_with(|| a.reason.cmp(&b.reason)));
    if groups.len() - first <= MAX_REASONS {
        return;
    }
    let mut others = groups.split_off(first + MAX_REASONS - 1);
    let count = others.len();
    let mut folded = others.swap_remove(0);
    for other in others {
        folded.places += other.places;
        folded.records = folded.records.saturating_add(other.records);
    }
    folded.reason = format!("{count} other reasons");
    groups.push(folded);
}
