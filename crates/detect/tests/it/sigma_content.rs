//! blackrod's own Sigma rules: each matches an invented record and keeps quiet on a near neighbour;
//! each correlation is completed by one sequence of records and not by another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use blackrod_detect::Found;
use blackrod_detect::sigma::{Rules, Scanner};
use blackrod_model::{Class, Event, EvidenceId, Field, Finding, Position, RuleSet, Timestamp, Value};
use serde::Deserialize;

static BUILTIN: LazyLock<(Rules, RuleSet)> =
    LazyLock::new(|| Rules::load(&[], true).expect("the built-in rules need no folder"));

const EVIDENCE: EvidenceId = EvidenceId([9; 16]);

type Fields = BTreeMap<String, toml::Value>;

#[derive(Deserialize)]
struct Cases {
    #[serde(default)]
    case: Vec<Case>,
    #[serde(default)]
    sequence: Vec<Sequence>,
}

/// A rule (by its file below `content/sigma/windows`), the log its records stand in, and two records.
#[derive(Deserialize)]
struct Case {
    rule: String,
    log: String,
    hostile: Fields,
    honest: Fields,
}

#[derive(Deserialize)]
struct Sequence {
    rule: String,
    completes: Vec<Step>,
    does_not: Vec<Step>,
}

/// The hostile record of a rule's case (by file name), with `fields` instead of its own.
#[derive(Deserialize)]
struct Step {
    of: String,
    #[serde(default)]
    fields: Fields,
}

