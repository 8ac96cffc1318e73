//! Rows into the casebook.

use blackrod_model::{Campaign, Evidence, EvidenceId, Fact, Finding, Premise, Refusal, RuleSet, Timestamp};
use rusqlite::{Connection, params};

use crate::events::StagedFile;

/// The batch of findings that are replaced as a whole.
pub(crate) const CORRELATED: i64 = 0;

/// As it is stored: microseconds, the least number where unknown.
pub(crate) fn time_value(time: Timestamp) -> i64 {
    time.micros().unwrap_or(i64::MIN)
}

/// False when the evidence is there already.
pub(crate) fn evidence(book: &Connection, batch: i64, evidence: &Evidence) -> rusqlite::Result<bool> {
    let mut insert = book.prepare_cached(
        "INSERT OR IGNORE INTO evidence (id, batch, path, sha256, size, format, state, records_read, records_refused)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let inserted = insert.execute(params![
        evidence.id.0,
        batch,
        evidence.path,
        evidence.sha256.0,
        evidence.size as i64,
        evidence.format,
        evidence.state.name(),
        evidence.records_read as i64,
        evidence.records_refused as i64,
    ])?;
    Ok(inserted == 1)
}

pub(crate) fn file(book: &Connection, batch: i64, file: &StagedFile) -> rusqlite::Result<()> {
    let ids: Vec<u8> = file.evidence.iter().flat_map(|id| id.0).collect();
    book.prepare_cached(
        "INSERT INTO files (path, batch, sha256, rows, bytes, evidence) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        file.path(),
        batch,
        file.sha256.0,
        file.rows as i64,
        file.bytes as i64,
        ids
    ])?;
    Ok(())
}

pub(crate) fn refusal(
    book: &Connection,
    batch: i64,
    evidence: EvidenceId,
    refusal: &Refusal,
) -> rusqlite::Result<()> {
    let mut insert = book.prepare_cached(
        "INSERT INTO refusals (batch, evidence, record, offset, records, reason) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    insert.execute(params![
        batch,
        evidence.0,
        refusal.at.record as i64,
        refusal.at.offset as i64,
        refusal.records as i64,
        refusal.reason,
    ])?;
    Ok(())
}

/// Where findings are entered.
#[derive(Clone, Copy)]
pub(crate) enum Into {
    /// Set aside until the next commit.
    Staged,
    /// The findings of correlations.
    Correlations,
}

/// Of two findings with one id the later stays; one that a commit brought in stays as it is, so that its seal holds.
pub(crate) fn findings(book: &Connection, into: Into, findings: &[Finding]) -> rusqlite::Result<()> {
    let table = match into {
        Into::Staged => "temp.staged_findings",
        Into::Correlations => "main.findings",
    };
    let sql = format!(
        "INSERT INTO {table}
             (id, batch, code, rule_id, title, severity, time, evidence, record, offset, class, attack, reasons, entities)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             code = excluded.code, rule_id = excluded.rule_id, title = excluded.title, severity = excluded.severity,
             time = excluded.time, evidence = excluded.evidence, record = excluded.record, offset = excluded.offset,
             class = excluded.class, attack = excluded.attack, reasons = excluded.reasons, entities = excluded.entities
         WHERE batch = excluded.batch"
    );
    let mut insert = book.prepare_cached(&sql)?;
    for finding in findings {
        insert.execute(params![
            finding.id.0,
            CORRELATED,
            finding.code,
            finding.rule_id,
            finding.title,
            finding.severity.name(),
            time_value(finding.time),
            finding.evidence.0,
            finding.at.record as i64,
            finding.at.offset as i64,
            i64::from(finding.class),
            json(&finding.attack)?,
            json(&finding.reasons)?,
            json(&finding.entities)?,
        ])?;
    }
    Ok(())
}

