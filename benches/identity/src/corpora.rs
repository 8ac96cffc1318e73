//! Records whose verdict is known: attacks recorded in a Microsoft 365 tenant, and single events of four vendors with
//! what others' rules say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use blackrod_detect::Detectors;
use blackrod_detect::accounts::Networks;
use blackrod_model::{Estate, Finding};
use serde::Deserialize;

use crate::scan::{Gathered, detectors};

/// An event, and whether the rule that it tests must fire. Rules contradict each other at times: what must alert
/// there is the quiet neighbour here.
#[derive(Deserialize)]
struct Labelled {
    family: String,
    rule: String,
    name: String,
    expected: bool,
    log: serde_json::Value,
}

/// An event that came out otherwise than its test says.
struct Otherwise<'v> {
    vendor: &'v str,
    rule: String,
    /// What the log calls such an event.
    kind: String,
    name: String,
    expected: bool,
    titles: Vec<String>,
}

#[derive(Default)]
struct Tally {
    hostile: (u32, u32),
    honest: (u32, u32),
    /// Quiet events of one rule with nothing but what a test of another rule wants of events called the same.
    contradicted: u32,
}

pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let detectors = detectors(&Estate::default())?;
    let missed = recorded(&detectors, &folder.join("det-eng-samples"))?;
    single(&detectors, &folder.join("panther-tests"))?;
    anyhow::ensure!(
        missed == 0,
        "{missed} recorded attacks are not found with their technique"
    );
    Ok(())
}

/// A file shows one technique, which its name begins with.
fn recorded(detectors: &Detectors, folder: &Path) -> anyhow::Result<u32> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some())
        .collect();
    paths.sort();
    let mut missed = 0;
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let technique = name
            .split(['_', ' '])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let found = findings(detectors, &std::fs::read(&path)?)?;
        let parent = format!("{technique}.");
        let is_told = found
            .iter()
            .flat_map(|finding| &finding.attack)
            .any(|told| *told == technique || told.starts_with(&parent));
        missed += u32::from(!is_told);
        let titles: Vec<&str> = found.iter().map(|finding| finding.title.as_str()).collect();
        println!(
            "{} {name}: {}",
            if is_told { "found " } else { "MISSED" },
            titles.join("; ")
        );
    }
    Ok(missed)
}

fn single(detectors: &Detectors, folder: &Path) -> anyhow::Result<()> {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut otherwise: Vec<Otherwise<'_>> = Vec::new();
    // What is found where a test wants a finding, by vendor and kind of event, with the rules that are tested.
    let mut wanted: BTreeMap<(&str, String, String), BTreeSet<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let text = std::fs::read_to_string(entry?.path())?;
        for line in text.lines() {
            let event: Labelled = serde_json::from_str(line)?;
            let Some(vendor) = vendor(&event) else { continue };
            let found = findings(detectors, event.log.to_string().as_bytes())?;
            let tally = tallies.entry(vendor).or_default();
            let (hits, all) = match event.expected {
                true => &mut tally.hostile,
                false => &mut tally.honest,
            };
            *all += 1;
            let kind = kind(&event.log);
            let titles = found.into_iter().map(|finding| finding.title);
            if event.expected {
                for title in titles.clone() {
                    let rules = wanted.entry((vendor, kind.clone(), title)).or_default();
                    rules.insert(event.rule.clone());
                }
            }
            let titles: Vec<String> = titles.collect();
            if titles.is_empty() != event.expected {
                *hits += 1;
                continue;
            }
            otherwise.push(Otherwise {
                vendor,
                rule: event.rule,
                name: event.name,
                kind,
                expected: event.expected,
                titles,
            });
        }
    }
    for one in &otherwise {
        if one.expected {
            println!("{}: {}: wanted a finding", one.rule, one.name);
            continue;
        }
        // The tests were written rule by rule: what one must tell is another's quiet neighbour.
        let by_others: Vec<(&String, Option<&String>)> = one
            .titles
            .iter()
            .map(|title| {
                let rules = wanted.get(&(one.vendor, one.kind.clone(), title.clone()));
                (title, rules.into_iter().flatten().find(|rule| **rule != one.rule))
            })
            .collect();
        if by_others.iter().all(|(_, rule)| rule.is_some())
            && let Some(tally) = tallies.get_mut(one.vendor)
        {
            tally.contradicted += 1;
        }
        let told = by_others.iter().map(|(title, rule)| match rule {
            Some(rule) => format!("{title} (which {rule} wants)"),
            None => format!("{title} (which no other rule wants)"),
        });
        println!(
            "{}: {}: wanted none: {}",
            one.rule,
            one.name,
            told.collect::<Vec<_>>().join("; ")
        );
    }
    println!(
        "{:18} {:>24} {:>24} {:>34}",
        "vendor", "expected: with finding", "not expected: without", "those that others want set aside"
    );
    for (vendor, tally) in &tallies {
        let (quiet, all) = tally.honest;
        println!(
            "{vendor:18} {:>24} {:>24} {:>34}",
            share(tally.hostile),
            share(tally.honest),
            share((quiet, all - tally.contradicted))
        );
    }
    Ok(())
}

/// What the log calls an event.
fn kind(log: &serde_json::Value) -> String {
    let names = ["eventType", "eventtype", "operationName", "Operation", "name"];
    let name = names.iter().find_map(|name| log.get(name)?.as_str());
    name.unwrap_or_default().to_owned()
}

fn vendor(event: &Labelled) -> Option<&'static str> {
    Some(match event.family.as_str() {
        "microsoft_rules" if event.rule.starts_with("Microsoft365") => "Microsoft 365",
        "azure_signin_rules" | "intune_rules" => "Entra",
        "azure_activity_rules" => "Azure resources",
        "gsuite_activityevent_rules" | "gsuite_reports_rules" => "Google Workspace",
        "okta_rules" => "Okta",
        _ => return None,
    })
}

fn share((hits, all): (u32, u32)) -> String {
    format!(
        "{hits}/{all} = {:.0} %",
        100.0 * f64::from(hits) / f64::from(all.max(1))
    )
}

/// All findings of the evidence `bytes`, those over many records included.
fn findings(detectors: &Detectors, bytes: &[u8]) -> anyhow::Result<Vec<Finding>> {
    let mut gathered = Gathered::default();
    gathered.read(&mut detectors.scanner(), 1, bytes)?;
    Ok(gathered.conclude(detectors, Networks::default()))
}
