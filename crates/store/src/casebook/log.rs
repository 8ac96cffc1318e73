//! The hash-chained log: every change to a case is an entry that carries the digest of the one before it.

use blackrod_model::{Sha256, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number, counted from 1.
    pub seq: i64,
    /// When it was written, RFC 3339, by the clock of the machine that wrote it.
    pub time: String,
    /// What was done: `run begun`, `run ended`, `commit`, `correlations`, `campaigns`, `rules`, `merge`, `repair`.
    pub action: String,
    /// Its particulars, as JSON on one line.
    pub detail: String,
    /// The hash of the entry before it; 64 zeros for the first.
    pub previous: String,
    /// SHA-256 over [`LogEntry::canonical`].
    pub hash: String,
}

impl LogEntry {
    /// The text that the hash is taken of: number, time, action, detail and previous hash, joined
    /// with line feeds, without one at the end. `sha256sum` can check it.
    pub fn canonical(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}\n{}",
            self.seq, self.time, self.action, self.detail, self.previous
        )
    }

    pub(crate) fn computed_hash(&self) -> String {
        Sha256::of(self.canonical().as_bytes()).to_string()
    }
}

/// What stands before the first entry.
pub(crate) fn origin() -> String {
    Sha256([0; 32]).to_string()
}

/// The number that the next entry will have.
pub(crate) fn next_seq(book: &Connection) -> rusqlite::Result<i64> {
    book.query_row("SELECT coalesce(max(seq), 0) + 1 FROM log", [], |row| row.get(0))
}

/// The last entry.
pub(crate) fn last(book: &Connection) -> rusqlite::Result<Option<LogEntry>> {
    let sql = "SELECT seq, time, action, detail, previous, hash FROM log ORDER BY seq DESC LIMIT 1";
    book.query_row(sql, [], read_entry).optional()
}

/// Appends an entry. Belongs into the transaction that makes the change.
pub(crate) fn append(book: &Connection, action: &str, detail: &serde_json::Value) -> rusqlite::Result<()> {
    let before = last(book)?;
    let mut entry = LogEntry {
        seq: before.as_ref().map_or(1, |entry| entry.seq + 1),
        time: Timestamp::now().to_string(),
        action: action.to_owned(),
        detail: detail.to_string(),
        previous: before.map_or_else(origin, |entry| entry.hash),
        hash: String::new(),
    };
    entry.hash = entry.computed_hash();
    book.prepare_cached(
        "INSERT INTO log (seq, time, action, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        entry.seq,
        entry.time,
        entry.action,
        entry.detail,
        entry.previous,
        entry.hash
    ])?;
    Ok(())
}

/// All entries, first to last.
pub(crate) fn each(
    book: &Connection,
    visit: &mut dyn FnMut(LogEntry) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement =
        book.prepare("SELECT seq, time, action, detail, previous, hash FROM log ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(read_entry(row)?)?;
    }
    Ok(())
}

fn read_entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogEntry> {
    Ok(LogEntry {
        seq: row.get(0)?,
        time: row.get(1)?,
        action: row.get(2)?,
        detail: row.get(3)?,
        previous: row.get(4)?,
        hash: row.get(5)?,
    })
}
