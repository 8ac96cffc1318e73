//! Seals: digests of what a log entry brought into the casebook.

use blackrod_model::Sha256;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params};
use sha2::Digest as _;

/// A part of the casebook that is sealed by itself.
pub(crate) struct Section {
    /// Its name in the log.
    pub(crate) name: &'static str,
    /// How long a seal on it holds.
    pub(crate) life: Life,
    /// The table that it is in.
    table: &'static str,
    /// Its rows in a fixed order; of one batch (`?1`) for what is kept, else all.
    sql: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Rows stay as the batch brought them in.
    Kept,
    /// The next entry that seals the section replaces all of it.
    Replaced,
}

pub(crate) static EVIDENCE: Section = Section {
    name: "evidence",
    life: Life::Kept,
    table: "evidence",
    sql: "SELECT * FROM evidence WHERE batch = ?1 ORDER BY id",
};
pub(crate) static FILES: Section = Section {
    name: "files",
    life: Life::Kept,
    table: "files",
    sql: "SELECT * FROM files WHERE batch = ?1 ORDER BY path",
};
pub(crate) static REFUSALS: Section = Section {
    name: "refusals",
    life: Life::Kept,
    table: "refusals",
    sql: "SELECT * FROM refusals WHERE batch = ?1 ORDER BY id",
};
pub(crate) static FINDINGS: Section = Section {
    name: "findings",
    life: Life::Kept,
    table: "findings",
    sql: "SELECT * FROM findings WHERE batch = ?1 ORDER BY id",
};
pub(crate) static PREMISES: Section = Section {
    name: "premises",
    life: Life::Kept,
    table: "premises",
    sql: "SELECT * FROM premises WHERE batch = ?1 ORDER BY id",
};
pub(crate) static FACTS: Section = Section {
    name: "facts",
    life: Life::Kept,
    table: "facts",
    sql: "SELECT * FROM facts WHERE batch = ?1 ORDER BY id",
};
pub(crate) static MESSAGES: Section = Section {
    name: "messages",
    life: Life::Replaced,
    table: "messages",
    sql: "SELECT * FROM messages ORDER BY evidence, offset, record",
};
pub(crate) static MAIL_CAMPAIGNS: Section = Section {
    name: "mail_campaigns",
    life: Life::Replaced,
    table: "mail_campaigns",
    sql: "SELECT * FROM mail_campaigns ORDER BY key",
};
pub(crate) static FLOODS: Section = Section {
    name: "floods",
    life: Life::Replaced,
    table: "floods",
    sql: "SELECT * FROM floods ORDER BY key",
};
pub(crate) static NEW_SHAPES: Section = Section {
    name: "new_shapes",
    life: Life::Replaced,
    table: "new_shapes",
    sql: "SELECT * FROM new_shapes ORDER BY id",
};
pub(crate) static CORRELATIONS: Section = Section {
    name: "correlations",
    life: Life::Replaced,
    table: "findings",
    sql: "SELECT * FROM findings WHERE batch = 0 ORDER BY id",
};
pub(crate) static CAMPAIGNS: Section = Section {
    name: "campaigns",
    life: Life::Replaced,
    table: "campaigns",
    sql: "SELECT * FROM campaigns ORDER BY id",
};
pub(crate) static MEMBERS: Section = Section {
    name: "members",
    life: Life::Replaced,
    table: "members",
    sql: "SELECT * FROM members ORDER BY campaign, place",
};
pub(crate) static ASSESSMENTS: Section = Section {
    name: "assessments",
    life: Life::Replaced,
    table: "assessments",
    sql: "SELECT * FROM assessments ORDER BY campaign, version",
};
pub(crate) static REMARKS: Section = Section {
    name: "remarks",
    life: Life::Replaced,
    table: "remarks",
    sql: "SELECT * FROM remarks ORDER BY id",
};
pub(crate) static RULE_SETS: Section = Section {
    name: "rule_sets",
    life: Life::Replaced,
    table: "rule_sets",
    sql: "SELECT * FROM rule_sets ORDER BY method",
};
pub(crate) static RUNS: Section = Section {
    name: "runs",
    life: Life::Replaced,
    table: "runs",
    sql: "SELECT * FROM runs ORDER BY id",
};

