//! The summary for a terminal.

use std::fmt::Write as _;

use blackrod_model::{EvidenceState, Severity};

use crate::CaseView;
use crate::shown::line_of;
use crate::tally::Tally;
use crate::words::{bytes, counted, counted_as, number};

/// How many campaigns, and how many reasons why something was not read, are named.
const MAX_LINES: usize = 5;

/// How many bytes of a name that evidence chose are shown.
const MAX_NAME: usize = 120;

/// What a person needs to know in ten seconds: what was read, what was found, the campaigns by
/// strength, what could not be read, where the report is. Plain text, lines of their own, no colour;
/// nothing that evidence says reaches the terminal as a control character.
pub fn summary_text(view: &CaseView<'_>) -> String {
    let tally = Tally::new(view);
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write_read(&tally, &mut out);
    let _ = write_found(&tally, &mut out);
    let _ = write_campaigns(&tally, &mut out);
    let _ = write_not_read(&tally, &mut out);
    if !view.report.is_empty() {
        let _ = writeln!(out, "Report     {}", line_of(view.report, 4_096));
    }
    out
}

fn write_read(tally: &Tally<'_>, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "Read       {} in {} ({})",
        counted(tally.records_read, "record"),
        counted_as(
            tally.view.evidence.len() as u64,
            "item of evidence",
            "items of evidence"
        ),
        bytes(tally.bytes),
    )
}

fn write_found(tally: &Tally<'_>, out: &mut String) -> std::fmt::Result {
    let by_severity: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .map(|severity| (tally.of_severity(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{} {severity}", number(count)))
        .collect();
    let findings = counted(tally.all_findings(), "finding");
    match by_severity.is_empty() {
        true => writeln!(out, "Found      {findings}"),
        false => writeln!(out, "Found      {findings}: {}", by_severity.join(", ")),
    }
}

fn write_campaigns(tally: &Tally<'_>, out: &mut String) -> std::fmt::Result {
    let campaigns = tally.view.campaigns;
    let count = counted(campaigns.len() as u64, "campaign");
    match campaigns.len() {
        0 | 1 => writeln!(out, "Campaigns  {count}")?,
        _ => writeln!(out, "Campaigns  {count}, strongest first")?,
    }
    for campaign in campaigns.iter().take(MAX_LINES) {
        writeln!(
            out,
            "  {:>5.0}  {}\n         {}, {}",
            campaign.score,
            line_of(&campaign.title, MAX_NAME),
            campaign.id,
            counted(campaign.findings.len() as u64, "finding"),
        )?;
    }
    write_rest(campaigns.len(), "campaign", out)
}

fn write_not_read(tally: &Tally<'_>, out: &mut String) -> std::fmt::Result {
    let states = [
        (EvidenceState::Failed, "could not be opened"),
        (EvidenceState::Partial, "read only in part"),
        (EvidenceState::Unknown, "of unknown format"),
    ];
    let mut parts: Vec<String> = Vec::new();
    if tally.records_refused > 0 {
        parts.push(counted(tally.records_refused, "record"));
    }
    for (state, words) in states {
        let count = tally.in_state(state);
        if count > 0 {
            parts.push(format!("{} {words}", counted(count, "item")));
        }
    }
    if parts.is_empty() && tally.view.refusals.is_empty() {
        return writeln!(out, "Not read   nothing: every record was read");
    }
    writeln!(
        out,
        "Not read   {}",
        if parts.is_empty() {
            "see below".to_owned()
        } else {
            parts.join(", ")
        }
    )?;
    let reasons = tally.refusals_by_reason();
    for total in reasons.iter().take(MAX_LINES) {
        writeln!(
            out,
            "  {:>5}  {}",
            number(total.places),
            line_of(total.reason, MAX_NAME)
        )?;
    }
    write_rest(reasons.len(), "reason", out)
}

fn write_rest(all: usize, word: &str, out: &mut String) -> std::fmt::Result {
    match all.saturating_sub(MAX_LINES) {
        0 => Ok(()),
        rest => writeln!(
            out,
            "         and {}, told in the report",
            counted(rest as u64, &format!("more {word}"))
        ),
    }
}
