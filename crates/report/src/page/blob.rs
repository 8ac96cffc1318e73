//! The long lists, as compressed JSON at the end of the file.
//!
//! A list of 10^5 findings as markup would take a browser half a minute and a gigabyte. As gzip
//! (RFC 1952) in Base64 (RFC 4648) within a data block it is a few megabytes that the page can be
//! shown without; the script unpacks it and puts on the page what is looked at. Base64 has no `<`,
//! so nothing in it can end the block. All texts are already made fit to be shown.

use std::collections::HashMap;
use std::io::{self, Write};

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use blackrod_model::{Finding, Severity};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::parts::MAX_REASONS;
use crate::shown;
use crate::tally::Tally;

/// `{"paths": [...], "rules": [[severity, title, code, rule id, attack]...], "rows": [...]}`, a row
/// being `[rule, milliseconds or null, path, record, offset, campaign or -1, [[field, value]...]]`.
pub(super) fn write_findings(tally: &Tally<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_block("finding-data", out, |json| {
        let rules = RuleTable::of(tally.view.findings);
        let paths: Vec<_> = tally
            .view
            .evidence
            .iter()
            .map(|evidence| shown::line(&evidence.path))
            .collect();
        json.write_all(b"{\"paths\":")?;
        serde_json::to_writer(&mut *json, &paths)?;
        json.write_all(b",\"rules\":")?;
        serde_json::to_writer(&mut *json, &rules.entries)?;
        json.write_all(b",\"rows\":[")?;
        for (index, finding) in tally.view.findings.iter().enumerate() {
            if index > 0 {
                json.write_all(b",")?;
            }
            serde_json::to_writer(&mut *json, &finding_row(tally, &rules, index, finding))?;
        }
        json.write_all(b"]}")
    })
}

/// `{"rows": [[path, format, state, read, refused, size, digest]...]}`.
pub(super) fn write_evidence(tally: &Tally<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_block("evidence-data", out, |json| {
        json.write_all(b"{\"rows\":[")?;
        for (index, evidence) in tally.view.evidence.iter().enumerate() {
            if index > 0 {
                json.write_all(b",")?;
            }
            let row = (
                shown::line(&evidence.path),
                shown::line(&evidence.format),
                evidence.state.name(),
                evidence.records_read,
                evidence.records_refused,
                evidence.size,
                evidence.sha256,
            );
            serde_json::to_writer(&mut *json, &row)?;
        }
        json.write_all(b"]}")
    })
}

fn write_block(
    id: &str,
    out: &mut dyn Write,
    write_json: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "<script type=\"application/json\" id=\"{id}\">")?;
    let mut base64 = EncoderWriter::new(&mut *out, &STANDARD);
    let mut gzip = GzEncoder::new(&mut base64, Compression::default());
    let mut buffered = io::BufWriter::with_capacity(64 * 1024, &mut gzip);
    write_json(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    gzip.finish()?;
    base64.finish()?;
    drop(base64);
    out.write_all(b"</script>")
}

/// What findings of one rule have in common, kept once.
struct RuleTable<'a> {
    entries: Vec<Value>,
    numbers: HashMap<RuleKey<'a>, usize>,
}

type RuleKey<'a> = (Severity, &'a str, &'a str, &'a str, &'a [String]);

impl<'a> RuleTable<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        let mut table = Self {
            entries: Vec::new(),
            numbers: HashMap::new(),
        };
        for finding in findings {
            let next = table.entries.len();
            let number = *table.numbers.entry(rule_key(finding)).or_insert(next);
            if number == next {
                let attack: Vec<_> = finding
                    .attack
                    .iter()
                    .take(12)
                    .map(|id| shown::line_of(id, 40))
                    .collect();
                table.entries.push(json!([
                    finding.severity as u8,
                    shown::line(&finding.title),
                    shown::line_of(&finding.code, 60),
                    shown::line_of(&finding.rule_id, 200),
                    attack.join(", "),
                ]));
            }
        }
        table
    }
}

fn rule_key(finding: &Finding) -> RuleKey<'_> {
    (
        finding.severity,
        &finding.title,
        &finding.code,
        &finding.rule_id,
        &finding.attack,
    )
}

fn finding_row(
    tally: &Tally<'_>,
    rules: &RuleTable<'_>,
    index: usize,
    finding: &Finding,
) -> impl serde::Serialize {
    let reasons = finding.reasons.iter().take(MAX_REASONS);
    let fields: Vec<_> = reasons
        .map(|reason| {
            (
                shown::line(&reason.field).into_owned(),
                shown::block(&reason.value).into_owned(),
            )
        })
        .collect();
    (
        rules.numbers.get(&rule_key(finding)).copied(),
        finding.time.micros().map(|micros| micros.div_euclid(1_000)),
        tally.evidence_index(finding.evidence),
        // As text: a browser's numbers end at 2^53.
        finding.at.record.to_string(),
        finding.at.offset.to_string(),
        tally.campaign_of(index).map_or(-1, |campaign| campaign as i64),
        fields,
    )
}
