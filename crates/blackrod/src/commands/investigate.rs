//! `blackrod investigate`: evidence → events → findings → campaigns → report.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use blackrod_detect::accounts::Networks;
use blackrod_detect::indicators::partner;
use blackrod_detect::{Detectors, Sources};
use blackrod_model::assessment::Remark;
use blackrod_model::{RuleProblem, RuleSet, Run, Sha256, Timestamp};
use blackrod_read::evidence::{Limits, walk};
use blackrod_read::{FieldMaps, Formats};
use blackrod_store::Case;

use super::report::{self, Gathered};
use super::{MOST_FINDINGS, Outcome, conclude, estate};
use crate::cli;
use crate::pipeline::Pipeline;
use crate::progress::Progress;

pub(crate) fn run(arguments: &cli::Investigate) -> anyhow::Result<Outcome> {
    let speaks = !arguments.quiet && !arguments.json;
    let (estate, estate_digest) = estate::load_or_empty(arguments.estate.as_deref())?;
    let formats = load_formats(&arguments.fields)?;
    let networks = Networks::open(&estate, &arguments.networks)?;
    let indicators = files_of(&arguments.indicators)?;
    let (detectors, mut rule_sets) = Detectors::load(
        &Sources {
            builtin: !arguments.no_builtin,
            rule_dirs: arguments.rules.clone(),
            indicator_files: indicators.clone(),
            canary_dirs: arguments.canaries.clone(),
            dns_files: arguments.dns.clone(),
        },
        &estate,
    )?;
    if speaks {
        say_what_was_loaded(&rule_sets);
    }
    let walk = walk(&arguments.evidence, std::slice::from_ref(&arguments.case))?;
    for problem in &walk.problems {
        eprintln!("blackrod: not read: {}: {}", problem.name, problem.reason);
    }

    let mut case = Case::create_or_open(&arguments.case)?;
    let run = case.begin_run(&Run {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        arguments: std::env::args_os()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        started: Timestamp::now(),
        ended: Timestamp::UNKNOWN,
        rules: Sha256::of_parts(rule_sets.iter().map(|set| &set.digest.0[..])),
        estate: estate_digest,
    })?;
    let bytes = walk.files.iter().map(|file| file.size).sum();
    let progress = Progress::new(walk.files.len() as u64, bytes, speaks);
    let tally = Pipeline {
        case: &mut case,
        detectors: &detectors,
        formats: &formats,
        limits: Limits::default(),
        threads: thread_count(arguments.threads),
        progress: &progress,
    }
    .run(&walk.files)?;

    progress.stage("judging");
    note_idle_rules(&mut rule_sets, &detectors, &tally.seen);
    let asked = conclude::conclude(&mut case, &detectors, &estate, networks, arguments.alerts_per_day)?;
    note_partners(&mut case, &indicators, &mut rule_sets)?;
    if let Some(set) = rule_sets.iter_mut().find(|set| set.method == "analytics") {
        set.refused.extend(asked.refused);
        set.idle = asked.idle;
    }
    case.set_rule_sets(&rule_sets)?;
    case.end_run(run, Timestamp::now())?;

    progress.stage("writing the report");
    let output = report::default_path(&arguments.case);
    let gathered = Gathered::from_case(&case, &arguments.case, &estate, detectors.analytics())?;
    gathered.write_html(&output)?;
    progress.finish();
    print_summary(&gathered, &output, tally.known, arguments.json)?;
    Ok(match (arguments.fail_on, gathered.worst()) {
        (Some(limit), Some(worst)) if worst >= limit => Outcome::SeverityReached,
        _ => Outcome::Done,
    })
}

/// The files that are named, and those directly in the folders that are, by name.
fn files_of(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(path).with_context(|| format!("cannot look into {}", path.display()))?;
        let mut inside: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|inner| inner.is_file())
            .collect();
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn load_formats(files: &[PathBuf]) -> anyhow::Result<Formats> {
    let mut maps = FieldMaps::default();
    for file in files {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the field map {}", file.display()))?;
        let parsed = FieldMaps::parse(&text)
            .with_context(|| format!("the field map {} cannot be used", file.display()))?;
        maps.extend(parsed);
    }
    Ok(Formats::with_maps(maps))
}

fn thread_count(wanted: Option<u16>) -> usize {
    match wanted {
        Some(threads) => usize::from(threads),
        None => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    }
}

fn say_what_was_loaded(rule_sets: &[RuleSet]) {
    const SHOWN: usize = 5;
    for set in rule_sets {
        eprintln!(
            "{}: {} loaded, {} refused",
            set.method,
            set.loaded,
            set.refused.len()
        );
        for problem in set.refused.iter().take(SHOWN) {
            eprintln!("  not loaded: {}: {}", problem.rule, problem.reason);
        }
        if set.refused.len() > SHOWN {
            eprintln!("  … and {} more, all in the report", set.refused.len() - SHOWN);
        }
    }
}

fn note_idle_rules(rule_sets: &mut [RuleSet], detectors: &Detectors, seen: &blackrod_detect::SeenSources) {
    if let Some(sigma) = rule_sets.iter_mut().find(|set| set.method == "sigma") {
        sigma.idle = detectors.idle(seen);
    }
}

/// Notes in the case what the bundles of partners say of what was seen in it, what is new each time. What somebody took back stays so.
fn note_partners(case: &mut Case, files: &[PathBuf], rule_sets: &mut [RuleSet]) -> anyhow::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let mut seen: HashSet<String> = HashSet::new();
    case.each_finding_within(MOST_FINDINGS, &mut |finding| {
        seen.extend(finding.entities.into_iter().map(|entity| entity.value));
        seen.insert(finding.rule_id.to_lowercase());
    })?;
    let (said, left_out) = partner::context(files, &|value| seen.contains(&value.to_lowercase()))?;
    for one in said {
        let by = one.source.clone();
        let remark = Remark::Partner(one);
        if !case.has_remark(&remark)? {
            case.add_remark(&by, &remark)?;
        }
    }
    if let Some(set) = rule_sets.iter_mut().find(|set| set.method == "indicators") {
        let problem = |reason| RuleProblem {
            rule: String::new(),
            title: "context of partners".to_owned(),
            reason,
        };
        set.refused.extend(left_out.into_iter().map(problem));
    }
    Ok(())
}

fn print_summary(gathered: &Gathered, output: &Path, known: usize, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let summary = gathered.view(output, blackrod_report::summary_json);
        writeln!(out, "{summary:#}")?;
        return Ok(());
    }
    let summary = gathered.view(output, blackrod_report::summary_text);
    write!(out, "{summary}")?;
    if known > 0 {
        writeln!(
            out,
            "\n{known} files were in the case already and were not read again."
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_one_thread() {
        assert!(thread_count(None) >= 1);
        assert_eq!(thread_count(Some(7)), 7);
    }
}
