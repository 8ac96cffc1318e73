//! A month of an invented estate: are the attacks in it found, and how often is somebody accused who did nothing?

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use blackrod_detect::Detectors;
use blackrod_detect::accounts::Networks;
use blackrod_model::{Finding, Severity};

use crate::attacks::{self, Attack};
use crate::estate::Estate;
use crate::log::Logs;
use crate::random::Random;
use crate::scan::{Gathered, detectors};

/// From this severity on, a finding is put before somebody by itself; those below are context.
const ALARM: Severity = Severity::Medium;

#[derive(Default)]
struct Score {
    attacks: u32,
    found: u32,
    person_days: f64,
    alarms: BTreeMap<String, u32>,
    context: BTreeMap<String, u32>,
}

pub(crate) fn run(first: u64, count: u64, people: usize, days: i64) -> anyhow::Result<()> {
    let detectors = detectors(&blackrod_model::Estate::default())?;
    let mut score = Score::default();
    for seed in first..first + count {
        one(&detectors, seed, people, days, &mut score)?;
    }
    let per_thousand = |counts: &BTreeMap<String, u32>| {
        let all: u32 = counts.values().sum();
        f64::from(all) / score.person_days * 1_000.0
    };
    println!(
        "recall: {} of {} attacks with a finding of medium severity or above",
        score.found, score.attacks
    );
    println!(
        "false findings per 1,000 person-days: {:.2} of medium severity or above, {:.2} below, over {:.0} person-days",
        per_thousand(&score.alarms),
        per_thousand(&score.context),
        score.person_days
    );
    for (what, counts) in [("medium or above", &score.alarms), ("below", &score.context)] {
        for (title, times) in counts {
            println!("  false, {what}: {times} {title}");
        }
    }
    Ok(())
}

/// Writes the logs of a month as files.
pub(crate) fn write(seed: u64, folder: &Path, people: usize, days: i64) -> anyhow::Result<()> {
    let (logs, hidden) = month(seed, people, days);
    std::fs::create_dir_all(folder)?;
    for (name, records) in [("sign-ins.ndjson", &logs.sign_ins), ("audit.ndjson", &logs.audit)] {
        let path = folder.join(name);
        std::fs::write(&path, lines(records)).with_context(|| path.display().to_string())?;
    }
    for attack in hidden {
        println!("{}: {}", attack.name, attack.marks.join(" "));
    }
    Ok(())
}

fn month(seed: u64, people: usize, days: i64) -> (Logs, Vec<Attack>) {
    let mut random = Random::new(seed);
    let estate = Estate::new(&mut random, people, days);
    let mut logs = Logs::default();
    for day in 0..days {
        estate.day(&mut random, day, &mut logs);
    }
    let hidden = attacks::hide(&mut random, &estate, days, &mut logs);
    logs.sign_ins.sort();
    logs.audit.sort();
    (logs, hidden)
}

fn lines(records: &[(i64, String)]) -> String {
    let mut text = String::with_capacity(records.iter().map(|(_, record)| record.len() + 1).sum());
    for (_, record) in records {
        text.push_str(record);
        text.push('\n');
    }
    text
}

fn one(detectors: &Detectors, seed: u64, people: usize, days: i64, score: &mut Score) -> anyhow::Result<()> {
    let (logs, hidden) = month(seed, people, days);
    let mut scanner = detectors.scanner();
    let mut gathered = Gathered::default();
    for (number, records) in [(1, &logs.sign_ins), (2, &logs.audit)] {
        let is_known = gathered.read(&mut scanner, number, lines(records).as_bytes())?;
        anyhow::ensure!(is_known, "no reader knows the log");
    }
    let events = gathered.events;
    let findings = gathered.conclude(
        detectors,
        Networks::open(&blackrod_model::Estate::default(), &[])?,
    );
    println!("seed {seed}: {events} records, {} findings", findings.len());

    let is_about = |finding: &Finding, attack: &Attack| {
        let named = finding
            .entities
            .iter()
            .any(|entity| attack.marks.contains(&entity.value));
        named
            || attack
                .marks
                .iter()
                .any(|mark| finding.title.contains(mark.as_str()))
    };
    for attack in &hidden {
        let by: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.severity >= ALARM && is_about(finding, attack))
            .map(|finding| finding.code.as_str())
            .collect();
        score.attacks += 1;
        score.found += u32::from(!by.is_empty());
        println!(
            "  {} {}: {}",
            if by.is_empty() { "MISSED" } else { "found " },
            attack.name,
            by.join(" ")
        );
    }
    for finding in &findings {
        if hidden.iter().any(|attack| is_about(finding, attack)) {
            continue;
        }
        let counts = match finding.severity >= ALARM {
            true => &mut score.alarms,
            false => &mut score.context,
        };
        let title = match finding.code.as_str() {
            "SIGMA" | "SIGMA-CORRELATION" => finding.title.clone(),
            code => code.to_owned(),
        };
        *counts.entry(title).or_default() += 1;
    }
    score.person_days += people as f64 * days as f64;
    Ok(())
}