/// What [`crate::Case::commit`] and [`crate::Case::merge_from`] bring in.
pub(crate) static BATCH: [&Section; 6] = [&EVIDENCE, &FILES, &REFUSALS, &FINDINGS, &PREMISES, &FACTS];

/// All sections.
pub(crate) static ALL: [&Section; 17] = [
    &EVIDENCE,
    &FILES,
    &REFUSALS,
    &FINDINGS,
    &PREMISES,
    &FACTS,
    &MESSAGES,
    &MAIL_CAMPAIGNS,
    &FLOODS,
    &NEW_SHAPES,
    &CORRELATIONS,
    &CAMPAIGNS,
    &MEMBERS,
    &ASSESSMENTS,
    &REMARKS,
    &RULE_SETS,
    &RUNS,
];

/// How many rows there are, and the digest of all their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) rows: u64,
    pub(crate) digest: Sha256,
}

impl Seal {
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "rows": self.rows, "sha256": self.digest.to_string() })
    }

    pub(crate) fn from_json(value: &serde_json::Value) -> Option<Self> {
        Some(Self {
            rows: value.get("rows")?.as_u64()?,
            digest: value.get("sha256")?.as_str()?.parse().ok()?,
        })
    }
}

impl Section {
    /// The seal of the rows that are there now; of `batch` where the section is kept.
    pub(crate) fn seal(&self, book: &Connection, batch: i64) -> rusqlite::Result<Seal> {
        match self.life {
            Life::Kept => seal_rows(book, self.sql, [batch]),
            Life::Replaced => seal_rows(book, self.sql, []),
        }
    }
}

impl Section {
    /// The batches that the rows of a kept section belong to.
    pub(crate) fn batches(&self, book: &Connection) -> rusqlite::Result<Vec<i64>> {
        if self.life == Life::Replaced {
            return Ok(vec![0]);
        }
        // Batch 0 of `findings` is a section of its own; rows of other sections never have it.
        let sql = format!("SELECT DISTINCT batch FROM {} WHERE batch <> 0 OR ?1", self.table);
        let mut statement = book.prepare(&sql)?;
        let rows = statement.query_map([self.table != "findings"], |row| row.get(0))?;
        rows.collect()
    }
}

/// The seals of several sections, by name, for a log entry.
pub(crate) fn seals(
    book: &Connection,
    sections: &[&Section],
    batch: i64,
) -> rusqlite::Result<serde_json::Value> {
    let mut seals = serde_json::Map::new();
    for section in sections {
        seals.insert(section.name.to_owned(), section.seal(book, batch)?.to_json());
    }
    Ok(seals.into())
}

/// Each value goes in as one byte for its type, its length as eight bytes (little-endian) and its bytes, so that no two
/// different tables give the same input.
fn seal_rows(book: &Connection, sql: &str, values: impl Params) -> rusqlite::Result<Seal> {
    let mut statement = book.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query(values)?;
    let mut hasher = sha2::Sha256::new();
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns {
            match row.get_ref(column)? {
                ValueRef::Null => feed(&mut hasher, 0, &[]),
                ValueRef::Integer(number) => feed(&mut hasher, 1, &number.to_le_bytes()),
                ValueRef::Real(number) => feed(&mut hasher, 2, &number.to_le_bytes()),
                ValueRef::Text(text) => feed(&mut hasher, 3, text),
                ValueRef::Blob(bytes) => feed(&mut hasher, 4, bytes),
            }
        }
    }
    Ok(Seal {
        rows: count,
        digest: Sha256(hasher.finalize().into()),
    })
}

fn feed(hasher: &mut sha2::Sha256, kind: u8, bytes: &[u8]) {
    hasher.update([kind]);
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
