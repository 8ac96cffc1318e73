//! blackrod's own Sigma rules for clouds: each matches an invented record and keeps quiet on an honest neighbour.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use blackrod_detect::Found;
use blackrod_detect::sigma::Rules;
use blackrod_model::{Class, Event, EvidenceId, Field, Position, Timestamp, Value};
use serde::Deserialize;

type Fields = BTreeMap<String, toml::Value>;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

/// A rule (by its file below `content/sigma/cloud`), the log its records stand in, and two records.
#[derive(Deserialize)]
struct Case {
    rule: String,
    log: String,
    hostile: Fields,
    honest: Fields,
}

#[test]
fn every_cloud_rule_matches_its_record_and_not_the_neighbour() {
    let (rules, _) = Rules::load(&[], true).expect("the built-in rules need no folder");
    let mut scanner = rules.scanner();
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let id = rule_id(&case.rule);
        for (fields, expected) in [(&case.hostile, true), (&case.honest, false)] {
            let mut found = Found::default();
            scanner.event(EvidenceId([9; 16]), &event(&case.log, fields), &mut found);
            if found.findings.iter().any(|finding| finding.rule_id == id) != expected {
                wrong.push(format!("{}: expected {expected}", case.rule));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let covered: BTreeSet<&str> = cases.iter().map(|case| case.rule.as_str()).collect();
    let mut files = Vec::new();
    rule_files(&content(), &mut files);
    for file in &files {
        let name = file.strip_prefix(content()).expect("below").with_extension("");
        let name = name.to_str().expect("UTF-8").replace('\\', "/");
        assert!(covered.contains(name.as_str()), "{name} has no case");
    }
    assert!(files.len() >= 100, "{}", files.len());
}

fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/sigma/cloud")
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cloud_content");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the cases are there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let file: Cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        all.extend(file.case);
    }
    all
}

fn rule_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("content/sigma/cloud is there") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => rule_files(&path, files),
            false => files.push(path),
        }
    }
}

fn rule_id(rule: &str) -> String {
    let path = content().join(rule).with_extension("yml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let id = text.lines().find_map(|line| line.strip_prefix("id: "));
    id.unwrap_or_else(|| panic!("{rule} has no id")).to_owned()
}

/// A record of `log`.
fn event(log: &str, fields: &Fields) -> Event<'static> {
    let (product, channel) = match log {
        "directory" => ("azure", "AuditLogs"),
        "directory.m365" => ("m365", "UnifiedAuditLog"),
        "entra.signin" => ("azure", "SignInLogs"),
        "risk" => ("azure", "UserRiskEvents"),
        "azure.activity" => ("azure", "AzureActivity"),
        "m365" => ("m365", "UnifiedAuditLog"),
        "m365.exchange" => ("m365", "UnifiedAuditLog/Exchange"),
        "m365.alerts" => ("m365", "UnifiedAuditLog/Alerts"),
        "google" => ("gcp", "google_workspace.mobile"),
        "google.admin" => ("gcp", "google_workspace.admin"),
        "google.login" => ("gcp", "google_workspace.login"),
        "google.drive" => ("gcp", "google_workspace.drive"),
        "google.gmail" => ("gcp", "google_workspace.gmail"),
        "google.token" => ("gcp", "google_workspace.token"),
        "google.calendar" => ("gcp", "google_workspace.calendar"),
        "google.access_transparency" => ("gcp", "google_workspace.access_transparency"),
        "okta" => ("okta", "okta"),
        other => panic!("the test knows no log {other:?}"),
    };
    let time = Timestamp::from_seconds(1_611_306_000);
    let mut event = Event::new(Class::BASE_EVENT, time, Position { offset: 0, record: 1 });
    event.source.product = product;
    event.source.channel = channel.into();
    event.fields = fields
        .iter()
        .map(|(name, value)| {
            // The audit log itself says "Add application." where Entra's log does without the full stop.
            let own_name = if product == "m365" && name == "operationName" {
                "Operation"
            } else {
                name
            };
            Field::new(own_name.to_owned(), to_value(value))
        })
        .collect();
    if log == "directory.m365" {
        event.fields.push(Field::new("Workload", "AzureActiveDirectory"));
        for field in &mut event.fields {
            if field.name == "Operation"
                && let Value::Str(operation) = &mut field.value
            {
                operation.to_mut().push('.');
            }
        }
    }
    event
}

fn to_value(value: &toml::Value) -> Value<'static> {
    match value {
        toml::Value::String(text) => Value::from(text.clone()),
        toml::Value::Integer(number) => Value::Int(*number),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Array(values) => Value::List(values.iter().map(to_value).collect()),
        other => panic!("the test knows no field value {other}"),
    }
}
