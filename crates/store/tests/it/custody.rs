//! Proof that nothing was changed.

use std::path::{Path, PathBuf};

use blackrod_model::{RuleSet, Run, Sha256, Timestamp};
use blackrod_store::{Case, VerifyOptions, VerifyReport};

use crate::invented::{campaign, commit, content, evidence, finding};

fn whole_case(dir: &Path) {
    let mut case = Case::create_or_open(dir).unwrap();
    let run = Run {
        version: "0.1.0".to_owned(),
        arguments: vec!["blackrod".to_owned(), "investigate".to_owned()],
        started: Timestamp::from_seconds(1_700_000_000),
        ended: Timestamp::UNKNOWN,
        rules: Sha256::of(b"rules"),
        estate: Sha256([0; 32]),
    };
    let id = case.begin_run(&run).unwrap();
    commit(&mut case, &[1, 2]).unwrap();
    commit(&mut case, &[3]).unwrap();
    let mut correlated = finding(evidence(3).id, 9, "many-logons");
    correlated.code = "sigma-correlation".to_owned();
    case.replace_correlations(&[correlated]).unwrap();
    case.set_campaigns(&[campaign(&case.findings().unwrap())])
        .unwrap();
    case.set_rule_sets(&[RuleSet {
        method: "sigma".to_owned(),
        loaded: 40,
        digest: Sha256::of(b"sigma"),
        refused: Vec::new(),
        idle: Vec::new(),
    }])
    .unwrap();
    case.end_run(id, Timestamp::from_seconds(1_700_000_100)).unwrap();
    assert_eq!(
        case.runs().unwrap(),
        [Run {
            ended: Timestamp::from_seconds(1_700_000_100),
            ..run
        }]
    );
}

fn verify(dir: &Path) -> VerifyReport {
    Case::open_read_only(dir)
        .unwrap()
        .verify(&VerifyOptions::default())
        .unwrap()
}

fn events_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![dir.join("events")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    files
}

#[test]
fn an_unchanged_case_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    whole_case(dir.path());
    let report = verify(dir.path());
    assert_eq!(report.problems, []);
    assert_eq!(report.log_entries, 7);
    assert_eq!(report.files_checked, events_files(dir.path()).len() as u64);
    let head = Case::open_read_only(dir.path()).unwrap().log_head().unwrap();
    assert_eq!(Some(report.log_head), head.map(|head| head.to_string()));
}

/// Each change is what somebody with the database and the files at hand could make.
#[test]
fn every_change_is_found() {
    let changes = [
        (
            "UPDATE log SET detail = replace(detail, '0.1.0', '0.1.1') WHERE seq = 1",
            "log entry 1",
        ),
        (
            "UPDATE log SET time = '2000-01-01T00:00:00Z' WHERE seq = 2",
            "log entry 2",
        ),
        ("DELETE FROM log WHERE seq = 3", "log entry 4"),
        ("DELETE FROM log WHERE seq = 7", "runs of log entry 1"),
        (
            "UPDATE evidence SET path = 'logs/4.json' WHERE path = 'logs/1.json'",
            "evidence of log entry 2",
        ),
        (
            "UPDATE evidence SET sha256 = zeroblob(32) WHERE path = 'logs/3.json'",
            "evidence of log entry 3",
        ),
        ("DELETE FROM refusals WHERE id = 1", "refusals of log entry 2"),
        (
            "UPDATE findings SET severity = 'low' WHERE severity = 'high' AND batch = 3",
            "findings of log entry 3",
        ),
        ("UPDATE findings SET batch = 99 WHERE batch = 3", "findings"),
        (
            "UPDATE findings SET reasons = '[]' WHERE batch = 0",
            "correlations of log entry 4",
        ),
        (
            "UPDATE premises SET time = time + 1 WHERE batch = 2",
            "premises of log entry 2",
        ),
        (
            "UPDATE files SET sha256 = zeroblob(32) WHERE batch = 2",
            "files of log entry 2",
        ),
        (
            "UPDATE campaigns SET title = 'Nothing to see'",
            "campaigns of log entry 5",
        ),
        ("DELETE FROM members WHERE place = 0", "members of log entry 5"),
        (
            "UPDATE rule_sets SET body = replace(body, '40', '41')",
            "rule_sets of log entry 6",
        ),
        ("UPDATE runs SET ended = ended + 1", "runs of log entry 7"),
    ];
    for (change, place) in changes {
        let dir = tempfile::tempdir().unwrap();
        whole_case(dir.path());
        let book = rusqlite::Connection::open(dir.path().join("case.sqlite")).unwrap();
        assert!(book.execute(change, []).unwrap() > 0, "{change}");
        drop(book);
        let report = verify(dir.path());
        let places: Vec<&str> = report
            .problems
            .iter()
            .map(|problem| problem.place.as_str())
            .collect();
        assert!(places.contains(&place), "{change}: {places:?}");
    }
}

#[test]
fn a_flipped_bit_in_an_events_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    whole_case(dir.path());
    let files = events_files(dir.path());
    let mut bytes = std::fs::read(&files[0]).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    let planted = files[2].with_file_name("part-planted.parquet");
    std::fs::copy(&files[2], &planted).unwrap();

    let report = verify(dir.path());
    let found: Vec<(PathBuf, &str)> = report
        .problems
        .iter()
        .map(|problem| (dir.path().join(&problem.place), problem.what.as_str()))
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0], (files[0].clone(), "the file was changed"));
    assert_eq!(found[1].0, files[1]);
    assert_eq!(found[2], (planted, "the file is not part of the case"));
}

#[test]
fn evidence_is_compared_where_it_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let case_dir = dir.path().join("case");
    whole_case(&case_dir);
    let share = dir.path().join("share");
    std::fs::create_dir_all(share.join("logs")).unwrap();
    std::fs::write(share.join("logs/1.json"), content(1)).unwrap();
    std::fs::write(share.join("logs/2.json"), content(2).replace('2', "3")).unwrap();

    let options = VerifyOptions {
        evidence_roots: vec![share],
    };
    let report = Case::open_read_only(&case_dir).unwrap().verify(&options).unwrap();
    assert_eq!(report.evidence_unchanged, 1);
    assert_eq!(report.evidence_missing, ["logs/3.json"]);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].place, "evidence logs/2.json");
}
