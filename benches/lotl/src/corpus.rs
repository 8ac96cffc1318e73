//! Documented abuse against ordinary scripts, without history, with Sigma beside it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use blackrod_detect::rarity::{Extractor, Table, score};
use blackrod_detect::{Found, sigma};
use blackrod_model::{Class, Column, Event, EvidenceId, Field, Position, Severity, Timestamp};

/// The commands of `lotl_hard_negatives.tsv` in `folder`.
pub(crate) fn hard_negatives(folder: &Path) -> anyhow::Result<Vec<String>> {
    let lines = read(&folder.join("lotl_hard_negatives.tsv"))?;
    Ok(lines.into_iter().map(|line| line.command).collect())
}

struct Line {
    label: String,
    command: String,
}

/// Reads `lotl_positives.tsv` and `lotl_hard_negatives.tsv` in `folder` and prints all rows.
pub(crate) fn run(folder: &Path, rules: &[&str]) -> anyhow::Result<()> {
    let positives = read(&folder.join("lotl_positives.tsv"))?;
    let negatives = read(&folder.join("lotl_hard_negatives.tsv"))?;
    let (lolbas, atomic): (Vec<Line>, Vec<Line>) = positives
        .into_iter()
        .partition(|line| line.label.starts_with("LOLBAS:"));
    println!(
        "{} LOLBAS, {} Atomic Red Team, {} hard negatives; parent explorer.exe, no history",
        lolbas.len(),
        atomic.len(),
        negatives.len()
    );
    println!(
        "{:<44} {:>8} {:>8} {:>14}",
        "detector", "LOLBAS", "ART", "hard negatives"
    );
    let sigma_rates = if rules.is_empty() {
        Vec::new()
    } else {
        sigma_rows(&lolbas, &atomic, &negatives, rules)?
    };
    let full = Table::builtin();
    let mut scored_negatives: Vec<(f32, &Line)> = negatives
        .iter()
        .map(|line| (score_of(line, full), line))
        .collect();
    scored_negatives.sort_by(|left, right| right.0.total_cmp(&left.0));
    let atomic_scores: Vec<f32> = atomic.iter().map(|line| score_of(line, full)).collect();
    let mut variants: Vec<(&str, Vec<f32>)> = vec![(
        "whole table",
        lolbas.iter().map(|line| score_of(line, full)).collect(),
    )];
    let leave_out = |strip: fn(&Table, &str) -> Result<Table, blackrod_detect::rarity::table::TableError>| -> anyhow::Result<Vec<f32>> {
        let mut tables: std::collections::HashMap<&str, Table> = std::collections::HashMap::new();
        let mut scores = Vec::new();
        for line in &lolbas {
            let binary = line.label.trim_start_matches("LOLBAS:");
            if !tables.contains_key(binary) {
                tables.insert(binary, strip(full, binary)?);
            }
            scores.push(tables.get(binary).map_or(0.0, |table| score_of(line, table)));
        }
        Ok(scores)
    };
    variants.push(("leave one out: its class only", leave_out(Table::class_only)?));
    variants.push((
        "leave one out: not in the table at all",
        leave_out(Table::without)?,
    ));
    for (name, scores) in &variants {
        for rate in [0.0, 0.01, 0.05, 0.10] {
            let allowed = (rate * negatives.len() as f64).floor() as usize;
            let threshold = scored_negatives
                .get(allowed)
                .map_or(f32::MIN, |(score, _)| *score);
            let share = |scores: &[f32]| {
                share_of(
                    scores.iter().filter(|score| **score > threshold).count(),
                    scores.len(),
                )
            };
            let art = if *name == "whole table" {
                share(&atomic_scores)
            } else {
                "".to_owned()
            };
            println!(
                "{:<44} {:>8} {:>8} {:>14}",
                format!("ours, {name}, at {:.0} %", rate * 100.0),
                share(scores),
                art,
                share_of(
                    scored_negatives
                        .iter()
                        .filter(|(score, _)| *score > threshold)
                        .count(),
                    negatives.len()
                ),
            );
        }
    }
    for rate in sigma_rates {
        println!("{rate}");
    }
    if std::env::var_os("LOTL_VERBOSE").is_some() {
        for (score, line) in scored_negatives.iter().take(24) {
            println!("NEG {score:+.1} {}", line.command);
        }
        if let Some((_, scores)) = variants.get(1) {
            let mut all: Vec<(f32, &Line)> = scores.iter().copied().zip(&lolbas).collect();
            all.sort_by(|left, right| left.0.total_cmp(&right.0));
            for (score, line) in all.iter().take(100) {
                println!("POS {score:+.1} {} {}", line.label, line.command);
            }
        }
    }
    Ok(())
}

