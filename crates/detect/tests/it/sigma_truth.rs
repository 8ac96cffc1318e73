//! Sigma against records whose verdict is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::ops::ControlFlow;
use std::path::Path;

use blackrod_detect::{Found, sigma};
use blackrod_model::{Event, EvidenceId, Finding, Refusal};
use blackrod_read::{HEAD_LEN, Sink, formats};

use crate::shared::{files, unpack};

/// SigmaHQ's own regression logs: each rule fires on its log, so many times as SigmaHQ says.
#[test]
fn every_rule_fires_on_its_regression_log() {
    let (Some(rule_dir), Some(logs)) = (unpack("sigma-rules"), unpack("evtx-regression")) else {
        return;
    };
    let (rules, set) = sigma::Rules::load(&[rule_dir.path().to_owned()], false).expect("readable rules");
    println!("{} rules at work, {} problems", set.loaded, set.refused.len());
    let mut wrong = Vec::new();
    let mut checked = 0;
    for info in files(logs.path(), "info.yml") {
        let text = std::fs::read_to_string(&info).expect("readable");
        let rule = value_of(&text, "rule_metadata", "- id:").expect("a rule id");
        let stated: Option<usize> = value_of(&text, "regression_tests_info", "match_count:")
            .map(|count| count.parse().expect("a count"));
        let stated = RECOUNTED
            .iter()
            .find(|(id, _, _)| *id == rule)
            .map_or(stated, |(_, count, _)| Some(*count));
        for log in files(info.parent().expect("a folder"), ".evtx") {
            let found = scan(&rules, &log);
            let fired = found.iter().filter(|finding| finding.rule_id == rule).count();
            let is_right = stated.map_or(fired > 0, |count| fired == count);
            checked += 1;
            if !is_right {
                wrong.push(format!(
                    "{rule} fired {fired} times on {}, stated {stated:?}",
                    log.display()
                ));
            }
        }
    }
    println!("{checked} logs checked");
    assert!(checked >= 98, "only {checked} logs");
    assert_eq!(wrong, Vec::<String>::new());
}

/// What four independent engines agree on (`sigma-majority.tsv`).
#[test]
fn findings_agree_with_the_majority_of_four_engines() {
    let (Some(rule_dir), Some(logs)) = (unpack("sigma-rules"), unpack("evtx")) else {
        return;
    };
    let sigma_dir = rule_dir.path().join("sigma");
    let folders =
        ["rules/windows", "rules/category", "rules-emerging-threats"].map(|folder| sigma_dir.join(folder));
    let (rules, _) = sigma::Rules::load(&folders, false).expect("readable rules");

    let root = logs.path().join("evtx");
    let mut ours: BTreeSet<Row> = BTreeSet::new();
    for log in files(&root, ".evtx") {
        let name = log
            .strip_prefix(&root)
            .expect("below the folder")
            .display()
            .to_string();
        for finding in scan(&rules, &log) {
            ours.insert((finding.rule_id, name.clone(), finding.at.record));
        }
    }
    let table = std::fs::read_to_string(root.join("sigma-majority.tsv")).expect("the table");
    let mut agreed: BTreeSet<Row> = BTreeSet::new();
    let mut known: BTreeSet<Row> = BTreeSet::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [rule, file, record, _votes, verdict, ..] = cells[..] else {
            continue;
        };
        let row = (
            rule.to_owned(),
            file.to_owned(),
            record.parse().expect("a number"),
        );
        if verdict == "yes" {
            agreed.insert(row.clone());
        }
        known.insert(row);
    }
    let missed: Vec<&Row> = agreed.difference(&ours).collect();
    let extra: Vec<&Row> = ours.difference(&known).collect();
    let recall = 1.0 - missed.len() as f64 / agreed.len() as f64;
    println!(
        "{} agreed, {} ours, recall {:.2} %",
        agreed.len(),
        ours.len(),
        recall * 100.0
    );
    print_by_rule("missed", &missed);
    print_by_rule("extra", &extra);

    assert!(agreed.len() > 4_900);
    assert!(recall >= 0.995, "recall {recall}");
    for (rule, _, _) in missed {
        let explained = EXPLAINED_MISSES.iter().any(|(id, _)| id == rule);
        assert!(explained, "{rule} is missed without an explanation");
    }
    for (rule, _, _) in extra {
        let explained = EXPLAINED_EXTRAS.iter().any(|(id, _)| id == rule);
        assert!(explained, "{rule} is found without an explanation");
    }
}

/// The verdicts of our own evaluation are those of rsigma, for every rule that is about a record:
/// routing, index and memory leave nothing out and add nothing.
#[test]
fn verdicts_are_those_of_rsigma() {
    let (Some(rule_dir), Some(logs)) = (unpack("sigma-rules"), unpack("evtx")) else {
        return;
    };
    let folders = ["rules/windows", "rules-threat-hunting/windows"]
        .map(|folder| rule_dir.path().join("sigma").join(folder));
    let (rules, _) = sigma::Rules::load(&folders, false).expect("readable rules");
    let mut reference = BTreeMap::new();
    for path in folders.iter().flat_map(|folder| files(folder, ".yml")) {
        let parsed = rsigma_parser::parse_sigma_file(&path).expect("a rule");
        for rule in parsed.rules {
            let compiled = rsigma_eval::compile_rule(&rule).expect("a rule that compiles");
            reference.insert(rule.id.expect("an id"), compiled);
        }
    }
    let mut judge = Judge {
        scanner: rules.scanner(),
        rules: &rules,
        reference,
        events: 0,
        compared: 0,
        matched: 0,
    };
    for log in files(logs.path(), ".evtx") {
        read(&log, &mut judge);
    }
    println!(
        "{} verdicts compared, {} of them matches",
        judge.compared, judge.matched
    );
    assert!(judge.matched > 100, "{}", judge.matched);
}

