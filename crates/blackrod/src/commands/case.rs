//! `blackrod case`: look after cases.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use blackrod_detect::{Detectors, Sources, rarity};
use blackrod_store::{Case, VerifyOptions, VerifyReport};
use serde_json::json;

use super::{Outcome, conclude, estate, report};
use crate::cli;

pub(crate) fn run(command: &cli::Case) -> anyhow::Result<Outcome> {
    match command {
        cli::Case::Verify { case, evidence, json } => verify(case, evidence, *json),
        cli::Case::List { folders, json } => list(folders, *json),
        cli::Case::Merge(arguments) => merge(arguments),
    }
}

fn verify(folder: &Path, evidence: &[PathBuf], json: bool) -> anyhow::Result<Outcome> {
    let case = Case::open_read_only(folder)?;
    let result = case.verify(&VerifyOptions {
        evidence_roots: evidence.to_vec(),
    })?;
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &result)?;
        writeln!(out)?;
    } else {
        write_verdict(&result, evidence.is_empty(), &mut out)?;
    }
    Ok(if result.is_sound() {
        Outcome::Done
    } else {
        Outcome::NotAsItWas
    })
}

fn write_verdict(result: &VerifyReport, no_roots: bool, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    for problem in &result.problems {
        writeln!(out, "CHANGED  {}: {}", problem.place, problem.what)?;
    }
    writeln!(
        out,
        "{}: {} log entries, {} event files, {} evidence files unchanged",
        if result.is_sound() {
            "unchanged"
        } else {
            "NOT as it was"
        },
        result.log_entries,
        result.files_checked,
        result.evidence_unchanged,
    )?;
    writeln!(out, "log head {}", result.log_head)?;
    if no_roots {
        writeln!(
            out,
            "The evidence itself was not looked at; say where it is with --evidence PATH."
        )?;
    } else if !result.evidence_missing.is_empty() {
        writeln!(
            out,
            "{} evidence files were not found:",
            result.evidence_missing.len()
        )?;
        for path in &result.evidence_missing {
            writeln!(out, "  {path}")?;
        }
    }
    Ok(())
}

fn list(folders: &[PathBuf], json: bool) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    let mut listed = Vec::new();
    for folder in cases_in(folders)? {
        let summary = Case::open_read_only(&folder)?.summary()?;
        let findings: u64 = summary.findings.values().sum();
        if json {
            listed.push(json!({ "case": folder.display().to_string(), "summary": summary }));
        } else {
            writeln!(
                out,
                "{}: {} events from {} pieces of evidence, {} findings, {} campaigns",
                folder.display(),
                summary.events,
                summary.evidence.values().sum::<u64>(),
                findings,
                summary.campaigns,
            )?;
        }
    }
    if json {
        writeln!(out, "{:#}", serde_json::Value::from(listed))?;
    }
    Ok(Outcome::Done)
}

/// The folders that are cases: those named, or else the ones directly in them.
fn cases_in(folders: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let is_case = |folder: &Path| folder.join("case.sqlite").is_file();
    let mut cases = Vec::new();
    for folder in folders {
        if is_case(folder) {
            cases.push(folder.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("cannot look into {}", folder.display()))?;
        cases.extend(
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .filter(|path| is_case(path)),
        );
    }
    if cases.is_empty() {
        bail!("no case there; a case is a folder that `blackrod investigate --case DIR` made");
    }
    cases.sort();
    Ok(cases)
}

fn merge(arguments: &cli::Merge) -> anyhow::Result<Outcome> {
    let (estate, _) = estate::load_or_empty(arguments.estate.as_deref())?;
    let (detectors, _) = Detectors::load(
        &Sources {
            builtin: true,
            rule_dirs: arguments.rules.clone(),
            ..Sources::default()
        },
        &estate,
    )?;
    let mut case = Case::create_or_open(&arguments.into)?;
    for from in &arguments.from {
        let merged = case
            .merge_from(from)
            .with_context(|| format!("cannot take in {}", from.display()))?;
        println!(
            "{}: {} pieces of evidence and {} events taken in; {} were here already",
            from.display(),
            merged.evidence_added,
            merged.events_added,
            merged.evidence_known,
        );
    }
    conclude::conclude(
        &mut case,
        &detectors,
        &estate,
        blackrod_detect::accounts::Networks::open(&estate, &[])?,
        rarity::Options::default().alerts_per_day,
    )?;
    let output = report::default_path(&arguments.into);
    report::Gathered::from_case(&case, &arguments.into, &estate, detectors.analytics())?
        .write_html(&output)?;
    println!("{}", output.display());
    Ok(Outcome::Done)
}