fn score_of(line: &Line, table: &Table) -> f32 {
    let image = image_of(&line.command);
    let facts = Extractor::new(table).command(&image, r"C:\Windows\explorer.exe", &line.command);
    score::cold(&facts, table).total
}

/// The first word, as the image of the process.
fn image_of(command: &str) -> String {
    let trimmed = command.trim_start();
    match trimmed.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => trimmed.split_whitespace().next().unwrap_or_default().to_owned(),
    }
}

fn share_of(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

fn sigma_rows(
    lolbas: &[Line],
    atomic: &[Line],
    negatives: &[Line],
    rules: &[&str],
) -> anyhow::Result<Vec<String>> {
    let rules = sigma_rules(rules)?;
    let levels = |lines: &[Line]| -> Vec<Option<Severity>> {
        let mut scanner = rules.scanner();
        lines
            .iter()
            .map(|line| worst(&mut scanner, &line.command, r"C:\Windows\explorer.exe"))
            .collect()
    };
    let (lolbas, atomic, negatives) = (levels(lolbas), levels(atomic), levels(negatives));
    let at_least = |found: &[Option<Severity>], level: Severity| {
        share_of(
            found
                .iter()
                .filter(|worst| worst.is_some_and(|worst| worst >= level))
                .count(),
            found.len(),
        )
    };
    let rows = [Severity::Informational, Severity::Medium, Severity::High].map(|level| {
        format!(
            "{:<44} {:>8} {:>8} {:>14}",
            format!("SigmaHQ windows, {level} and above"),
            at_least(&lolbas, level),
            at_least(&atomic, level),
            at_least(&negatives, level),
        )
    });
    Ok(rows.to_vec())
}

/// Loads these folders and says how many rules they held.
pub(crate) fn sigma_rules(folders: &[&str]) -> anyhow::Result<sigma::Rules> {
    let dirs: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let (rules, set) = sigma::Rules::load(&dirs, false)?;
    println!("({} Sigma rules, {} refused)", set.loaded, set.refused.len());
    Ok(rules)
}

/// The worst level among the rules that fire on the command as a Sysmon process creation.
pub(crate) fn worst(scanner: &mut sigma::Scanner<'_>, command: &str, parent: &str) -> Option<Severity> {
    let image = image_of(command);
    let name = image.rsplit('\\').next().unwrap_or(&image).to_owned();
    let with_ending = if name.contains('.') {
        name
    } else {
        format!("{name}.exe")
    };
    let path = if image.contains('\\') {
        image
    } else {
        format!(r"C:\Windows\System32\{with_ending}")
    };
    let mut event = Event::new(
        Class::PROCESS_ACTIVITY,
        Timestamp::from_seconds(1_700_000_000),
        Position { offset: 0, record: 1 },
    );
    event.source.product = "windows";
    event.source.channel = "Microsoft-Windows-Sysmon/Operational".into();
    event.source.provider = "Microsoft-Windows-Sysmon".into();
    event.source.event_id = 1;
    let fields = [
        (None, "EventID", "1".to_owned()),
        (Some(Column::Process), "Image", path),
        (Some(Column::CommandLine), "CommandLine", command.to_owned()),
        (Some(Column::Parent), "ParentImage", parent.to_owned()),
        (None, "OriginalFileName", with_ending),
        (Some(Column::User), "User", r"CORP\user".to_owned()),
    ];
    for (column, name, value) in fields {
        if let Some(column) = column {
            event.columns.set(column, event.fields.len());
        }
        event.fields.push(Field::new(name, value));
    }
    let mut found = Found::default();
    scanner.event(EvidenceId::default(), &event, &mut found);
    found.findings.iter().map(|finding| finding.severity).max()
}

fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines = Vec::new();
    for row in text.lines().skip(1) {
        let mut cells = row.splitn(3, '\t');
        let (Some(label), Some(_), Some(command)) = (cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        lines.push(Line {
            label: label.to_owned(),
            command: serde_json::from_str(command).with_context(|| command.to_owned())?,
        });
    }
    Ok(lines)
}