struct Judge<'r> {
    rules: &'r sigma::Rules,
    scanner: sigma::Scanner<'r>,
    reference: BTreeMap<String, rsigma_eval::CompiledRule>,
    events: usize,
    compared: usize,
    matched: usize,
}

impl Sink for Judge<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.events += 1;
        // Every event passes our scanner, so that its memory is tried; every fifth is compared.
        let mut found = Found::default();
        self.scanner.event(EvidenceId([0; 16]), &event, &mut found);
        // There some fields get other names, which rsigma knows nothing of.
        let has_aliases = event.source.channel == "Security" || event.source.channel.contains("Defender");
        if !self.events.is_multiple_of(5) || has_aliases {
            return;
        }
        let mut text = String::new();
        event.write_raw(&mut text);
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let plain = rsigma_eval::JsonEvent::borrow(&json);
        let ours: BTreeSet<&str> = found
            .findings
            .iter()
            .map(|finding| finding.rule_id.as_str())
            .collect();
        for id in self.rules.applicable(&event.source) {
            let rule = &self.reference[id];
            if rule.logsource.category.as_deref() == Some("registry_delete") {
                // The route adds a condition on the event's type.
                continue;
            }
            let expected = rsigma_eval::evaluate_rule(rule, &plain).is_some();
            assert_eq!(ours.contains(id), expected, "{id} {} on {text}", rule.title);
            self.compared += 1;
            self.matched += usize::from(expected);
        }
    }

    fn refuse(&mut self, _: Refusal) {}
}

/// Logs that hold more matching records than SigmaHQ states, how many, and which.
const RECOUNTED: &[(&str, usize, &str)] = &[
    (
        "0b9ad457-2554-44c1-82c2-d56a99c42377",
        3,
        "records 14985, 14988 and 14990 each create a file whose name contains AnyDesk's user.conf",
    ),
    (
        "45e112d0-7759-4c2a-aa36-9f8fb79d3393",
        3,
        "records 28344631, 28344632 and 28344633 each set a zone of bad-domain.com: https, http and *",
    ),
];

/// Rule, file, record.
type Row = (String, String, u64);

/// Rows that the majority has and we have not, and why that is right.
const EXPLAINED_MISSES: &[(&str, &str)] = &[(
    "3a9b8c1e-5b2e-4f7a-9d1c-2a7f3b6e1c55",
    "registry_delete is Sysmon 12 with a delete event type; three of the four take every Sysmon 12, and these are CreateKey",
)];

/// Rows that we have and none of the engines, and why that is right.
const EXPLAINED_EXTRAS: &[(&str, &str)] = &[
    (
        "78cc2dd2-7d20-4d32-93ff-057084c38b93",
        "category antivirus, from Defender's Threat Name and Path; the engines know no source for it",
    ),
    (
        "fa0c05b6-8ad3-468d-8231-c1cbccb64fba",
        "category antivirus, from Defender's Threat Name and Path; the engines know no source for it",
    ),
    (
        "02fb90de-c321-4e63-a6b9-25f4b03dfd14",
        "an emerging-threats rule, which not all engines loaded; spoolsv.exe loads a DLL out of spool\\drivers\\x64\\4",
    ),
    (
        "2f974656-6d83-4059-bbdf-68ac5403422f",
        "an emerging-threats rule, which not all engines loaded; the command line has ` 1> \\\\127.0.0.1\\ADMIN$\\__16`",
    ),
    (
        "45eb2ae2-9aa2-4c3a-99a5-6e5077655466",
        "an emerging-threats rule, which not all engines loaded; 4781 takes the $ off an account's name",
    ),
    (
        "8fe1c584-ee61-444b-be21-e9054b229694",
        "an emerging-threats rule, which not all engines loaded; 5145 opens the pipe spoolss with mask 0x3",
    ),
];

fn print_by_rule(what: &str, rows: &[&Row]) {
    let mut by_rule: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_rule.entry(&row.0).or_default().push(row);
    }
    for (rule, rows) in by_rule {
        println!(
            "{what}: {rule} {} rows, e.g. {} record {}",
            rows.len(),
            rows[0].1,
            rows[0].2
        );
    }
}

/// The first `key` after the line `section:`, which ends in this table-like YAML at the next line
/// without an indent.
fn value_of<'t>(text: &'t str, section: &str, key: &str) -> Option<&'t str> {
    let after = text.split_once(&format!("\n{section}:\n"))?.1;
    after
        .lines()
        .take_while(|line| line.starts_with(' '))
        .find_map(|line| line.trim_start().strip_prefix(key).map(str::trim))
}

/// All findings of a file.
fn scan(rules: &sigma::Rules, path: &Path) -> Vec<Finding> {
    let mut sink = Scan {
        scanner: rules.scanner(),
        found: Found::default(),
    };
    read(path, &mut sink);
    sink.found.findings
}

/// Reads a file to its end.
fn read(path: &Path, sink: &mut dyn Sink) {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD_LEN as u64).read_to_end(&mut head))
        .expect("readable");
    let format = formats()
        .iter()
        .find(|format| format.recognise(&head))
        .expect("a known format");
    let mut input = BufReader::new(File::open(path).expect("readable"));
    format
        .split(&mut input, &mut |block| {
            format.parse(&block, sink);
            ControlFlow::Continue(())
        })
        .expect("readable to the end");
}

struct Scan<'r> {
    scanner: sigma::Scanner<'r>,
    found: Found,
}

impl Sink for Scan<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.scanner.event(EvidenceId([0; 16]), &event, &mut self.found);
    }

    fn refuse(&mut self, _: Refusal) {}
}