#[test]
fn every_rule_matches_its_record_and_not_the_neighbour() {
    let mut scanner = BUILTIN.0.scanner();
    let mut wrong = Vec::new();
    for case in cases().case {
        let id = rule_id(&case.rule);
        if !fired(&mut scanner, &event(&case.log, &case.hostile, 0)).contains(&id) {
            wrong.push(format!("{} misses its record", case.rule));
        }
        if fired(&mut scanner, &event(&case.log, &case.honest, 0)).contains(&id) {
            wrong.push(format!("{} matches its honest neighbour", case.rule));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_correlation_is_completed_by_its_sequence_only() {
    let all = cases();
    let bases: BTreeMap<&str, &Case> = all
        .case
        .iter()
        .map(|case| (file_name(&case.rule), case))
        .collect();
    let mut wrong = Vec::new();
    for sequence in &all.sequence {
        let id = rule_id(&sequence.rule);
        let found = |steps: &[Step]| {
            correlated(&bases, steps)
                .iter()
                .any(|finding| finding.rule_id == id)
        };
        if !found(&sequence.completes) {
            wrong.push(format!("{} is not completed by its sequence", sequence.rule));
        }
        if found(&sequence.does_not) {
            wrong.push(format!("{} is completed by the wrong sequence", sequence.rule));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_has_a_case_and_is_loaded() {
    let all = cases();
    let covered: BTreeSet<&str> = all
        .case
        .iter()
        .map(|case| case.rule.as_str())
        .chain(all.sequence.iter().map(|sequence| sequence.rule.as_str()))
        .collect();
    let mut files = Vec::new();
    rule_files(&content(), &mut files);
    let mut ids = BTreeSet::new();
    for file in &files {
        let name = file.strip_prefix(content()).expect("below").with_extension("");
        let name = name.to_str().expect("UTF-8").replace('\\', "/");
        assert!(covered.contains(name.as_str()), "{name} has no case");
        assert!(ids.insert(rule_id(&name)), "{name} has the id of another rule");
    }
    assert!(files.len() >= 45);
    rule_files(&content().join("../email"), &mut files);
    rule_files(&content().join("../cloud"), &mut files);
    let (_, sigma) = &*BUILTIN;
    assert_eq!(sigma.refused, []);
    assert_eq!(
        sigma.loaded as usize,
        files.len(),
        "the folder and the binary hold the same rules"
    );
}

fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/sigma/windows")
}

fn cases() -> Cases {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sigma_content");
    let mut all = Cases {
        case: Vec::new(),
        sequence: Vec::new(),
    };
    for entry in std::fs::read_dir(folder).expect("the cases are there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let file: Cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        all.case.extend(file.case);
        all.sequence.extend(file.sequence);
    }
    all
}

fn rule_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("content/sigma is there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            rule_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            files.push(path);
        }
    }
}

fn rule_id(rule: &str) -> String {
    let path = content().join(rule).with_extension("yml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let id = text.lines().find_map(|line| line.strip_prefix("id: "));
    id.unwrap_or_else(|| panic!("{rule} has no id")).to_owned()
}

fn file_name(rule: &str) -> &str {
    rule.rsplit('/').next().unwrap_or(rule)
}

/// A record of `log` (a Sigma category or service), the `number`-th of a morning, a quarter of a
/// minute after the one before.
fn event(log: &str, fields: &Fields, number: u64) -> Event<'static> {
    const SYSMON: (&str, &str) = ("Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon");
    let ((channel, provider), implied_id) = match log {
        "process_creation" => (SYSMON, 1),
        "network_connection" => (SYSMON, 3),
        "process_access" => (SYSMON, 10),
        "file_event" => (SYSMON, 11),
        "registry_set" => (SYSMON, 13),
        "wmi_event" => (SYSMON, 20),
        "ps_script" => (
            (
                "Microsoft-Windows-PowerShell/Operational",
                "Microsoft-Windows-PowerShell",
            ),
            4104,
        ),
        "security" => (("Security", "Microsoft-Windows-Security-Auditing"), 0),
        "system" => (("System", "Service Control Manager"), 0),
        "windefend" => (
            (
                "Microsoft-Windows-Windows Defender/Operational",
                "Microsoft-Windows-Windows Defender",
            ),
            0,
        ),
        "msexchange-management" => (("MSExchange Management", "MSExchange CmdletLogs"), 0),
        other => panic!("the test knows no log {other:?}"),
    };
    let own_id = fields.get("EventID").and_then(toml::Value::as_integer);
    let event_id = own_id.unwrap_or(implied_id);
    let time = Timestamp::from_seconds(1_611_306_000 + 15 * number as i64);
    let mut event = Event::new(
        Class::BASE_EVENT,
        time,
        Position {
            offset: 0,
            record: number + 1,
        },
    );
    event.source.product = "windows";
    event.source.channel = channel.into();
    event.source.provider = provider.into();
    event.source.event_id = u32::try_from(event_id).expect("an event id");
    event.fields = fields
        .iter()
        .map(|(name, value)| Field::new(name.clone(), to_value(value)))
        .collect();
    for (name, text) in [("Channel", channel), ("Provider_Name", provider)] {
        if !fields.contains_key(name) {
            event.fields.push(Field::new(name, text));
        }
    }
    if own_id.is_none() {
        event.fields.push(Field::new("EventID", Value::Int(event_id)));
    }
    event
}

fn to_value(value: &toml::Value) -> Value<'static> {
    match value {
        toml::Value::String(text) => Value::from(text.clone()),
        toml::Value::Integer(number) => Value::Int(*number),
        other => panic!("the test knows no field value {other}"),
    }
}

fn fired(scanner: &mut Scanner<'_>, event: &Event<'_>) -> BTreeSet<String> {
    let mut found = Found::default();
    scanner.event(EVIDENCE, event, &mut found);
    // A rule that only serves correlations makes a premise instead of a finding.
    let premises = found.premises.into_iter().map(|premise| premise.rule_id);
    found
        .findings
        .into_iter()
        .map(|finding| finding.rule_id)
        .chain(premises)
        .collect()
}

fn correlated(bases: &BTreeMap<&str, &Case>, steps: &[Step]) -> Vec<Finding> {
    let mut found = Found::default();
    let mut scanner = BUILTIN.0.scanner();
    for (number, step) in (0..).zip(steps) {
        let base = bases
            .get(step.of.as_str())
            .unwrap_or_else(|| panic!("no case of {:?}", step.of));
        let mut fields = base.hostile.clone();
        fields.extend(step.fields.clone());
        scanner.event(EVIDENCE, &event(&base.log, &fields, number), &mut found);
    }
    found.premises.sort_by_key(|premise| premise.time);
    let mut correlator = BUILTIN.0.correlator();
    found
        .premises
        .into_iter()
        .for_each(|premise| correlator.push(premise));
    correlator.finish()
}
