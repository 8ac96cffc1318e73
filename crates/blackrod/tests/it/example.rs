//! The example case: what a newcomer sees first.

use std::fs;

use crate::support::{blackrod, everything, hunt, investigate_example, root, run, stdout_of};

#[test]
fn the_example_is_read_found_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("example.case");
    let summary = stdout_of(&investigate_example(&case, &[]), 0);
    assert!(summary.contains("report.html"), "{summary}");

    let refused = hunt(
        &case,
        "SELECT e.path, e.records_refused, coalesce(sum(r.records), 0) AS told FROM evidence e \
         LEFT JOIN refusals r ON r.evidence = e.id GROUP BY 1, 2 HAVING e.records_refused <> coalesce(sum(r.records), 0)",
    );
    assert_eq!(
        refused.lines().count(),
        1,
        "every refused record is in the ledger: {refused}"
    );
    let read = hunt(
        &case,
        "SELECT e.path FROM evidence e LEFT JOIN (SELECT evidence, count(*) AS n FROM events GROUP BY 1) v \
         ON v.evidence = e.id WHERE e.records_read <> coalesce(v.n, 0)",
    );
    assert_eq!(read.lines().count(), 1, "every record read is an event: {read}");

    let story = hunt(&case, "SELECT DISTINCT attack FROM findings");
    for technique in ["T1505.003", "T1114.002", "T1003.003", "T1070.001"] {
        assert!(
            story.contains(technique),
            "{technique} is part of the story: {story}"
        );
    }
    // The way from the probe to the mailbox is one thing, in order, and one campaign.
    let chain = hunt(
        &case,
        "SELECT reason FROM findings WHERE code = 'server/taken' AND title LIKE 'exchange01%'",
    );
    let places: Vec<Option<usize>> = [
        "attack tried=",
        "attack answered=",
        "script put into a virtual directory",
        "page written where it is served=",
        "odd page asked for=",
        "program started by the web server=",
        "right to open mailboxes given=",
        "mailbox exported=",
        "mail read=",
    ]
    .iter()
    .map(|sign| chain.find(sign))
    .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{chain}"
    );
    let together = hunt(
        &case,
        "SELECT count(DISTINCT campaign) AS campaigns FROM findings WHERE code LIKE 'server/%' AND campaign IS NOT NULL",
    );
    assert!(together.lines().any(|line| line.trim() == "1"), "{together}");
    // One flood, told from the readers whom the news brought an hour before.
    let floods = hunt(&case, "SELECT start, title FROM floods");
    let told: Vec<&str> = floods.lines().skip(1).collect();
    let is_right = |line: &&str| line.contains("2021-01-21T11:42") && line.contains("/search");
    assert!(told.len() == 1 && told.iter().all(is_right), "{floods}");
    let asked = hunt(
        &case,
        "SELECT DISTINCT rule_id FROM findings WHERE code = 'ANALYTIC'",
    );
    for analytic in ["mail-asked-from-attacker", "mass-mailbox-export"] {
        assert!(asked.contains(analytic), "{analytic}: {asked}");
    }
    let failed = hunt(
        &case,
        "SELECT rule, reason FROM rule_problems WHERE method = 'analytics' AND state = 'refused'",
    );
    assert_eq!(
        failed.lines().count(),
        1,
        "every built-in question can be asked: {failed}"
    );
    let report = fs::read_to_string(case.join("report.html")).unwrap();
    assert!(report.contains("What could not be looked for") && report.contains("HttpProxy"));
    assert!(report.contains("Content-Security-Policy") && report.contains("<svg"));
    assert!(
        !report.contains("src=\"http") && !report.contains("href=\"http"),
        "nothing is loaded from elsewhere"
    );

    let again = stdout_of(&investigate_example(&case, &["--json"]), 0);
    let json: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert!(
        json["campaigns"]
            .as_array()
            .is_some_and(|campaigns| !campaigns.is_empty()),
        "{json:#}"
    );
    let topics = json["coverage"]["topics"].as_array().unwrap();
    let is_missing = |topic: &serde_json::Value| topic["had"].as_array().is_some_and(Vec::is_empty);
    assert!(topics.iter().any(is_missing) && !topics.iter().all(is_missing));
    assert_eq!(
        investigate_example(&case, &["--quiet", "--fail-on", "high"])
            .status
            .code(),
        Some(3)
    );
}

#[test]
fn evidence_that_comes_later_joins_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = root().join("examples/evidence");
    let estate = root().join("examples/estate.toml");
    let investigate = |case: &std::path::Path, inputs: &[std::path::PathBuf]| {
        let output = blackrod()
            .arg("investigate")
            .args(inputs)
            .arg("--estate")
            .arg(&estate)
            .arg("--case")
            .arg(case)
            .arg("--quiet")
            .output()
            .unwrap();
        stdout_of(&output, 0);
    };
    let mut inputs: Vec<_> = fs::read_dir(&evidence)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.sort();
    let at_once = folder.path().join("at-once");
    investigate(&at_once, &inputs);
    let bit_by_bit = folder.path().join("bit-by-bit");
    for input in inputs.iter().rev() {
        investigate(&bit_by_bit, std::slice::from_ref(input));
    }
    assert_eq!(everything(&at_once), everything(&bit_by_bit));

    let (first, second) = inputs.split_at(inputs.len() / 2);
    let (left, right, merged) = (
        folder.path().join("left"),
        folder.path().join("right"),
        folder.path().join("merged"),
    );
    investigate(&left, first);
    investigate(&right, second);
    let output = blackrod()
        .args(["case", "merge"])
        .args([&merged, &left, &right])
        .arg("--estate")
        .arg(&estate)
        .output()
        .unwrap();
    stdout_of(&output, 0);
    assert_eq!(everything(&at_once), everything(&merged));
    let listed = stdout_of(&run(&["case", "list", folder.path().to_str().unwrap()]), 0);
    assert_eq!(listed.lines().count(), 5, "{listed}");
}

#[test]
fn verification_sees_a_changed_case_and_changed_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("seized");
    fs::create_dir(&evidence).unwrap();
    let log = evidence.join("log.ndjson");
    fs::write(
        &log,
        "{\"time\":\"2021-01-22T09:30:00Z\",\"user\":\"anna\",\"host\":\"ws-1\"}\n",
    )
    .unwrap();
    let case = folder.path().join("case");
    let output = blackrod()
        .arg("investigate")
        .arg(&evidence)
        .arg("--case")
        .arg(&case)
        .arg("--quiet")
        .output();
    stdout_of(&output.unwrap(), 0);
    let verify = || {
        blackrod()
            .args(["case", "verify"])
            .arg(&case)
            .arg("--evidence")
            .arg(&evidence)
            .output()
            .unwrap()
    };
    assert!(stdout_of(&verify(), 0).contains("1 evidence files unchanged"));

    fs::write(&log, "{}\n").unwrap();
    assert!(stdout_of(&verify(), 4).contains("log.ndjson"));
    fs::write(
        &log,
        "{\"time\":\"2021-01-22T09:30:00Z\",\"user\":\"anna\",\"host\":\"ws-1\"}\n",
    )
    .unwrap();
    stdout_of(&verify(), 0);

    let day = fs::read_dir(case.join("events"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let part = fs::read_dir(&day).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(&part).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(stdout_of(&verify(), 4).contains("parquet"));
}

#[test]
fn hunting_tells_what_went_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().to_str().unwrap();
    let output = run(&["hunt", "SELECT 1", "--case", nowhere]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("case"));
}
