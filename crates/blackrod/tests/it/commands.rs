//! The small commands.

use crate::support::{blackrod, run, stdout_of};

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let help = stdout_of(&run(&["--help"]), 0);
    for word in [
        "investigate",
        "hunt",
        "case",
        "estate",
        "mail",
        "formats",
        "explain",
        "completions",
        "man",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word}");
    }
    assert_eq!(run(&["investigate"]).status.code(), Some(2), "wrong usage");
}

#[test]
fn formats_are_listed() {
    let text = stdout_of(&run(&["formats"]), 0);
    for name in [
        "evtx",
        "windows-json",
        "eml",
        "mbox",
        "csv",
        "ndjson",
        "zip",
        "zst",
    ] {
        assert!(text.contains(name), "{name}");
    }
    let json: serde_json::Value = serde_json::from_str(&stdout_of(&run(&["formats", "--json"]), 0)).unwrap();
    assert!(json["records"].as_array().unwrap().len() >= 6);
}

#[test]
fn detectors_and_rules_are_explained() {
    let codes = stdout_of(&run(&["explain"]), 0);
    for code in ["SIGMA", "YARA", "INDICATOR"] {
        assert!(codes.contains(code), "{code}");
        let text = stdout_of(&run(&["explain", code]), 0);
        for heading in ["What it finds", "Why it matters", "What it misses", "References"] {
            assert!(text.contains(heading), "{code}: {heading}");
        }
    }
    let rule = stdout_of(&run(&["explain", "113c36f5-8d5f-540c-990f-f691e5b64efe"]), 0);
    assert!(rule.contains("ntdsutil"));
    let unknown = run(&["explain", "no-such-thing"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("blackrod explain"));
}

#[test]
fn the_estate_example_passes_its_own_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("estate.toml");
    let example = stdout_of(&run(&["estate", "example"]), 0);
    std::fs::write(&file, &example).unwrap();
    let checked = blackrod().args(["estate", "check"]).arg(&file).output().unwrap();
    assert!(stdout_of(&checked, 0).contains("people"));

    std::fs::write(&file, example.replace("[[person]]", "[[persn]]")).unwrap();
    let checked = blackrod().args(["estate", "check"]).arg(&file).output().unwrap();
    assert_eq!(checked.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(
        complaint.contains("persn") && complaint.contains("person"),
        "{complaint}"
    );
}

#[test]
fn completions_and_manual_pages_are_made() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout_of(&run(&["completions", shell]), 0).contains("investigate"));
    }
    let folder = tempfile::tempdir().unwrap();
    let output = blackrod().arg("man").arg(folder.path()).output().unwrap();
    stdout_of(&output, 0);
    assert!(folder.path().join("blackrod-investigate.1").is_file());
}
