//! Rows out of the casebook.

use blackrod_model::{
    Campaign, CampaignId, Evidence, EvidenceId, EvidenceState, Fact, Finding, FindingId, Position, Premise,
    Refusal, RuleSet, Run, Severity, Sha256, Timestamp,
};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

/// The columns of a finding, in the order of [`finding`].
pub(crate) const FINDING: &str =
    "id, code, rule_id, title, severity, time, evidence, record, offset, class, attack, reasons, entities";

pub(crate) fn finding(row: &Row<'_>) -> rusqlite::Result<Finding> {
    Ok(Finding {
        id: FindingId(row.get(0)?),
        code: row.get(1)?,
        rule_id: row.get(2)?,
        title: row.get(3)?,
        severity: parse::<Severity>(row, 4)?,
        time: time(row, 5)?,
        evidence: EvidenceId(row.get(6)?),
        at: Position {
            record: unsigned(row, 7)?,
            offset: unsigned(row, 8)?,
        },
        class: row.get(9)?,
        attack: json(row, 10)?,
        reasons: json(row, 11)?,
        entities: json(row, 12)?,
    })
}

/// All evidence, by path.
pub(crate) fn evidence(book: &Connection) -> rusqlite::Result<Vec<Evidence>> {
    let mut statement = book.prepare(
        "SELECT id, path, sha256, size, format, state, records_read, records_refused FROM evidence ORDER BY path, id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Evidence {
            id: EvidenceId(row.get(0)?),
            path: row.get(1)?,
            sha256: Sha256(row.get(2)?),
            size: unsigned(row, 3)?,
            format: row.get(4)?,
            state: state(row, 5)?,
            records_read: unsigned(row, 6)?,
            records_refused: unsigned(row, 7)?,
        })
    })?;
    rows.collect()
}

/// The first `limit` refusals, in the order of evidence and place.
pub(crate) fn refusals(book: &Connection, limit: usize) -> rusqlite::Result<Vec<(EvidenceId, Refusal)>> {
    let mut statement = book.prepare(
        "SELECT evidence, record, offset, records, reason FROM refusals ORDER BY evidence, offset, record, id LIMIT ?",
    )?;
    let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let refusal = Refusal {
            at: Position {
                record: unsigned(row, 1)?,
                offset: unsigned(row, 2)?,
            },
            records: unsigned(row, 3)?,
            reason: row.get(4)?,
        };
        Ok((EvidenceId(row.get(0)?), refusal))
    })?;
    rows.collect()
}

/// All campaigns, strongest first.
pub(crate) fn campaigns(book: &Connection) -> rusqlite::Result<Vec<Campaign>> {
    let mut members = book.prepare("SELECT finding FROM members WHERE campaign = ? ORDER BY place")?;
    let mut statement = book.prepare(
        "SELECT id, title, score, first_seen, last_seen, targets, ties, attack FROM campaigns ORDER BY score DESC, id",
    )?;
    let mut rows = statement.query([])?;
    let mut campaigns = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let findings = members.query_map([&name], |row| Ok(FindingId(row.get(0)?)))?;
        campaigns.push(Campaign {
            findings: findings.collect::<rusqlite::Result<_>>()?,
            id: parse::<CampaignId>(row, 0)?,
            title: row.get(1)?,
            score: row.get(2)?,
            first_seen: time(row, 3)?,
            last_seen: time(row, 4)?,
            targets: json(row, 5)?,
            ties: json(row, 6)?,
            attack: json(row, 7)?,
        });
    }
    Ok(campaigns)
}

/// All runs, first to last.
pub(crate) fn runs(book: &Connection) -> rusqlite::Result<Vec<Run>> {
    let mut statement =
        book.prepare("SELECT version, arguments, started, ended, rules, estate FROM runs ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(Run {
            version: row.get(0)?,
            arguments: json(row, 1)?,
            started: time(row, 2)?,
            ended: time(row, 3)?,
            rules: Sha256(row.get(4)?),
            estate: Sha256(row.get(5)?),
        })
    })?;
    rows.collect()
}

/// The rule sets of the last run.
pub(crate) fn rule_sets(book: &Connection) -> rusqlite::Result<Vec<RuleSet>> {
    let mut statement = book.prepare("SELECT body FROM rule_sets ORDER BY method")?;
    let rows = statement.query_map([], |row| json(row, 0))?;
    rows.collect()
}

/// Hands each premise to `visit`, in the order of their times; ties by evidence, place and rule, so that the order does
/// not depend on when each was committed.
pub(crate) fn each_premise(book: &Connection, visit: &mut dyn FnMut(Premise)) -> rusqlite::Result<()> {
    let mut statement = book.prepare(
        "SELECT rule_id, time, evidence, record, offset, fields FROM premises
         ORDER BY time, evidence, record, offset, rule_id, fields",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(Premise {
            rule_id: row.get(0)?,
            time: time(row, 1)?,
            evidence: EvidenceId(row.get(2)?),
            at: Position {
                record: unsigned(row, 3)?,
                offset: unsigned(row, 4)?,
            },
            fields: json(row, 5)?,
        });
    }
    Ok(())
}

/// Hands each fact of this kind to `visit`, in the order of time; ties by evidence and place, so that the order does not
/// depend on when each was committed.
pub(crate) fn each_fact(
    book: &Connection,
    kind: &'static str,
    visit: &mut dyn FnMut(Fact),
) -> rusqlite::Result<()> {
    let mut statement = book.prepare(
        "SELECT time, evidence, record, offset, body FROM facts WHERE kind = ?
         ORDER BY time, evidence, offset, record, body",
    )?;
    let mut rows = statement.query([kind])?;
    while let Some(row) = rows.next()? {
        visit(Fact {
            kind,
            time: time(row, 0)?,
            evidence: EvidenceId(row.get(1)?),
            at: Position {
                record: unsigned(row, 2)?,
                offset: unsigned(row, 3)?,
            },
            body: row.get(4)?,
        });
    }
    Ok(())
}

pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    // The least number is the unknown time on both sides.
    row.get(column).map(Timestamp::from_micros)
}

/// The unsigned number with the bits of the signed one that is stored.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| number as u64)
}

pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| damaged(column, error))
}

pub(crate) fn parse<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?
        .as_str()?
        .parse()
        .map_err(|error: T::Err| damaged(column, error))
}

fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<EvidenceState> {
    use EvidenceState::{Failed, Opened, Partial, Read, Unknown};
    let name = row.get_ref(column)?.as_str()?;
    [Read, Opened, Unknown, Partial, Failed]
        .into_iter()
        .find(|state| state.name() == name)
        .ok_or_else(|| damaged(column, std::io::Error::other("no state of evidence")))
}

fn damaged(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