/// Sets premises aside until the next commit.
pub(crate) fn stage_premises(book: &Connection, premises: &[Premise]) -> rusqlite::Result<()> {
    let mut insert = book.prepare_cached(
        "INSERT INTO temp.staged_premises (rule_id, time, evidence, record, offset, fields) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for premise in premises {
        insert.execute(params![
            premise.rule_id,
            time_value(premise.time),
            premise.evidence.0,
            premise.at.record as i64,
            premise.at.offset as i64,
            json(&premise.fields)?,
        ])?;
    }
    Ok(())
}

/// Sets facts aside until the next commit.
pub(crate) fn stage_facts(book: &Connection, facts: &[Fact]) -> rusqlite::Result<()> {
    let mut insert = book.prepare_cached(
        "INSERT INTO temp.staged_facts (kind, time, evidence, record, offset, body) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for fact in facts {
        insert.execute(params![
            fact.kind,
            time_value(fact.time),
            fact.evidence.0,
            fact.at.record as i64,
            fact.at.offset as i64,
            fact.body,
        ])?;
    }
    Ok(())
}

/// Moves what was set aside into its tables. A finding that is there already stays as it is.
pub(crate) fn unstage(book: &Connection, batch: i64) -> rusqlite::Result<()> {
    let finding_columns = super::read::FINDING;
    book.execute(
        &format!(
            "INSERT OR IGNORE INTO main.findings (batch, {finding_columns})
             SELECT ?1, {finding_columns} FROM temp.staged_findings ORDER BY id"
        ),
        [batch],
    )?;
    book.execute(
        "INSERT INTO main.premises (batch, rule_id, time, evidence, record, offset, fields)
         SELECT ?1, rule_id, time, evidence, record, offset, fields FROM temp.staged_premises
         ORDER BY time, evidence, record, offset, rule_id, fields",
        [batch],
    )?;
    book.execute(
        "INSERT INTO main.facts (batch, kind, time, evidence, record, offset, body)
         SELECT ?1, kind, time, evidence, record, offset, body FROM temp.staged_facts
         ORDER BY time, evidence, record, offset, kind, body",
        [batch],
    )?;
    book.execute_batch(CLEAR_STAGED)
}

/// Forgets what was set aside.
pub(crate) const CLEAR_STAGED: &str =
    "DELETE FROM temp.staged_findings; DELETE FROM temp.staged_premises; DELETE FROM temp.staged_facts;";

/// The tables that hold findings, premises and facts until the next commit. They are in a temporary file that goes with the
/// connection.
pub(crate) const STAGING_TABLES: &str = "
    CREATE TEMP TABLE staged_findings (
        id PRIMARY KEY, batch, code, rule_id, title, severity, time, evidence, record, offset, class, attack, reasons,
        entities
    );
    CREATE TEMP TABLE staged_premises (rule_id, time, evidence, record, offset, fields);
    CREATE TEMP TABLE staged_facts (kind, time, evidence, record, offset, body);";

pub(crate) fn campaign(book: &Connection, campaign: &Campaign) -> rusqlite::Result<()> {
    let mut insert = book.prepare_cached(
        "INSERT INTO campaigns (id, title, score, first_seen, last_seen, targets, ties, attack)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    insert.execute(params![
        campaign.id.as_str(),
        campaign.title,
        campaign.score,
        time_value(campaign.first_seen),
        time_value(campaign.last_seen),
        json(&campaign.targets)?,
        json(&campaign.ties)?,
        json(&campaign.attack)?,
    ])?;
    let mut insert_member =
        book.prepare_cached("INSERT INTO members (campaign, place, finding) VALUES (?, ?, ?)")?;
    for (place, finding) in campaign.findings.iter().enumerate() {
        insert_member.execute(params![campaign.id.as_str(), place as i64, finding.0])?;
    }
    Ok(())
}

pub(crate) fn rule_set(book: &Connection, rules: &RuleSet) -> rusqlite::Result<()> {
    book.prepare_cached("INSERT OR REPLACE INTO rule_sets (method, body) VALUES (?, ?)")?
        .execute(params![rules.method, json(rules)?])?;
    Ok(())
}

pub(crate) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
