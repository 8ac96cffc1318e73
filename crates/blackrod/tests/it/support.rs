//! What the tests share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A command of blackrod.
pub(crate) fn blackrod() -> Command {
    Command::new(env!("CARGO_BIN_EXE_blackrod"))
}

/// Runs blackrod to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    blackrod().args(arguments).output().unwrap()
}

/// Standard output of a run that must end with `code`.
pub(crate) fn stdout_of(output: &Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "standard error: {errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// `blackrod investigate` over the example into `case`, with more arguments.
pub(crate) fn investigate_example(case: &Path, more: &[&str]) -> Output {
    let examples = root().join("examples");
    blackrod()
        .arg("investigate")
        .arg(examples.join("evidence"))
        .arg("--estate")
        .arg(examples.join("estate.toml"))
        .arg("--fields")
        .arg(examples.join("vpn-fields.toml"))
        .arg("--indicators")
        .arg(examples.join("indicators"))
        .arg("--case")
        .arg(case)
        .args(more)
        .output()
        .unwrap()
}

/// The answer to a question about `case`, as CSV.
pub(crate) fn hunt(case: &Path, sql: &str) -> String {
    let output = blackrod()
        .args(["hunt", sql, "--format", "csv", "--case"])
        .arg(case)
        .output()
        .unwrap();
    stdout_of(&output, 0)
}

/// Everything a case says, in an order that does not depend on how it came to be.
pub(crate) fn everything(case: &Path) -> Vec<String> {
    [
        "SELECT id, path, sha256, format, size, state, records_read, records_refused FROM evidence ORDER BY id",
        "SELECT evidence, record, \"offset\", records, reason FROM refusals ORDER BY 1, 2, 3, 5",
        "SELECT id, code, rule_id, title, severity, time, record, attack, reason, campaign FROM findings ORDER BY id",
        "SELECT id, title, score, first_seen, last_seen, findings, targets FROM campaigns ORDER BY id",
        "SELECT class, evidence, record, \"offset\", time, host, \"user\", raw FROM events \
         ORDER BY evidence, \"offset\", record, class, raw",
    ]
    .iter()
    .map(|sql| hunt(case, sql))
    .collect()
}
